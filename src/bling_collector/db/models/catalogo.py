"""O que se sabe dos produtos além do cadastro: de quem se compram, e por quanto se vendem em cada canal."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Integer,
    Numeric,
    Table,
    Text,
)

from bling_collector.db.models.base import BRASILIA_TIME, bling_id, kept, metadata

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
    Column("valido_desde", DateTime(timezone=True), comment="quando se leu pela primeira vez este custo"),
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

categorias_lojas = Table(
    "categorias_lojas",
    metadata,
    bling_id(),
    Column("loja_id", BigInteger, index=True, comment="o canal de venda"),
    Column("categoria_produto_id", BigInteger, index=True, comment="a categoria de produtos a que corresponde"),
    Column("codigo", Text, comment="o código da categoria no canal"),
    Column("descricao", Text),
    *kept("a linha de GET /categorias/lojas"),
)

produtos_estruturas = Table(
    "produtos_estruturas",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False, comment="o id do produto composto"),
    Column("tipo_estoque", Text, comment="F físico, V virtual"),
    Column(
        "lancamento_estoque",
        Text,
        comment="o que uma venda baixa: A o produto e os componentes, M os componentes, P o produto",
    ),
    *kept("a estrutura inteira, como GET /produtos/estruturas/{id} a deu", listed=False),
)

produtos_componentes = Table(
    "produtos_componentes",
    metadata,
    Column(
        "produto_id", BigInteger, ForeignKey(produtos_estruturas.c.id), primary_key=True, comment="o produto composto"
    ),
    Column("ordem", Integer, primary_key=True, autoincrement=False, comment="o lugar na estrutura, de 1 em diante"),
    Column("componente_id", BigInteger, index=True, comment="o produto que o compõe"),
    Column("quantidade", Numeric, comment="quantos entram em um"),
)

anuncios = Table(
    "anuncios",
    metadata,
    bling_id(),
    Column("loja_id", BigInteger, index=True, comment="o canal de venda"),
    Column("tipo_integracao", Text, comment="o tipo do canal"),
    Column("produto_id", BigInteger, index=True),
    Column("titulo", Text),
    Column("situacao", Integer, comment="1 publicado, 2 rascunho, 3 com problema, 4 pausado"),
    *kept("o anúncio inteiro, como GET /anuncios/{id} o deu, com o que a listagem diz dele"),
)

produtos_controle_lote = Table(
    "produtos_controle_lote",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False, comment="o id do produto"),
    Column("controla_lote", Boolean),
    *kept("a linha de GET /produtos/lotes/controla-lote"),
)

produtos_lotes = Table(
    "produtos_lotes",
    metadata,
    bling_id(),
    Column("produto_id", BigInteger, index=True),
    Column("deposito_id", BigInteger),
    Column("codigo", Text),
    Column("codigo_agregacao", Text),
    Column("data_fabricacao", Date),
    Column("data_validade", Date, index=True),
    Column("dias_permitido_venda", Integer, comment="por quantos dias ainda se pode vender"),
    Column("situacao", Text, comment="A ativo, I inativo"),
    *kept("a linha de GET /produtos/lotes"),
)

produtos_lotes_saldos = Table(
    "produtos_lotes_saldos",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False, comment="o id do lote"),
    Column("produto_id", BigInteger, index=True),
    Column("deposito_id", BigInteger),
    Column("saldo", Numeric, comment="quanto há dele"),
    *kept("a linha de GET /produtos/{id}/lotes/depositos/{id}/saldo"),
)

produtos_lotes_lancamentos = Table(
    "produtos_lotes_lancamentos",
    metadata,
    bling_id(),
    Column("lote_id", BigInteger, index=True),
    Column("tipo", Integer, comment="1 entrada, 2 saída, 3 balanço"),
    Column("data", DateTime(timezone=False), index=True, comment=BRASILIA_TIME),
    Column("quantidade", Numeric),
    Column("origem_id", BigInteger, comment="o que o lançou; não se diz de que espécie é"),
    Column("observacao", Text),
    *kept("a linha de GET /produtos/lotes/{id}/lancamentos"),
)
