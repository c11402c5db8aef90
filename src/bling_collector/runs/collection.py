"""O que uma execução faz de cada recurso, na ordem em que se coletam: as suas janelas; depois, o resto dele.

Nada daqui sabe o nome de um recurso: o que cada um pede está na declaração dele.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from bling_collector.clock import brasilia_day, today
from bling_collector.db import control
from bling_collector.db.control import Owed
from bling_collector.db.resources import repository
from bling_collector.errors import (
    BlingNotFoundError,
    BlingRejectedError,
    BlingResourceDownError,
    BlingScopeError,
    CollectorError,
    PaginationLoopError,
)
from bling_collector.etl.context import Name, RunContext
from bling_collector.etl.due import due_windows_of
from bling_collector.etl.listing import forget_hiding, hides_more, owe, owe_what_is_newly_suspected
from bling_collector.etl.resource import Id, Resource
from bling_collector.etl.settle import UnlikelyDeletionsError
from bling_collector.etl.strategies.again import (
    ask_again,
    read_recent,
    refresh_open,
    reread_never_listed,
    reread_settled,
    reread_unlisted,
    retry_pendencias,
)
from bling_collector.etl.strategies.batches import read_keys
from bling_collector.etl.strategies.changed import look_at_changed, read_changed, read_shown
from bling_collector.etl.strategies.cited import citing, read_cited, whole_mark
from bling_collector.etl.strategies.photograph import take_snapshot
from bling_collector.etl.strategies.sweep import sweep
from bling_collector.etl.strategies.whole import check_whole, read_register, read_removed, read_whole
from bling_collector.runs.request import RunRequest
from bling_collector.together import LISTINGS, together
from bling_collector.windows import Window

log = logging.getLogger(__name__)

Step = Callable[[], Awaitable[None]]
AT_ONCE: Final = 6
"""Recursos ao mesmo tempo: tantos que uma resposta de dois segundos não atrasa o ritmo, ainda que de cada um só se leia
uma página depois da outra; e não mais, que cada um tem uma janela na memória."""
_CARRY_ON: Final = (
    BlingScopeError,
    BlingNotFoundError,
    BlingRejectedError,
    BlingResourceDownError,
    PaginationLoopError,
)
"""Erros de um recurso só: os outros seguem."""
MOST_CITED: Final = 200
"""O que uma olhada traz, de cada recurso, do que se cita e falta; mais que isso é de uma carga que não se completou, e
fica para a execução."""


async def collect(ctx: RunContext, asked: RunRequest, windows: Mapping[str, list[Window]]) -> CollectorError | None:
    """Percorre as janelas de cada recurso e o resto do que ele pede. Devolve o erro que deixou janelas por ler, se foi
    de um recurso só; os que são de todos sobem."""
    dated = [each for each in ctx.resources if each.emitted is not None and each.name not in ctx.disallowed]

    async def windows_of(resource: Resource) -> CollectorError | None:
        try:
            with ctx.progress.aside():
                await _collect_windows(ctx, resource, asked, windows.get(resource.name, []))
        except _CARRY_ON as error:  # o que os outros buscam não depende do que ainda falta deste
            if not await _is_only_refused(ctx, resource, error):
                log.error("%s", error)
                return error
        return None

    failed = [error for error in await together(windows_of, dated, limit=AT_ONCE) if error is not None]
    ctx.problems.extend(str(error) for error in failed[1:])
    if asked.repair:
        await _collect_the_rest(ctx, asked)
    elif asked.fim is None:  # o que não tem data não é de um período
        for resource in ctx.resources:
            if resource.is_proved_whole and resource.name not in ctx.disallowed:
                await _take(ctx, resource, partial(check_whole, ctx, resource))
    return failed[0] if failed else None


async def _collect_the_rest(ctx: RunContext, asked: RunRequest) -> None:
    """O resto de cada recurso, assim que o que ele busca já se conhece: depois dos que dão ids dele, e dos por que se
    lista."""
    ended = {resource.name: asyncio.Event() for resource in ctx.resources}
    room = asyncio.Semaphore(AT_ONCE)

    async def rest_of(resource: Resource) -> None:
        for before in needed_before(ctx.resources, resource):
            await ended[before.name].wait()
        try:
            async with room:
                ctx.check_stop()
                if ctx.outlook is not None:
                    ctx.outlook.begin(resource.name)
                with ctx.progress.aside():
                    for step in _steps(ctx, resource, asked):
                        if resource.name not in ctx.disallowed:
                            await _take(ctx, resource, step)
        finally:
            ended[resource.name].set()

    await together(rest_of, ctx.resources, limit=len(ctx.resources) or 1)


def needed_before(resources: Sequence[Resource], resource: Resource) -> list[Resource]:
    """Dos recursos que se coletam antes dele, os de cujo resto o dele depende: dão-lhe ids, ou ele os cita, ou lista-se
    por eles; ou dão ids daqueles de que ele precisa.

    De um que se percorre por janelas, e não pelo que mudou, o que os outros precisam já veio nelas.
    """
    needs = [each for each in resources if each.name in resource.needs]
    parents = {parent.of for parent in resource.parents}
    if "" in parents:  # não diz de quem são: podem ser de qualquer um
        return list(resources[: resources.index(resource)])
    return [
        each
        for each in resources[: resources.index(resource)]
        if (each.emitted is None or each.changed is not None)
        and (
            each.name in parents
            or any(each.gives(other) for other in (resource, *needs))
            or any(name == each.name for name, _ in resource.cites)
        )
    ]


async def look_at(ctx: RunContext, since: datetime) -> dict[Name, str]:
    """O que é novo ou mudou desde `since`, pelo que menos custa: os dias, até hoje, do que tem data; o filtro de
    alteração do que tem um; e o que isso cita e falta. Nenhum marco anda: a execução não conta com a olhada.

    Devolve o que as listagens mostraram novo (`created`) ou mudado (`updated`)."""
    news: dict[Name, str] = {}
    ctx.news = news
    window = Window(min(brasilia_day(since), today(ctx.clock)), today(ctx.clock))
    for resource in ctx.resources:
        if resource.changed is not None:
            await _take(ctx, resource, partial(look_at_changed, ctx, resource, since))
        elif resource.emitted is not None:
            for part in resource.emitted.cut([window]):
                await _take(ctx, resource, partial(_sweep, ctx, resource, part))
    ctx.news = None  # o que se cita pode ser velho no Bling
    for resource in ctx.resources:
        for step in await _few_cited(ctx, resource):
            await _take(ctx, resource, step)
    return news


async def _few_cited(ctx: RunContext, resource: Resource) -> list[Step]:
    """Os passos que trazem o que se cita e falta, se é pouco."""
    steps: list[Step] = []
    async with ctx.engine.connect() as connection:
        if resource.keys is not None and 0 < len(await resource.keys.lacking(connection, ctx.clock.now())) < MOST_CITED:
            steps.append(partial(read_keys, ctx, resource))
        if resource.alone and _is_cited(ctx, resource):
            among = citing(ctx, resource)
            lacking = await repository.count_lacking(connection, resource.table, resource.name, among)
            steps += [partial(read_cited, ctx, resource)] if 0 < lacking < MOST_CITED else []
    return steps


async def _is_only_refused(ctx: RunContext, resource: Resource, error: CollectorError) -> bool:
    """De um recurso que se pediu a mais, faltar a permissão desliga-o, e não é uma falha."""
    if not isinstance(error, BlingScopeError) or not resource.optional:
        return False
    log.warning("Sem permissão para ler %s, que fica de fora até que ela exista: %s", resource.title.lower(), error)
    ctx.disallowed.add(resource.name)
    async with ctx.transaction() as connection:
        await control.move_checkpoint(connection, control.refused_name(resource.name), ctx.clock.now())
        await control.suspend_debts(connection, {each.name for each in ctx.resources} - ctx.disallowed)
    return True


def _steps(ctx: RunContext, resource: Resource, asked: RunRequest) -> Iterator[Step]:
    """O que se lê do recurso além das janelas, em ordem; de quem só tenta de novo, o que se cita e falta, e o que está
    pendente."""
    yield from _by_listing(ctx, resource, asked)
    # Onde não se anota o que foi excluído, outro recurso é que diz se o registro mudou, ou se ainda há.
    if not resource.listed and "excluida_em" in resource.table.c and (asked.daily or ctx.everything):
        yield partial(reread_unlisted, ctx, resource)
    if resource.keys is not None:
        yield partial(read_keys, ctx, resource)
    if _is_cited(ctx, resource):
        yield partial(read_cited, ctx, resource)
    if resource.alone and resource.emitted is None and (asked.daily or ctx.everything):
        yield partial(ask_again, ctx, resource)
    if resource.snapshot is not None and asked.windows:
        yield partial(take_snapshot, ctx, resource)
    elif resource.emitted is None:
        yield partial(retry_pendencias, ctx, resource)
    if resource.settled is not None and asked.windows:
        yield partial(reread_settled, ctx, resource)
    for special in resource.special:
        yield partial(special, ctx)
    if resource.listable is not None and (asked.daily or ctx.everything):
        yield partial(reread_never_listed, ctx, resource)
    if resource.removed is not None and asked.windows:
        yield partial(read_removed, ctx, resource)


def _is_cited(ctx: RunContext, resource: Resource) -> bool:
    """Se há o que se peça dele por alguém o citar."""
    return "nao_encontrado_em" in resource.table.c or bool(citing(ctx, resource))


def _by_listing(ctx: RunContext, resource: Resource, asked: RunRequest) -> Iterator[Step]:
    """O que a listagem mostra, fora das janelas da data do negócio."""
    if resource.whole is not None and (asked.windows or resource.whole.when_lacking):
        yield partial(read_whole, ctx, resource, only_lacking=not asked.windows)
    if resource.changed is not None and asked.windows:
        yield partial(read_changed, ctx, resource)
    if resource.name in ctx.registers and asked.windows:
        yield partial(read_register, ctx, resource)
    if ctx.everything and resource.shown:
        yield partial(read_shown, ctx, resource)


async def _take(ctx: RunContext, resource: Resource, step: Callable[[], Awaitable[object]]) -> None:
    ctx.check_stop()
    if resource.name in ctx.disallowed:
        return
    try:
        await step()
    except UnlikelyDeletionsError as error:
        ctx.suspect(error.resource, error)
    except _CARRY_ON as error:
        if await _is_only_refused(ctx, resource, error):
            return
        log.error("%s", error)
        if str(error) not in ctx.problems:
            ctx.problems.append(str(error))


async def _collect_windows(ctx: RunContext, resource: Resource, asked: RunRequest, windows: list[Window]) -> None:
    if asked.repair:
        await _read_what_suspects(ctx, resource)
        windows = await owe_what_is_newly_suspected(ctx, resource) or windows
    await _sweep_each(ctx, resource, windows)
    seen: set[Id] = set()
    if asked.repair:
        await retry_pendencias(ctx, resource)
        for recent in resource.recent:
            await _take(ctx, resource, partial(read_recent, ctx, resource, recent, seen))
    if asked.daily:
        read = [*windows, *await _sweep_the_due(ctx, resource)]
        for day in await refresh_open(ctx, resource, read, seen):
            await _sweep(ctx, resource, day)
    if asked.repair:
        await forget_hiding(ctx, resource)


async def _read_what_suspects(ctx: RunContext, resource: Resource) -> None:
    """Lê, se nunca se leu, o que diz de que filtros se suspeita: sem isso a primeira carga podia não os ter."""
    for name in resource.suspected_from:
        source = next((each for each in ctx.resources if each.name == name), None)
        if source is None:
            continue
        async with ctx.engine.connect() as connection:
            read = await control.checkpoint(connection, whole_mark(source))
        if read is None:
            await _take(ctx, source, partial(read_whole, ctx, source))


async def _sweep_each(ctx: RunContext, resource: Resource, windows: Sequence[Window]) -> int:
    """Percorre as janelas, e devolve quantas se completaram. Enquanto se buscam os registros de uma, a seguinte já se
    lê; numa conferência que não repara, só há o que ler.

    Se uma mostra que as listagens de costume escondem, as que não começaram e as que se leram antes são relidas.
    """
    knew, complete, left = await hides_more(ctx, resource), 0, list(windows)
    begun: list[asyncio.Event] = []

    async def one(window: Window) -> None:
        nonlocal complete
        if not knew and await hides_more(ctx, resource):
            return
        earlier, ended = list(begun), asyncio.Event()
        begun.append(ended)
        try:
            with ctx.progress.aside():
                is_complete = await _sweep(ctx, resource, window, earlier)
            complete += is_complete  # depois da espera: outras, ao lado, também somam
        finally:
            ended.set()
        if not knew and len(left) == len(windows) and await hides_more(ctx, resource):
            left.remove(window)

    await together(one, windows, limit=LISTINGS if ctx.repair else 1)
    if not knew and await hides_more(ctx, resource):
        await _sweep_again(ctx, resource, left)
    return complete


async def _sweep_again(ctx: RunContext, resource: Resource, windows: Sequence[Window] = ()) -> None:
    """Só agora se soube que as listagens de costume escondem: relê o que por isso é devido, que já inclui `windows`,
    ou, se não se repara, só `windows`."""
    if ctx.repair:
        async with ctx.engine.begin() as connection:
            windows = await owe(connection, resource, [], today(ctx.clock))
    await _sweep_each(ctx, resource, windows)


async def _sweep_the_due(ctx: RunContext, resource: Resource) -> list[Window]:
    """A parte de hoje da história, que devolve; uma janela que não se completa cede a vez à seguinte."""
    windows, left = await due_windows_of(ctx, resource)
    if ctx.outlook is not None:
        ctx.outlook.more(resource.name, windows[:left])
    knew, place = await hides_more(ctx, resource), 0
    while left and place < len(windows) and knew == await hides_more(ctx, resource):
        turn = windows[place : place + left]
        place += len(turn)
        left -= await _sweep_each(ctx, resource, turn)
    return windows[:place]


async def _sweep(ctx: RunContext, resource: Resource, window: Window, earlier: Sequence[asyncio.Event] = ()) -> bool:
    """Se a janela se completou."""
    try:
        return await sweep(ctx, resource, window, earlier)
    except CollectorError as error:
        if isinstance(error, UnlikelyDeletionsError):
            owed = Owed(window.inicio, window.fim, error.why)
            ctx.suspect(error.resource, error)  # já: as outras janelas não dão outros por excluídos
            async with ctx.transaction() as connection:  # devida de agora em diante, se ainda não o era
                await control.pay(connection, resource.name, owed, [owed])
            return False
        async with ctx.transaction() as connection:
            await control.note_window_error(connection, resource.name, Owed(window.inicio, window.fim), str(error))
        if not isinstance(error, PaginationLoopError):
            raise
        log.error("A janela %s não se completou: %s", window, error)
        ctx.problems.append(str(error))
        return False
