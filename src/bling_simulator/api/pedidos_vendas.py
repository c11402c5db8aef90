"""`GET /pedidos/vendas` e `GET /pedidos/vendas/{id}`."""

from datetime import timedelta

from bling_simulator.api.query import Interval, Query
from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.clock import local_now
from bling_simulator.company.register import Entry
from bling_simulator.company.sales.statuses import CANCELLED, GIVEN_UP
from bling_simulator.payload import Json

_ROW_FIELDS = (
    "id", "numero", "numeroLoja", "data", "dataSaida", "dataPrevista", "totalProdutos", "total", "contato",
    "situacao", "loja",
)  # fmt: skip
"""O que vem na listagem; os itens, as parcelas, o vendedor e a nota só no detalhe (referência)."""


def list_pedidos_vendas(bling: Bling, query: Query) -> list[Json]:
    """Do pedido mais novo ao mais antigo (suposto), também os cancelados (a referência não fala de esconder nenhum).

    Os períodos são três, todos de duas pontas: `data`, do pedido; `dataPrevista`; e `dataAlteracao`, com horas.
    """
    placed, expected, changed = _periods(bling, query)
    contact, seller, numero = query.integer("idContato"), query.integer("idVendedor"), query.integer("numero")
    shop, unit = query.integer("idLoja"), query.integer("idUnidadeNegocio")
    statuses, shop_numbers = query.many("idsSituacoes[]"), query.many("numerosLojas[]")
    if query.integer("idControleCaixa"):
        return []  # nenhum pedido gerado passou por um caixa

    def wanted(entry: Entry) -> bool:
        order = entry.detail
        return (
            placed[0] <= order["data"] <= placed[1]
            and expected[0] <= order["dataPrevista"] <= expected[1]
            and (changed is None or changed.holds(entry.changed))
            and (str(order["situacao"]["id"]) in statuses if statuses else _shown_by_default(bling, order))
            and (contact is None or order["contato"]["id"] == contact)
            and (seller is None or order["vendedor"]["id"] == seller)
            and (numero is None or order["numero"] == numero)
            and (shop is None or order["loja"]["id"] == shop)
            and (unit is None or order["loja"]["unidadeNegocio"]["id"] == unit)
            and (not shop_numbers or order["numeroLoja"] in shop_numbers)
        )

    return [_as_answered(bling, entry.detail) for entry in bling.orderbook.newest_first() if wanted(entry)]


def pedido_venda_row(order: Json) -> Json:
    return {field: order[field] for field in _ROW_FIELDS}


def get_pedido_venda(bling: Bling, order_id: int) -> Json | None:
    """O detalhe; o de um pedido excluído não responde (medido)."""
    entry = bling.orderbook.entries.get(order_id)
    return _as_answered(bling, entry.detail) if entry else None


def _periods(bling: Bling, query: Query) -> tuple[tuple[str, str], tuple[str, str], Interval | None]:
    """O primeiro e o último dia do pedido, os da data prevista, e o período de alteração."""
    if bling.settings.order_filters_are_ignored:
        return _days(None), _days(None), None
    first, last = _days(query.interval("data", bare_dates_get_time_of_day=False))
    today = local_now(bling.clock).date()
    if last == today.isoformat() and bling.settings.order_list_final_date_excludes_today:
        last = (today - timedelta(days=1)).isoformat()
    expected = _days(query.interval("dataPrevista", bare_dates_get_time_of_day=False))
    return (first, last), expected, query.interval("dataAlteracao", bare_dates_get_time_of_day=False)


def _days(interval: Interval | None) -> tuple[str, str]:
    """Os dias das pontas; sem período, o que abraça tudo, também a data zerada."""
    return (interval.start.date().isoformat(), interval.end.date().isoformat()) if interval else ("", "~")


def _shown_by_default(bling: Bling, order: Json) -> bool:
    return not bling.settings.default_hides_cancelled_orders or order["situacao"]["id"] not in (CANCELLED, GIVEN_UP)


def _as_answered(bling: Bling, order: Json) -> Json:
    if bling.settings.order_status_value_is_always_zero:
        order = order | {"situacao": order["situacao"] | {"valor": 0}}
    return order


PEDIDOS_VENDAS = Resource(
    "/pedidos/vendas",
    list_pedidos_vendas,
    pedido_venda_row,
    get_pedido_venda,
    edit=lambda bling, id_, changes: bling.edit_order(id_, **changes),
    delete=lambda bling, id_: bling.delete_order(id_),
)
