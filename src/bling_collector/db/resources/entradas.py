"""As notas de entrada de emissão própria, que dividem a numeração com as de saída. Nada aqui faz COMMIT."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from bling_collector.db.core import AsyncConnection
from bling_collector.db.models import nfe_entradas
from bling_collector.db.upsert import upsert


async def save(connection: AsyncConnection, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Grava as linhas, novas ou mudadas."""
    await upsert(connection, nfe_entradas, [row | {"extraido_em": now} for row in rows])


@dataclass(frozen=True)
class Numbered:
    serie: int
    numero: int
    id: int
    data_emissao: datetime | None


async def numbered(connection: AsyncConnection, serie: int | None) -> list[Numbered]:
    """As entradas, de uma série ou de todas, pela ordem dos números."""
    c = nfe_entradas.c
    statement = select(c.serie, c.numero, c.id, c.data_emissao).order_by(c.serie, c.numero, c.id)
    found = await connection.execute(statement if serie is None else statement.where(c.serie == serie))
    return [Numbered(*row) for row in found]
