"""O que se compra: os pedidos de compra."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Integer,
    Numeric,
    Table,
    Text,
)

from bling_collector.db.models.base import bling_id, kept, metadata

pedidos_compra = Table(
    "pedidos_compra",
    metadata,
    bling_id(),
    Column("numero", BigInteger),
    Column("data", Date, index=True, comment="o dia do pedido"),
    Column("data_prevista", Date, comment="quando se espera que chegue"),
    Column("situacao_id", BigInteger, comment="a situação, na numeração da conta"),
    Column("situacao_valor", Integer, comment="0 em aberto, 1 atendido, 2 cancelado, 3 em andamento"),
    Column("fornecedor_id", BigInteger, index=True, comment="o contato de quem se compra"),
    Column("nota_fiscal_id", BigInteger, index=True, comment="a nota de entrada, se o Bling a diz do pedido inteiro"),
    Column("ordem_compra", Text),
    Column("total_produtos", Numeric),
    Column("total", Numeric),
    Column("desconto", Numeric, comment="em reais ou em %, como desconto_unidade diz"),
    Column("desconto_unidade", Text, comment="REAL ou PERCENTUAL"),
    Column("total_icms", Numeric),
    Column("total_ipi", Numeric),
    Column("frete", Numeric),
    Column("categoria_id", BigInteger, comment="a categoria de receitas e despesas"),
    *kept("o pedido inteiro, como GET /pedidos/compras/{id} o deu"),
)

pedidos_compra_itens = Table(
    "pedidos_compra_itens",
    metadata,
    Column("pedido_id", BigInteger, ForeignKey(pedidos_compra.c.id), primary_key=True, comment="de que pedido é"),
    Column("ordem", Integer, primary_key=True, comment="o lugar no pedido, de 1 em diante"),
    Column("produto_id", BigInteger, index=True),
    Column("codigo_produto", Text, index=True),
    Column("codigo_fornecedor", Text),
    Column("descricao", Text),
    Column("unidade", Text),
    Column("quantidade", Numeric),
    Column("valor_unitario", Numeric),
    Column("aliquota_ipi", Numeric),
    Column("nota_fiscal_id", BigInteger, index=True, comment="a nota de entrada em que veio"),
    Column("quantidade_na_nota", Numeric, comment="quanto do pedido já veio nela"),
)

pedidos_compra_parcelas = Table(
    "pedidos_compra_parcelas",
    metadata,
    Column("pedido_id", BigInteger, ForeignKey(pedidos_compra.c.id), primary_key=True, comment="de que pedido é"),
    Column("ordem", Integer, primary_key=True, comment="o lugar no pedido, de 1 em diante"),
    Column("data_vencimento", Date),
    Column("valor", Numeric),
    Column("forma_pagamento_id", BigInteger, index=True),
)
