"""O worker: põe na fila o que é hora de fazer, faz o que está nela, e retoma o que outro deixou pelo meio.

Toda tarefa pode ser feita outra vez: o que se deve está nas tabelas do coletor, e a fila só diz quando olhar para elas.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from procrastinate import JobContext
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.tasks import Task

from bling_collector.clock import STOP_SECONDS, is_due
from bling_collector.db import events
from bling_collector.db.database import explained
from bling_collector.db.events import Pointed
from bling_collector.db.patience import PATIENCE
from bling_collector.errors import (
    BlingThrottledError,
    BlingUnavailableError,
    CollectorError,
    DatabaseError,
    RunInProgressError,
)
from bling_collector.jobs.broker import Queue, open_queue
from bling_collector.jobs.schedule import Line
from bling_collector.runs.announced import WAIT
from bling_collector.runs.job import RunResult
from bling_collector.words import plural
from bling_collector.workplace.account import Account

log = logging.getLogger(__name__)

AT_ONCE: Final = 3
"""Tarefas ao mesmo tempo: uma execução, ou uma olhada, e o que se faz ao lado dela. Mais não adiantaria, que o ritmo é
um só, e as conexões com o banco são poucas."""
BEAT: Final = 2.0
"""Segundos entre duas olhadas ao relógio."""
CATCH_UP: Final = timedelta(days=1)
"""Uma hora que passou sem worker nenhum ainda vale por este tempo."""
MOST_TRIES: Final = 5
MOST_AN_HOUR: Final = 800
"""Leituras que os avisos podem causar numa hora: um quinto da cota do dia, se todas as horas fossem assim."""
AGAIN: Final = timedelta(minutes=10)
"""Quanto se espera por uma leitura que se pôs na fila, até pô-la outra vez."""
_BUSY: Final = (15, 300)
_FAILED: Final = (60, 900)
"""Segundos até tentar outra vez, dobrados a cada uma, e o máximo deles."""
_PASSING: Final = (DatabaseError, BlingUnavailableError, BlingThrottledError)
"""Os erros que costumam passar."""
_INTERNAL: Final = (Line("*/15 * * * *", "alarms"), Line("23 * * * *", "prune"))
"""O que se faz sem que ninguém o agende."""


class _Again(Exception):  # noqa: N818 — não é um erro: a tarefa fica para daqui a pouco
    def __init__(self, seconds: int = 0) -> None:
        super().__init__()
        self.seconds = seconds


class _Later(BaseRetryStrategy):
    """A tarefa que o pede volta à fila; e também a que se cortou na parada."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision(retry_in={"seconds": 0})
        return RetryDecision(retry_in={"seconds": exception.seconds}) if isinstance(exception, _Again) else None


