"""O fim verdadeiro de uma execução: como terminou, o que ficou por fazer e até onde se cobriu."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bling_collector.clock import brasilia_day, today
from bling_collector.db import control, proof
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.connection.database import explanation
from bling_collector.db.connection.patience import patiently
from bling_collector.errors import CollectorError, DailyLimitError
from bling_collector.etl.context import RunContext
from bling_collector.insight.advance import advanced_at
from bling_collector.insight.words import STATUSES
from bling_collector.payload import storable
from bling_collector.runs.marks import Marks, move_marks, reached, read_everything
from bling_collector.runs.reader import PRINCIPAL
from bling_collector.runs.request import INTERRUPTED, Limit, RunResult, message_of
from bling_collector.streams.registry import RESOURCES
from bling_collector.windows import Window, shown_mark

log = logging.getLogger(__name__)

_NONE_YET: Final = {each.said or each.name: 0 for each in RESOURCES if each.counts is not None}
"""As contagens que toda resposta traz, ainda que esses recursos não se peçam."""


@dataclass(frozen=True)
class Ending:
    """O que se sabe de uma execução que acabou."""

    run_id: int
    error: CollectorError | None = None
    marks: Marks | None = None
    """Os de antes."""
    periods: Mapping[str, Window] = field(default_factory=dict)
    """O que cada recurso se propôs cobrir."""
    owes: bool = True
    """O que se deve também impede o sucesso."""
    whole: bool = True
    """Tratou-se de tudo o que se coleta."""
    limit: Limit | None = None


async def finish(ctx: RunContext, end: Ending) -> RunResult:
    """Escreve o fim da execução, e di-lo."""
    if ctx.interrupted:  # a primeira coisa que se diz: as outras podem ser por isso
        ctx.problems.insert(0, _why(ctx, end.limit))
    fim = ctx.clock.now()
    status, mark, message, goes_on = await patiently(partial(_write, ctx, end, fim))
    all_well = "Tudo em dia." if end.owes else "O que se tinha foi refeito."
    log.info("Execução %d: %s. %s", end.run_id, STATUSES[status].lower(), message or all_well)
    return RunResult(
        end.run_id,
        status,
        _NONE_YET | ctx.stats,
        mark,
        message,
        ctx.progress.requisicoes,
        end.error,
        ctx.found,
        goes_on,
        tuple(each.title for each in ctx.resources if each.name in ctx.disallowed),
    )


def _why(ctx: RunContext, limit: Limit | None) -> str:
    """Por que parou antes do fim."""
    if not ctx.at_limit or limit is None or ctx.until is None:
        return INTERRUPTED
    return limit.said(ctx.clock.monotonic() - ctx.until + limit.runs_for, repair=ctx.repair)


async def _write(ctx: RunContext, end: Ending, fim: datetime) -> tuple[str, date | None, str | None, bool]:
    """Grava-o; devolve o desfecho, o marco, a mensagem, e se a coleta avança."""
    at_limit = ctx.interrupted and ctx.at_limit
    async with ctx.engine.begin() as connection:
        mark, now_read = await _move_marks(connection, ctx, end, fim)
        if ctx.client.short_go_on:
            await control.move_checkpoint(connection, control.SHORT_PAGES, fim)
        debts = await control.debts(connection)
        owed = (debts.pendencias, debts.janelas) if end.owes else (0, 0)
        message = message_of(end.error, ctx.problems, *owed)
        status = "success"
        if message is not None:
            fine = end.error is None or isinstance(end.error, DailyLimitError)  # a cota acabar não é um defeito
            status = "partial" if fine or ctx.progress.saved.total() else "error"
        ctx.show()
        shown: dict[str, object] = {
            "fase": None,
            "feitos": 0,
            "total": 0,
            "espera": None,
            "restam": ctx.left_at_limit if at_limit else None,
            "data_referencia": mark,
            "leu_o_presente": now_read,
        }
        await control.finish_run(
            connection, end.run_id, **ctx.columns | shown, status=status, fim=fim, erro_mensagem=message
        )
        return status, mark, message, at_limit and await advanced_at(connection) is not None


async def _move_marks(
    connection: AsyncConnection, ctx: RunContext, end: Ending, fim: datetime
) -> tuple[date | None, bool]:
    """Avança os marcos até onde se leu; devolve o que se mostra, e se se leu o presente do Bling."""
    marks, day = end.marks or {}, today(ctx.clock)
    # Um marco nunca passa de hoje, nem que a hora só se tenha sabido no meio.
    read = {
        name: Window(min(p.inicio, day), min(p.fim, day))
        for name, p in end.periods.items()
        if name not in ctx.disallowed
    }
    first = (await control.debts_of(connection, PRINCIPAL.name)).primeiro_dia
    before = marks.get(PRINCIPAL.name) or await control.bookmark(connection, fim)
    scope = await proof.scope_start(connection)
    mark = shown_mark(reached(before, read.get(PRINCIPAL.name), first, scope), first, scope)
    await move_marks(connection, ctx.resources, marks, read, scope)
    to_the_end = end.whole and end.error is None and not ctx.interrupted
    now_read = to_the_end and await read_everything(connection, marks, read, scope, brasilia_day(ctx.started))
    return mark, now_read


async def abandon(ctx: RunContext, run_id: int, error: BaseException) -> None:
    """Um fim que ninguém previu, ou um cancelamento: o que se salvou fica, e a execução não fica `running`."""
    if isinstance(error, DBAPIError):
        error = explanation(ctx.engine.url, error)
    message = str(error) if isinstance(error, CollectorError) else f"Terminou de repente: {type(error).__name__}."
    # Se foi o próprio banco que caiu, é a execução seguinte que a dá por morta.
    with suppress(SQLAlchemyError, CollectorError):
        async with ctx.engine.begin() as connection:
            await control.update_run(
                connection,
                run_id,
                status="error",
                fim=ctx.clock.now(),
                fase=None,
                restam=None,
                espera=None,
                erro_mensagem=storable(message),
            )
