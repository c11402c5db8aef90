"""De quem se compra cada produto e por quanto: GET /produtos/fornecedores. O Bling só diz o custo de hoje; os que teve
ficam em `produtos_fornecedores_custos`."""

from bling_collector.db.models import produtos_fornecedores
from bling_collector.db.resources.costs import note_costs
from bling_collector.etl.resource import Announced, Document, Person, Resource, Rows, Whole
from bling_collector.payload import Fields
from bling_collector.traces import only

_KEPT = ("id", "produto", "descricao", "codigo", "precoCusto", "precoCompra", "padrao")
"""O que fica do vínculo de quem pediu que os seus dados fossem apagados: um campo novo é tomado por pessoal."""


def rows(vinculo: Document) -> Rows:
    """A linha de um fornecedor de um produto."""
    read = Fields(vinculo)
    return {
        produtos_fornecedores: [
            {
                "id": read.id("id"),
                "produto_id": read.reference("produto"),
                "fornecedor_id": read.reference("fornecedor"),
                "descricao": read.text("descricao"),
                "codigo": read.text("codigo"),
                "preco_custo": read.measured("precoCusto"),
                "preco_compra": read.measured("precoCompra"),
                "padrao": read.boolean("padrao"),
                "detalhe": vinculo,
            }
        ]
    }


def nameless_vinculo(vinculo: Document) -> Document:
    """O vínculo com o produto e os preços; do fornecedor, o id."""
    kept = only(vinculo, _KEPT)
    return kept | ({"fornecedor": only(vinculo["fornecedor"], ("id",))} if "fornecedor" in vinculo else {})


PRODUTOS_FORNECEDORES = Resource(
    name="produtos_fornecedores",
    title="Fornecedores dos produtos",
    noun="Fornecedor de um produto",
    singular="produto_fornecedor",
    permission="Produtos - Fornecedores",
    path="/produtos/fornecedores",
    table=produtos_fornecedores,
    rows=rows,
    always=("produto",),
    detail=False,
    whole=Whole(),
    announced=(Announced("product_supplier"),),
    cites=(("contatos", produtos_fornecedores.c.fornecedor_id), ("produtos", produtos_fornecedores.c.produto_id)),
    history=(),
    after_change=note_costs,
    # O fornecedor é um contato, que vem só com o id.
    person=Person(
        nameless_vinculo,
        contato_id=produtos_fornecedores.c.fornecedor_id,
        path=("fornecedor", "id"),
        names=(),
    ),
)
