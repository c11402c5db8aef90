"""`GET /pedidos/compras` e `GET /pedidos/compras/{id}`."""

from bling_simulator.api.dimensoes.kept import kept
from bling_simulator.api.query import Query, days_asked
from bling_simulator.bling import Bling
from bling_simulator.company.papers.purchases import CANCELLED
from bling_simulator.payload import Json

_ONLY_IN_DETAIL = (
    "ordemCompra", "observacoes", "observacoesInternas", "desconto", "categoria", "tributacao", "transporte", "itens",
    "parcelas",
)  # fmt: skip


def _pedido(bling: Bling, query: Query, order: Json) -> bool:
    """Também os cancelados (a referência não fala de esconder nenhum)."""
    supplier, value, status = (query.integer(name) for name in ("idFornecedor", "valorSituacao", "idSituacao"))
    notes = query.many("idsNotasFiscais[]")
    first, last = days_asked(bling.settings, bling.clock, query)
    hides = bling.settings.default_hides_cancelled_orders and value is None and status is None
    return (
        first <= order["data"] <= last
        and supplier in {None, order["fornecedor"]["id"]}
        and value in {None, order["situacao"]["valor"]}
        and status in {None, order["situacao"]["id"]}
        and not (hides and order["situacao"]["valor"] == CANCELLED)
        and (not notes or any(str(item["notaFiscal"]["id"]) in notes for item in order["itens"]))
    )


PEDIDOS_COMPRAS = kept("/pedidos/compras", _pedido, only_in_detail=_ONLY_IN_DETAIL)
