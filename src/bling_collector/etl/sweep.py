"""O caminho único dos dados: uma janela é listada, comparada com o banco, buscada e salva."""

import logging
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import date

from bling_collector.clock import today
from bling_collector.db import control, proof
from bling_collector.db.control import Owed, Pendencia
from bling_collector.db.core import AsyncConnection
from bling_collector.db.proof import Held
from bling_collector.db.resources import repository
from bling_collector.errors import BlingNotFoundError, CollectorError, PaginationLoopError
from bling_collector.etl.check import Listed, compare, months_of
from bling_collector.etl.context import RunContext
from bling_collector.etl.exclusoes import limit, refuse_unlikely, refuse_without_witness
from bling_collector.etl.narrowing import Period, Reading, days_of
from bling_collector.etl.save import BATCH, Item
from bling_collector.payload import Json, Row, digest
from bling_collector.streams.base import Document, Params, Stream
from bling_collector.windows import Window, apart, plan, whole_months

log = logging.getLogger(__name__)

MAX_PASSES = 3
"""Vezes que uma janela é lida quando a lista muda enquanto é lida."""
ANALYZE_AFTER = 1000
MOST_UNSEEN = 100
"""Notas por janela, das mais novas, que se releem pelo detalhe porque a listagem do dia delas não vem."""
MAX_PROBES = 3
"""Janelas de uma execução em que se sonda se a listagem esconde: cada sonda custa uma requisição."""


@dataclass(frozen=True)
class Wanted:
    """Por que buscar: a impressão da linha listada (se uma listagem a mostrou) e o seu dia."""

    resumo: str | None = None
    day: date | None = None
    names: Row = field(default_factory=dict, compare=False)
    """Por que as pessoas a conhecem, se uma listagem a mostrou."""


@dataclass
class Listing:
    """O resultado de uma leitura da janela."""

    wanted: dict[int, Wanted] = field(default_factory=dict)
    listed: dict[int, Listed] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
    """Dos listados, os que o banco já tinha, qualquer que fosse a data."""
    moved: bool = False
    """Um registro passou de uma listagem a outra durante a leitura."""
    proven: bool = False
    """As listagens de costume mostram registros que só elas mostrariam: não escondem nada."""
    unread: dict[Window, str] = field(default_factory=dict)
    """Os dias que não se leram por inteiro, e por quê: do que eles têm não se sabe tudo."""

    def read(self, day: date) -> bool:
        return not any(window.holds(day) for window in self.unread)


@dataclass
class Stored:
    """O que houve com o que se buscou: o que o banco tinha diferente, e o que o Bling não tem (404)."""

    updated: set[int] = field(default_factory=set)
    missing: set[int] = field(default_factory=set)


@dataclass
class Unlisted:
    """O que se soube do que a listagem não mostra."""

    gone: list[int] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)
    """Mudaram de data."""
    in_doubt: list[int] = field(default_factory=list)
    """Não se pôde saber."""
    skipped: bool = False
    """A listagem passou por cima de um que existe: é preciso lê-la de novo."""


def diff(
    rows: Iterable[Document], known: Mapping[int, str | None], stream: Stream, *, since: date | None = None
) -> dict[int, Wanted]:
    """Das linhas listadas, as que é preciso buscar: novas, mudadas, ou ainda não finais.

    Uma linha sem dia que se leia conta como do dia `since`, o primeiro da janela.
    """
    wanted: dict[int, Wanted] = {}
    for row in rows:
        resumo = digest(row)
        if known.get(row["id"]) != resumo or not stream.is_final(row):
            wanted[row["id"]] = Wanted(resumo, stream.day(row) or since, stream.names(row))
    return wanted


async def list_window(ctx: RunContext, stream: Stream, window: Window) -> Listing:
    """Lê todas as listagens da janela, página a página, e compara cada página com o banco."""
    result = Listing()
    hides = await hides_more(ctx, stream)
    for listing in await listings_of(ctx, stream):
        await _list(ctx, stream, window, listing, result)
    if stream.suspects and not hides and not result.proven and ctx.probes < MAX_PROBES:
        place = ctx.probes % len(stream.suspects)
        probe, others = stream.suspects[place], stream.suspects[:place] + stream.suspects[place + 1 :]
        ctx.probes += 1
        before = len(result.listed)
        await _list(ctx, stream, window, probe, result)
        if len(result.listed) > before:
            log.warning("A listagem de %s esconde mais do que se sabia; todas passam a ser pedidas.", stream.title)
            ctx.hiding.add(stream.name)
            if ctx.repair:
                async with ctx.transaction() as connection:
                    await control.move_checkpoint(connection, _hidden(stream), ctx.clock.now())
                    if ctx.scope is not None:  # o que já se leu foi lido sem elas
                        await owe(connection, stream, [Window(ctx.scope, today(ctx.clock))], today(ctx.clock))
            for listing in others:
                await _list(ctx, stream, window, listing, result)
    return result


