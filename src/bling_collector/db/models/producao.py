"""O que se fabrica: as ordens de produção."""

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

ordens_producao = Table(
    "ordens_producao",
    metadata,
    bling_id(),
    Column("numero", BigInteger),
    Column("situacao_id", BigInteger, index=True, comment="a situação, na numeração da conta"),
    Column("situacao_valor", Integer, comment="o que o Bling diz dela em número"),
    Column("situacao_nome", Text),
    Column("data_previsao_inicio", Date),
    Column("data_previsao_final", Date),
    Column("data_inicio", Date),
    Column("data_fim", Date, index=True),
    Column("responsavel", Text),
    Column("deposito_origem_id", BigInteger, comment="de onde saem os componentes"),
    Column("deposito_destino_id", BigInteger, comment="para onde vai o que se fabrica"),
    *kept("a ordem inteira, como GET /ordens-producao/{id} a deu"),
)

ordens_producao_itens = Table(
    "ordens_producao_itens",
    metadata,
    Column(
        "ordem_producao_id", BigInteger, ForeignKey(ordens_producao.c.id), primary_key=True, comment="de que ordem é"
    ),
    Column("ordem", Integer, primary_key=True, comment="o lugar na ordem, de 1 em diante"),
    Column("produto_id", BigInteger, index=True),
    Column("codigo_produto", Text, index=True),
    Column("nome", Text),
    Column("quantidade", Numeric),
)

ordens_producao_vendas = Table(
    "ordens_producao_vendas",
    metadata,
    Column(
        "ordem_producao_id", BigInteger, ForeignKey(ordens_producao.c.id), primary_key=True, comment="de que ordem é"
    ),
    Column("ordem", Integer, primary_key=True, comment="o lugar na ordem, de 1 em diante"),
    Column("numero", BigInteger, index=True, comment="o número do pedido de venda, e não o id"),
    Column("contato_id", BigInteger, index=True),
)
