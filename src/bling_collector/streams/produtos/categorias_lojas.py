"""As categorias dos canais de venda, e a de produtos a que cada uma corresponde: GET /categorias/lojas."""

from bling_collector.db.models import categorias_lojas
from bling_collector.etl.resource import Document, Resource, Rows, Whole
from bling_collector.payload import Fields


def rows(categoria: Document) -> Rows:
    """A linha de uma categoria de um canal."""
    read = Fields(categoria)
    return {
        categorias_lojas: [
            {
                "id": read.id("id"),
                "loja_id": read.reference("loja"),
                "categoria_produto_id": read.reference("categoriaProduto"),
                "codigo": read.text("codigo"),
                "descricao": read.text("descricao"),
                "detalhe": categoria,
            }
        ]
    }


CATEGORIAS_LOJAS = Resource(
    name="categorias_lojas",
    title="Categorias dos canais de venda",
    noun="Categoria de um canal de venda",
    singular="categoria_loja",
    permission="Categorias - Lojas",
    path="/categorias/lojas",
    table=categorias_lojas,
    rows=rows,
    always=(("categoriaProduto", "loja", "codigo"),),
    detail=False,
    whole=Whole(weekly=True),
    cites=(("canais_venda", categorias_lojas.c.loja_id),),
    history=(),
)
