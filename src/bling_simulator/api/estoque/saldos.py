"""`GET /estoques/saldos`: o saldo dos produtos que se pedem, em cada depósito; não há detalhe."""

from bling_simulator.answers import invalid
from bling_simulator.api.query import Query
from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.payload import Json


def list_saldos(bling: Bling, query: Query) -> list[Json]:
    """Os dos produtos de `idsProdutos[]`, e dos códigos de `codigos[]`; de um que não há, nada vem. O filtro é pelo
    saldo físico (suposto)."""
    ids, skus = query.many("idsProdutos[]"), query.many("codigos[]")
    wanted = query.choice("filtroSaldoEstoque", range(3), 1 if bling.settings.default_hides_zero_stock else None)
    found = [
        balance
        for balance in bling.stockroom.balances()
        if (not ids or str(balance["id"]) in ids) and (not skus or balance["produto"]["codigo"] in skus)
    ]
    if ids and not found and bling.settings.unknown_stock_answers_400:
        raise invalid("idsProdutos", "Nenhum produto foi encontrado.")
    return [balance for balance in found if wanted is None or _class(balance) == wanted]


def saldo_row(balance: Json) -> Json:
    return {field: value for field, value in balance.items() if field != "id"}


def get_saldo(bling: Bling, product_id: int) -> Json | None:
    return next((balance for balance in bling.stockroom.balances() if balance["id"] == product_id), None)


def _class(balance: Json) -> int:
    """0 zerado, 1 positivo, 2 negativo."""
    total = balance["saldoFisicoTotal"]
    return 1 if total > 0 else 2 if total < 0 else 0


SALDOS = Resource(
    "/estoques/saldos",
    list_saldos,
    saldo_row,
    get_saldo,
    edit=lambda bling, id_, changes: bling.edit_stock(id_, **changes),
    delete=lambda bling, id_: bling.delete_product(id_),
    required=("idsProdutos[]", "codigos[]"),
    paged=False,
    alone=False,
)
