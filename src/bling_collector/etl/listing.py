"""O que o Bling mostra: as listagens de um recurso que, juntas, mostram tudo, e o que delas é preciso buscar."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import text

from bling_collector.clock import is_due, is_weekly_due, today
from bling_collector.db import control, proof
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.control import Owed
from bling_collector.db.resources import repository
from bling_collector.etl.check import Listed
from bling_collector.etl.context import RunContext
from bling_collector.etl.due import due_windows
from bling_collector.etl.fetch import Wanted
from bling_collector.etl.narrowing import Reading, days_of, rejected_name
from bling_collector.etl.resource import Document, Each, Id, Params, Resource
from bling_collector.payload import Json, Row, UnreadableError, digest
from bling_collector.windows import Between, Period, Window, apart

log = logging.getLogger(__name__)

HIDDEN: Final = "escondidas"
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
MONTH: Final = timedelta(days=30)
"""Quanto se espera até deixar de crer que uma listagem esconde, se nada mais o mostra."""
BATCH: Final = 95
"""Chaves por requisição: uma página, com lugar para os registros que repetem uma."""
LONGEST_QUERY: Final = 6000
"""Caracteres do parâmetro numa requisição: um endereço comprido demais é recusado no caminho."""
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
    otherwise: set[Id] = field(default_factory=set)
    """Dos listados, os que o banco tem noutro dia ou noutra situação, e que esta leitura não repara."""
    moved: bool = False
    """Um registro passou de uma listagem a outra durante a leitura."""
    proven: bool = False
    """As listagens de costume mostram registros que só elas mostrariam: não escondem nada."""
    usual: bool = True
    """Leram-se só as listagens de costume."""
    unread: dict[Window, str] = field(default_factory=dict)
    """Os dias que não se leram por inteiro, e por quê: do que eles têm não se sabe tudo."""

    def read(self, day: date) -> bool:
        """Se o dia se leu inteiro."""
        return not any(window.holds(day) for window in self.unread)


class Sightings:
    """O que as listagens, vindas em qualquer ordem, mostram de cada registro; do que só o filtro de cada uma diz
    (`told`), o que se pode dizer depois de todas."""

    def __init__(self, resource: Resource) -> None:
        self._told = [key for _, key in resource.told]
        self._rows: dict[Id, Document] = {}
        self._values: dict[Id, dict[str, list[Json]]] = {}

    def see(self, page: Iterable[Document]) -> None:
        """Anota as linhas de uma página; de um registro que se repete vale a primeira."""
        for row in page:
            self._rows.setdefault(row["id"], row)
            values = self._values.setdefault(row["id"], {key: [] for key in self._told})
            for key, seen in values.items():
                if key in row and row[key] not in seen:
                    seen.append(row[key])

    @property
    def torn(self) -> bool:
        """Dois filtros, que se excluem, mostram o mesmo registro: mudou durante a leitura, ou o Bling não os lê."""
        return any(len(each) > 1 for values in self._values.values() for each in values.values())

    def rows(self, *, whole: bool) -> dict[Id, Document]:
        """As linhas. O que dois filtros dizem de duas maneiras, nenhum diz; e o que nenhum diz não se sabe, se se leram
        todos (`whole`), ou fica como se tinha."""
        return {id_: self._agreed(id_, whole=whole) for id_ in self._rows}

    def _agreed(self, id_: Id, *, whole: bool) -> Document:
        row = {key: value for key, value in self._rows[id_].items() if key not in self._told}
        for key, values in self._values[id_].items():
            if values or whole:
                row[key] = values[0] if len(values) == 1 else None
        return row


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
    """Dos `ids`, os que, ainda que em aberto, nesta semana não se releem."""
    return await read_this_week(ctx, resource, ids) if resource.weekly else set()


async def read_this_week(ctx: RunContext, resource: Resource, ids: Collection[Id]) -> set[Id]:
    """Dos `ids`, os que se leram depois do dia da semana de cada um; nenhum numa conferência que repara, que relê
    todos."""
    if ctx.everything or not ids:
        return set()
    async with ctx.engine.connect() as connection:
        read = await repository.last_read(connection, resource.table, ids)
    return {*read} - {*_due(ctx, read)}


async def due_this_week(ctx: RunContext, resource: Resource, ids: Collection[Id]) -> dict[Id, datetime]:
    """Dos `ids` que o banco tem, quando se leram aqueles cujo dia da semana chegou depois disso; todos numa conferência
    que repara."""
    if not ids:
        return {}
    async with ctx.engine.connect() as connection:
        read = await repository.last_read(connection, resource.table, ids)
    return {id_: read[id_] or _NEVER for id_ in ([*read] if ctx.everything else _due(ctx, read))}


def _due(ctx: RunContext, read: Mapping[Id, datetime | None]) -> list[Id]:
    now = ctx.clock.now()
    return [id_ for id_, when in read.items() if is_weekly_due(when, now, id_)]


def drifting_among(resource: Resource, rows: Iterable[Document]) -> dict[Id, Document]:
    """As linhas dos registros que podem mudar sem que elas o mostrem."""
    return {row["id"]: row for row in rows if resource.drifts is not None and resource.drifts(row)}


def wanted_of(resource: Resource, row: Document, since: date | None = None) -> Wanted:
    """A linha, por buscar."""
    day, whole = resource.day(row) or since, None if resource.detail else row
    said, params = resource.of_list(row), resource.params_of(row)
    gone = row if resource.says_gone(row) else None
    return Wanted(resource.resumo(row), day, resource.names(row), said, whole, params, gone)


@dataclass(frozen=True)
class Shown:
    """Uma das listagens de um recurso."""

    path: str
    params: Params
    said: Document = field(default_factory=dict, compare=False)
    """O que o pai diz de cada linha dela."""
    tried: bool = False
    """Se o Bling pode recusar o filtro dela, que é então o de nada."""
    batch: Params = ()
    """De `params`, os ids que vão juntos."""

    def halves(self) -> "list[Shown]":
        """As duas que, juntas, são ela; nenhuma se é de um id só."""
        middle = len(self.batch) // 2
        rest = self.params[len(self.batch) :]
        parts = (self.batch[:middle], self.batch[middle:]) if middle else ()
        return [replace(self, params=(*part, *rest), batch=part) for part in parts]

    def reading(
        self, ctx: RunContext, resource: Resource, *, between: Between | None = None, short_is_last: bool = False
    ) -> Reading:
        """A leitura desta listagem; com `between`, a que se filtra por período."""
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
        asked = await control.checkpoint(connection, name)
    return not ctx.everything and not is_weekly_due(asked, ctx.clock.now(), name)


async def any_listing(engine: AsyncEngine, resource: Resource) -> Shown | None:
    """Uma das listagens; None se só se lista por um pai, e o banco ainda não tem nenhum."""
    return next(iter(await _listings(engine, resource, resource.shows[:1])), None)


async def _listings(engine: AsyncEngine, resource: Resource, filters: Sequence[Params]) -> list[Shown]:
    if resource.each is not None:
        return await _by_each(engine, resource, resource.each, filters)
    return [Shown(resource.path, params) for params in filters]


async def _by_each(engine: AsyncEngine, resource: Resource, each: Each, filters: Sequence[Params]) -> list[Shown]:
    """As listagens, uma por linha da consulta de `each`, ou por lote delas."""
    async with engine.connect() as connection:
        parents = (await connection.execute(text(each.query))).mappings().all()
    if each.batched:
        return [
            Shown(path, (*batch, *params), batch=batch)
            for (path, batch), params in product(_batched(resource, each, parents), filters)
        ]
    return [
        Shown(
            resource.path.format(**parent),
            (*_of(each.params, parent), *params),
            {key: parent[column] for column, key in each.told},
        )
        for parent, params in product(parents, filters)
    ]


def _batched(resource: Resource, each: Each, parents: Iterable[Mapping[Any, Any]]) -> Iterator[tuple[str, Params]]:
    """Cada caminho, e os lotes do que se pede nele."""
    (param,) = each.params
    by_path: dict[str, list[str]] = {}
    for parent in parents:
        by_path.setdefault(resource.path.format(**parent), []).append(str(parent[param]))
    for path, ids in by_path.items():
        for batch in batches(ids, param):
            yield path, tuple((param, id_) for id_ in batch)


async def count_listings(connection: AsyncConnection, resource: Resource, each: Each) -> int:
    """Quantas listagens há, por filtro, do que só se lista por `each`."""
    parents = (await connection.execute(text(each.query))).mappings().all()
    return len(list(_batched(resource, each, parents))) if each.batched else len(parents)


def batches(keys: Sequence[str], param: str) -> Iterator[list[str]]:
    """As chaves em lotes de até `BATCH` que cabem num endereço."""
    batch: list[str] = []
    length = 0
    for key in keys:
        size = len(f"&{quote(param, safe='')}={quote(key, safe='')}")
        if batch and (len(batch) == BATCH or length + size > LONGEST_QUERY):
            yield batch
            batch, length = [], 0
        batch.append(key)
        length += size
    if batch:
        yield batch


def _of(names: Sequence[str], parent: Mapping[Any, Any]) -> Params:
    return tuple((name, str(parent[name])) for name in names)


async def extras(ctx: RunContext, resource: Resource) -> tuple[Params, ...]:
    """Os filtros que, somados a uma listagem, a fazem mostrar tudo: nenhum, até prova em contrário."""
    return ((), *(await suspects(ctx, resource) if await hides_more(ctx, resource) else ()))


async def suspects(ctx: RunContext, resource: Resource) -> tuple[Params, ...]:
    """Os filtros por que se pede o que o padrão talvez esconda, com os valores que só o banco sabe; menos os que o
    Bling recusa, que levariam consigo os outros."""
    if resource.suspected is None:
        return resource.suspects
    first, *others = await _all_suspects(ctx, resource)
    accepted = tuple([each for each in first if not await _is_rejected(ctx, resource, (each,))])
    return (*([accepted] if accepted else []), *others)


async def _all_suspects(ctx: RunContext, resource: Resource) -> tuple[Params, ...]:
    if resource.suspected is None:
        return resource.suspects
    async with ctx.engine.connect() as connection:
        found = (await connection.execute(text(resource.suspected))).mappings().all()
    more = tuple((name, str(value)) for row in found for name, value in row.items())
    return (*resource.suspects[0], *more), *resource.suspects[1:]


async def owe_what_is_newly_suspected(ctx: RunContext, resource: Resource) -> list[Window]:
    """Deve a história, e devolve as janelas dela, se o padrão esconde e ela não se leu com os suspeitos de agora: uma
    situação só se conhece depois dos pedidos que estão nela."""
    if resource.suspected is None or not await hides_more(ctx, resource):
        return []
    mark = await _suspects_mark(ctx, resource)
    async with ctx.transaction() as connection:
        if await control.checkpoint(connection, mark) is not None:
            return []
        return await _owe_the_history(ctx, connection, resource, mark)


async def _suspects_mark(ctx: RunContext, resource: Resource) -> str:
    """O checkpoint que lembra que a história se leu, ou se deve, com os suspeitos de agora."""
    return f"{hidden(resource)}.{digest({'suspeitos': await _all_suspects(ctx, resource)})}"


async def _owe_the_history(ctx: RunContext, connection: AsyncConnection, resource: Resource, mark: str) -> list[Window]:
    """O que já se leu foi lido sem os suspeitos: deve-se outra vez, desta vez só."""
    if ctx.scope is None:
        return []
    await control.move_checkpoint(connection, mark, ctx.clock.now())
    return await owe(connection, resource, [Window(ctx.scope, today(ctx.clock))], today(ctx.clock))


async def hides_more(ctx: RunContext, resource: Resource) -> bool:
    """Se já se viu que as listagens de costume escondem registros: então pedem-se todas."""
    if not resource.suspects:
        return False
    if resource.name not in ctx.hides:
        async with ctx.engine.connect() as connection:
            ctx.hides[resource.name] = await control.checkpoint(connection, hidden(resource)) is not None
    return ctx.hides[resource.name]


async def note_hiding(ctx: RunContext, connection: AsyncConnection, resource: Resource) -> None:
    """Viu-se nesta execução, pela primeira vez ou ainda, que as listagens de costume escondem."""
    if await control.checkpoint(connection, hidden(resource)) is None:
        log.warning("A listagem de %s esconde mais do que se sabia; todas passam a ser pedidas.", resource.title)
    ctx.hides[resource.name] = True
    ctx.still_hides.add(resource.name)
    await control.move_checkpoint(connection, hidden(resource), ctx.clock.now())


async def forget_hiding(ctx: RunContext, resource: Resource) -> None:
    """Deixa de crer que as listagens de costume escondem, se depois da última vez que o fizeram se leu tudo com os
    suspeitos, há mais de um mês ou numa conferência que repara. Se ainda escondem, a sonda dirá que sim."""
    if resource.name in ctx.still_hides or not await hides_more(ctx, resource):
        return
    async with ctx.transaction() as connection:
        seen = await control.checkpoint(connection, hidden(resource))
        old = seen is not None and (ctx.everything or is_due(seen, ctx.clock.now(), MONTH))
        if seen is None or not old or not await _is_all_read_since(ctx, connection, resource, seen):
            return
        await control.forget_checkpoint(connection, hidden(resource))
        await control.forget_checkpoint(connection, read_again(resource))
    ctx.hides[resource.name] = False


async def _is_all_read_since(ctx: RunContext, connection: AsyncConnection, resource: Resource, seen: datetime) -> bool:
    """Se toda a história se conferiu depois desta hora; do que não a tem, só uma conferência que repara lê tudo."""
    if resource.emitted is None:
        return ctx.everything
    day, scope = today(ctx.clock), ctx.scope
    if scope is None:
        return False
    checked = await proof.checked_months(connection, resource.name, ctx.clock.now())
    fresh = [month for month, (_, when) in checked.items() if when > seen]
    return not due_windows(scope, day, checked, fresh)


def read_again(resource: Resource) -> str:
    """O checkpoint que lembra que o que se tinha se releu, por se ter visto que as listagens escondem."""
    return f"{hidden(resource)}.relidas"


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
    suspected = [_suspect(resource, extra).params for extra in await suspects(ctx, resource)] if hides else []
    for listing in await shown(ctx, resource):
        before = len(result.listed)
        async for wanted in _list(ctx, resource, window, listing, result):
            yield wanted
        still = listing.params in suspected and len(result.listed) > before
        if still and ctx.repair and resource.name not in ctx.still_hides:
            async with ctx.transaction() as connection:
                await note_hiding(ctx, connection, resource)
    # De uma janela que nada mostra suspeita-se sempre, e o que não mostra não diz nada dos outros suspeitos.
    in_doubt = not result.listed or ctx.probes[resource.name] < MAX_PROBES
    asked = await suspects(ctx, resource) if not hides and not result.proven and in_doubt else ()
    if asked:
        place = ctx.probes[resource.name] % len(asked)
        probe, others = asked[place], asked[:place] + asked[place + 1 :]
        ctx.probes[resource.name] += bool(result.listed)
        before = len(result.listed)
        async for wanted in _list(ctx, resource, window, _suspect(resource, probe), result):
            yield wanted
        if len(result.listed) > before:
            ctx.hides[resource.name], result.usual = True, False
            if ctx.repair:
                mark = await _suspects_mark(ctx, resource)
                async with ctx.transaction() as connection:
                    await note_hiding(ctx, connection, resource)
                    await _owe_the_history(ctx, connection, resource, mark)
            for extra in others:
                async for wanted in _list(ctx, resource, window, _suspect(resource, extra), result):
                    yield wanted


async def suspicious(ctx: RunContext, resource: Resource, more: Params = ()) -> list[Shown]:
    """As listagens do que as de costume podem esconder, com os filtros `more`."""
    return [_suspect(resource, (*extra, *more)) for extra in await suspects(ctx, resource)]


def _suspect(resource: Resource, extra: Params) -> Shown:
    return Shown(resource.path, (*resource.shows[0], *extra), tried=True)


async def owe(connection: AsyncConnection, resource: Resource, windows: Sequence[Window], day: date) -> list[Window]:
    """Deve estas janelas além das que já se deviam, e devolve todas, prontas para percorrer.

    Depois de hoje, que é `day`, nada se deve: uma janela do futuro é de um relógio adiantado.
    """
    assert resource.emitted is not None, resource.name
    before = [Window(owed.inicio, owed.fim) for owed in await control.owed(connection, resource.name)]
    asked = [Window(each.inicio, min(each.fim, day)) for each in (*windows, *before) if each.inicio <= day]
    planned = resource.emitted.cut(asked)
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
    group = resource.emitted.group
    listed = {row["id"]: Listed(resource.resumo(row), resource.day(row) or since, group(row)) for row in page}
    async with ctx.engine.connect() as connection:
        known = await repository.known(connection, resource.table, [row["id"] for row in page])
        # A linha pode ser a de sempre, e o banco ter outro dia ou outra situação: o que se conta é isso.
        looks = ctx.everything or not ctx.repair
        wrong = await proof.told_otherwise(connection, resource.kept, _counted(listed)) if looks else set()
    result.otherwise |= wrong if not ctx.repair else set()
    result.known |= known.keys() - result.wanted  # um que outra listagem mostrou pode acabar de ser gravado
    fresh = await read_of_late(ctx, resource, known.keys())
    right = {id_: resumo for id_, resumo in known.items() if id_ not in wrong}
    wanted = diff(page, right, resource, since=since, fresh=fresh)
    result.wanted |= wanted.keys()
    ctx.show()
    ctx.check_stop()
    return wanted, listed


def _counted(listed: Mapping[Id, Listed]) -> dict[Id, tuple[date, str]]:
    return {id_: (row.day, row.group) for id_, row in listed.items()}


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
            if between.loose:
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
