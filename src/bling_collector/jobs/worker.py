"""O worker: faz o que está na fila, põe nela o que é hora de fazer, e retoma o que outro deixou pelo meio; de uma
empresa, ou de todas as de um banco."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol

from procrastinate import JobContext
from procrastinate.exceptions import ConnectorException

from bling_collector.clock import STOP_SECONDS
from bling_collector.config import Settings
from bling_collector.db import events
from bling_collector.db.companies.schemas import schema_named, schema_of
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.errors import CollectorError
from bling_collector.jobs.broker import Queue, Serving, open_queue
from bling_collector.jobs.schedule import Line, agenda, check_agendas
from bling_collector.jobs.tasks import BEAT, NAMES, Again, Later, Tasks
from bling_collector.workplace.account import Account

log = logging.getLogger(__name__)

AT_ONCE: Final = 400
"""Tarefas ao mesmo tempo, de todas as empresas; as de cada uma são poucas (`tasks.AT_ONCE`)."""
FOLLOW: Final = 10.0
"""Segundos entre duas olhadas a que empresas há."""


class Companies(Protocol):
    """As empresas de que o worker trata."""

    @property
    def settings(self) -> Settings:
        """As configurações; se dizem uma empresa, só dela se trata."""
        ...

    async def engine(self) -> AsyncEngine:
        """As conexões, no schema da principal."""
        ...

    async def present(self) -> Mapping[str, int]:
        """As que há agora, com um número que muda se uma se tira e se cria outra com o mesmo nome."""
        ...

    async def account(self, name: str) -> Account:
        """A conta da empresa, aberta."""
        ...


class Worker:
    """As tarefas de todas as empresas de que trata, na mesma fila: cada uma está na que tem o nome do schema dela."""

    def __init__(self, queue: Queue, stop: asyncio.Event) -> None:
        """`queue` é a da principal; `stop`, o pedido de parada, que chega também às execuções em curso."""
        self._app = queue.app
        self._principal = queue.name
        self._stop = stop
        self._tasks: dict[str, Tasks] = {}
        """Schema → as da empresa."""
        self._clocks: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        for name in NAMES:
            self._register(name)

    def take_on(self, account: Account, lines: Collection[Line]) -> Tasks:
        """Passa a tratar da empresa desta conta, com estas horas."""
        queue = Queue(self._app, schema_of(account.settings.empresa) or self._principal)
        tasks = self._tasks[queue.name] = Tasks(account, queue, lines, self._stop)
        self._changed.set()
        return tasks

    async def work(self, companies: Companies | None = None) -> None:
        """Trabalha até que se peça a parada; então as tarefas em curso salvam o que têm na mão, e o resto fica na fila.

        `companies` são as empresas a acompanhar, também as que vierem; sem elas, só as de `take_on`.
        """
        only = None if companies is None else companies.settings.empresa
        queues = [*self._tasks] if companies is None else None if only is None else [schema_named(only)]
        self._app.job_manager = Serving(self._app, queues)
        stopping = asyncio.create_task(self._stop.wait())
        beside = [asyncio.create_task(self._listen())]
        if companies is not None:
            beside.append(asyncio.create_task(self._follow(companies)))
        for name, tasks in self._tasks.items():
            self._clocks.setdefault(name, asyncio.create_task(tasks.keep_time()))
        try:
            while not self._stop.is_set():
                await self._until(stopping, queues)
        finally:
            for task in (*beside, *self._clocks.values(), stopping):
                task.cancel()
            await asyncio.gather(*beside, *self._clocks.values(), stopping, return_exceptions=True)

    def _register(self, name: str) -> None:
        async def job(context: JobContext, /, **asked: Any) -> None:
            tasks = self._tasks.get(context.job.queue)
            if tasks is None:  # a empresa ainda não abriu; se se tirou, as tarefas dela saem da fila com ela
                raise Again(round(FOLLOW))
            await tasks.do(name, context.job, asked)

        self._app.task(name=name, retry=Later(), pass_context=True)(job)

    async def _until(self, stopping: asyncio.Task[Any], queues: list[str] | None) -> None:
        """O procrastinate, até a parada ou até que o banco o derrube; então espera um pouco e quem chama recomeça.

        `queues` são as filas de que se tira o que fazer; sem elas, de todas.
        """
        which: dict[str, Any] = {} if queues is None else {"queues": queues}
        working = asyncio.create_task(
            self._app.run_worker_async(
                **which,
                concurrency=AT_ONCE,
                fetch_job_polling_interval=BEAT,
                shutdown_graceful_timeout=STOP_SECONDS,
                delete_jobs="never",  # quem pediu uma ainda pode perguntar por ela; `prune` apaga-as
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

    async def _listen(self) -> None:
        """Ouve do banco que chegou um aviso, de qualquer das empresas."""
        while True:
            self._changed.clear()
            channels = {events.channel(name): tasks for name, tasks in self._tasks.items()}

            async def heard(*, channel: str, payload: str, of: dict[str, Tasks] = channels) -> None:
                of[channel].heard.set()

            listening = asyncio.create_task(self._app.connector.listen_notify(heard, list(channels)))
            changed = asyncio.create_task(self._changed.wait())
            for tasks in channels.values():
                tasks.deaf = False
            try:
                await asyncio.wait({listening, changed}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                deaf = listening.done()
                for task in (listening, changed):
                    task.cancel()
                (error, _) = await asyncio.gather(listening, changed, return_exceptions=True)
            for tasks in channels.values():
                tasks.deaf = True
                tasks.heard.set()  # o que se avisou entretanto não se ouviu
            if isinstance(error, Exception) and not isinstance(error, ConnectorException):
                log.error("Não se ouve do banco o que o Bling avisa.", exc_info=error)
            if deaf:
                await asyncio.sleep(BEAT)

    async def _follow(self, companies: Companies) -> None:
        """Abre as empresas que há, e as que vierem, e deixa as que se tiraram. O erro de uma não é o das outras, e um
        que se repete é dito uma vez."""
        said: dict[str, str] = {}
        opened: dict[tuple[str, int], str] = {}
        told = False
        while True:
            try:
                present = set((await companies.present()).items())
                said.pop("", None)
            except CollectorError as error:  # que o banco não atende, diz quem olha a fila
                present = set(opened)
                if not opened and str(error) != said.get(""):
                    log.warning("Não se sabe que empresas há. %s", error)
                said[""] = str(error)
            for gone in opened.keys() - present:
                await self._let_go(opened.pop(gone))
                log.info("A empresa %s já não existe: o worker deixou-a.", gone[0])
            for name, number in sorted(present - opened.keys()):
                try:
                    opened[name, number] = await self._open(companies, name)
                    said.pop(name, None)
                except Exception as error:  # noqa: BLE001 — a última fronteira: as outras empresas seguem
                    if repr(error) != said.get(name):
                        log.error("A empresa %s não abriu; o worker tenta outra vez em instantes. %s", name, error)
                    said[name] = repr(error)
            if not told:
                log.info("O worker está no ar; %s.", _said(agenda(companies.settings)))
                told = True
            await asyncio.sleep(FOLLOW)

    async def _open(self, companies: Companies, name: str) -> str:
        account = await companies.account(name)
        tasks = self.take_on(account, agenda(account.settings))
        self._clocks[tasks.queue.name] = asyncio.create_task(tasks.keep_time())
        return tasks.queue.name

    async def _let_go(self, schema: str) -> None:
        self._tasks.pop(schema, None)
        self._changed.set()
        if clock := self._clocks.pop(schema, None):
            clock.cancel()
            await asyncio.gather(clock, return_exceptions=True)


async def work(companies: Companies, stop: asyncio.Event) -> None:
    """O worker destas empresas, até que se peça a parada. ConfigurationError se SCHEDULE não serve; DatabaseError se a
    fila não se pode criar."""
    check_agendas(companies.settings)
    for theirs, level in (("procrastinate", logging.CRITICAL), ("psycopg.pool", logging.ERROR)):
        logging.getLogger(theirs).setLevel(level)  # o que há a dizer dizemos nós, em português
    queue = await open_queue(await companies.engine())
    async with queue.app.open_async():
        await Worker(queue, stop).work(companies)
    log.info("O worker parou.")


def _said(lines: Collection[Line]) -> str:
    said = ", ".join(f"{line.task} ({line.cron})" for line in lines)
    return f"a agenda é {said}" if said else "SCHEDULE está vazia, e nada se faz na hora"