class Worker:
    """As tarefas de uma conta."""

    def __init__(self, account: Account, queue: Queue, lines: Collection[Line], stop: asyncio.Event) -> None:
        """`stop` é o pedido de parada, e chega também à execução em curso."""
        self._account = account
        self.queue = queue
        self._lines = (*lines, *_INTERNAL)
        self._stop = stop
        self._fired: dict[Line, datetime] = {}
        self._took_up_at: datetime | None = None
        pipeline = account.pipeline
        self._tasks = {
            "run": self._task("run", lambda: pipeline.run(stop=stop)),
            "look": self._task("look", lambda: pipeline.look(stop=stop)),
            "reconcile": self._task("reconcile", lambda: pipeline.reconcile(repair=True, stop=stop)),
            "alarms": self._task("alarms", lambda: account.alarms.check(patience=PATIENCE)),
            "prune": self._task("prune", self._prune),
        }
        self._reading = queue.app.task(name="read")(self._read)

    async def work(self) -> None:
        """Trabalha até que se peça a parada; então a tarefa em curso salva o que tem na mão, e o resto fica na fila."""
        beating = asyncio.create_task(self._keep_time())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            while not self._stop.is_set():
                await self._until(stopping)
        finally:
            for task in (beating, stopping):
                task.cancel()
            await asyncio.gather(beating, stopping, return_exceptions=True)

    async def _until(self, stopping: asyncio.Task[Any]) -> None:
        """O procrastinate, até a parada ou até que o banco o derrube; então espera um pouco e quem chama recomeça."""
        working = asyncio.create_task(
            self.queue.app.run_worker_async(
                queues=[self.queue.name],
                concurrency=AT_ONCE,
                fetch_job_polling_interval=BEAT,
                shutdown_graceful_timeout=STOP_SECONDS,
                delete_jobs="successful",
                install_signal_handlers=False,
            )
        )
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            working.cancel()
            (error,) = await asyncio.gather(working, return_exceptions=True)
        if not stopping.done():
            why = f" ({type(error).__name__})" if isinstance(error, Exception) else ""
            log.warning("A fila de tarefas deixou de atender%s; o worker recomeça em instantes.", why)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), BEAT)

    async def _keep_time(self) -> None:
        """De `BEAT` em `BEAT` segundos, o que é hora. Nenhum erro acaba com isto, e um que se repete é dito uma vez."""
        said = ""
        while True:
            try:
                async with explained(self._account.engine.url):
                    await self.beat()
                said = ""
            except (ConnectorException, CollectorError) as error:
                if str(error) != said:
                    said = str(error)
                    log.warning("A fila de tarefas não atende, e o que é hora de fazer espera por ela. %s", error)
            except Exception as error:  # a última fronteira deste laço: sem ele nada mais se faz na hora
                if repr(error) != said:
                    said = repr(error)
                    log.exception("O relógio das tarefas caiu num erro inesperado; ele continua.")
            await asyncio.sleep(BEAT)  # o tempo de verdade: o relógio do coletor pode ser outro

    async def beat(self) -> None:
        """Põe na fila o que é hora de fazer, e retoma o que ficou de um worker que morreu."""
        now = self._account.clock.now()
        if is_due(self._took_up_at, now, timedelta(seconds=15)):
            self._took_up_at = now
            if stalled := await self.queue.take_up_the_stalled():
                log.warning("%s de um worker que morreu.", plural(stalled, "tarefa retomada", "tarefas retomadas"))
        for line in self._lines:
            tick = line.last(now)
            if self._fired.get(line) == tick or now - tick > CATCH_UP:
                continue
            lock = None if line in _INTERNAL else self.queue.lock()
            if await self.queue.at(self._tasks[line.task], line.cron, tick, lock=lock):
                log.debug("É hora: %s.", line.task)
            self._fired[line] = tick
        await self._schedule_the_announced(now)

    async def _schedule_the_announced(self, now: datetime) -> None:
        """Põe na fila o que o Bling avisou há bastante, enquanto as leituras da última hora não são demais; o que
        sobra fica devido, e a olhada ou a execução o lê."""
        async with self._account.engine.begin() as connection:
            left = MOST_AN_HOUR - await events.readings(connection, now - timedelta(hours=1))
            if left <= 0:
                return
            owed = await events.owed(connection, until=now - WAIT, most=left, scheduled_before=now - AGAIN)
            for which in owed:
                await events.schedule(connection, which, now)
        for which in owed:
            await self.queue.once(self._reading, f"{which.recurso}/{which.id}", recurso=which.recurso, id_=which.id)

    async def _read(self, recurso: str, id_: str) -> None:
        """Sem outra tentativa: o que não se leu fica devido na tabela dos avisos."""
        try:
            await self._account.pipeline.read_announced(Pointed(recurso, id_))
        except CollectorError as error:
            log.warning("%s/%s, que o Bling avisou, ficou por ler. %s", recurso, id_, error)
        except Exception:  # a fila o calaria: diz-se aqui, e segue
            log.exception("A leitura de %s/%s, que o Bling avisou, caiu num erro inesperado.", recurso, id_)
            raise

    async def _prune(self) -> None:
        await self.queue.prune()
        async with self._account.engine.begin() as connection:
            await events.prune(connection, self._account.clock.now())

    def _task(self, name: str, work: Callable[[], Awaitable[object]]) -> Task[Any, Any, Any]:
        async def job(context: JobContext, timestamp: int) -> None:
            await self._do(name, context.job.attempts, work)

        return self.queue.app.task(name=name, retry=_Later(), pass_context=True)(job)

    async def _do(self, name: str, tries: int, work: Callable[[], Awaitable[object]]) -> None:
        """Faz a tarefa; `_Again` se é para voltar a ela. Um erro que não passa sozinho é dito, e a tarefa acaba."""
        try:
            async with explained(self._account.engine.url):
                result = await work()
        except RunInProgressError:
            raise _Again(_wait(_BUSY, tries)) from None
        except CollectorError as error:
            self._give_up_or_wait(name, error, tries)
            return
        except Exception:  # a fila o calaria: diz-se aqui, e segue
            log.exception("A tarefa %s caiu num erro inesperado; a próxima vez tenta de novo.", name)
            raise
        if not isinstance(result, RunResult) or result.status == "success":
            return
        if self._stop.is_set():
            raise _Again
        if result.error is not None:
            self._give_up_or_wait(name, result.error, tries)

    def _give_up_or_wait(self, name: str, error: CollectorError, tries: int) -> None:
        if isinstance(error, _PASSING) and tries < MOST_TRIES:
            log.warning("A tarefa %s fica para daqui a pouco. %s", name, error)
            raise _Again(_wait(_FAILED, tries))
        log.error("A tarefa %s não se pôde fazer. %s", name, error)


def _wait(scale: tuple[int, int], tries: int) -> int:
    least, most = scale
    return min(least << min(tries, 10), most)


async def work(account: Account, lines: Collection[Line], stop: asyncio.Event) -> None:
    """O worker desta conta, até que se peça a parada. DatabaseError se a fila não se pode criar."""
    for theirs, level in (("procrastinate", logging.CRITICAL), ("psycopg.pool", logging.ERROR)):
        logging.getLogger(theirs).setLevel(level)  # o que há a dizer dizemos nós, em português
    queue = await open_queue(account.engine)
    async with queue.app.open_async():
        log.info("O worker está no ar; %s.", _agenda(lines))
        await Worker(account, queue, lines, stop).work()
    log.info("O worker parou.")


def _agenda(lines: Collection[Line]) -> str:
    said = ", ".join(f"{line.task} ({line.cron})" for line in lines)
    return f"a agenda é {said}" if said else "SCHEDULE está vazia, e nada se faz na hora"
