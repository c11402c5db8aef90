"""De que se faz cada produto composto: GET /produtos/estruturas/{id}, um por produto de formato E."""

from typing import TYPE_CHECKING

from bling_collector.db.models import produtos_componentes, produtos_estruturas
from bling_collector.etl.resource import Child, Document, Resource, Rows
from bling_collector.payload import Fields

if TYPE_CHECKING:
    from bling_collector.etl.context import RunContext


def rows(estrutura: Document) -> Rows:
    """As linhas de uma estrutura, do seu detalhe: ela e os componentes, em ordem."""
    read = Fields(estrutura)
    produto_id = read.id("id")
    return {
        produtos_estruturas: [
            {
                "id": produto_id,
                "tipo_estoque": read.text("tipoEstoque"),
                "lancamento_estoque": read.text("lancamentoEstoque"),
                "detalhe": estrutura,
            }
        ],
        produtos_componentes: [
            {
                "produto_id": produto_id,
                "ordem": ordem,
                "componente_id": componente.reference("produto"),
                "quantidade": componente.measured("quantidade"),
            }
            for ordem, componente in enumerate(read.objects("componentes"), start=1)
        ],
    }


async def _with_their_products(ctx: "RunContext") -> None:
    """Um componente que nunca se vendeu só se conhece agora, e os produtos já se leram."""
    from bling_collector.etl.strategies.cited import read_cited
    from bling_collector.streams.produtos.produtos import PRODUTOS

    await read_cited(ctx, PRODUTOS)


PRODUTOS_COMPONENTES = Resource(
    name="produtos_componentes",
    title="Composições dos produtos",
    noun="Composição de um produto",
    singular="produto_componente",
    permission="Produtos - Estruturas",
    path="/produtos/estruturas",
    table=produtos_estruturas,
    rows=rows,
    always=(("componentes", "tipoEstoque", "lancamentoEstoque"),),
    listed=False,
    unnamed=True,
    # Que uma estrutura mudou só o diz, talvez, a alteração do produto: releem-se todas, cada uma na sua semana.
    open="true",
    weekly=True,
    besides="SELECT id FROM produtos WHERE formato = 'E' AND detalhe IS NOT NULL AND excluida_em IS NULL",
    needs=("produtos",),
    cites=(("produtos", produtos_componentes.c.componente_id),),
    special=(_with_their_products,),
    children=(Child(produtos_componentes, "produto_id"),),
    history=("componentes",),
)
