"""`GET /produtos` e `GET /produtos/{id}`."""

from bling_simulator.api.query import Query
from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.company.register import Entry
from bling_simulator.payload import Json

_ROW_FIELDS = ("nome", "codigo", "preco", "tipo", "situacao", "formato", "descricaoCurta", "imagemURL")
_ANY_LIVE = 0
"""Critério de quem busca pelo `codigo` antigo sem dizer outro: todos os não excluídos (medido)."""


def list_produtos(bling: Bling, query: Query) -> list[Json]:
    """Do cadastro mais novo ao mais antigo. Sem `criterio`, só os últimos incluídos."""
    legacy = (query.text("codigo") or "").lower()
    criterio = query.choice("criterio", range(1, 6), default=_ANY_LIVE if legacy else 1)
    included = query.interval("dataInclusao", bare_dates_get_time_of_day=False)
    changed = query.interval("dataAlteracao", bare_dates_get_time_of_day=False)
    ids, skus, gtins = query.many("idsProdutos[]"), query.many("codigos[]"), query.many("gtins[]")
    categoria, nome = query.integer("idCategoria"), (query.text("nome") or "").lower()
    tipo = query.text("tipo") or "T"
    stock = query.choice("filtroSaldoEstoque", range(3), 1 if bling.settings.default_hides_zero_stock else None)
    latest = bling.company.products.latest_included(bling.settings.latest_included)

    def wanted(entry: Entry) -> bool:
        product = entry.detail
        return (
            _meets(criterio, entry, latest)
            and (included is None or included.holds(entry.included))
            and (changed is None or changed.holds(entry.changed))
            and (not legacy or legacy in product["codigo"].lower())
            and (not ids or str(product["id"]) in ids)
            and (not skus or product["codigo"] in skus)
            and (not gtins or product["gtin"] in gtins)
            and (categoria is None or product["categoria"]["id"] == categoria)
            and (not nome or nome in product["nome"].lower())
            and _of_type(tipo, product)
            and (stock is None or _stock_class(bling, product) == stock)
        )

    return [entry.detail for entry in bling.company.products.newest_first() if wanted(entry)]


def produto_row(product: Json) -> Json:
    """A linha da lista: tem `precoCusto`, que o detalhe só traz no fornecedor; não tem categoria."""
    parent = {"idProdutoPai": product["idProdutoPai"]} if "idProdutoPai" in product else {}
    return {
        "id": product["id"],
        **parent,
        **{field: product[field] for field in _ROW_FIELDS},
        "precoCusto": product["fornecedor"]["precoCusto"],
        "estoque": {"saldoVirtualTotal": product["estoque"]["saldoVirtualTotal"]},
    }


def get_produto(bling: Bling, product_id: int) -> Json | None:
    entry = bling.company.products.entries.get(product_id)
    if entry is None or (entry.deleted and not bling.settings.deleted_detail_answers_200):
        return None
    return entry.detail


def _meets(criterio: int | None, entry: Entry, latest: set[int]) -> bool:
    match criterio:
        case 1:
            return entry.detail["id"] in latest
        case 2:
            return not entry.deleted and entry.detail["situacao"] == "A"
        case 3:
            return not entry.deleted and entry.detail["situacao"] == "I"
        case 4:
            return entry.deleted
        case 5:
            return True
        case _:
            return not entry.deleted


def _of_type(tipo: str, product: Json) -> bool:
    match tipo:
        case "P" | "S":
            return bool(product["tipo"] == tipo)
        case "PS":
            return bool(product["tipo"] == "P" and product["formato"] == "S")
        case "E":
            return bool(product["formato"] == "E")
        case "C":
            return bool(product["formato"] == "V")
        case "V":
            return "idProdutoPai" in product
        case _:
            return True


def _stock_class(bling: Bling, product: Json) -> int | None:
    """0 zerado, 1 positivo, 2 negativo; None se dele não há estoque."""
    balance = product["estoque"]["saldoVirtualTotal"]
    found = bling.stockroom.balance(product["id"])
    if found is None and bling.settings.stockless_match_no_filter:
        return None
    if found is not None and bling.settings.produto_stock_filter_is_physical:
        balance = found["saldoFisicoTotal"]
    return 1 if balance > 0 else 2 if balance < 0 else 0


PRODUTOS = Resource(
    "/produtos",
    list_produtos,
    produto_row,
    get_produto,
    edit=lambda bling, id_, changes: bling.edit_product(id_, **changes),
    delete=lambda bling, id_: bling.delete_product(id_),
)
