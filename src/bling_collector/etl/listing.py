"""O que o Bling mostra: as listagens de um recurso que, juntas, mostram tudo, e o que delas é preciso buscar."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import product
from typing import Any, Final

from sqlalchemy import text

from bling_collector.clock import is_due, today
from bling_collector.db import control
from bling_collector.db.control import Owed
from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.resources import repository
from bling_collector.etl.check import Listed
from bling_collector.etl.context import RunContext
from bling_collector.etl.fetch import Wanted
from bling_collector.etl.narrowing import Reading, days_of, rejected_name
from bling_collector.etl.resource import WEEKLY, Document, Each, Id, Params, Resource
from bling_collector.payload import Json, Row, UnreadableError
from bling_collector.windows import Between, Period, Window, apart

log = logging.getLogger(__name__)

HIDDEN: Final = "escondidas"
_SLACK: Final = timedelta(hours=12)
"""A execução diária não começa sempre no mesmo segundo."""
MAX_PROBES: Final = 3
"""Janelas de um recurso, por execução, que mostram algo e em que se sonda se a listagem esconde: cada sonda custa uma
requisição."""


@dataclass
class Listing:
    """O que se leu de um recurso, numa janela ou inteiro."""

    listed: dict[Id, Listed] = field(default_factory=dict)
    known: set[Id] = field(default_factory=set)
    """Dos listados, os que o banco já tinha, qualquer que fosse a data."""
    wanted: set[Id] = field(default_factory=set)
    """Dos listados, os que é preciso buscar."""
    moved: bool = False
    """Um registro passou de uma listagem a outra durante a leitura."""
    proven: bool = False
    """As listagens de costume mostram registros que só elas mostrariam: não escondem nada."""
    usual: bool = True
    """Leram-se só as listagens de costume."""
    unread: dict[Window, str] = field(default_factory=dict)
    """Os dias que não se leram por inteiro, e por quê: do que eles têm não se sabe tudo."""

    def read(self, day: date) -> bool:
        return not any(window.holds(day) for window in self.unread)


def diff(
    rows: Iterable[Document],
    known: Mapping[Id, str | None],
    resource: Resource,
    *,
    since: date | None = None,
    fresh: Collection[Id] = (),
) -> dict[Id, Wanted]:
    """Das linhas listadas, as que é preciso buscar: novas, mudadas, ou ainda não finais, menos as que se leram há pouco
    (`fresh`).

    Uma linha sem dia que se leia conta como do dia `since`, o primeiro da janela.
    """
    wanted: dict[Id, Wanted] = {}
    for row in rows:
        each = wanted_of(resource, row, since)
        if known.get(row["id"]) != each.resumo or not (resource.is_final(row) or row["id"] in fresh):
            wanted[row["id"]] = each
    return wanted


async def read_of_late(ctx: RunContext, resource: Resource, ids: Collection[Id]) -> set[Id]:
    """Dos `ids`, os que se leram há menos do que `again`: os que estão em aberto ainda não se releem."""
    if not resource.again or ctx.everything:
        return set()
    now = ctx.clock.now()
    since = now - resource.again + _SLACK
    async with ctx.engine.connect() as connection:
        return await repository.read_between(connection, resource.table, ids, since, now)


def wanted_of(resource: Resource, row: Document, since: date | None = None) -> Wanted:
    """A linha, por buscar."""
    day, whole = resource.day(row) or since, None if resource.detail else row
    said, params = resource.of_list(row), resource.params_of(row)
    return Wanted(resource.resumo(row), day, resource.names(row), said, whole, params)


@dataclass(frozen=True)
class Shown:
    """Uma das listagens de um recurso."""

    path: str
    params: Params
    said: Document = field(default_factory=dict, compare=False)
    """O que o pai diz de cada linha dela."""
    tried: bool = False
    """Se o Bling pode recusar o filtro dela, que é então o de nada."""

    def reading(
        self, ctx: RunContext, resource: Resource, *, between: Between | None = None, short_is_last: bool = False
    ) -> Reading:
        return Reading(
            ctx,
            resource,
            self.params,
            between=between,
            path=self.path,
            said=self.said,
            short_is_last=short_is_last,
            tried=self.tried,
        )


async def shown(ctx: RunContext, resource: Resource, more: Params = (), *, thorough: bool = True) -> list[Shown]:
    """As listagens que mostram tudo, até onde já se sabe, com os filtros `more`; de cada pai, se só se lista por um. Só
    se `thorough` as de `also_by`, que podem não mostrar nada a mais, e as que não são a primeira, onde ela basta."""
    hiding = [(*resource.shows[0], *extra) for extra in (await extras(ctx, resource))[1:]]
    tries = [params for params in resource.tries if not await _is_rejected(ctx, resource, params)]
    enough = not thorough and resource.whole is not None and resource.whole.aside
    shows = resource.shows[:1] if enough else resource.shows
    sure = await _listings(ctx.engine, resource, [(*params, *more) for params in shows])
    tried = await _listings(ctx.engine, resource, [(*params, *more) for params in (*tries, *hiding)])
    usual = [*sure, *(replace(listing, tried=True) for listing in tried)]
    if resource.also_by is None or not thorough:
        return usual
    filters = [(*params, *more) for params in (*resource.shows, *hiding)]
    return [*usual, *await _by_each(ctx.engine, resource, resource.also_by, filters)]


async def _is_rejected(ctx: RunContext, resource: Resource, params: Params) -> bool:
    """Se o Bling recusa este filtro, até onde se sabe: pergunta-se de novo uma vez por semana."""
    name = rejected_name(resource, params)
    if name in ctx.rejected:
        return True
    async with ctx.engine.connect() as connection:
        return not ctx.everything and not is_due(await control.checkpoint(connection, name), ctx.clock.now(), WEEKLY)


async def any_listing(engine: AsyncEngine, resource: Resource) -> Shown | None:
    """Uma das listagens; None se só se lista por um pai, e o banco ainda não tem nenhum."""
    return next(iter(await _listings(engine, resource, resource.shows[:1])), None)


async def _listings(engine: AsyncEngine, resource: Resource, filters: Sequence[Params]) -> list[Shown]:
    if resource.each is not None:
        return await _by_each(engine, resource, resource.each, filters)
    return [Shown(resource.path, params) for params in filters]


async def _by_each(engine: AsyncEngine, resource: Resource, each: Each, filters: Sequence[Params]) -> list[Shown]:
    """As listagens, uma por linha da consulta de `each`."""
    async with engine.connect() as connection:
        parents = (await connection.execute(text(each.query))).mappings().all()
    return [
        Shown(
            resource.path.format(**parent),
            (*_of(each.params, parent), *params),
            {key: parent[column] for column, key in each.told},
        )
        for parent, params in product(parents, filters)
    ]


def _of(names: Sequence[str], parent: Mapping[Any, Any]) -> Params:
    return tuple((name, str(parent[name])) for name in names)


async def extras(ctx: RunContext, resource: Resource) -> tuple[Params, ...]:
    """Os filtros que, somados a uma listagem, a fazem mostrar tudo: nenhum, até prova em contrário."""
    return ((), *(resource.suspects if await hides_more(ctx, resource) else ()))


async def hides_more(ctx: RunContext, resource: Resource) -> bool:
    """Se já se viu que as listagens de costume escondem registros: então pedem-se todas."""
    if not resource.suspects:
        return False
    if resource.name not in ctx.hides:
        async with ctx.engine.connect() as connection:
            ctx.hides[resource.name] = await control.checkpoint(connection, hidden(resource)) is not None
    return ctx.hides[resource.name]


async def note_hiding(ctx: RunContext, connection: AsyncConnection, resource: Resource) -> None:
    """Viu-se agora que as listagens de costume escondem."""
    log.warning("A listagem de %s esconde mais do que se sabia; todas passam a ser pedidas.", resource.title)
    ctx.hides[resource.name] = True
    await control.move_checkpoint(connection, hidden(resource), ctx.clock.now())


def hidden(resource: Resource) -> str:
    """O checkpoint que lembra que as listagens de costume escondem registros."""
    return f"{resource.name}.{HIDDEN}"


async def list_window(ctx: RunContext, resource: Resource, window: Window) -> Listing:
    """Lê todas as listagens da janela, página a página, e compara cada página com o banco."""
    result = Listing()
    async with ctx.reading(resource):
        async for _ in read_window(ctx, resource, window, result):
            pass
    return result


def is_outdated(ctx: RunContext, resource: Resource, listing: Listing) -> bool:
    """Se, depois que se leu a janela, outra mostrou que as listagens de costume escondem: só elas não bastam."""
    return listing.usual and ctx.hides.get(resource.name, False)


async def read_window(
    ctx: RunContext, resource: Resource, window: Window, result: Listing
) -> AsyncGenerator[dict[Id, Wanted]]:
    """Lê todas as listagens da janela, uma página depois da outra, que a ordem importa; de cada página, o que é preciso
    buscar. O resto fica em `result`. Quem a chama está em `ctx.reading`.
    """
    hides = await hides_more(ctx, resource)
    result.usual = not hides
    for listing in await shown(ctx, resource):
        async for wanted in _list(ctx, resource, window, listing, result):
            yield wanted
    # De uma janela que nada mostra suspeita-se sempre, e o que não mostra não diz nada dos outros suspeitos.
    suspicious = not result.listed or ctx.probes[resource.name] < MAX_PROBES
    if resource.suspects and not hides and not result.proven and suspicious:
        place = ctx.probes[resource.name] % len(resource.suspects)
        probe, others = resource.suspects[place], resource.suspects[:place] + resource.suspects[place + 1 :]
        ctx.probes[resource.name] += bool(result.listed)
        before = len(result.listed)
        async for wanted in _list(ctx, resource, window, _suspect(resource, probe), result):
            yield wanted
        if len(result.listed) > before:
            ctx.hides[resource.name], result.usual = True, False
            if ctx.repair:
                async with ctx.transaction() as connection:
                    await note_hiding(ctx, connection, resource)
                    if ctx.scope is not None:  # o que já se leu foi lido sem elas
                        await owe(connection, resource, [Window(ctx.scope, today(ctx.clock))], today(ctx.clock))
            for extra in others:
                async for wanted in _list(ctx, resource, window, _suspect(resource, extra), result):
                    yield wanted


def _suspect(resource: Resource, extra: Params) -> Shown:
    return Shown(resource.path, (*resource.shows[0], *extra), tried=True)


async def owe(connection: AsyncConnection, resource: Resource, windows: Sequence[Window], day: date) -> list[Window]:
    """Deve estas janelas além das que já se deviam, e devolve todas, prontas para percorrer.

    Depois de hoje, que é `day`, nada se deve: uma janela do futuro é de um relógio adiantado.
    """
    assert resource.emitted is not None, resource.name
    before = [Window(owed.inicio, owed.fim) for owed in await control.owed(connection, resource.name)]
    asked = [Window(each.inicio, min(each.fim, day)) for each in (*windows, *before) if each.inicio <= day]
    planned = resource.emitted.plan(asked)
    await control.set_owed(connection, resource.name, [Owed(w.inicio, w.fim) for w in planned])
    return planned


async def _list(
    ctx: RunContext, resource: Resource, window: Window, listing: Shown, result: Listing
) -> AsyncGenerator[dict[Id, Wanted]]:
    here: dict[Id, Listed] = {}
    async for page in _pages(ctx, resource, window, listing, result):
        result.proven |= listing.params == resource.shows[0] and any(map(resource.proves, page))
        wanted, listed = await _compared(ctx, resource, page, result, since=window.inicio)
        here |= listed
        if wanted:
            yield wanted
    seen = result.listed
    result.moved |= any(id_ in seen and seen[id_].resumo != row.resumo for id_, row in here.items())
    result.listed |= here


async def _compared(
    ctx: RunContext, resource: Resource, page: Sequence[Document], result: Listing, *, since: date
) -> tuple[dict[Id, Wanted], dict[Id, Listed]]:
    """Compara uma página com o banco: o que é preciso buscar, e as linhas, no que importa."""
    assert resource.emitted is not None, resource.name
    async with ctx.engine.connect() as connection:
        known = await repository.known(connection, resource.table, [row["id"] for row in page])
    result.known |= known.keys() - result.wanted  # um que outra listagem mostrou pode acabar de ser gravado
    fresh = await read_of_late(ctx, resource, known.keys())
    wanted = diff(page, known, resource, since=since, fresh=fresh)
    result.wanted |= wanted.keys()
    ctx.show()
    ctx.check_stop()
    group = resource.emitted.group
    return wanted, {row["id"]: Listed(resource.resumo(row), resource.day(row) or since, group(row)) for row in page}


async def _pages(
    ctx: RunContext, resource: Resource, window: Window, listing: Shown, result: Listing
) -> AsyncIterator[list[Json]]:
    """As páginas da listagem. O que já se sabe que a estraga é lido à parte, ou nem se lê, se já foi nesta execução."""
    assert resource.emitted is not None, resource.name
    bad = ctx.unread.setdefault((resource.name, listing.path, listing.params), {})
    # O que estraga uma listagem estraga também outra que o mostre.
    others = [day for (name, *_), days in ctx.unread.items() if name == resource.name for day in days]
    known_bad = {*others, *ctx.known_bad.get(resource.name, [])}
    between = resource.emitted.between
    reading = listing.reading(ctx, resource, between=between)
    for piece in apart(window, known_bad):
        if why := next((why for each, why in bad.items() if each.contains(piece)), None):
            result.unread[piece] = why
            continue
        async for page in reading.pages(Period.of(piece), known_bad=piece in known_bad):
            if between.hours:
                yield page
            elif inside := [row for row in page if piece.holds(resource.day(row) or piece.inicio)]:
                yield inside
    unread = days_of(reading.unread)
    bad |= unread
    result.unread |= unread


async def otherwise(ctx: RunContext, resource: Resource, page: Sequence[Document]) -> dict[Id, Wanted]:
    """Das linhas de uma página, as que a listagem mostra de outro jeito que o banco."""
    async with ctx.engine.connect() as connection:
        if resource.keeps_listing:
            return diff(page, await repository.known(connection, resource.table, [row["id"] for row in page]), resource)
        listed, unreadable = dict[Id, Row](), set[Id]()
        for row in page:
            try:
                listed[row["id"]] = resource.rows(row)[resource.table][0]
            except UnreadableError:  # pergunta-se pelo detalhe, que diz o que há
                unreadable.add(row["id"])
        held = await repository.as_held(connection, resource.table, listed.keys(), resource.shown)
        found = await repository.already_read(connection, resource.table, unreadable)
    found |= {id_ for id_, row in held.items() if any(row[name] != listed[id_][name] for name in resource.shown)}
    return {row["id"]: wanted_of(resource, row) for row in page if row["id"] in found}
