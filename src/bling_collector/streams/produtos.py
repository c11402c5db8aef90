"""Os produtos dos SKUs que as notas citam: GET /produtos, por lotes de `codigos[]`."""

from bling_collector.db.models import produtos
from bling_collector.payload import decimal, integer, reference, text
from bling_collector.streams.base import Document, Rows, Stream


def rows(produto: Document) -> Rows:
    """A linha de um produto, da linha da listagem; a categoria só existe no detalhe e tem o seu próprio passo."""
    return {
        produtos: [
            {
                "id": integer(produto.get("id")),
                "codigo": text(produto.get("codigo")),
                "nome": text(produto.get("nome")),
                "preco_venda": decimal(produto.get("preco")),
                "preco_custo": decimal(produto.get("precoCusto")),
                "tipo": text(produto.get("tipo")),
                "situacao": text(produto.get("situacao")),
                "formato": text(produto.get("formato")),
                "produto_pai_id": integer(produto.get("idProdutoPai")) or None,
                "detalhe": _without_stock(produto),
                # Quem mudou perde a preferência até que ela seja decidida de novo: o SKU pode ter mudado.
                "preferido": False,
            }
        ]
    }


DELETED = (("criterio", "4"),)
"""O critério que só mostra os excluídos."""


def categoria_id(produto: Document) -> int | None:
    """A categoria de um detalhe de produto, ou None."""
    return reference(produto.get("categoria"))


def _without_stock(produto: Document) -> Document:
    """O saldo e o link assinado da imagem mudam a toda hora e não são do cadastro do produto."""
    return {key: value for key, value in produto.items() if key not in ("estoque", "imagemURL")}


PRODUTOS = Stream(
    name="produtos",
    title="Produtos",
    path="/produtos",
    table=produtos,
    rows=rows,
    # Sem `criterio` só vêm os últimos incluídos; 5 é todos, os excluídos também (referência: GET /produtos).
    listings=((("criterio", "5"),),),
    window=("dataAlteracaoInicial", "dataAlteracaoFinal"),
    history=(),
    volatile=("preferido",),
    state=("preferido",),
)
