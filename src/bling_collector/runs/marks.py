"""Até que dia cada recurso está coberto sem lacuna: o marco de cada um, e a janela que uma execução pede a partir dele.

O do recurso principal é o da própria execução (`data_referencia`), como no primeiro coletor; o dos outros, um ponto de
leitura.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time

from bling_collector.clock import BRASILIA
from bling_collector.db import control
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.control import Bookmark, mark_name
from bling_collector.etl.listing import owe
from bling_collector.etl.resource import Resource
from bling_collector.runs.request import RunRequest
from bling_collector.windows import Window, next_bookmark, reads_the_present

Marks = dict[str, Bookmark]
"""Recurso → o marco dele."""


async def load_marks(
    connection: AsyncConnection, resources: Iterable[Resource], scope: date | None, now: datetime
) -> Marks:
    """O marco de cada recurso que tem janelas. O de um que ainda não se coletou começa onde a coleta começou."""
    marks: Marks = {}
    read = await control.all_checkpoints(connection)
    for resource in resources:
        if resource.principal:
            marks[resource.name] = await control.bookmark(connection, now)
        elif resource.emitted is not None:
            found = read.get(mark_name(resource.name))
            day = found.astimezone(BRASILIA).date() if found is not None and found <= now else None
            marks[resource.name] = Bookmark(day, lost=day is None and scope is not None)
    return marks


def _joins(mark: Bookmark, covered: Window, scope: date | None) -> bool:
    """Se nada fica por ler antes deste período. De um recurso sem marco, isso é tudo desde o começo da coleta."""
    return not mark.lost or scope is None or covered.inicio <= scope


def reached(mark: Bookmark, covered: Window | None, first_uncovered: date | None, scope: date | None) -> date | None:
    """Até que dia, sem lacuna, depois de se ler o período `covered`."""
    if covered is None or not _joins(mark, covered, scope):
        return mark.day
    return next_bookmark(mark.day, covered, first_uncovered)


async def move_marks(
    connection: AsyncConnection,
    resources: Iterable[Resource],
    marks: Marks,
    covered: dict[str, Window],
    scope: date | None,
) -> None:
    """Leva adiante o marco dos recursos que cobriram uma janela, menos o do principal, que é o da execução."""
    for resource in resources:
        if resource.principal or resource.name not in covered:
            continue
        mark = marks[resource.name]
        owed = await control.debts_of(connection, resource.name)
        day = reached(mark, covered[resource.name], owed.primeiro_dia, scope)
        if day is not None and day != mark.day:
            await control.move_checkpoint(connection, mark_name(resource.name), datetime.combine(day, time(), BRASILIA))


async def read_everything(
    connection: AsyncConnection, marks: Marks, covered: dict[str, Window], scope: date | None, began_on: date
) -> bool:
    """Se, de todo recurso que tem janelas, se leu o que o Bling tinha até o dia em que a execução começou."""
    for name, window in covered.items():
        owed = [Window(each.inicio, each.fim) for each in await control.owed(connection, name)]
        if not _joins(marks[name], window, scope) or not reads_the_present(marks[name].day, window, owed, began_on):
            return False
    return bool(covered)


async def owed_windows(
    connection: AsyncConnection,
    resources: Iterable[Resource],
    asked: RunRequest,
    period_of: Callable[[str], Window],
    day: date,
) -> dict[str, list[Window]]:
    """As janelas de cada recurso — a que se pede e o que já era devido —, todas devidas até que se completem; de uma
    conferência que não repara, só a que se pede."""
    windows: dict[str, list[Window]] = {}
    for resource in resources:
        if resource.emitted is None:
            continue
        if not asked.windows:
            windows[resource.name] = []
        elif asked.repair:
            windows[resource.name] = await owe(connection, resource, [period_of(resource.name)], day)
        else:
            windows[resource.name] = resource.emitted.cut([period_of(resource.name)])
    return windows
