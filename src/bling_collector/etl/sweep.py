"""O caminho único dos dados: uma janela é listada, comparada com o banco, buscada e salva."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from bling_collector.clock import today
from bling_collector.db import control, proof, repository
from bling_collector.db.control import Owed, Pendencia
from bling_collector.errors import BlingNotFoundError, BlingUnavailableError, CollectorError, PaginationLoopError
from bling_collector.etl.check import Differences, Listed, compare, months_of, whole_months
from bling_collector.etl.context import RunContext
from bling_collector.etl.fetch import fetch
from bling_collector.etl.save import BATCH, Item
from bling_collector.etl.windows import Window
from bling_collector.payload import digest
from bling_collector.streams.base import Document, Stream

MAX_PASSES = 3
"""Vezes que uma janela é lida quando a lista muda enquanto é lida."""
ANALYZE_AFTER = 1000


@dataclass(frozen=True)
class Wanted:
    """Por que buscar: a impressão da linha listada (se uma listagem a mostrou) e o seu dia."""

    resumo: str | None = None
    day: date | None = None


@dataclass
class Listing:
    """O resultado de uma leitura da janela."""

    wanted: dict[int, Wanted] = field(default_factory=dict)
    listed: dict[int, Listed] = field(default_factory=dict)
    moved: bool = False
    """Um registro passou de uma listagem a outra durante a leitura."""


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
            wanted[row["id"]] = Wanted(resumo, stream.day(row) or since)
    return wanted


async def list_window(ctx: RunContext, stream: Stream, window: Window) -> Listing:
    """Lê todas as listagens da janela, página a página, e compara cada página com o banco."""
    assert stream.window is not None, stream.name
    result = Listing()
    for listing in stream.listings:
        here: dict[int, Listed] = {}
        async for page in ctx.client.pages(stream.path, (*listing, *window.params(stream.window))):
            async with ctx.engine.connect() as connection:
                known = await repository.known(connection, stream.table, [row["id"] for row in page])
            result.wanted |= diff(page, known, stream, since=window.inicio)
            for row in page:
                here[row["id"]] = Listed(digest(row), stream.day(row) or window.inicio, stream.group(row))
            ctx.show()
            ctx.check_stop()
        seen = result.listed
        result.moved |= any(id_ in seen and seen[id_].resumo != row.resumo for id_, row in here.items())
        result.listed |= here
    return result


async def sweep(ctx: RunContext, stream: Stream, window: Window) -> None:
    """Completa a janela, confere-a e a quita. Lança o erro que a impediu; o que chegou até ali fica salvo.

    A paginação do Bling é por posição: uma nota cancelada ou excluída puxa as seguintes uma posição para trás, e a
    primeira da página seguinte pode passar sem ser vista. Isso só acontece se a que saiu já tinha sido lida; então ela
    aparece mudada na listagem das canceladas, ou o seu detalhe responde 404. Nos dois casos a janela é lida de novo.
    """
    done: dict[int, str | None] = {}
    repaired: list[date] = []
    for attempt in range(1, MAX_PASSES + 1):
        ctx.start(f"Lendo {window}")
        listing = await list_window(ctx, stream, window)
        async with ctx.engine.connect() as connection:
            held = await proof.held(connection, window.inicio, window.fim)
        differences = compare(listing.listed, held)
        if not ctx.repair:
            _note(ctx, differences)
            break
        todo = {id_: w for id_, w in listing.wanted.items() if id_ not in done or done[id_] != w.resumo}
        ctx.start(f"{stream.title} de {window}", len(todo))
        vanished = await fetch_and_store(ctx, stream, todo, missing_is_failure=attempt == MAX_PASSES)
        ctx.check_stop()
        if attempt == 1:
            _note(ctx, differences)
            repaired = [listing.listed[id_].day for id_ in (*differences.faltam, *differences.diferem)]
        if not listing.moved and not vanished:
            repaired += [held[id_].day for id_ in await mark_the_gone(ctx, stream, window, differences.sobram)]
            break
        done |= {id_: w.resumo for id_, w in todo.items() if id_ not in vanished}
    else:
        if listing.moved:
            raise PaginationLoopError(
                f"A lista de {window} mudou a cada uma das {MAX_PASSES} leituras; fica para a próxima execução."
            )
    async with ctx.transaction() as connection:
        await _record(ctx, connection, window, listing, repaired)
        if ctx.repair:
            await control.pay(connection, stream.name, Owed(window.inicio, window.fim))


def _note(ctx: RunContext, differences: Differences) -> None:
    ctx.found.add("faltavam", differences.faltam)
    ctx.found.add("mudaram", differences.diferem)
    ctx.found.add("sumiram", differences.sobram)


async def mark_the_gone(ctx: RunContext, stream: Stream, window: Window, ids: Sequence[int]) -> list[int]:
    """Dá por excluídas as notas que a listagem completa não mostrou mais; devolve as que marcou.

    Cada uma é pedida antes pelo id: se responde com outra data, só mudou de janela, e é salva em vez de marcada.
    """
    gone: list[int] = []
    moved: list[Item] = []
    async for fetched in fetch(ctx.client, stream.path, ids, limit=ctx.in_flight, stop=ctx.stop):
        if isinstance(fetched.error, BlingNotFoundError):
            gone.append(fetched.id)
        elif fetched.document is not None:
            day = stream.day(fetched.document)
            if day is None or window.inicio <= day <= window.fim:
                gone.append(fetched.id)
            else:
                moved.append(Item(fetched.document))
    ctx.check_stop()
    if gone or moved:
        async with ctx.transaction() as connection:
            await ctx.store(connection, stream, moved)
            await proof.mark_gone(connection, stream.table, gone, ctx.clock.now(), ctx.run_id)
    return gone


async def _record(
    ctx: RunContext, connection: AsyncConnection, window: Window, listing: Listing, repaired: list[date]
) -> None:
    months = whole_months(window, ctx.scope or window.inicio, today(ctx.clock))
    if months:
        held = await proof.held(connection, window.inicio, window.fim)
        counts = await proof.count_held(connection, window.inicio, window.fim)
        found = months_of(months, listing.listed, held, counts, repaired)
        await proof.record(connection, found, ctx.clock.now(), ctx.run_id)


async def fetch_and_store(
    ctx: RunContext, stream: Stream, todo: Mapping[int, Wanted], *, missing_is_failure: bool = False, count: bool = True
) -> set[int]:
    """Busca os detalhes e os salva em lotes; devolve os ids que o Bling não tem (404).

    Com `missing_is_failure` o 404 é uma falha como as outras e vira pendência.
    """
    items: list[Item] = []
    failures: list[Pendencia] = []
    missing: set[int] = set()

    async def flush() -> None:
        if not items and not failures:
            return
        async with ctx.transaction() as connection:
            before = ctx.progress.saved[stream.name]
            outcome = await ctx.store(connection, stream, items, failures)
            if count:
                ctx.progress.saved[stream.name] += len(outcome.saved)
            if before < ANALYZE_AFTER <= ctx.progress.saved[stream.name]:
                await repository.analyze(connection)
        items.clear()
        failures.clear()

    try:
        async for fetched in fetch(ctx.client, stream.path, todo, limit=ctx.in_flight, stop=ctx.stop):
            wanted = todo[fetched.id]
            ctx.progress.feitos += 1
            if fetched.document is not None:
                items.append(Item(fetched.document, wanted.resumo, wanted.day))
            elif isinstance(fetched.error, BlingNotFoundError) and not missing_is_failure:
                missing.add(fetched.id)
            else:
                failures.append(Pendencia(stream.name, str(fetched.id), str(fetched.error), wanted.day))
            ctx.show()
            if len(items) + len(failures) >= BATCH:
                await flush()
    except CollectorError as error:
        if isinstance(error, BlingUnavailableError):
            failures.clear()  # é o Bling que caiu, não estas notas que têm defeito; a janela continua devida
        await flush()
        raise
    await flush()
    return missing
