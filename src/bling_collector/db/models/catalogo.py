"""O que se sabe dos produtos além do cadastro: de quem se compram, e por quanto se vendem em cada canal."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Numeric,
    Table,
    Text,
)

from bling_collector.db.models.base import bling_id, kept, metadata

produtos_fornecedores = Table(
    "produtos_fornecedores",
    metadata,
    bling_id(),
    Column("produto_id", BigInteger, index=True),
    Column("fornecedor_id", BigInteger, index=True, comment="o contato de quem se compra"),
    Column("descricao", Text, comment="como o fornecedor chama o produto"),
    Column("codigo", Text, comment="o código do produto no fornecedor"),
    Column("preco_custo", Numeric, comment="com a parte dele no frete, nos impostos e nos descontos"),
    Column("preco_compra", Numeric),
    Column("padrao", Boolean, comment="é o fornecedor padrão do produto"),
    *kept("a linha de GET /produtos/fornecedores"),
)

produtos_fornecedores_custos = Table(
    "produtos_fornecedores_custos",
    metadata,
    Column(
        "produto_fornecedor_id",
        BigInteger,
        ForeignKey(produtos_fornecedores.c.id),
        primary_key=True,
        comment="de que fornecedor de que produto é",
    ),
    Column("valido_desde", DateTime(timezone=True), primary_key=True, comment="quando se leu pela primeira vez"),
    Column("preco_custo", Numeric),
    Column("preco_compra", Numeric),
)

produtos_lojas = Table(
    "produtos_lojas",
    metadata,
    bling_id(),
    Column("produto_id", BigInteger, index=True),
    Column("loja_id", BigInteger, index=True, comment="o canal de venda"),
    Column("codigo", Text, comment="o código do produto no canal"),
    Column("preco", Numeric),
    Column("preco_promocional", Numeric),
    *kept("a linha de GET /produtos/lojas"),
)
