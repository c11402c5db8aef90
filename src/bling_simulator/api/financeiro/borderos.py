"""`GET /borderos/{id}`: não há listagem (referência)."""

from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.payload import Json


def get_bordero(bling: Bling, bordero_id: int) -> Json | None:
    return bling.borderos.get(bordero_id)


BORDEROS = Resource(
    "/borderos",
    lambda bling, query: list(bling.borderos.values()),
    dict,
    get_bordero,
    edit=lambda bling, id_, changes: bling.edit_bordero(id_, **changes),
    delete=lambda bling, id_: bling.delete_bordero(id_),
    listed=False,
)
