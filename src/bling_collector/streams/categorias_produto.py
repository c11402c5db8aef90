"""As categorias de produtos: GET /categorias/produtos."""

from bling_collector.db.models import categorias_produto
from bling_collector.payload import integer, reference, text
from bling_collector.streams.base import Document, Rows, Stream


def rows(categoria: Document) -> Rows:
    """A linha de uma categoria."""
    return {
        categorias_produto: [
            {
                "id": integer(categoria.get("id")),
                "descricao": text(categoria.get("descricao")),
                "categoria_pai_id": reference(categoria.get("categoriaPai")),
            }
        ]
    }


CATEGORIAS_PRODUTO = Stream(
    name="categorias_produto",
    title="Categorias de produtos",
    path="/categorias/produtos",
    table=categorias_produto,
    rows=rows,
)
