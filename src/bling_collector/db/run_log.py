"""As linhas que uma execução registrou (tabela execucao_log), poucas por execução e só das últimas. Sem COMMIT."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, select

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import execucao_log
from bling_collector.payload import storable

KEPT_RUNS: Final = 200
"""As execuções cujas linhas se guardam, contadas da mais nova."""


@dataclass(frozen=True)
class Line:
    quando: datetime
    nivel: str
    mensagem: str


async def append(connection: AsyncConnection, run_id: int, lines: list[Line]) -> None:
    """Acrescenta as linhas ao log da execução."""
    values = [
        {"run_id": run_id, "quando": line.quando, "nivel": line.nivel, "mensagem": storable(line.mensagem)}
        for line in lines
    ]
    if values:
        await connection.execute(insert(execucao_log), values)


async def prune(connection: AsyncConnection, run_id: int) -> None:
    """Apaga as linhas das execuções que ficaram para trás, quando começa a `run_id`."""
    await connection.execute(delete(execucao_log).where(execucao_log.c.run_id <= run_id - KEPT_RUNS))


async def load(connection: AsyncConnection, run_id: int) -> list[Line]:
    """As linhas da execução, na ordem em que se registraram."""
    c = execucao_log.c
    found = await connection.execute(select(c.quando, c.nivel, c.mensagem).where(c.run_id == run_id).order_by(c.id))
    return [Line(row.quando, row.nivel, row.mensagem) for row in found]
