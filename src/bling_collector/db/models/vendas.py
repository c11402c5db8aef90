"""Os pedidos de venda, as propostas comerciais e os contratos."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    text,
)

from bling_collector.db.models.base import bling_id, kept, metadata

pedidos_venda = Table(
    "pedidos_venda",
    metadata,
    bling_id(),
    Column("numero", BigInteger, index=True, comment="corre sem lacuna, a não ser pelos excluídos e pelos importados"),
    Column("numero_loja", Text, index=True, comment="o número no canal de venda; um pedido importado de novo o repete"),
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
    Index(
        "ix_pedidos_venda_vendas",
        "data",
        postgresql_include=["id", "total", "situacao_id", "loja_id", "vendedor_id"],
        postgresql_where=text("excluida_em IS NULL"),
    ),
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

propostas = Table(
    "propostas",
    metadata,
    bling_id(),
    Column("numero", BigInteger),
    Column("data", Date, index=True, comment="o dia da proposta"),
    Column("situacao", Text, comment="Rascunho, Pendente, Aguardando, Aprovado…; uma que a empresa criou, em número"),
    Column("contato_id", BigInteger, index=True),
    Column("loja_id", BigInteger, comment="o canal de venda; vazio é venda própria"),
    Column("vendedor_id", BigInteger, comment="de vendedores, e não de contatos"),
    Column("total_produtos", Numeric),
    Column("total_outros_itens", Numeric),
    Column("total", Numeric),
    Column("desconto", Numeric, comment="o número que o Bling dá, sem dizer a unidade"),
    Column("outras_despesas", Numeric),
    Column("frete", Numeric),
    Column("data_proximo_contato", Date),
    *kept("a proposta inteira, como GET /propostas-comerciais/{id} a deu"),
)

propostas_itens = Table(
    "propostas_itens",
    metadata,
    Column("proposta_id", BigInteger, ForeignKey(propostas.c.id), primary_key=True, comment="de que proposta é"),
    Column("ordem", Integer, primary_key=True, comment="o lugar na proposta, de 1 em diante"),
    Column("produto_id", BigInteger, index=True),
    Column("codigo_produto", Text, index=True),
    Column("descricao", Text),
    Column("unidade", Text),
    Column("quantidade", Numeric),
    Column("valor_unitario", Numeric),
    Column("desconto", Numeric, comment="o número que o Bling dá, sem dizer a unidade"),
)

contratos = Table(
    "contratos",
    metadata,
    bling_id(),
    Column("numero", Text),
    Column("descricao", Text),
    Column("data", Date, comment="o dia em que se fez"),
    Column("data_fim", Text, comment="o último mês, AAAA-MM"),
    Column("situacao", Integer, comment="0 inativo, 1 ativo, 2 baixado, 3 isento, 4 em avaliação"),
    Column("valor", Numeric, comment="o de cada cobrança: a periodicidade diz de quantos meses"),
    Column("contato_id", BigInteger, index=True),
    Column("vendedor_id", BigInteger, comment="de vendedores, e não de contatos"),
    Column("categoria_id", BigInteger, comment="a categoria de receitas e despesas"),
    Column("conta_financeira_id", BigInteger),
    Column("forma_pagamento_id", BigInteger),
    Column("produto_id", BigInteger, index=True, comment="o que vai na nota"),
    Column("tipo_manutencao", Integer, comment="1 por valor, 2 por indexação"),
    Column("emitir_ordem_servico", Boolean),
    Column("desconto", Numeric),
    Column("desconto_data_fim", Text, comment="o último mês do desconto, AAAA-MM"),
    Column("cobranca_data_base", Date),
    Column("cobranca_contato_id", BigInteger, index=True, comment="a quem se cobra, se é outro"),
    Column("vencimento_tipo", Integer, comment="1 no mês, 2 no seguinte, 3 em dois meses"),
    Column("vencimento_dia", Integer),
    Column(
        "periodicidade",
        Integer,
        comment="1 mensal, 2 bimestral, 3 trimestral, 4 semestral, 5 anual, 6 de dois anos, 7 de três",
    ),
    *kept("o contrato inteiro, como GET /contratos/{id} o deu"),
)

ordens_servico = Table(
    "ordens_servico",
    metadata,
    bling_id(),
    Column("numero", Text),
    Column("contato_id", BigInteger, index=True),
    *kept("a ordem inteira, como GET /ordens/servico/{id} a deu"),
)
