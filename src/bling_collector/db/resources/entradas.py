"""As notas de entrada de emissão própria, que dividem a numeração com as de saída. Nada aqui faz COMMIT."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from bling_collector.db.core import AsyncConnection
from bling_collector.db.models import nfe_entradas


async def save(connection: AsyncConnection, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Grava as linhas, novas ou mudadas."""
    for row in rows:
        values = row | {"extraido_em": now}
        new = insert(nfe_entradas).values(values)
        await connection.execute(new.on_conflict_do_update(index_elements=["id"], set_=values))


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
