"""Uma execução pedida à fila: o pedido como a tarefa o guarda. Quem só pede não carrega a fila."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from bling_collector.db.connection.core import AsyncEngine
from bling_collector.runs.request import RunRequest

RUNS: Final = ("run", "run-full", "reconcile")
"""As execuções que a fila faz."""


def written(request: RunRequest) -> dict[str, Any]:
    """O pedido, em JSON."""
    asked: dict[str, Any] = {
        "data_inicio": request.inicio.isoformat() if request.inicio else None,
        "data_fim": request.fim.isoformat() if request.fim else None,
    }
    if request.tipo == "reconcile":
        asked |= {"repair": request.repair, "aceitar_exclusoes": request.accept_deletions}
    return asked


def read_request(tipo: str, asked: Mapping[str, Any]) -> RunRequest:
    """O pedido de uma tarefa; a conferência que SCHEDULE pede, que nada diz, repara."""
    inicio, fim = (asked.get(name) for name in ("data_inicio", "data_fim"))
    return RunRequest(
        tipo,
        date.fromisoformat(inicio) if inicio else None,
        date.fromisoformat(fim) if fim else None,
        repair=asked.get("repair", True),
        accept_deletions=asked.get("aceitar_exclusoes", False),
    )


async def ask(engine: AsyncEngine, request: RunRequest) -> tuple[int, bool]:
    """Põe o pedido na fila: o número da tarefa, e se uma igual já lá estava."""
    from bling_collector.jobs.broker import open_queue  # quem não pede nada à fila não a carrega

    queue = await open_queue(engine)
    async with queue.app.open_async():
        return await queue.ask(request.tipo, written(request))
