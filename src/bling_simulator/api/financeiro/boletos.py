"""`GET /contas/receber/boletos?idOrigem=…`: não há listagem de todos, e a resposta é uma só (referência)."""

from bling_simulator.api.query import Query
from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.payload import Json


def get_boletos(bling: Bling, origin_id: int) -> Json | None:
    """Os boletos de uma nota, ou de um pedido; sem nenhum, uma resposta vazia (suposto), ou 404."""
    found = bling.slips.get(origin_id)
    if found is None or (not found["contas"] and bling.settings.origins_without_boletos_answer_404):
        return None
    return found


def _asked(bling: Bling, slips: Json, query: Query) -> Json:
    """Só os das situações que se pedem: sem `situacoes[]`, os em aberto (referência)."""
    statuses = query.many("situacoes[]") or {"1"}
    return slips | {"contas": [each for each in slips["contas"] if str(each["situacao"]) in statuses]}


def _with_contact(bling: Bling) -> list[Json]:
    owners: dict[int, int] = {}
    for account in bling.receivables.values():
        owners[account["origem"]["id"]] = max(account["contato"]["id"], owners.get(account["origem"]["id"], 0))
    return [{"id": id_, **each, "contato": {"id": owners.get(id_, 0)}} for id_, each in bling.slips.items()]


BOLETOS = Resource(
    "/contas/receber/boletos",
    lambda bling, query: _with_contact(bling),
    dict,
    get_boletos,
    edit=lambda bling, id_, changes: bling.edit_slips(id_, **changes),
    delete=lambda bling, id_: bling.delete_slips(id_),
    listed=False,
    by="idOrigem",
    asked=_asked,
    wraps=lambda bling: bling.settings.bare_details_in_envelope,
)
