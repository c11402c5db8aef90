"""A execução: a tranca, o período, as janelas, os passos e um fim que diz a verdade."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any, Unpack

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bling_collector.alarms.watch import Ended
from bling_collector.api.bling_client import BlingClient
from bling_collector.api.bling_clock import BlingClock
from bling_collector.api.transport import AccessTokens, Requests, counting
from bling_collector.clock import brasilia_day, today
from bling_collector.config import Settings
from bling_collector.db import control, proof, reprocessing, schema
from bling_collector.db.control import Bookmark
from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.database import explained, explanation
from bling_collector.db.events import Pointed
from bling_collector.db.patience import is_gone, patiently
from bling_collector.db.run_lock import RunLock, run_lock
from bling_collector.empresa import Empresa
from bling_collector.errors import (
    CollectorError,
    DailyLimitError,
    DatabaseError,
    RunInProgressError,
    UsageError,
)
from bling_collector.etl.again import sync_one
from bling_collector.etl.cited import read_cited
from bling_collector.etl.context import Found, RunContext
from bling_collector.etl.reprocess import RESUMABLE, reprocess
from bling_collector.etl.resource import Id, Resource
from bling_collector.etl.whole import read_whole
from bling_collector.insight.words import STATUSES
from bling_collector.payload import storable
from bling_collector.plan.estimate import Estimator
from bling_collector.privacy.returned import erase_returned
from bling_collector.runs.announced import read, read_owed
from bling_collector.runs.collection import collect, glance
from bling_collector.runs.confirm import ask_empresa, confirm_empresa
from bling_collector.runs.job import INTERRUPTED, Job, RunResult, Watch, Watching, message_of
from bling_collector.runs.journal import reported
from bling_collector.runs.marks import Marks, load_marks, move_marks, owed_windows, reached, read_everything
from bling_collector.streams.registry import RESOURCES, SYNCED, chosen, collected, named, registers, whole_of
from bling_collector.together import Stopped
from bling_collector.windows import (
    EARLIEST,
    Window,
    asked_period,
    incremental_start,
    shown_mark,
)
from bling_collector.words import day, named_months, plural

log = logging.getLogger(__name__)

_PRINCIPAL = next(resource for resource in RESOURCES if resource.principal)
_LISTENS = 3
"""Respostas que se pedem, no máximo, para saber que horas são no Bling: a que desmente a nossa precisa de outra."""
_LISTENS_FOR = 10.0
"""Segundos que essas respostas têm, juntas: quem espera pela execução ainda não a vê."""
ASK_AGAIN_AFTER = timedelta(hours=20)
"""Uma permissão que faltava é procurada de novo em toda execução diária."""
LOOKED = "olhada"
"""O ponto de leitura da última olhada."""
LOOK_OVERLAP = timedelta(minutes=15)
"""Quanto uma olhada volta atrás da anterior: o que mudou, o filtro pode demorar a mostrar."""
LOOK_LONGEST = timedelta(days=1)
"""Uma olhada não vai além disto: o mais antigo é da execução."""
IN_FLIGHT = 64
"""Requisições ao mesmo tempo: a 3 por segundo, uma resposta pode demorar 20 s sem atrasar o ritmo."""
MOST_RETURNS = 5
"""Quedas do banco de que uma execução se levanta."""


class Pipeline:
    """Executa coletas num banco, uma por vez.

    Todo método levanta UsageError para um período impossível e RunInProgressError se outra execução está em curso.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        client: BlingClient,
        tokens: AccessTokens,
        clock: BlingClock,
        settings: Settings,
        on_end: Callable[[Ended], Awaitable[None]] | None = None,
    ) -> None:
        """`on_end` é chamada ao fim de cada execução, boa ou má, e não levanta erro."""
        self._engine = engine
        self._client = client
        self._tokens = tokens
        self._clock = clock
        self._settings = settings
        self._on_end = on_end or _nothing
        chosen(settings.recursos)  # um nome que não existe é dito logo

    async def run(
        self,
        inicio: date | None = None,
        fim: date | None = None,
        *,
        recursos: Collection[str] | None = None,
        **watch: Unpack[Watching],
    ) -> RunResult:
        """A execução incremental: do último dia coberto, alargado pela releitura, até hoje.

        Datas pedidas valem como estão. Sem elas, relê também uma parte da história, de modo que ela toda seja
        conferida a cada semana. `recursos` são os de que se trata desta vez, em lugar dos que se coletam.
        """
        return await self._execute(Job("run", inicio, fim, recursos=recursos), Watch(**watch))

    async def run_full(
        self,
        inicio: date,
        fim: date | None = None,
        *,
        recursos: Collection[str] | None = None,
        **watch: Unpack[Watching],
    ) -> RunResult:
        """A carga histórica: tudo o que se coleta, ou só `recursos`, de `inicio` a `fim` (hoje, se omitido)."""
        return await self._execute(Job("run-full", inicio, fim, recursos=recursos), Watch(**watch))

    async def reconcile(
        self,
        inicio: date | None = None,
        fim: date | None = None,
        *,
        repair: bool = False,
        accept_deletions: bool = False,
        recursos: Collection[str] | None = None,
        **watch: Unpack[Watching],
    ) -> RunResult:
        """Confere o período (a história toda, se omitido), de tudo ou só de `recursos`, e, com `repair`, busca o que
        falta e marca o que sumiu.

        Sem `repair` nada é buscado, e o resultado é `partial` se os dois lados diferem. `accept_deletions` é a palavra
        de quem sabe que o que sumiu foi mesmo excluído, por muito que seja.
        """
        if accept_deletions and not repair:
            raise UsageError("Aceitar as exclusões só vale com o reparo: sem ele nada é dado por excluído.")
        self._refuse_impossible(inicio, fim)
        async with explained(self._engine.url), self._engine.connect() as connection:
            scope = await _scope(connection)
        if scope is None:
            raise UsageError(
                "Ainda não há o que conferir: comece com `bling-collector run-full --data-inicio AAAA-MM-DD`."
            )
        if inicio is None and fim is not None and fim < scope:
            raise UsageError(
                f"data_fim ({day(fim)}) vem antes do começo da coleta ({day(scope)}). Diga também data_inicio."
            )
        how = {"repair": repair, "everything": repair, "accept_deletions": accept_deletions}
        job = Job("reconcile", inicio or scope, fim, **how, recursos=recursos)
        return await self._execute(job, Watch(**watch))

    async def retry(self, **watch: Unpack[Watching]) -> RunResult:
        """Tenta outra vez só o que está pendente."""
        return await self._execute(Job("retry", windows=False), Watch(**watch))

    async def look(self, *, stop: asyncio.Event | None = None) -> int | None:
        """A olhada: o que é novo ou mudou há pouco, pelo que menos custa. Devolve quantas requisições fez; None se
        ainda nada se coletou, e só uma execução pode começar.

        Tem a tranca, e não é uma execução: não se anota, não deve nada e não diz que um dia está coberto. Levanta o
        erro que a interrompeu; o que chegou até ali fica salvo.
        """
        async with explained(self._engine.url), run_lock(self._engine) as lock:
            with counting() as requests:
                return await self._look(lock, requests, stop or asyncio.Event())

    async def _look(self, lock: RunLock, requests: Requests, stop: asyncio.Event) -> int | None:
        async with self._engine.connect() as connection:
            await schema.check_usable(connection)
            scope = await _scope(connection)
        if scope is None:
            return None
        told = await self._hear()
        async with self._engine.connect() as connection:
            now = self._clock.now()
            resources = await collected(connection, self._settings.recursos)
            refused = await control.refused(connection, (each.name for each in resources), now, ASK_AGAIN_AFTER)
            whole = await registers(connection, self._settings.recursos)
            before = await control.checkpoint(connection, LOOKED)
            self._client.short_go_on |= await control.checkpoint(connection, control.SHORT_PAGES) is not None
        mine = {"resources": resources, "registers": whole, "scope": scope, "disallowed": refused, "started": now}
        ctx = self._context(None, Watch(stop=stop), requests, **mine, keep_lock=lock.keep)
        earliest = now - LOOK_LONGEST
        since = max(before, earliest) if before is not None and before <= now else earliest
        with suppress(Stopped):
            await ctx.asking(confirm_empresa(self._engine, self._client, self._clock, told))
            await read_owed(ctx)
            await glance(ctx, since - LOOK_OVERLAP)
            async with ctx.transaction() as connection:
                await control.move_checkpoint(connection, LOOKED, now)
        asked = plural(requests.total, "requisição", "requisições")
        log.info("Olhada: %s%s.", asked, f"; {'; '.join(ctx.problems)}" if ctx.problems else "")
        return requests.total

    async def sync(self, recurso: str, id_: Id) -> str:
        """Busca e salva um registro; devolve `criado`, `atualizado` ou `igual`. UsageError para um recurso que não há.

        Não precisa da tranca: vale também no meio de uma execução.
        """
        resource = named(recurso)
        if resource not in SYNCED:
            offered = ", ".join(each.singular for each in SYNCED)
            raise UsageError(f"Não se busca um registro de {recurso!r}; os recursos são {offered}.")
        with counting() as requests:
            async with explained(self._engine.url):
                async with self._engine.connect() as connection:
                    resources = await collected(connection, self._settings.recursos)
                ctx = self._context(None, Watch(), requests, resources=resources)
                await confirm_empresa(self._engine, self._client, self._clock)
                said = await sync_one(ctx, resource, id_)
                await _read_lacking(ctx)
                return said

    async def read_announced(self, which: Pointed) -> str:
        """Lê outra vez o registro de que o Bling avisou, e paga os avisos dele; devolve o que houve. Como `sync`, não
        precisa da tranca."""
        with counting() as requests:
            async with explained(self._engine.url):
                async with self._engine.connect() as connection:
                    mine = {
                        "resources": await collected(connection, self._settings.recursos),
                        "registers": await registers(connection, self._settings.recursos),
                        "scope": await _scope(connection),
                    }
                ctx = self._context(None, Watch(), requests, **mine)
                said = await read(ctx, which)
                await _read_lacking(ctx)
                return said

    async def reprocess(
        self, inicio: date | None = None, fim: date | None = None, **watch: Unpack[Watching]
    ) -> RunResult:
        """Refaz as linhas derivadas do JSON guardado (das notas do período, ou de todas), sem requisição ao Bling.

        Continua de onde um reprocessamento do mesmo período tenha parado.
        """
        if inicio is not None or fim is not None:
            asked_period(inicio, fim, default_inicio=EARLIEST, today=today(self._clock))
        seen = Watch(**watch)
        async with self._begun("reprocess") as begun:
            async with self._engine.begin() as connection:
                now = self._clock.now()
                await control.close_dead_runs(connection, now)
                after = await reprocessing.interrupted_cursor(connection, inicio, fim, since=now - RESUMABLE, now=now)
                run_id = await control.open_run(connection, tipo="reprocess", inicio=inicio, fim=fim, now=now)
            begun.run_id = run_id
            ctx = self._context(run_id, seen, begun.requests, resources=RESOURCES)
            async with reported(ctx, run_id, self._settings.secrets):
                try:
                    seen.on_start(run_id)
                    try:
                        await reprocess(ctx, inicio, fim, after=after)
                    except Stopped:
                        ctx.problems.append(INTERRUPTED)
                    result = await self._finish(ctx, run_id, {}, {}, None, owes=False)
                except BaseException as error:  # também o cancelamento: nada a deixa `running`
                    await self._abandon(run_id, error)
                    raise
        await self._on_end(Ended(run_id, "reprocess", result.status, result.error))
        return result

    def _context(self, run_id: int | None, watch: Watch, requests: Requests, **more: Any) -> RunContext:
        defaults: dict[str, Any] = {
            "started": self._clock.now(),
            "found": Found(_PRINCIPAL.name),
        }
        return RunContext(
            self._engine,
            self._client,
            self._clock,
            requests,
            in_flight=IN_FLIGHT,
            sink=watch.sink,
            stop=watch.stop,
            run_id=run_id,
            **defaults | more,
        )

    async def _execute(self, job: Job, watch: Watch) -> RunResult:
        self._refuse_impossible(job.inicio, job.fim)
        async with self._begun(job.tipo) as begun:
            told = await self._hear()
            async with self._engine.begin() as connection:
                now = self._clock.now()
                if dead := await control.close_dead_runs(connection, now):
                    log.warning(
                        "%s sem terminar.", plural(dead, "execução anterior morreu", "execuções anteriores morreram")
                    )
                scope = await _scope(connection)
                self._client.short_go_on |= await control.checkpoint(connection, control.SHORT_PAGES) is not None
                usual = await collected(connection, self._settings.recursos)
                resources = chosen(job.recursos) if job.recursos else usual
                whole = await registers(connection, self._settings.recursos) | whole_of(job.recursos)
                marks = await load_marks(connection, resources, scope, now)
                dated = {each.name: each for each in resources if each.emitted is not None}
                periods = {name: self._period(job, marks[name], scope, dated[name]) for name in marks}
                asked = self._period(job, marks.get(_PRINCIPAL.name, Bookmark()), scope, _PRINCIPAL)
                days = {"inicio": asked.inicio, "fim": asked.fim} if job.windows else {"inicio": None, "fim": None}
                run_id = await control.open_run(connection, tipo=job.tipo, **days, now=now)
                known_bad = {name: await _known_bad(connection, name) for name in periods}
                refused = await control.refused(connection, (each.name for each in resources), now, ASK_AGAIN_AFTER)
                allowed = [resource for resource in resources if resource.name not in refused]
                await control.suspend_debts(connection, {each.name for each in (*usual, *allowed)} - refused)
                windows = await owed_windows(connection, allowed, job, periods.__getitem__, brasilia_day(now))
                scope = await _scope(connection)
                if scope is not None and job.windows and job.repair:
                    scope = min(scope, asked.inicio)
            begun.run_id = run_id
            how = {"repair": job.repair, "everything": job.everything, "accept_deletions": job.accept_deletions}
            mine = {
                "resources": resources,
                "registers": whole,
                "started": now,
                "scope": scope,
                "keep_lock": begun.lock.keep,
                "known_bad": known_bad,
                "disallowed": refused,
            }
            ctx = self._context(run_id, watch, begun.requests, **mine, **how, told=told)
            estimator = Estimator(self._engine, self._client, self._clock, self._settings)
            ctx.outlook = await estimator.outlook(windows, fetches=job.repair, daily=job.daily)
            async with reported(ctx, run_id, self._settings.secrets):
                try:
                    watch.on_start(run_id)
                    error = await self._insist(ctx, job, windows, begun.lock)
                    covered = periods if job.windows and job.repair else {}
                    result = await self._finish(ctx, run_id, marks, covered, error, whole=not job.recursos)
                except BaseException as error:  # também o cancelamento: nada a deixa `running`
                    await self._abandon(run_id, error)
                    raise
        looked = job.windows and job.repair and result.error is None and INTERRUPTED not in ctx.problems
        unlikely = tuple(ctx.unlikely.values())
        await self._on_end(Ended(run_id, job.tipo, result.status, result.error, unlikely, looked_for_gone=looked))
        return result

    async def _hear(self) -> Empresa | None:
        """Ouve do Bling que horas são, antes de decidir o que se pede, se as últimas respostas não o disseram.

        Uma renovação do token, se é hora dela, já o diz; senão pergunta de que empresa é a conta, que a execução também
        precisa saber, e outra vez se o relógio desta máquina discorda. Devolve o que se soube dela. O que dê errado é
        assunto da execução: sem ouvir o Bling, vale o relógio que se tem.
        """
        told = None
        with suppress(CollectorError, SQLAlchemyError, TimeoutError):
            await self._tokens.get_valid_access_token()
            async with asyncio.timeout(_LISTENS_FOR):
                for _try in range(_LISTENS):
                    if self._clock.sure:
                        break
                    told = await ask_empresa(self._client) or told
        return told

    def _refuse_impossible(self, inicio: date | None, fim: date | None) -> None:
        """UsageError, antes de tudo, para um período que não existe. Se está no futuro, só a hora do Bling o diz."""
        day = today(self._clock)
        if not self._clock.sure:
            day = max(day, inicio or day)
        asked_period(inicio, fim, default_inicio=EARLIEST, today=day)

    @asynccontextmanager
    async def _begun(self, tipo: str) -> AsyncIterator["_Begun"]:
        """A tranca, a conta das requisições, e o banco pronto para a coleta. O que não chega ao fim é dito a quem
        acompanha, e também o que o banco não deixou nem começar."""
        begun: _Begun | None = None
        try:
            async with explained(self._engine.url), run_lock(self._engine) as lock:
                with counting() as requests:
                    begun = _Begun(lock, requests)
                    async with self._engine.connect() as connection:
                        await schema.check_usable(connection)
                    await erase_returned(self._engine, self._clock.now())
                    yield begun
        except Exception as error:
            run_id = begun.run_id if begun else None
            # Quem perdeu a tranca deu o lugar a outra, que dirá como acabou; quem foi cancelada tem quem a cancelou.
            if not isinstance(error, RunInProgressError) and (run_id is not None or isinstance(error, DatabaseError)):
                await self._on_end(Ended(run_id, tipo, "error", error))
            raise

    def _period(self, job: Job, previous: Bookmark, scope: date | None, resource: Resource) -> Window:
        """Se nenhum marco conta, e havia um, começa onde a coleta começou."""
        day = today(self._clock)
        start = incremental_start(
            previous.day,
            days_back=self._settings.extraction_days_back,
            lookback_days=self._settings.extraction_lookback_days,
            today=day,
            scope=scope if previous.lost else None,
        )
        assert resource.emitted is not None, resource.name
        return asked_period(job.inicio, job.fim, default_inicio=resource.emitted.starts(start, scope, day), today=day)

    async def _insist(
        self, ctx: RunContext, job: Job, windows: dict[str, list[Window]], lock: RunLock
    ) -> CollectorError | None:
        """Coleta; se o banco cai no meio, espera que volte, retoma a tranca e continua do que está devido."""
        for left in reversed(range(MOST_RETURNS + 1)):
            try:
                return await self._collect(ctx, job, windows)
            except (DBAPIError, DatabaseError) as error:
                if not _came_down(error):
                    return error if isinstance(error, DatabaseError) else explanation(self._engine.url, error)
                if not left:
                    raise
                log.warning("O banco caiu no meio da execução %d; ela continua assim que ele voltar.", ctx.run_id)
            await lock.retake()
            windows = await patiently(partial(self._still_owed, ctx, job, windows))
        raise AssertionError

    async def _still_owed(self, ctx: RunContext, job: Job, windows: dict[str, list[Window]]) -> dict[str, list[Window]]:
        """As janelas que faltam, se nenhuma outra execução deu esta por morta."""
        async with ctx.transaction() as connection:
            if not job.windows or not job.repair:
                ctx.found = Found(_PRINCIPAL.name)  # uma conferência recomeça
                return windows
            return {
                resource.name: resource.emitted.plan(
                    Window(owed.inicio, owed.fim) for owed in await control.owed(connection, resource.name)
                )
                for resource in ctx.resources
                if resource.emitted is not None and resource.name not in ctx.disallowed
            }

    async def _collect(self, ctx: RunContext, job: Job, windows: dict[str, list[Window]]) -> CollectorError | None:
        """Percorre janelas e passos; devolve o erro que interrompeu a execução, se houve um."""
        failed: CollectorError | None = None
        try:
            ctx.start("Autorização")
            await self._tokens.get_valid_access_token()
            await ctx.asking(confirm_empresa(ctx.engine, ctx.client, ctx.clock, ctx.told))
            if job.daily:
                await read_owed(ctx)
            failed = await collect(ctx, job, windows)
        except Stopped:
            ctx.problems.append(INTERRUPTED)
        except DatabaseError:
            raise
        except CollectorError as error:
            log.error("A execução %d parou: %s", ctx.run_id, error)
            return error
        if not job.repair and ctx.found.counts:
            ctx.problems.append(f"O banco difere do Bling: {ctx.found}")
        elif job.tipo == "reconcile" and ctx.differing:
            months = sorted({month for _, month in ctx.differing})
            ctx.problems.append(f"O banco difere do Bling em {named_months(months)}")
        return failed

    async def _finish(
        self,
        ctx: RunContext,
        run_id: int,
        marks: Marks,
        periods: dict[str, Window],
        error: CollectorError | None,
        *,
        owes: bool = True,
        whole: bool = True,
    ) -> RunResult:
        """Com `owes`, o que se deve também impede o sucesso; `whole` se se tratou de tudo o que se coleta."""
        fim, day = self._clock.now(), today(self._clock)
        # Um marco nunca passa de hoje, nem que a hora só se tenha sabido no meio.
        read = {
            name: Window(min(p.inicio, day), min(p.fim, day))
            for name, p in periods.items()
            if name not in ctx.disallowed
        }

        async def write_the_end() -> tuple[str, date | None, str | None]:
            async with self._engine.begin() as connection:
                debts = await control.debts(connection)
                first = (await control.debts_of(connection, _PRINCIPAL.name)).primeiro_dia
                before = marks.get(_PRINCIPAL.name) or await control.bookmark(connection, fim)
                scope = await proof.scope_start(connection)
                mark = shown_mark(reached(before, read.get(_PRINCIPAL.name), first, scope), first, scope)
                await move_marks(connection, ctx.resources, marks, read, scope)
                if ctx.client.short_go_on:
                    await control.move_checkpoint(connection, control.SHORT_PAGES, fim)
                to_the_end = whole and error is None and INTERRUPTED not in ctx.problems
                now_read = to_the_end and await read_everything(
                    connection, marks, read, scope, brasilia_day(ctx.started)
                )
                owed = (debts.pendencias, debts.janelas) if owes else (0, 0)
                message = message_of(error, ctx.problems, *owed)
                if message is None:
                    status = "success"
                else:
                    fine = error is None or isinstance(error, DailyLimitError)  # a cota acabar não é um defeito
                    status = "partial" if fine or ctx.progress.saved.total() else "error"
                ctx.show()
                shown: dict[str, object] = {"fase": None, "feitos": 0, "total": 0, "restam": None, "espera": None}
                shown |= {"data_referencia": mark, "leu_o_presente": now_read}
                columns = ctx.columns | shown
                await control.finish_run(connection, run_id, **columns, status=status, fim=fim, erro_mensagem=message)
                return status, mark, message

        status, mark, message = await patiently(write_the_end)
        result = RunResult(
            run_id,
            status,
            ctx.stats,
            mark,
            message,
            ctx.progress.requisicoes,
            error,
            ctx.found,
        )
        all_well = "Tudo em dia." if owes else "O que se tinha foi refeito."
        log.info("Execução %d: %s. %s", result.run_id, STATUSES[status].lower(), message or all_well)
        return result

    async def _abandon(self, run_id: int, error: BaseException) -> None:
        """Um fim que ninguém previu, ou um cancelamento: o que se salvou fica, e a execução não fica `running`."""
        if isinstance(error, DBAPIError):
            error = explanation(self._engine.url, error)
        message = str(error) if isinstance(error, CollectorError) else f"Terminou de repente: {type(error).__name__}."
        # Se foi o próprio banco que caiu, é a execução seguinte que a dá por morta.
        with suppress(SQLAlchemyError, CollectorError):
            async with self._engine.begin() as connection:
                await control.update_run(
                    connection,
                    run_id,
                    status="error",
                    fim=self._clock.now(),
                    fase=None,
                    restam=None,
                    espera=None,
                    erro_mensagem=storable(message),
                )


@dataclass
class _Begun:
    """O que começou: a tranca, a conta das requisições e, assim que há um, o número da execução."""

    lock: RunLock
    requests: Requests
    run_id: int | None = None


def _came_down(error: Exception) -> bool:
    """Se o banco parou de atender; um DatabaseError traz em si o que o causou."""
    cause = error.__cause__ if isinstance(error, DatabaseError) else error
    return isinstance(cause, DBAPIError) and is_gone(cause)


async def _read_lacking(ctx: RunContext) -> None:
    """O que se cita, falta e se lê de uma vez só."""
    for cited in ctx.resources:
        if cited.whole is not None and cited.whole.when_lacking:
            await read_whole(ctx, cited)
            await read_cited(ctx, cited)


async def _nothing(ended: Ended) -> None:
    pass


async def _scope(connection: AsyncConnection) -> date | None:
    scope = await proof.scope_start(connection)
    return max(scope, EARLIEST) if scope is not None else None


async def _known_bad(connection: AsyncConnection, recurso: str) -> list[Window]:
    """O que a execução anterior deve por não ter podido lê-lo."""
    return [Window(o.inicio, o.fim) for o in await control.owed(connection, recurso) if o.erro is not None]
