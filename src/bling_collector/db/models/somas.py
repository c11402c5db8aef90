"""As somas de cada dia, e os dias por somar. Feitas das outras, e de mais ninguém: `db/sums.py`."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Numeric, Table, Text

from bling_collector.db.models.base import metadata

dias_por_somar = Table(
    "dias_por_somar",
    metadata,
    Column("tabela", Text, nullable=False),
    Column("dia", Date, nullable=False),
    Index("ix_dias_por_somar", "tabela", "dia"),
)

notas_por_dia = Table(
    "notas_por_dia",
    metadata,
    Column("dia", Date, nullable=False),
    Column("situacao", Integer),
    Column("tipo", Integer),
    Column("resumo_lista", Text),
    Column("registros", BigInteger, nullable=False),
    Index("ix_notas_por_dia", "dia"),
)

vendas_por_dia = Table(
    "vendas_por_dia",
    metadata,
    Column("dia", Date, nullable=False),
    Column("valida", Boolean, nullable=False),
    Column("operacao", Text, nullable=False),
    Column("contato_uf", Text),
    Column("registros", BigInteger, nullable=False),
    Column("valor", Numeric),
    Index("ix_vendas_por_dia", "dia"),
)

pedidos_por_dia = Table(
    "pedidos_por_dia",
    metadata,
    Column("dia", Date, nullable=False),
    Column("situacao_id", BigInteger),
    Column("resumo_lista", Text),
    Column("registros", BigInteger, nullable=False),
    Column("valor", Numeric),
    Index("ix_pedidos_por_dia", "dia"),
)
