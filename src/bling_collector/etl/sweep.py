"""O caminho único dos dados: uma janela é listada, comparada com o banco, buscada e salva."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from bling_collector.db import control, repository
from bling_collector.db.control import Owed, Pendencia
from bling_collector.errors import BlingNotFoundError, BlingUnavailableError, CollectorError, PaginationLoopError
from bling_collector.etl.context import RunContext
from bling_collector.etl.fetch import fetch
from bling_collector.etl.save import BATCH, Item
from bling_collector.etl.windows import Window
from bling_collector.payload import digest
from bling_collector.streams.base import Document, Params, Stream

log = logging.getLogger(__name__)

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
    listed: dict[int, str] = field(default_factory=dict)
    moved: bool = False
    """Um registro passou de uma listagem a outra durante a leitura."""
    proven: bool = False
    """As listagens de costume mostram registros que só elas mostrariam: não escondem nada."""


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
    result = Listing()
    hides = await hides_more(ctx, stream)
    for listing in (*stream.listings, *(stream.suspects if hides else ())):
        await _list(ctx, stream, window, listing, result)
    if stream.suspects and not hides and not result.proven:
        probe, *others = stream.suspects
        before = len(result.listed)
        await _list(ctx, stream, window, probe, result)
        if len(result.listed) > before:
            log.warning("A listagem de %s esconde mais do que se sabia; todas passam a ser pedidas.", stream.title)
            async with ctx.transaction() as connection:
                await control.move_checkpoint(connection, _hidden(stream), ctx.clock.now())
            for listing in others:
                await _list(ctx, stream, window, listing, result)
    return result


async def hides_more(ctx: RunContext, stream: Stream) -> bool:
    """Se já se viu que as listagens de costume escondem registros: então pedem-se todas."""
    async with ctx.engine.connect() as connection:
        return await control.checkpoint(connection, _hidden(stream)) is not None


def _hidden(stream: Stream) -> str:
    """O checkpoint que lembra que as listagens de costume escondem registros."""
    return f"{stream.name}.escondidas"


async def _list(ctx: RunContext, stream: Stream, window: Window, listing: Params, result: Listing) -> None:
    assert stream.window is not None, stream.name
    here: dict[int, str] = {}
    async for page in ctx.client.pages(stream.path, (*listing, *window.params(stream.window))):
        async with ctx.engine.connect() as connection:
            known = await repository.known(connection, stream.table, [row["id"] for row in page])
        result.wanted |= diff(page, known, stream, since=window.inicio)
        result.proven |= listing == stream.listings[0] and any(stream.proves(row) for row in page)
        here |= {row["id"]: digest(row) for row in page}
        ctx.show()
        ctx.check_stop()
    result.moved |= any(result.listed.get(id_, resumo) != resumo for id_, resumo in here.items())
    result.listed |= here


async def sweep(ctx: RunContext, stream: Stream, window: Window) -> None:
    """Completa a janela e a quita. Lança o erro que a impediu; o que chegou até ali fica salvo.

    A paginação do Bling é por posição: uma nota cancelada ou excluída puxa as seguintes uma posição para trás, e a
    primeira da página seguinte pode passar sem ser vista. Isso só acontece se a que saiu já tinha sido lida; então ela
    aparece mudada na listagem das canceladas, ou o seu detalhe responde 404. Nos dois casos a janela é lida de novo.
    """
    done: dict[int, str | None] = {}
    for attempt in range(1, MAX_PASSES + 1):
        ctx.start(f"Lendo {window}")
        listing = await list_window(ctx, stream, window)
        todo = {id_: w for id_, w in listing.wanted.items() if id_ not in done or done[id_] != w.resumo}
        ctx.start(f"{stream.title} de {window}", len(todo))
        vanished = await fetch_and_store(ctx, stream, todo, missing_is_failure=attempt == MAX_PASSES)
        ctx.check_stop()
        if not listing.moved and not vanished:
            break
        done |= {id_: w.resumo for id_, w in todo.items() if id_ not in vanished}
    else:
        if listing.moved:
            raise PaginationLoopError(
                f"A lista de {window} mudou a cada uma das {MAX_PASSES} leituras; fica para a próxima execução."
            )
    await _forget_the_deleted(ctx, stream, window, listing)
    async with ctx.transaction() as connection:
        await control.pay(connection, stream.name, Owed(window.inicio, window.fim))


async def _forget_the_deleted(ctx: RunContext, stream: Stream, window: Window, listing: Listing) -> None:
    """O que o banco guarda, a listagem já não mostra e o Bling diz não existir (404) foi excluído lá: sai daqui."""
    if stream.deletable is None or stream.delete is None:
        return
    async with ctx.engine.connect() as connection:
        absent = await stream.deletable(connection, window.inicio, window.fim) - listing.listed.keys()
    gone = await fetch_and_store(ctx, stream, {id_: Wanted(day=window.inicio) for id_ in absent})
    ctx.check_stop()
    if gone:
        log.warning("%s excluídas no Bling, e agora aqui: %s.", stream.title, ", ".join(map(str, sorted(gone))))
        async with ctx.transaction() as connection:
            await stream.delete(connection, gone)
            await control.settle(connection, stream.name, [str(id_) for id_ in gone])


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
