"""O estoque."""

from sqlalchemy import BigInteger, Column, DateTime, Numeric, Table

from bling_collector.db.models.base import metadata

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
        comment="0 se o Bling só dá o total do produto, sem depósitos",
    ),
    Column("saldo_fisico", Numeric, comment="o que está lá; pode ser negativo, ou ter fração"),
    Column("saldo_virtual", Numeric, comment="menos o que está reservado"),
)