async def listings_of(ctx: RunContext, stream: Stream) -> tuple[Params, ...]:
    """As listagens que mostram tudo, até onde já se sabe."""
    return (*stream.listings, *(stream.suspects if await hides_more(ctx, stream) else ()))


async def hides_more(ctx: RunContext, stream: Stream) -> bool:
    """Se já se viu que as listagens de costume escondem registros: então pedem-se todas."""
    if stream.name not in ctx.hid:
        async with ctx.engine.connect() as connection:
            ctx.hid[stream.name] = await control.checkpoint(connection, _hidden(stream)) is not None
    return ctx.hid[stream.name] or stream.name in ctx.hiding


def _hidden(stream: Stream) -> str:
    """O checkpoint que lembra que as listagens de costume escondem registros."""
    return f"{stream.name}.escondidas"


async def owe(connection: AsyncConnection, stream: Stream, windows: Sequence[Window], day: date) -> list[Window]:
    """Deve estas janelas além das que já se deviam, e devolve todas, prontas para percorrer.

    Depois de hoje, que é `day`, nada se deve: uma janela do futuro é de um relógio adiantado.
    """
    before = [Window(owed.inicio, owed.fim) for owed in await control.owed(connection, stream.name)]
    asked = [Window(each.inicio, min(each.fim, day)) for each in (*windows, *before) if each.inicio <= day]
    planned = plan(asked)
    await control.set_owed(connection, stream.name, [Owed(w.inicio, w.fim) for w in planned])
    return planned


async def _list(ctx: RunContext, stream: Stream, window: Window, listing: Params, result: Listing) -> None:
    assert stream.window is not None, stream.name
    here: dict[int, Listed] = {}
    async for page in _pages(ctx, stream, window, listing, result):
        async with ctx.engine.connect() as connection:
            known = await repository.known(connection, stream.table, [row["id"] for row in page])
        result.known |= known.keys()
        result.wanted |= diff(page, known, stream, since=window.inicio)
        result.proven |= listing == stream.listings[0] and any(stream.proves(row) for row in page)
        for row in page:
            here[row["id"]] = Listed(digest(row), stream.day(row) or window.inicio, stream.group(row))
        ctx.show()
        ctx.check_stop()
    seen = result.listed
    result.moved |= any(id_ in seen and seen[id_].resumo != row.resumo for id_, row in here.items())
    result.listed |= here


async def _pages(
    ctx: RunContext, stream: Stream, window: Window, listing: Params, result: Listing
) -> AsyncIterator[list[Json]]:
    """As páginas da listagem. O que já se sabe que a estraga é lido à parte, ou nem se lê, se já foi nesta execução."""
    bad = ctx.unread.setdefault((stream.name, listing), {})
    # O que estraga uma listagem estraga também outra que o mostre.
    others = [day for (name, _), days in ctx.unread.items() if name == stream.name for day in days]
    known_bad = {*others, *ctx.known_bad.get(stream.name, [])}
    reading = Reading(ctx, stream.path, listing, names=stream.window)
    for piece in apart(window, known_bad):
        if why := next((why for each, why in bad.items() if each.contains(piece)), None):
            result.unread[piece] = why
            continue
        async for page in reading.pages(Period.of(piece), known_bad=piece in known_bad):
            yield page
    unread = days_of(reading.unread)
    bad |= unread
    result.unread |= unread


