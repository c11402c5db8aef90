"""Uma execução que se deixou a um worker: em que ponto está, e que execução já é."""

from dataclasses import dataclass
from typing import Final

from bling_collector.db import broker
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.errors import CollectorError
from bling_collector.insight.status import load_run

QUEUED: Final = "queued"
RUNNING: Final = "running"


class UnknownJobError(CollectorError):
    """Não há tarefa com este número, ou já se esqueceu."""

    http_status = 404
    exit_code = 2
    title = "Tarefa desconhecida"


@dataclass(frozen=True)
class AskedRun:
    """Uma tarefa da fila."""

    job_id: int
    tipo: str
    status: str
    """`queued`, `running` ou, quando acaba, o da execução."""
    run_id: int | None
    """A execução que ela é, ou foi da última vez; None enquanto não começa."""
    mensagem: str | None


async def load_job(engine: AsyncEngine, job_id: int) -> AskedRun:
    """A tarefa. UnknownJobError se não a há."""
    async with engine.connect() as connection:
        found = await broker.load_asked(connection, job_id)
    if found is None:
        raise UnknownJobError(
            f"Não há tarefa {job_id} na fila; um dia depois de feita, ela se esquece. As execuções estão em GET /runs."
        )
    run = None if found.run_id is None else await load_run(engine, found.run_id)
    status = {"todo": QUEUED, "doing": RUNNING}.get(found.status)
    ended = run.status if run is not None and run.status and found.mensagem is None else "error"
    message = found.mensagem or (run.mensagem if run is not None else None)
    return AskedRun(job_id, found.tipo, status or ended, found.run_id, message)
