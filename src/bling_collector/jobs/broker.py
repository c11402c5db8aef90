"""A fila de tarefas de uma conta: o procrastinate nas tabelas dele, no mesmo PostgreSQL."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.tasks import Task
from psycopg.sql import SQL, Identifier

from bling_collector.db import broker
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.jobs.asked import read_request, written

STALLED_AFTER: Final = broker.ALIVE_SECONDS
"""Segundos sem sinal de vida de um worker até que as suas tarefas sejam de outro; ele dá um a cada dez."""
KEPT_HOURS: Final = 24 * 7
"""Quanto fica na fila uma tarefa que falhou."""
DONE_HOURS: Final = 24
"""E uma que se fez: quem a pediu ainda pode perguntar por ela."""
_ALIVE: Final = (Status.TODO.value, Status.DOING.value)


class Serving(JobManager):
    """O do procrastinate, que diz também, quando um worker se registra, de que filas ele tira o que fazer."""

    def __init__(self, app: App, queues: list[str] | None) -> None:
        """Sem `queues`, de todas."""
        super().__init__(app.connector)
        self._queues = queues

    async def register_worker(self) -> int:
        worker_id = await super().register_worker()
        await self.connector.execute_query_async(broker.SERVE, worker_id=worker_id, filas=self._queues)
        return worker_id


class Queue:
    """A fila. Quem a abre (`app.open_async()`) é quem a usa."""

    def __init__(self, app: App, schema: str) -> None:
        self.app = app
        self.name = schema
        """O schema da conta, que entra no nome de tudo: uma fila pode ser de várias."""

    def lock(self, of: str = "") -> str:
        """A tranca de toda a conta, ou de uma coisa dela."""
        return f"{self.name}:{of}" if of else self.name

    async def at(self, task: Task[Any, Any, Any], line: str, tick: datetime, *, lock: str | None) -> bool:
        """Põe na fila a tarefa desta hora, se nenhum outro worker a pôs e ela já não espera ou corre."""
        if await self._alive(task.name):
            return False
        timestamp = int(tick.timestamp())
        job = task.configure(queue=self.name, lock=lock, task_kwargs={"timestamp": timestamp}).job
        id_ = f"{self.name} {line}"[:128]
        return await self.app.job_manager.defer_periodic_job(job, id_, timestamp) is not None

    async def once(self, task: Task[Any, Any, Any], what: str, **kwargs: Any) -> bool:
        """Põe na fila a tarefa de uma coisa só, se ainda não espera nela."""
        lock = self.lock(what)
        try:
            await task.configure(queue=self.name, lock=lock, queueing_lock=lock).defer_async(**kwargs)
        except AlreadyEnqueued:
            return False
        return True

    async def ask(self, task: str, asked: Mapping[str, Any]) -> tuple[int, bool]:
        """Põe na fila uma execução que alguém pediu, e devolve o número dela e se já lá estava: uma igual que espera,
        ou corre, é a mesma."""
        lock = self.lock(f"{task} {json.dumps(asked, sort_keys=True)}")
        deferrer = self.app.configure_task(task, queue=self.name, lock=self.lock(), queueing_lock=lock)
        while True:
            for job in await self._alive(task):
                if job.id is not None and written(read_request(task, job.task_kwargs)) == asked:
                    return job.id, True
            with suppress(AlreadyEnqueued):  # outro a pôs entretanto
                return await deferrer.defer_async(**asked), False

    async def take_up_the_stalled(self) -> int:
        """As tarefas de um worker que morreu voltam a esperar a vez; devolve quantas eram."""
        manager = self.app.job_manager
        stalled = list(await manager.get_stalled_jobs(queue=self.name, seconds_since_heartbeat=STALLED_AFTER))
        for job in stalled:
            try:
                await manager.retry_job(job)
            except UniqueViolation:  # outra igual já espera: esta não faz falta
                await manager.finish_job(job, Status.FAILED, delete_job=True)
        return len(stalled)

    async def prune(self) -> None:
        """Apaga as tarefas que há muito acabaram."""
        # As tabelas vivem quase vazias: sem isto, se de repente são muitas, o banco planeja como se fossem poucas.
        await self.app.connector.execute_query_async("ANALYZE procrastinate_jobs, procrastinate_events")
        await self.app.job_manager.delete_old_jobs(DONE_HOURS, queue=self.name)
        await self.app.job_manager.delete_old_jobs(
            KEPT_HOURS, queue=self.name, include_failed=True, include_cancelled=True, include_aborted=True
        )

    async def _alive(self, task: str) -> list[Job]:
        """As tarefas com este nome que esperam ou correm."""
        manager = self.app.job_manager
        found = [await manager.list_jobs_async(queue=self.name, task=task, status=status) for status in _ALIVE]
        return [job for jobs in found for job in jobs]


async def open_queue(engine: AsyncEngine) -> Queue:
    """A fila desta conta, com as tabelas em dia. DatabaseError se este usuário não as pode criar."""
    place = await broker.upgrade(engine)
    _, given = engine.sync_engine.dialect.create_connect_args(engine.url)

    async def enter(connection: psycopg.AsyncConnection[Any]) -> None:
        await connection.execute(SQL("SET search_path TO {}").format(Identifier(place.schema)))
        await connection.commit()

    options = {"application_name": "bling-collector worker", "connect_timeout": 10, **given}
    connector = PsycopgConnector(kwargs=options, min_size=1, max_size=3, configure=enter)
    return Queue(App(connector=connector), place.ours)
