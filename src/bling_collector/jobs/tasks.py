"""As tarefas de uma empresa: o que é hora de fazer, o que o Bling avisou, e como se faz cada uma.

Toda tarefa pode ser feita outra vez: o que se deve está nas tabelas do coletor, e a fila só diz quando olhar para elas.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from bling_collector.clock import is_due
from bling_collector.db import broker, events
from bling_collector.db.connection.database import explained
from bling_collector.db.connection.patience import PATIENCE
from bling_collector.errors import (
    BlingPausedError,
    BlingThrottledError,
    BlingUnavailableError,
    CollectorError,
    DatabaseError,
    ExportError,
    InProgressError,
)
from bling_collector.exporting.export import export
from bling_collector.jobs.asked import RUNS, read_request
from bling_collector.jobs.broker import Queue
from bling_collector.jobs.schedule import EXPORT, Line
from bling_collector.logs import current_company
from bling_collector.payload import storable
from bling_collector.runs.request import RunResult
from bling_collector.together import following, together
from bling_collector.words import plural
from bling_collector.workplace.account import Account

log = logging.getLogger(__name__)

AT_ONCE: Final = 3
"""Tarefas ao mesmo tempo: uma execução, ou uma olhada, e o que se faz ao lado dela, menos as leituras do que se avisou.
Mais não adiantaria, que o ritmo é um só, e as conexões com o banco são poucas."""
READINGS: Final = 2
"""Porções ao mesmo tempo do que o Bling avisou de um recurso: a que espera pelo Bling, ou pelo banco, não atrasa a
seguinte. De todos é mais uma, para que um não espere por outro que tenha as suas duas."""
FEW: Final = 10
"""Registros de um recurso que se leem antes de dar a vez a outro que espere."""
BEAT: Final = 2.0
"""Segundos entre duas olhadas ao relógio."""
QUIET: Final = 30.0
"""E ao que o Bling avisou, se o banco diz quando chega um aviso."""
CATCH_UP: Final = timedelta(days=1)
"""Uma hora que passou sem worker nenhum ainda vale por este tempo."""
MOST_TRIES: Final = 5
MOST_A_DAY: Final = 20_000
"""Leituras que os avisos podem causar num dia: um quinto do que o coletor pode pedir, se cada uma é uma requisição."""
_COUNT_EVERY: Final = timedelta(minutes=5)
"""De quanto em quanto tempo se contam no banco; entretanto, contam-se as deste worker."""
_TOKEN_PATIENCE: Final = 1800.0
"""Segundos que uma execução espera pela vez de renovar o token."""
_PAUSE: Final = 0.2
"""Segundos entre duas olhadas ao que o Bling avisou, por muito que chegue."""
_BUSY: Final = (15, 300)
_FAILED: Final = (60, 900)
"""Segundos até tentar outra vez, dobrados a cada uma, e o máximo deles."""
_PASSING: Final = (DatabaseError, BlingUnavailableError, BlingThrottledError, ExportError)
"""Os erros que costumam passar."""
READING: Final = "read"
"""A leitura do que o Bling avisou de um recurso."""
_INTERNAL: Final = (Line("*/15 * * * *", "alarms"), Line("23 * * * *", "prune"))
"""O que se faz sem que ninguém o agende."""


Work = Callable[[int, asyncio.Event, dict[str, Any]], Awaitable[object]]
"""O que uma tarefa faz: o número dela, o pedido de parada, e o que se pediu."""


class Again(Exception):  # noqa: N818 — não é um erro: a tarefa fica para daqui a pouco
    def __init__(self, seconds: int = 0) -> None:
        super().__init__()
        self.seconds = seconds


class Later(BaseRetryStrategy):
    """A tarefa que o pede volta à fila; e também a que se cortou na parada."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision(retry_in={"seconds": 0})
        return RetryDecision(retry_in={"seconds": exception.seconds}) if isinstance(exception, Again) else None


