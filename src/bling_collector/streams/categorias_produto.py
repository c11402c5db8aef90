"""As categorias de produtos: GET /categorias/produtos."""

from bling_collector.db.models import categorias_produto
from bling_collector.payload import Fields
from bling_collector.streams.base import Document, Rows, Stream


def rows(categoria: Document) -> Rows:
    """A linha de uma categoria."""
    read = Fields(categoria)
    return {
        categorias_produto: [
            {
                "id": read.id("id"),
                "descricao": read.text("descricao"),
                "categoria_pai_id": read.reference("categoriaPai"),
            }
        ]
    }


CATEGORIAS_PRODUTO = Stream(
    name="categorias_produto",
    title="Categorias de produtos",
    noun="Categoria de produtos",
    singular="categoria_produto",
    permission="Categorias de produtos",
    path="/categorias/produtos",
    table=categorias_produto,
    rows=rows,
    always=("descricao",),
)
