"""`GET /produtos/fornecedores`, `GET /produtos/lojas` e `GET /categorias/lojas`, e o detalhe de cada um."""

from bling_simulator.api.dimensoes.kept import kept
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.payload import Json


def _fornecedor(bling: Bling, query: Query, supply: Json) -> bool:
    del bling
    product, supplier = query.integer("idProduto"), query.integer("idFornecedor")
    return product in {None, supply["produto"]["id"]} and supplier in {None, supply["fornecedor"]["id"]}


def _loja(bling: Bling, query: Query, link: Json) -> bool:
    del bling
    product, shop, category = (query.integer(name) for name in ("idProduto", "idLoja", "idCategoriaProduto"))
    return (
        product in {None, link["produto"]["id"]}
        and shop in {None, link["loja"]["id"]}
        and (category is None or {"id": category} in link["categoriasProdutos"])
    )


def _categoria(bling: Bling, query: Query, category: Json) -> bool:
    names = ("idLoja", "idCategoriaProduto", "idCategoriaProdutoPai")
    shop, ours, parent = (query.integer(name) for name in names)
    its = category["categoriaProduto"]["id"]
    above = bling.company.categories[its]["categoriaPai"]["id"] if its in bling.company.categories else 0
    return shop in {None, category["loja"]["id"]} and ours in {None, its} and parent in {None, above}


CATEGORIAS_LOJAS = kept("/categorias/lojas", _categoria)
PRODUTOS_FORNECEDORES = kept("/produtos/fornecedores", _fornecedor, only_in_detail=("garantia",))
PRODUTOS_LOJAS = kept("/produtos/lojas", _loja, tells_changes=True)
