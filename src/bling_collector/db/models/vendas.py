"""Os pedidos de venda."""

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

pedidos_venda = Table(
    "pedidos_venda",
    metadata,
    bling_id(),
    Column("numero", BigInteger, comment="corre sem lacuna, a não ser pelos excluídos e pelos importados"),
    Column("numero_loja", Text, comment="o número no canal de venda; um pedido importado de novo o repete"),
    Column("data", Date, index=True, comment="o dia do pedido"),
    Column("data_saida", Date),
    Column("data_prevista", Date),
    Column("situacao_id", BigInteger, comment="a situação da conta: 6 em aberto, 9 atendido, 12 cancelado…"),
    Column("situacao_valor", Integer, comment="o que o Bling diz dela em número; em certas contas é sempre 0"),
    Column("contato_id", BigInteger, index=True),
    Column("loja_id", BigInteger, comment="o canal de venda; vazio é venda própria"),
    Column("vendedor_id", BigInteger, comment="de vendedores, e não de contatos"),
    Column("nota_fiscal_id", BigInteger, index=True, comment="a nota que dele se fez"),
    Column("total_produtos", Numeric),
    Column("total", Numeric),
    Column("desconto", Numeric, comment="em reais ou em %, como desconto_unidade diz"),
    Column("desconto_unidade", Text, comment="REAL ou PERCENTUAL"),
    Column("outras_despesas", Numeric),
    Column("frete", Numeric),
    Column("taxa_comissao", Numeric, comment="a do canal de venda, como o Bling a dá"),
    Column("custo_frete", Numeric, comment="o frete que o canal de venda cobra"),
    *kept("o pedido inteiro, como GET /pedidos/vendas/{id} o deu"),
)

pedidos_venda_itens = Table(
    "pedidos_venda_itens",
    metadata,
    Column("pedido_id", BigInteger, ForeignKey(pedidos_venda.c.id), primary_key=True, comment="de que pedido é"),
    Column("ordem", Integer, primary_key=True, comment="o lugar no pedido, de 1 em diante"),
    Column("id", BigInteger, index=True, comment="o id no Bling"),
    Column("produto_id", BigInteger, index=True),
    Column("codigo_produto", Text, index=True),
    Column("descricao", Text),
    Column("quantidade", Numeric),
    Column("valor_unitario", Numeric, comment="já sem o desconto do item"),
    Column("desconto_percentual", Numeric),
)

pedidos_venda_parcelas = Table(
    "pedidos_venda_parcelas",
    metadata,
    Column("pedido_id", BigInteger, ForeignKey(pedidos_venda.c.id), primary_key=True, comment="de que pedido é"),
    Column("ordem", Integer, primary_key=True, comment="o lugar no pedido, de 1 em diante"),
    Column("id", BigInteger, index=True, comment="o id no Bling"),
    Column("data_vencimento", Date),
    Column("valor", Numeric),
    Column("forma_pagamento_id", BigInteger, index=True),
)

ordens_servico = Table(
    "ordens_servico",
    metadata,
    bling_id(),
    Column("numero", Text),
    Column("contato_id", BigInteger, index=True),
    *kept("a ordem inteira, como GET /ordens/servico/{id} a deu"),
)
