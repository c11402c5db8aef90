"""`GET /produtos/estruturas/{id}`: não há listagem, e o id é o do produto composto."""

from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.payload import Json


def _kits(bling: Bling) -> dict[int, Json]:
    entries = bling.company.products.entries.items()
    return {
        id_: entry.detail["estrutura"] for id_, entry in entries if entry.detail["formato"] == "E" and not entry.deleted
    }


def get_estrutura(bling: Bling, product_id: int) -> Json | None:
    """A estrutura, sem o id (referência), a não ser que se diga; um produto sem composição não tem uma (suposto)."""
    found = _kits(bling).get(product_id)
    if found is None or not bling.settings.details_say_their_id:
        return found
    return {"id": product_id, **found}


def _edit(bling: Bling, product_id: int, changes: Json) -> None:
    bling.edit_product(product_id, estrutura=_kits(bling)[product_id] | changes)


ESTRUTURAS = Resource(
    "/produtos/estruturas",
    lambda bling, query: [{"id": id_, **each} for id_, each in _kits(bling).items()],
    dict,
    get_estrutura,
    edit=_edit,
    delete=lambda bling, id_: bling.edit_product(id_, formato="S"),
    listed=False,
)
