"""Que parte da história é a vez de reler."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from bling_collector.clock import brasilia_day
from bling_collector.db import proof
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.etl.context import RunContext
from bling_collector.etl.resource import Resource
from bling_collector.windows import Window, whole_months

FRESH = timedelta(days=6, hours=12)
"""Toda a história é conferida a cada semana; a execução diária não começa sempre no mesmo segundo."""
_TURNS = 6
"""Em quantas execuções diárias: seis, para que sobre um dia."""
_NEVER = datetime.min.replace(tzinfo=UTC)


async def due_windows_of(ctx: RunContext, resource: Resource) -> tuple[list[Window], int]:
    """O mesmo que `due_windows_at`, agora."""
    async with ctx.engine.connect() as connection:
        return await due_windows_at(connection, resource, ctx.scope, ctx.clock.now())


async def due_windows_at(
    connection: AsyncConnection, resource: Resource, scope: date | None, now: datetime
) -> tuple[list[Window], int]:
    """As janelas da história que não foram conferidas na última semana, primeiro as que mais esperam, e quantas delas
    uma execução deve reler."""
    if scope is None or resource.emitted is None:
        return [], 0
    day = brasilia_day(now)
    checked = await proof.checked_months(connection, resource.name, now)
    fresh = [month for month, (_, when) in checked.items() if now - when < FRESH]
    due = resource.emitted.cut(due_windows(scope, day, checked, fresh))

    def oldest_check(window: Window) -> tuple[datetime, date]:
        months = (month.inicio.replace(day=1) for month in whole_months(window, scope, day))
        return min(checked[month][1] if month in checked else _NEVER for month in months), window.inicio

    return sorted(due, key=oldest_check), math.ceil(len(resource.emitted.cut([Window(scope, day)])) / _TURNS)


def due_windows(
    scope: date, today: date, checked: Mapping[date, tuple[date, object]], fresh: Iterable[date]
) -> list[Window]:
    """Os meses, desde o começo da coleta, que nenhuma conferência recente (`fresh`) cobre por inteiro."""
    recent = set(fresh)
    due = []
    for month in whole_months(Window(scope, today), scope, today):
        first = month.inicio.replace(day=1)
        if first not in recent or checked[first][0] > month.inicio:
            due.append(month)
    return due
