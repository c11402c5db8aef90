"""Os produtos de cada canal de venda, com o preço deles lá: GET /produtos/lojas."""

from bling_collector.db.models import produtos_lojas
from bling_collector.etl.resource import Changed, Document, Resource, Rows, Whole
from bling_collector.payload import Fields
from bling_collector.windows import Between


def rows(vinculo: Document) -> Rows:
    """A linha de um produto num canal."""
    read = Fields(vinculo)
    return {
        produtos_lojas: [
            {
                "id": read.id("id"),
                "produto_id": read.reference("produto"),
                "loja_id": read.reference("loja"),
                "codigo": read.text("codigo"),
                "preco": read.measured("preco"),
                "preco_promocional": read.measured("precoPromocional"),
                "detalhe": vinculo,
            }
        ]
    }


PRODUTOS_LOJAS = Resource(
    name="produtos_lojas",
    title="Produtos dos canais de venda",
    noun="Produto de um canal de venda",
    singular="produto_loja",
    permission="Produtos - Lojas",
    path="/produtos/lojas",
    table=produtos_lojas,
    rows=rows,
    always=("produto",),
    detail=False,
    changed=Changed(Between("dataAlteracaoInicial", "dataAlteracaoFinal")),
    # O que se desfaz só a listagem inteira o mostra, por faltar nela.
    whole=Whole(weekly=True),
    cites=(("canais_venda", produtos_lojas.c.loja_id), ("produtos", produtos_lojas.c.produto_id)),
    history=(),
)
