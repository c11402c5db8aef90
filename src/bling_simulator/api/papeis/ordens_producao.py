"""`GET /ordens-producao` e `GET /ordens-producao/{id}`, que vem sem envelope."""

from bling_simulator.api.dimensoes.kept import kept
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.company.papers.production import CLOSED
from bling_simulator.payload import Json


def _ordem(bling: Bling, query: Query, order: Json) -> bool:
    statuses = query.many("idsSituacoes[]")
    if statuses:
        return str(order["situacao"]["id"]) in statuses
    return not (bling.settings.default_hides_closed_production and order["situacao"]["id"] in CLOSED)


ORDENS_PRODUCAO = kept(
    "/ordens-producao",
    _ordem,
    only_in_detail=("vendas", "itens", "observacoes"),
    wraps=lambda bling: bling.settings.bare_details_in_envelope,
)
