"""As categorias de receitas e despesas: GET /categorias/receitas-despesas."""

from bling_collector.db.models import categorias_financeiras
from bling_collector.etl.resource import Document, Resource, Rows, Whole
from bling_collector.payload import Fields

ATIVAS, INATIVAS = 1, 2
"""Os valores do filtro. O detalhe, que também diz a situação, chama as inativas de 0."""


def rows(categoria: Document) -> Rows:
    """A linha de uma categoria; a situação é a da listagem em que ela apareceu, ou a do detalhe."""
    read = Fields(categoria)
    situacao = read.integer("situacao")
    return {
        categorias_financeiras: [
            {
                "id": read.id("id"),
                "categoria_pai_id": read.id("idCategoriaPai") or None,
                "descricao": read.text("descricao"),
                "tipo": read.integer("tipo"),
                "situacao": 0 if situacao == INATIVAS else situacao,
                "detalhe": categoria,
            }
        ]
    }


CATEGORIAS_FINANCEIRAS = Resource(
    name="categorias_financeiras",
    title="Categorias de receitas e despesas",
    noun="Categoria de receitas e despesas",
    singular="categoria_financeira",
    permission="Categorias de receitas e despesas",
    path="/categorias/receitas-despesas",
    table=categorias_financeiras,
    rows=rows,
    always=("descricao", "tipo"),
    detail=False,
    # A linha não diz a situação: diz-a o filtro.
    shows=tuple((("tipo", "0"), ("situacao", str(situacao))) for situacao in (ATIVAS, INATIVAS)),
    told=(("situacao", "situacao"),),
    from_list=(("situacao", "situacao"),),
    whole=Whole(aside="situacao IS DISTINCT FROM 1"),
    cites=(("categorias_financeiras", categorias_financeiras.c.categoria_pai_id),),
    history=(),
)
