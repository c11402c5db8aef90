"""O estoque."""

from sqlalchemy import BigInteger, Column, DateTime, Numeric, Table

from bling_collector.db.models.base import metadata

estoque_totais = Table(
    "estoque_totais",
    metadata,
    Column("lido_em", DateTime(timezone=True), primary_key=True, comment="a hora da leitura, a mesma em toda ela"),
    Column("produto_id", BigInteger, primary_key=True, autoincrement=False, index=True),
    Column("saldo_fisico", Numeric, comment="vazio se o Bling não tem registro de estoque do produto"),
    Column("saldo_virtual", Numeric, comment="menos o que está reservado, e o dos depósitos que não contam"),
)

estoque_saldos = Table(
    "estoque_saldos",
    metadata,
    Column("lido_em", DateTime(timezone=True), primary_key=True, comment="a hora da leitura, a mesma em toda ela"),
    Column("produto_id", BigInteger, primary_key=True, autoincrement=False, index=True),
    Column(
        "deposito_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
    ),
    Column("saldo_fisico", Numeric, comment="o que está lá; pode ser negativo, ou ter fração"),
    Column("saldo_virtual", Numeric, comment="menos o que está reservado"),
)
