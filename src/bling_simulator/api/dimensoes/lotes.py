"""`GET /produtos/lotes` e o que há debaixo dela: os lotes só se pedem pelos produtos, e o resto, pelo lote."""

from bling_simulator.api.dimensoes.kept import kept
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.company.dimensions.lots import ACTIVE, BALANCES, CONTROL, INACTIVE, LAUNCHES, LOTS
from bling_simulator.payload import Json

_LETTERS = {"A": ACTIVE, "I": INACTIVE}


def _of_the_products(bling: Bling, query: Query, product: Json) -> bool:
    del bling
    return str(product["idProduto"]) in query.many("idsProdutos[]")


def _lote(bling: Bling, query: Query, lot: Json) -> bool:
    """Sem `status`, todos (suposto)."""
    status = _LETTERS.get(query.text("status") or "")
    all_of_them = status is None or bling.settings.status_filters_are_ignored
    places = query.many("idsDepositos[]")
    return (
        str(lot["produto"]["id"]) in query.many("idsProdutos[]")
        and (all_of_them or lot["status"] == status)
        and (not places or str(lot["deposito"]["id"]) in places)
    )


def _saldo(bling: Bling, query: Query, balance: Json) -> bool:
    del bling
    return (
        balance["produto"]["id"] == query.integer("produto_id")
        and balance["deposito"]["id"] == query.integer("deposito_id")
        and str(balance["idLote"]) in query.many("idsLotes[]")
    )


def _lancamento(bling: Bling, query: Query, launch: Json) -> bool:
    del bling
    return bool(launch["idLote"] == query.integer("lote_id"))


_PRODUCTS = ("idsProdutos[]",)
CONTROLA_LOTE = kept(CONTROL, _of_the_products, hidden=("id",), required=_PRODUCTS, paged=False, alone=False)
LOTES = kept(LOTS, _lote, hidden=("id",), required=_PRODUCTS)
SALDOS_DOS_LOTES = kept(BALANCES, _saldo, hidden=("id",), required=("idsLotes[]",), paged=False, alone=False)
LANCAMENTOS_DOS_LOTES = kept(LAUNCHES, _lancamento, detail_path="/produtos/lotes/lancamentos", paged=False)
