"""As execuções que o serviço tem em curso: nenhuma se perde quando o cliente se vai ou o serviço para."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from bling_collector.clock import STOP_SECONDS
from bling_collector.errors import CollectorError
from bling_collector.logs import current_run
from bling_collector.runs.request import RunResult
from bling_collector.words import plural

log = logging.getLogger(__name__)


class InterruptedRunError(CollectorError):
    """O serviço está parando; o que falta fica para a próxima execução."""

    http_status = 503
    title = "Serviço parando"


class Begin(Protocol):
    """O que a `Pipeline` faz de um pedido, com tudo o mais já dado."""

    def __call__(self, *, stop: asyncio.Event, on_start: Callable[[int], None]) -> Coroutine[Any, Any, RunResult]: ...


@dataclass(frozen=True, eq=False)
class BegunRun:
    """Uma execução posta em curso."""

    _task: asyncio.Task[RunResult]
    _started: asyncio.Future[int]

    @property
    def id(self) -> int | None:
        """O número da execução; None enquanto (ou se) ela não começou."""
        return self._started.result() if self._started.done() else None

    async def started(self) -> int:
        """O número, assim que há um. Levanta o erro que recusou a execução antes disso."""
        either: set[asyncio.Future[Any]] = {self._task, self._started}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not self._started.done():
            self._task.result()
        return self._started.result()

    async def ended(self) -> RunResult:
        """O resultado. Cancelar quem espera não cancela a execução."""
        return await asyncio.shield(self._task)


class Runner:
    """Começa execuções e, ao parar, espera que terminem as notas que têm na mão."""

    def __init__(self) -> None:
        self.stop_asked = asyncio.Event()
        self._stopped_at = 0.0
        self._tasks: dict[asyncio.Task[RunResult], asyncio.Event] = {}

    @property
    def stopping(self) -> bool:
        return self.stop_asked.is_set()

    def start(self, begin: Begin) -> BegunRun:
        """Põe a execução em curso. InterruptedRunError se o serviço já está parando."""
        if self.stopping:
            raise InterruptedRunError("O serviço está parando e não começa execuções. Peça de novo em instantes.")
        started = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()  # de cada uma: quem pede que uma pare não para as outras

        def on_start(run_id: int) -> None:
            current_run.set(run_id)  # a execução roda numa tarefa só dela: o número não passa a mais ninguém
            started.set_result(run_id)

        task = asyncio.create_task(begin(stop=stop, on_start=on_start))
        self._tasks[task] = stop
        task.add_done_callback(self._ended)
        return BegunRun(task, started)

    def stop(self) -> None:
        """Pede a todas que parem assim que salvarem o que já chegou; não espera."""
        if not self.stopping:
            self._stopped_at = asyncio.get_running_loop().time()
            self.stop_asked.set()
            for stop in self._tasks.values():
                stop.set()

    async def close(self) -> None:
        """Pede que parem e espera; a que passa do prazo é cancelada, e a seguinte retoma o que ela devia."""
        self.stop()
        if not self._tasks:
            return
        log.info("Parando: %s o que já começou.", plural(len(self._tasks), "execução termina", "execuções terminam"))
        left = self._stopped_at + STOP_SECONDS - asyncio.get_running_loop().time()
        _, late = await asyncio.wait(self._tasks, timeout=max(left, 0.0))
        for task in late:
            log.warning("A execução não parou em %.0f s e foi cancelada.", STOP_SECONDS)
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _ended(self, task: asyncio.Task[RunResult]) -> None:
        self._tasks.pop(task, None)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, CollectorError):
            log.warning("Execução recusada ou interrompida: %s", error)
        else:
            log.error("A execução caiu num erro inesperado.", exc_info=error)
