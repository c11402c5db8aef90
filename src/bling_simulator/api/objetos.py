"""`GET /logisticas/objetos/{id}`: não há listagem, e o id é o de um volume de um pedido ou de uma nota."""

from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.payload import Json


def get_objeto(bling: Bling, object_id: int) -> Json | None:
    """O objeto, sem o id (referência), a não ser que se diga."""
    found = bling.objects.get(object_id)
    if found is None or not bling.settings.details_say_their_id:
        return found
    return {"id": object_id, **found}


OBJETOS = Resource(
    "/logisticas/objetos",
    lambda bling, query: [{"id": object_id, **each} for object_id, each in bling.objects.items()],
    dict,
    get_objeto,
    edit=lambda bling, id_, changes: bling.edit_object(id_, **changes),
    delete=lambda bling, id_: bling.delete_object(id_),
    listed=False,
)
