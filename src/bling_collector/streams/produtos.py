"""Os produtos dos SKUs que as notas citam: GET /produtos, por lotes de `codigos[]`."""

from bling_collector.db.models import produtos
from bling_collector.payload import Fields
from bling_collector.streams.base import Document, Rows, Stream


def rows(produto: Document) -> Rows:
    """A linha de um produto, da linha da listagem; a categoria só existe no detalhe e tem o seu próprio passo."""
    read = Fields(produto)
    return {
        produtos: [
            {
                "id": read.id("id"),
                "codigo": read.text("codigo"),
                "nome": read.text("nome"),
                "preco_venda": read.decimal("preco"),
                "preco_custo": read.decimal("precoCusto"),
                "tipo": read.text("tipo"),
                "situacao": read.text("situacao"),
                "formato": read.text("formato"),
                "produto_pai_id": read.id("idProdutoPai") or None,
                "detalhe": _without_stock(produto),
                # Quem mudou perde a preferência até que ela seja decidida de novo: o SKU pode ter mudado.
                "preferido": False,
            }
        ]
    }


DELETED = (("criterio", "4"),)
"""O critério que só mostra os excluídos."""


def categoria_id(produto: Document) -> int | None:
    """A categoria de um detalhe de produto, ou None. UnreadableError se não se lê."""
    return Fields(produto).reference("categoria")


def _without_stock(produto: Document) -> Document:
    """O saldo e o link assinado da imagem mudam a toda hora e não são do cadastro do produto."""
    return {key: value for key, value in produto.items() if key not in ("estoque", "imagemURL")}


PRODUTOS = Stream(
    name="produtos",
    title="Produtos",
    noun="Produto",
    singular="produto",
    permission="Produtos",
    path="/produtos",
    table=produtos,
    rows=rows,
    always=("nome", "codigo"),
    # Sem `criterio` só vêm os últimos incluídos; 5 é todos, os excluídos também (referência: GET /produtos).
    listings=((("criterio", "5"),),),
    window=("dataAlteracaoInicial", "dataAlteracaoFinal"),
    history=(),
    volatile=("preferido",),
    state=("preferido",),
)
