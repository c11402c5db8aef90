"""Os grupos de produtos: GET /grupos-produtos."""

from bling_collector.db.models import grupos_produto
from bling_collector.etl.resource import Document, Resource, Rows, Whole
from bling_collector.payload import Fields


def rows(grupo: Document) -> Rows:
    """A linha de um grupo."""
    read = Fields(grupo)
    return {
        grupos_produto: [
            {
                "id": read.id("id"),
                "nome": read.text("nome"),
                "grupo_pai_id": read.reference("grupoProdutoPai"),
                "detalhe": grupo,
            }
        ]
    }


GRUPOS_PRODUTO = Resource(
    name="grupos_produto",
    title="Grupos de produtos",
    noun="Grupo de produtos",
    singular="grupo_produto",
    permission="Grupos de produtos",
    path="/grupos-produtos",
    table=grupos_produto,
    rows=rows,
    always=("nome",),
    detail=False,
    whole=Whole(weekly=True),
    history=(),
)
