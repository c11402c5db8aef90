"""A execução: a tranca, o período, as janelas e os passos; o fim dela está em ending.py."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Unpack

from sqlalchemy.exc import DBAPIError

from bling_collector.alarms.watch import Ended
from bling_collector.api.bling_client import BlingClient
from bling_collector.api.bling_clock import BlingClock
from bling_collector.api.transport import AccessTokens, Requests, counting
from bling_collector.clock import brasilia_day, today
from bling_collector.config import Settings
from bling_collector.db import control, reprocessing, schema, sums
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import explained, explanation
from bling_collector.db.connection.patience import is_gone, patiently
from bling_collector.db.control import Bookmark
from bling_collector.db.run_lock import RunLock, run_lock
from bling_collector.errors import (
    CollectorError,
    DatabaseError,
    RunInProgressError,
    UsageError,
)
from bling_collector.etl.context import Found, RunContext
from bling_collector.etl.reprocess import RESUMABLE, reprocess
from bling_collector.etl.resource import Resource
from bling_collector.plan.estimate import Estimator
from bling_collector.privacy.returned import erase_returned
from bling_collector.runs.announced import read_owed
from bling_collector.runs.collection import collect
from bling_collector.runs.confirm import confirm_empresa
from bling_collector.runs.ending import Ending, abandon, finish
from bling_collector.runs.journal import reported
from bling_collector.runs.marks import load_marks, owed_windows
from bling_collector.runs.reader import ASK_AGAIN_AFTER, PRINCIPAL, Reader, begin_of
from bling_collector.runs.request import Limit, RunRequest, RunResult, Watch, Watching, limit_of
from bling_collector.streams.registry import RESOURCES, chosen, collected, registers, whole_of
from bling_collector.together import Stopped
from bling_collector.windows import (
    EARLIEST,
    Window,
    asked_period,
    incremental_start,
)
from bling_collector.words import day, named_months, plural

log = logging.getLogger(__name__)

MOST_RETURNS = 5
"""Quedas do banco de que uma execução se levanta."""


class Pipeline(Reader):
    """Executa coletas num banco, uma por vez.

    Toda execução levanta UsageError para um período impossível e RunInProgressError se outra execução está em curso.
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
        super().__init__(engine, client, tokens, clock, settings)
        self._on_end = on_end or _nothing

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
        return await self.execute(RunRequest("run", inicio, fim, recursos=recursos), **watch)

    async def run_full(
        self,
        inicio: date,
        fim: date | None = None,
        *,
        recursos: Collection[str] | None = None,
        **watch: Unpack[Watching],
    ) -> RunResult:
        """A carga histórica: tudo o que se coleta, ou só `recursos`, de `inicio` a `fim` (hoje, se omitido)."""
        return await self.execute(RunRequest("run-full", inicio, fim, recursos=recursos), **watch)

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
        asked = RunRequest(
            "reconcile", inicio, fim, repair=repair, accept_deletions=accept_deletions, recursos=recursos
        )
        return await self.execute(asked, **watch)

    async def retry(self, **watch: Unpack[Watching]) -> RunResult:
        """Tenta outra vez só o que está pendente."""
        return await self.execute(RunRequest("retry", windows=False), **watch)

    async def ready(self, asked: RunRequest) -> RunRequest:
        """O mesmo pedido, com o que lhe falta. UsageError, sem que nada mude, se não se pode fazer."""
        self._refuse_impossible(asked.inicio, asked.fim)
        if asked.tipo != "reconcile":
            return asked
        if asked.accept_deletions and not asked.repair:
            raise UsageError("Aceitar as exclusões só vale com o reparo: sem ele nada é dado por excluído.")
        async with explained(self._engine.url), self._engine.connect() as connection:
            scope = await begin_of(connection)
        if scope is None:
            raise UsageError(
                "Ainda não há o que conferir: comece com `bling-collector run-full --data-inicio AAAA-MM-DD`."
            )
        if asked.inicio is None and asked.fim is not None and asked.fim < scope:
            raise UsageError(
                f"data_fim ({day(asked.fim)}) vem antes do começo da coleta ({day(scope)}). Diga também data_inicio."
            )
        return replace(asked, inicio=asked.inicio or scope, everything=asked.repair)

    async def execute(self, asked: RunRequest, **watch: Unpack[Watching]) -> RunResult:
        """A execução que se pede. Os erros de `ready`."""
        seen = Watch(**watch)
        seen.asked_at = self._clock.monotonic() if seen.asked_at is None else seen.asked_at
        return await self._execute(await self.ready(asked), seen)

    async def reprocess(
        self, inicio: date | None = None, fim: date | None = None, **watch: Unpack[Watching]
    ) -> RunResult:
        """Refaz as linhas derivadas do JSON guardado (das notas do período, ou de todas), sem requisição ao Bling.

        Continua de onde um reprocessamento do mesmo período tenha parado.
        """
        if inicio is not None or fim is not None:
            asked_period(inicio, fim, default_inicio=EARLIEST, today=today(self._clock))
        seen = Watch(**watch)
        limit, until = self._limit(seen)
        async with self._begun("reprocess") as begun:
            async with self._engine.begin() as connection:
                now = self._clock.now()
                await control.close_dead_runs(connection, now)
                after = await reprocessing.interrupted_cursor(connection, inicio, fim, since=now - RESUMABLE, now=now)
                run_id = await control.open_run(connection, tipo="reprocess", inicio=inicio, fim=fim, now=now)
            begun.run_id = run_id
            ctx = self._context(run_id, seen, begun.requests, resources=RESOURCES, until=until)
            async with reported(ctx, run_id, self._settings):
                try:
                    seen.on_start(run_id)
                    try:
                        await reprocess(ctx, inicio, fim, after=after)
                    except Stopped:
                        ctx.interrupted = True
                    result = await finish(ctx, Ending(run_id, owes=False, limit=limit))
                except BaseException as error:  # também o cancelamento: nada a deixa `running`
                    await abandon(ctx, run_id, error)
                    raise
                await sums.try_fold(self._engine)
        await self._on_end(Ended(run_id, "reprocess", result.status, result.error))
        return result

    def _limit(self, watch: Watch) -> tuple[Limit | None, float | None]:
        """O limite da execução, o menor dos que lhe põem, e quando se para por ele."""
        asked_at = self._clock.monotonic() if watch.asked_at is None else watch.asked_at
        found = [each for each in (limit_of(self._settings.run_max_seconds), watch.limit) if each is not None]
        limit = min(found, key=lambda each: each.seconds, default=None)
        return limit, None if limit is None else asked_at + limit.runs_for

    async def _execute(self, asked: RunRequest, watch: Watch) -> RunResult:
        limit, until = self._limit(watch)
        async with self._begun(asked.tipo) as begun:
            told = await self._hear()
            async with self._engine.begin() as connection:
                now = self._clock.now()
                if dead := await control.close_dead_runs(connection, now):
                    log.warning(
                        "%s sem terminar.", plural(dead, "execução anterior morreu", "execuções anteriores morreram")
                    )
                scope = await begin_of(connection)
                self._client.short_go_on |= await control.checkpoint(connection, control.SHORT_PAGES) is not None
                usual = await collected(connection, self._settings.recursos)
                resources = chosen(asked.recursos) if asked.recursos else usual
                whole = await registers(connection, self._settings.recursos) | whole_of(asked.recursos)
                marks = await load_marks(connection, resources, scope, now)
                dated = {each.name: each for each in resources if each.emitted is not None}
                periods = {name: self._period(asked, marks[name], scope, dated[name]) for name in marks}
                period = self._period(asked, marks.get(PRINCIPAL.name, Bookmark()), scope, PRINCIPAL)
                days = {"inicio": period.inicio, "fim": period.fim} if asked.windows else {"inicio": None, "fim": None}
                run_id = await control.open_run(connection, tipo=asked.tipo, **days, now=now)
                known_bad = {name: await _known_bad(connection, name) for name in periods}
                refused = await control.refused(connection, (each.name for each in resources), now, ASK_AGAIN_AFTER)
                allowed = [resource for resource in resources if resource.name not in refused]
                await control.suspend_debts(connection, {each.name for each in (*usual, *allowed)} - refused)
                windows = await owed_windows(connection, allowed, asked, periods.__getitem__, brasilia_day(now))
                scope = await begin_of(connection)
                if scope is not None and asked.windows and asked.repair:
                    scope = min(scope, period.inicio)
            begun.run_id = run_id
            how = {"repair": asked.repair, "everything": asked.everything, "accept_deletions": asked.accept_deletions}
            mine = {
                "resources": resources,
                "registers": whole,
                "started": now,
                "scope": scope,
                "keep_lock": begun.lock.keep,
                "known_bad": known_bad,
                "disallowed": refused,
            }
            ctx = self._context(run_id, watch, begun.requests, **mine, **how, told=told, until=until)
            estimator = Estimator(self._engine, self._client, self._clock, self._settings)
            async with reported(ctx, run_id, self._settings):
                try:
                    watch.on_start(run_id)
                    reckon = partial(estimator.outlook, windows, fetches=asked.repair, daily=asked.daily)
                    ctx.outlook = await patiently(reckon)
                    error = await self._insist(ctx, asked, windows, begun.lock)
                    covered = periods if asked.windows and asked.repair else {}
                    end = Ending(run_id, error, marks, covered, whole=not asked.recursos, limit=limit)
                    result = await finish(ctx, end)
                except BaseException as error:  # também o cancelamento: nada a deixa `running`
                    await abandon(ctx, run_id, error)
                    raise
                await sums.try_fold(self._engine)
        looked = asked.windows and asked.repair and result.error is None and not ctx.interrupted
        unlikely = tuple(ctx.unlikely.values())
        await self._on_end(Ended(run_id, asked.tipo, result.status, result.error, unlikely, looked_for_gone=looked))
        return result

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

    def _period(self, asked: RunRequest, previous: Bookmark, scope: date | None, resource: Resource) -> Window:
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
        return asked_period(
            asked.inicio, asked.fim, default_inicio=resource.emitted.starts(start, scope, day), today=day
        )

    async def _insist(
        self, ctx: RunContext, asked: RunRequest, windows: dict[str, list[Window]], lock: RunLock
    ) -> CollectorError | None:
        """Coleta; se o banco cai no meio, espera que volte, retoma a tranca e continua do que está devido."""
        for left in reversed(range(MOST_RETURNS + 1)):
            try:
                return await self._collect(ctx, asked, windows)
            except (DBAPIError, DatabaseError) as error:
                if not _came_down(error):
                    return error if isinstance(error, DatabaseError) else explanation(self._engine.url, error)
                if not left:
                    raise
                log.warning("O banco caiu no meio da execução %d; ela continua assim que ele voltar.", ctx.run_id)
            await lock.retake()
            windows = await patiently(partial(self._still_owed, ctx, asked, windows))
        raise AssertionError

    async def _still_owed(
        self, ctx: RunContext, asked: RunRequest, windows: dict[str, list[Window]]
    ) -> dict[str, list[Window]]:
        """As janelas que faltam, se nenhuma outra execução deu esta por morta."""
        async with ctx.transaction() as connection:
            if not asked.windows or not asked.repair:
                ctx.found = Found(PRINCIPAL.name)  # uma conferência recomeça
                return windows
            return {
                resource.name: resource.emitted.cut(
                    Window(owed.inicio, owed.fim) for owed in await control.owed(connection, resource.name)
                )
                for resource in ctx.resources
                if resource.emitted is not None and resource.name not in ctx.disallowed
            }

    async def _collect(
        self, ctx: RunContext, asked: RunRequest, windows: dict[str, list[Window]]
    ) -> CollectorError | None:
        """Percorre janelas e passos; devolve o erro que interrompeu a execução, se houve um."""
        failed: CollectorError | None = None
        try:
            ctx.start("Autorização")
            await self._tokens.get_valid_access_token()
            await ctx.asking(confirm_empresa(ctx.engine, ctx.client, ctx.clock, ctx.told))
            ctx.start("Coleta")  # o que se mostra entre um recurso e outro
            if asked.daily:
                await read_owed(ctx, self._clock.own)
            failed = await collect(ctx, asked, windows)
        except Stopped:
            ctx.interrupted = True
        except DatabaseError:
            raise
        except CollectorError as error:
            log.error("A execução %d parou: %s", ctx.run_id, error)
            return error
        if not asked.repair and ctx.found.counts:
            ctx.problems.append(f"O banco difere do Bling: {ctx.found}")
        elif asked.tipo == "reconcile" and ctx.differing:
            months = sorted({month for _, month in ctx.differing})
            ctx.problems.append(f"O banco difere do Bling em {named_months(months)}")
        return failed


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


async def _nothing(ended: Ended) -> None:
    pass


async def _known_bad(connection: AsyncConnection, recurso: str) -> list[Window]:
    """O que a execução anterior deve por não ter podido lê-lo."""
    return [Window(o.inicio, o.fim) for o in await control.owed(connection, recurso) if o.erro is not None]
