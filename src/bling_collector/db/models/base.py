"""O que as tabelas têm em comum."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    MetaData,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s",
    }
)

BRASILIA_TIME = "hora local de Brasília, como o Bling a dá"


def ours(name: str, *, nullable: bool = True, now: bool = False) -> "Column[object]":
    """Uma hora nossa: timestamptz."""
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=func.now() if now else None)


def bling_id() -> "Column[int]":
    return Column("id", BigInteger, primary_key=True, autoincrement=False, comment="o id no Bling")


def gone(comment: str) -> "Column[object]":
    return Column("excluida_em", DateTime(timezone=True), comment=comment)


def kept(detalhe: str, *, listed: bool = True) -> "tuple[Column[Any], ...]":
    """O que as tabelas de todo recurso guardam de cada registro; a impressão da linha, só se ele se lista."""
    row = Column("resumo_lista", Text, comment="impressão da linha da listagem: se ela muda, o registro mudou")
    return (
        Column("detalhe", JSONB, comment=detalhe),
        *([row] if listed else []),
        Column("extraido_em", DateTime(timezone=True), comment="quando o que está aqui foi lido"),
        gone("quando o Bling deixou de o ter"),
        Column(
            "nao_encontrado_em", DateTime(timezone=True), comment="quando o Bling disse, da última vez, não o ter (404)"
        ),
    )