@dataclass
class _Reading:
    """A leitura, em curso, do que se avisou de um recurso."""

    recurso: str
    portions: int = 0
    """As que começaram e não acabaram."""
    failed: CollectorError | None = None
    """O primeiro erro: não começa outra."""


NAMES: Final = (*RUNS, "look", EXPORT, "alarms", "prune", READING)
"""As tarefas que há."""


class Tasks:
    """As de uma empresa. Não mais de `AT_ONCE` ao mesmo tempo, e à parte o que se lê do que o Bling avisou: por muito
    que avise, o mais tem a sua vez."""

    def __init__(self, account: Account, queue: Queue, lines: Collection[Line], stop: asyncio.Event) -> None:
        """`stop` é o pedido de parada, e chega também à execução em curso."""
        self._account = account
        self.queue = queue
        self._lines = (*lines, *_INTERNAL)
        self._stop = stop
        self._fired: dict[Line, datetime] = {}
        self._took_up_at: datetime | None = None
        self.heard = asyncio.Event()
        """Chegou um aviso, ou leram-se uns."""
        self._queued: dict[str, datetime] = {}
        """Recurso → quando se pôs na fila a leitura dele."""
        self._reads: dict[str, _Reading] = {}
        """Do que se avisou, o que se lê agora, por recurso."""
        self._left = 0
        self._counted_at: datetime | None = None
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._slots = asyncio.Semaphore(READINGS + 1)
        self.deaf = True
        """Não se ouve do banco que chegou um aviso: olha-se de `BEAT` em `BEAT` segundos."""
        pipeline = account.pipeline
        self._work: dict[str, Work] = {
            **{tipo: partial(self._run, tipo) for tipo in RUNS},
            "look": lambda _, stop, asked: pipeline.look(stop=stop),
            EXPORT: lambda _, stop, asked: self._export(),
            "alarms": lambda _, stop, asked: account.alarms.check(patience=PATIENCE),
            "prune": lambda _, stop, asked: self._prune(),
        }

    async def keep_time(self) -> None:
        """Põe na fila o que é hora de fazer e o que o Bling avisou, até que se cancele."""
        current_company.set(self._account.settings.empresa)
        await asyncio.gather(self._keep(self.beat, asyncio.Event()), self._keep(self.announced, self.heard))

    async def do(self, name: str, job: Job, asked: dict[str, Any]) -> None:
        """Faz uma tarefa que estava na fila."""
        current_company.set(self._account.settings.empresa)
        if name == READING:
            await self._read(**asked)
        elif job.id is not None:
            async with self._turns:
                await self._do(name, job.id, job.attempts, self._work[name], asked)

    async def _keep(self, work: Callable[[], Awaitable[float]], wake: asyncio.Event) -> None:
        """`work`, outra vez depois dos segundos que devolve, ou antes, se `wake` o pede. Nenhum erro acaba com isto, e
        um que se repete é dito uma vez."""
        said = ""
        while True:
            seconds = BEAT
            try:
                async with explained(self._account.engine.url):
                    seconds = await work()
                said = ""
            except (ConnectorException, CollectorError) as error:
                if str(error) != said:
                    said = str(error)
                    log.warning("A fila de tarefas não atende, e o que é hora de fazer espera por ela. %s", error)
            except Exception as error:  # a última fronteira deste laço: sem ele nada mais se faz na hora
                if repr(error) != said:
                    said = repr(error)
                    log.exception("O relógio das tarefas caiu num erro inesperado; ele continua.")
            await asyncio.sleep(_PAUSE)  # o tempo de verdade: o relógio do coletor pode ser outro
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), seconds)
            wake.clear()

    async def beat(self) -> float:
        """Põe na fila o que é hora de fazer, e retoma o que ficou de um worker que morreu. Devolve `BEAT`."""
        now = self._account.clock.now()
        if is_due(self._took_up_at, now, timedelta(seconds=15)):
            self._took_up_at = now
            if stalled := await self.queue.take_up_the_stalled():
                log.warning("%s de um worker que morreu.", plural(stalled, "tarefa retomada", "tarefas retomadas"))
        for line in self._lines:
            if line in self._fired and self._fired[line] <= now < line.next(self._fired[line]):
                continue
            tick = line.last(now)
            if self._fired.get(line) == tick or now - tick > CATCH_UP:
                continue
            lock = None if line in _INTERNAL else self.queue.lock()
            if await self.queue.at(self.queue.app.tasks[line.task], line.cron, tick, lock=lock):
                log.debug("É hora: %s.", line.task)
            self._fired[line] = tick
        return BEAT

    async def announced(self) -> float:
        """Põe na fila a leitura do que o Bling avisou e de que é a vez, enquanto as de hoje não são demais: o que sobra
        fica devido, e a olhada ou a execução o lê. Devolve quantos segundos faltam para a vez seguinte."""
        now = self._account.clock.own.now()
        async with self._account.engine.connect() as connection:
            if is_due(self._counted_at, now, _COUNT_EVERY):
                self._left = MOST_A_DAY - await events.readings(connection, now - timedelta(days=1))
                self._counted_at = now
            due = await events.due(connection, now) if self._left > 0 else {}
        for recurso, turn in due.items():
            if (
                turn <= now
                and recurso not in self._reads
                and is_due(self._queued.get(recurso), now, timedelta(seconds=BEAT))
            ):
                await self.queue.once(self.queue.app.tasks[READING], recurso, recurso=recurso)
                self._queued[recurso] = now
        quiet = QUIET if not due and not self.deaf else BEAT
        return min([quiet, *((turn - now).total_seconds() for turn in due.values() if turn > now)])

    async def _read(self, recurso: str) -> None:
        """Lê o que se avisou do recurso, e o que se avisa entretanto. Sem outra tentativa: o que não se leu fica devido
        na tabela dos avisos."""
        if recurso in self._reads:  # tomada por morta e retomada, e aqui ainda corre
            return
        self._queued.pop(recurso, None)
        reading = self._reads[recurso] = _Reading(recurso)
        try:
            await together(self._read_some, self._turns_of(reading), limit=READINGS)
        except CollectorError as error:
            reading.failed = error
        except Exception:  # a fila o calaria: diz-se aqui, e segue
            log.exception("A leitura do que o Bling avisou de %s caiu num erro inesperado.", recurso)
            raise
        finally:
            del self._reads[recurso]
            self.heard.set()
        if reading.failed is not None:
            log.warning("De %s, ficou por ler o que o Bling avisou. %s", recurso, reading.failed)

    def _goes_on(self, reading: "_Reading") -> bool:
        return self._left > 0 and not self._stop.is_set() and reading.failed is None

    async def _turns_of(self, reading: "_Reading") -> "AsyncGenerator[_Reading]":
        """A leitura, uma vez por porção, enquanto há o que esteja para ser lido, ou se espera por uma: o que chega
        entretanto não espera com ela."""
        wait: float | None = 0.0
        while self._goes_on(reading):
            if wait is not None:
                await asyncio.sleep(wait)
                reading.portions += 1
                yield reading
            elif reading.portions:
                await asyncio.sleep(_PAUSE)
            else:
                break
            wait = await self._until_the_next(reading)

    async def _read_some(self, reading: "_Reading") -> None:
        """Uma porção. Um erro não corta a outra, que acaba a sua."""
        try:
            async with self._slots:  # a cada porção dá-se a vez a outro recurso
                if self._goes_on(reading):
                    most = min(self._left, FEW) if len(self._reads) > READINGS else self._left
                    read = await self._account.pipeline.read_announced(reading.recurso, most=most)
                    self._left -= read  # só agora: outra leitura, ou outra conta, mudou-o entretanto
        except CollectorError as error:
            reading.failed = reading.failed or error
        finally:
            reading.portions -= 1

    async def _until_the_next(self, reading: "_Reading") -> float | None:
        """Os segundos até à vez do próximo registro, se é já; nunca tão poucos que se leiam um a um. Enquanto se espera
        por uma porção, um banco que não responde é só que ainda nada há."""
        now = self._account.clock.own.now()
        try:
            async with explained(self._account.engine.url), self._account.engine.connect() as connection:
                turn = (await events.due(connection, now)).get(reading.recurso)
        except DatabaseError:
            if not reading.portions:
                raise
            return None
        if turn is None or turn > now + events.LONGEST:
            return None
        return max((turn - now).total_seconds(), _PAUSE)

    async def _export(self) -> None:
        settings = self._account.settings
        assert settings.export_place is not None  # a agenda não o manda sem isso
        await export(self._account.engine, settings.export_place, settings.export_format, incremental=True)

    async def _prune(self) -> None:
        await self.queue.prune()
        async with self._account.engine.begin() as connection:
            await events.prune(connection, self._account.clock.now())

    async def _run(self, tipo: str, job_id: int, stop: asyncio.Event, asked: dict[str, Any]) -> RunResult:
        """Uma execução, com o que dela se pediu; a sua tarefa diz qual é, assim que começa."""
        noting: set[asyncio.Task[None]] = set()

        def began(run_id: int) -> None:
            noting.add(asyncio.create_task(broker.note(self._account.engine, job_id, run_id=run_id)))

        await self._wait_for_the_token(stop)
        with suppress(CollectorError):  # só da primeira vez; o que não se souber agora, a coleta o aprende
            await self._account.pipeline.first_look()
        try:
            return await self._account.pipeline.execute(read_request(tipo, asked), stop=stop, on_start=began)
        finally:
            await asyncio.gather(*noting)

    async def _wait_for_the_token(self, stop: asyncio.Event) -> None:
        """Espera a vez de renovar o token: o Bling conta esses pedidos por IP, e de manhã muitas empresas o fazem. O
        que mais o impeça, di-lo a execução."""
        clock = self._account.clock.own
        until = clock.monotonic() + _TOKEN_PATIENCE
        while not stop.is_set():
            try:
                await self._account.oauth.get_valid_access_token()
            except BlingPausedError as error:
                if clock.monotonic() + error.wait > until:
                    return
                await clock.sleep(error.wait + _PAUSE)
            except CollectorError:
                return
            else:
                return

    async def _do(self, name: str, job_id: int, tries: int, work: Work, asked: dict[str, Any]) -> None:
        """Faz a tarefa; `Again` se é para voltar a ela. Um erro que não passa sozinho é dito, e a tarefa acaba."""
        try:
            async with explained(self._account.engine.url), following(self._stop) as stop:
                result = await work(job_id, stop, asked)
        except InProgressError:
            raise Again(_wait(_BUSY, tries)) from None
        except CollectorError as error:
            self._give_up_or_wait(name, error, tries)
            await broker.note(self._account.engine, job_id, mensagem=storable(str(error)))
            return
        except Exception:  # a fila o calaria: diz-se aqui, e segue
            log.exception("A tarefa %s caiu num erro inesperado; a próxima vez tenta de novo.", name)
            raise
        if not isinstance(result, RunResult) or result.status == "success":
            return
        if self._stop.is_set() or result.goes_on:
            raise Again
        if result.error is not None:
            self._give_up_or_wait(name, result.error, tries)

    def _give_up_or_wait(self, name: str, error: CollectorError, tries: int) -> None:
        if isinstance(error, _PASSING) and tries < MOST_TRIES:
            log.warning("A tarefa %s fica para daqui a pouco. %s", name, error)
            raise Again(_wait(_FAILED, tries))
        log.error("A tarefa %s não se pôde fazer. %s", name, error)


def _wait(scale: tuple[int, int], tries: int) -> int:
    least, most = scale
    return min(least << min(tries, 10), most)