async def sweep(ctx: RunContext, stream: Stream, window: Window) -> bool:
    """Completa a janela, confere-a e a quita; se ela toda se deixou ler. O que não se leu fica devido no lugar dela.

    Lança o erro que a impediu; o que chegou até ali fica salvo.

    A paginação do Bling é por posição: uma nota cancelada ou excluída puxa as seguintes uma posição para trás, e a
    primeira da página seguinte pode passar sem ser vista. Isso só acontece se a que saiu já tinha sido lida; então ela
    aparece mudada na listagem das canceladas, ou o seu detalhe responde 404, ou a que não foi vista ainda existe. Em
    qualquer caso a janela é lida de novo.
    """
    done: dict[int, str | None] = {}
    found: dict[int, date] = {}
    for attempt in range(1, MAX_PASSES + 1):
        ctx.start(f"Lendo {window}")
        listing = await list_window(ctx, stream, window)
        async with ctx.engine.connect() as connection:
            held = await proof.held(connection, stream.kept, window.inicio, window.fim)
            parked = await control.parked(connection, stream.name)
        known = {id_: note for id_, note in held.items() if id_ in listing.listed or listing.read(note.day)}
        differences = compare(listing.listed, known, listing.known)
        if not ctx.repair:
            ctx.found.add(faltavam=differences.faltam, mudaram=differences.diferem, sumiram=differences.sobram)
            if ctx.outlook is not None:
                ctx.outlook.listed(window, len(listing.listed))
            break
        todo = {
            id_: wanted
            for id_, wanted in listing.wanted.items()
            if (id_ not in done or done[id_] != wanted.resumo) and not _is_parked(id_, wanted, parked)
        }
        if attempt == 1:
            await _refresh_unseen(ctx, stream, listing, held, parked)
        if ctx.outlook is not None:
            ctx.outlook.listed(window, len(todo))
        ctx.start(f"{stream.title} de {window}", len(todo))
        stored = await fetch_and_store(ctx, stream, todo, missing_is_failure=attempt == MAX_PASSES)
        ctx.check_stop()
        changed = {*differences.diferem, *stored.updated} - {*differences.faltam}
        ctx.found.add(faltavam=differences.faltam, mudaram=changed)
        found |= {id_: listing.listed[id_].day for id_ in (*differences.faltam, *changed)}
        skipped = False
        if not listing.moved and not stored.missing:
            unlisted = await settle_the_unlisted(
                ctx, stream, window, {id_: held[id_].day for id_ in differences.sobram}, len(held)
            )
            ctx.found.add(mudaram=unlisted.moved, sumiram=[*unlisted.gone, *unlisted.in_doubt])
            found |= {id_: held[id_].day for id_ in unlisted.gone}
            skipped = unlisted.skipped
            if not skipped:
                break
        done |= {id_: w.resumo for id_, w in todo.items() if id_ not in stored.missing}
    else:
        if listing.moved or skipped:
            raise PaginationLoopError(
                f"A lista de {window} mudou a cada uma das {MAX_PASSES} leituras; fica para a próxima execução."
            )
    async with ctx.transaction() as connection:
        await _record(ctx, connection, stream, window, listing, found)
        if ctx.repair:
            await control.pay(connection, stream.name, Owed(window.inicio, window.fim), owed_of(listing.unread))
    ctx.note_unread(stream, listing.unread)
    return not listing.unread


async def _refresh_unseen(
    ctx: RunContext, stream: Stream, listing: Listing, held: Mapping[int, Held], parked: Collection[int]
) -> None:
    """Relê pelo detalhe as notas do banco que a listagem não mostrou nos dias que não se leram: a que os estraga pode
    ser uma delas, e ter mudado."""
    unseen = {
        id_: Wanted(day=note.day)
        for id_, note in held.items()
        if id_ not in listing.listed and id_ not in parked and not listing.read(note.day)
    }
    todo = dict(sorted(unseen.items(), reverse=True)[:MOST_UNSEEN])
    if not todo:
        return
    ctx.start(f"{stream.title} que a listagem não mostra", len(todo))
    stored = await fetch_and_store(ctx, stream, todo, count=False)
    ctx.check_stop()
    ctx.found.add(mudaram=stored.updated)


def owed_of(unread: Mapping[Window, str]) -> list[Owed]:
    """O que não se leu, como se deve: dos que começam no mesmo dia, o mais comprido."""
    longest = {window.inicio: Owed(window.inicio, window.fim, why) for window, why in sorted(unread.items())}
    return list(longest.values())


def _is_parked(id_: int, wanted: Wanted, parked: Mapping[int, str | None]) -> bool:
    """Uma pendência estacionada só volta a ser tentada se alguém pedir, ou se a linha dela na listagem mudou."""
    return id_ in parked and parked[id_] in (None, wanted.resumo)


