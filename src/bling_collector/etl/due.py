"""Que parte da história é a vez de reler."""

import math
from bisect import bisect
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime

from bling_collector.clock import brasilia_day, is_due_on_its_day, place_in_the_week
from bling_collector.db import proof
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.etl.context import RunContext
from bling_collector.etl.resource import Resource
from bling_collector.windows import Window, whole_months

_TURNS = 6
"""Em quantas execuções diárias, ao menos, se relê toda a história: seis, para que sobre um dia."""
_NEVER = datetime.min.replace(tzinfo=UTC)


async def due_windows_of(ctx: RunContext, resource: Resource) -> tuple[list[Window], int]:
    """O mesmo que `due_windows_at`, agora."""
    async with ctx.engine.connect() as connection:
        return await due_windows_at(connection, resource, ctx.scope, ctx.clock.now(), ctx.started)


async def due_windows_at(
    connection: AsyncConnection, resource: Resource, scope: date | None, now: datetime, begun: datetime
) -> tuple[list[Window], int]:
    """As janelas da história que é a vez de reler, primeiro as que mais esperam, e quantas delas uma execução deve
    reler: cada uma tem o seu dia da semana, e duas seguidas, dois dias seguidos. A execução começou em `begun`."""
    if scope is None or resource.emitted is None:
        return [], 0
    day = brasilia_day(now)
    checked = await proof.checked_months(connection, resource.name, now)
    planned = resource.emitted.cut([Window(scope, day)])
    starts, first = sorted(window.inicio for window in planned), place_in_the_week(resource.name)
    fresh = [
        month
        for month, (since, when) in checked.items()
        if not is_due_on_its_day(when, now, first + bisect(starts, since))
    ]
    due = resource.emitted.cut(due_windows(scope, day, checked, fresh))

    def oldest_check(window: Window) -> tuple[datetime, date]:
        months = (month.inicio.replace(day=1) for month in whole_months(window, scope, day))
        return min(checked[month][1] if month in checked else _NEVER for month in months), window.inicio

    last = max((when for _, when in checked.values() if when < begun), default=begun)
    days = max((day - brasilia_day(last)).days, 1)  # quem não executa num dia relê também o que nele se devia
    return sorted(due, key=oldest_check), days * math.ceil(len(planned) / _TURNS)


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
