"""Os produtos dos SKUs das notas, e os que outros citam pelo id: GET /produtos, por lotes de `codigos[]` ou de
`idsProdutos[]`."""

from typing import TYPE_CHECKING

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import produtos
from bling_collector.db.resources import produtos_categorias, produtos_skus
from bling_collector.etl.resource import Announced, Changed, Document, Keys, Removed, Resource, Rows
from bling_collector.payload import Fields
from bling_collector.windows import Between

if TYPE_CHECKING:
    from bling_collector.etl.context import RunContext
    from bling_collector.etl.save import Item


def rows(produto: Document) -> Rows:
    """A linha de um produto, da linha da listagem; a categoria só existe no detalhe e tem o seu próprio passo."""
    read = Fields(produto)
    return {
        produtos: [
            {
                "id": read.id("id"),
                "codigo": read.text("codigo"),
                "nome": read.text("nome"),
                "preco_venda": read.measured("preco"),
                "preco_custo": read.measured("precoCusto"),
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
_STOCK = tuple((("filtroSaldoEstoque", saldo),) for saldo in ("0", "2"))
"""O que o padrão, que talvez seja 1, não mostraria: os de saldo zerado e os de negativo. Sem filtro nenhum vêm os de
saldo positivo ou, se não há tal padrão, todos, também os de que não há saldo e que filtro nenhum mostra."""
LIVING = tuple((("criterio", each),) for each in ("2", "3"))
"""As listagens dos ativos e dos inativos."""
NOT_DELETED = tuple((*each, *stock) for each in LIVING for stock in ((), *_STOCK))
"""As mesmas, com o que o padrão esconderia."""
INCLUDED = Between("dataInclusaoInicial", "dataInclusaoFinal")


def categoria_id(produto: Document) -> int | None:
    """A categoria de um detalhe de produto, ou None. UnreadableError se não se lê."""
    return Fields(produto).reference("categoria")


def _without_stock(produto: Document) -> Document:
    """O saldo e o link assinado da imagem mudam a toda hora e não são do cadastro do produto."""
    return {key: value for key, value in produto.items() if key not in ("estoque", "imagemURL")}


async def _prefer_the_repeated(connection: AsyncConnection) -> None:
    await produtos_skus.prefer_produtos(connection, await produtos_skus.skus_repeated(connection))


async def _prefer_all(connection: AsyncConnection) -> None:
    await produtos_skus.prefer_produtos(connection, await produtos_skus.all_skus(connection))


async def _find_the_living(ctx: "RunContext") -> None:
    from bling_collector.streams.produtos.steps.preferido import find_the_living  # só quem coleta o carrega

    await find_the_living(ctx)


async def _with_categoria(ctx: "RunContext", produto: "Item") -> bool:
    from bling_collector.streams.produtos.steps.categorias import refresh_categoria

    return await refresh_categoria(ctx, produto.document["id"])


PRODUTOS = Resource(
    name="produtos",
    title="Produtos",
    noun="Produto",
    singular="produto",
    permission="Produtos",
    path="/produtos",
    table=produtos,
    rows=rows,
    optional=False,
    always=("nome",),
    detail=False,
    # Sem `criterio` só vêm os últimos incluídos; 5 é todos, os excluídos também (referência: GET /produtos).
    shows=((("criterio", "5"),),),
    # A descrição do Bling diz que /produtos, por padrão, só mostra saldo positivo (não foi medido).
    suspects=_STOCK,
    # A linha só diz o saldo virtual, e o filtro pode ser pelo físico: de nenhuma se sabe que ele a esconderia.
    proves=lambda row: False,
    register=NOT_DELETED,
    ids="idsProdutos[]",
    needs=("nfe",),
    changed=Changed(
        Between("dataAlteracaoInicial", "dataAlteracaoFinal"),
        only_ours=True,
        after=produtos_categorias.forget_the_unlisted,  # a mudança pode ser o que a linha não mostra
    ),
    keys=Keys(
        param="codigos[]",
        field="codigo",
        lacking=produtos_skus.skus_without_produto,
        held=produtos_skus.skus_with_produto,
        pending=produtos_skus.skus_pending,
        found=produtos_skus.mark_known_skus,
        unknown=produtos_skus.mark_unknown_skus,
    ),
    announced=(Announced("product"),),
    removed=Removed(DELETED, said="situacao = 'E'", at_first=True, after=_prefer_the_repeated),
    special=(_find_the_living,),
    one_more=_with_categoria,
    after_change=produtos_skus.after_produtos,
    rebuilt=_prefer_all,
    history=(),
    volatile=("preferido",),
    state=("preferido",),
    counts="produtos_novos",
)