async def settle_the_unlisted(
    ctx: RunContext, stream: Stream, window: Window, days: Mapping[int, date], held: int
) -> Unlisted:
    """Decide o que houve com as notas do banco (id → dia) que a listagem completa não mostra, e marca as excluídas.

    UnlikelyDeletionsError, e nenhuma é marcada, se são demais das `held` que o banco tem na janela.

    Cada uma é pedida pelo id. Se responde com outra data, só mudou de janela, e é salva. Se responde como antes, o
    Bling ainda responde por uma excluída, ou a listagem passou por cima dela: só uma segunda leitura, do seu dia, diz.
    """
    result = Unlisted()
    moved: list[Item] = []
    answering: dict[int, date] = {}
    async with aclosing(await ctx.details(stream, days)) as details:
        async for fetched in details:
            if isinstance(fetched.error, BlingNotFoundError):
                result.gone.append(fetched.id)
                if len(result.gone) > limit(held):  # já: as outras não se perguntam à toa
                    await _refuse_too_many(ctx, stream, window, result, held)
            elif fetched.document is None:
                result.in_doubt.append(fetched.id)
                ctx.problems.append(
                    f"{stream.name} {fetched.id} saiu da listagem e não se sabe por quê: {fetched.error}"
                )
            else:
                day = stream.day(fetched.document) or days[fetched.id]
                if window.inicio <= day <= window.fim:
                    answering[fetched.id] = day
                else:
                    result.moved.append(fetched.id)
                    moved.append(Item(fetched.document))
    ctx.check_stop()
    for day in sorted(set(answering.values())):
        listing = await list_window(ctx, stream, Window(day, day))
        listed = listing.listed
        asked = [id_ for id_, its_day in answering.items() if its_day == day]
        if listing.unread:
            result.in_doubt += [id_ for id_ in asked if id_ not in listed]
            ctx.note_unread(stream, listing.unread)
        else:
            result.gone += [id_ for id_ in asked if id_ not in listed]
        result.skipped |= any(id_ in listed for id_ in asked)
    if result.gone:
        await _refuse_too_many(ctx, stream, window, result, held)
        await refuse_without_witness(ctx, stream, days)
    if result.gone or moved:
        async with ctx.transaction() as connection:
            await ctx.store(connection, stream, moved)
            await proof.mark_gone(connection, stream.kept, result.gone, ctx.clock.now(), ctx.run_id)
        ctx.gone[stream.name] += len(result.gone)
    return result


async def _refuse_too_many(ctx: RunContext, stream: Stream, window: Window, unlisted: Unlisted, held: int) -> None:
    async with ctx.engine.connect() as connection:
        await refuse_unlikely(ctx, connection, stream, len(unlisted.gone), held, window)


async def _record(
    ctx: RunContext,
    connection: AsyncConnection,
    stream: Stream,
    window: Window,
    listing: Listing,
    found: Mapping[int, date],
) -> None:
    whole = whole_months(window, ctx.scope or window.inicio, today(ctx.clock))
    months = [month for month in whole if not any(month.touches(unread) for unread in listing.unread)]
    if months:
        held = await proof.held(connection, stream.kept, window.inicio, window.fim)
        counts = await proof.count_held(connection, stream.kept, window.inicio, window.fim)
        checked = months_of(months, listing.listed, held, counts, found)
        await proof.record(connection, stream.name, checked, ctx.clock.now(), ctx.run_id)
        ctx.differing -= {month.inicio for month in checked}
        ctx.differing |= {month.inicio for month in checked if not month.same}


async def fetch_and_store(
    ctx: RunContext, stream: Stream, todo: Mapping[int, Wanted], *, missing_is_failure: bool = False, count: bool = True
) -> Stored:
    """Busca os detalhes e os salva em lotes.

    Com `missing_is_failure` o 404 é uma falha como as outras e vira pendência.
    """
    items: list[Item] = []
    failures: list[Pendencia] = []
    result = Stored()

    async def flush() -> None:
        if not items and not failures:
            return
        async with ctx.transaction() as connection:
            before = ctx.progress.saved[stream.name]
            outcome = await ctx.store(connection, stream, items, failures)
            result.updated |= outcome.updated
            if count:
                ctx.progress.saved[stream.name] += len(outcome.saved)
            if before < ANALYZE_AFTER <= ctx.progress.saved[stream.name]:
                await repository.analyze(connection)
        items.clear()
        failures.clear()

    try:
        async for fetched in await ctx.details(stream, todo):
            wanted = todo[fetched.id]
            ctx.progress.feitos += 1
            if fetched.document is not None:
                items.append(Item(fetched.document, wanted.resumo, wanted.day))
            elif isinstance(fetched.error, BlingNotFoundError) and not missing_is_failure:
                result.missing.add(fetched.id)
            else:
                failures.append(
                    Pendencia(stream.name, str(fetched.id), str(fetched.error), wanted.day, wanted.resumo, wanted.names)
                )
            ctx.show()
            if len(items) + len(failures) >= BATCH:
                await flush()
    except CollectorError:
        await flush()
        raise
    await flush()
    return result
