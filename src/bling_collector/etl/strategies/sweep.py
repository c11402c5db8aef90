"""Uma janela, do começo ao fim: listada, comparada com o banco, buscada, conferida e quitada."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import date

from bling_collector.db import control, proof
from bling_collector.db.control import Owed
from bling_collector.db.proof import Held
from bling_collector.errors import PaginationLoopError
from bling_collector.etl.check import Differences, compare
from bling_collector.etl.context import RunContext
from bling_collector.etl.fetch import Wanted, fetch_and_store
from bling_collector.etl.listing import Listing, is_outdated, note_hiding, read_window
from bling_collector.etl.resource import Resource
from bling_collector.etl.settle import owed_of, record_proof, settle_the_unlisted
from bling_collector.windows import Window

MAX_PASSES = 3
"""Vezes que uma janela é lida quando a lista muda enquanto é lida."""
MOST_UNSEEN = 100
"""Registros por janela, dos mais novos, que se releem pelo detalhe porque a listagem do dia deles não vem."""


async def sweep(ctx: RunContext, resource: Resource, window: Window, earlier: Sequence[asyncio.Event] = ()) -> bool:
    """Completa a janela, confere-a e a quita; se ela toda se deixou ler. O que não se leu fica devido no lugar dela.

    O que ela não mostra só se julga depois das que começaram antes (`earlier`): pode estar numa delas, e o limite dos
    excluídos é dos de todas.

    Lança o erro que a impediu; o que chegou até ali fica salvo.

    A paginação do Bling é por posição: uma linha que sai (uma nota cancelada, um registro excluído) puxa as seguintes
    uma posição para trás, e a primeira da página seguinte pode passar sem ser vista. Isso só acontece se a que saiu já
    tinha sido lida; então ela aparece mudada noutra listagem, ou o seu detalhe responde 404, ou a que não foi vista
    ainda existe. Em qualquer caso a janela é lida de novo; e também se outra mostrou, entretanto, que as listagens de
    costume escondem.
    """
    if not ctx.repair:
        return await _look(ctx, resource, window)
    done: dict[int, str | None] = {}
    found: dict[int, date] = {}
    for attempt in range(1, MAX_PASSES + 1):
        ctx.start(f"Lendo {window}", expected=True)
        listing, held = Listing(), dict[int, Held]()
        todo = await _to_fetch(ctx, resource, window, listing, held, done)
        stored = await fetch_and_store(ctx, resource, todo, missing_is_failure=attempt == MAX_PASSES)
        ctx.check_stop()
        differences = _differences(listing, held)
        if attempt == 1:
            await _refresh_unseen(ctx, resource, listing, held)
        changed = {*differences.diferem, *stored.updated} - {*differences.faltam}
        ctx.found.add(resource.name, faltavam=differences.faltam, mudaram=changed)
        found |= {id_: listing.listed[id_].day for id_ in (*differences.faltam, *changed)}
        skipped = False
        if not (listing.moved or stored.missing or is_outdated(ctx, resource, listing)):
            days = {id_: held[id_].day for id_ in differences.sobram}
            skipped = await _settle(ctx, resource, window, days, len(held), found, earlier)
            if not skipped:
                break
        done |= {id_: wanted.resumo for id_, wanted in todo.items() if id_ not in stored.missing}
    else:
        if listing.moved or skipped:
            raise PaginationLoopError(
                f"A lista de {window} mudou a cada uma das {MAX_PASSES} leituras; fica para a próxima execução."
            )
    async with ctx.transaction() as connection:
        if is_outdated(ctx, resource, listing):  # quem o descobriu já a deve, ou a deverá a seguir
            return False
        await record_proof(ctx, connection, resource, window, listing, found)
        await control.pay(connection, resource.name, Owed(window.inicio, window.fim), owed_of(listing.unread))
        if resource.name in ctx.still_hides:  # esta conferência não diz que já não é assim
            await note_hiding(ctx, connection, resource)
    ctx.note_unread(resource, listing.unread)
    return not listing.unread


async def _look(ctx: RunContext, resource: Resource, window: Window) -> bool:
    """Confere a janela sem reparar nada; se ela toda se deixou ler. Lê-a duas vezes, se a primeira não mostra algum: o
    que só uma delas mostra existe, e a outra passou por cima dele."""
    before = Listing()
    for attempt in (1, 2):
        ctx.start(f"Lendo {window}")
        listing, held = Listing(), dict[int, Held]()
        await _to_fetch(ctx, resource, window, listing, held, {})
        listing.listed = before.listed | listing.listed
        listing.known |= before.known
        listing.otherwise |= before.otherwise
        differences = _differences(listing, held)
        if attempt == 2 or not (listing.moved or differences.sobram):
            break
        before = listing
    ctx.found.add(resource.name, faltavam=differences.faltam, mudaram=differences.diferem, sumiram=differences.sobram)
    async with ctx.transaction() as connection:
        await record_proof(ctx, connection, resource, window, listing, {})
    ctx.note_unread(resource, listing.unread)
    return not listing.unread


def _differences(listing: Listing, held: Mapping[int, Held]) -> Differences:
    """Em que os dois lados diferem; de um dia que não se leu inteiro, só o que a listagem mostrou."""
    known = {id_: note for id_, note in held.items() if id_ in listing.listed or listing.read(note.day)}
    return compare(listing.listed, known, listing.known, listing.otherwise)


async def _settle(
    ctx: RunContext,
    resource: Resource,
    window: Window,
    days: Mapping[int, date],
    held: int,
    found: dict[int, date],
    earlier: Sequence[asyncio.Event],
) -> bool:
    """Decide o que houve com o que a listagem não mostra; se ela passou por cima de algum. Em `found`, o dia dos que já
    não há."""
    for other in earlier if days else ():
        await other.wait()
    ctx.check_stop()
    unlisted = await settle_the_unlisted(ctx, resource, window, days, held)
    ctx.found.add(resource.name, mudaram=unlisted.moved, sumiram=[*unlisted.gone, *unlisted.in_doubt])
    found |= {id_: days[id_] for id_ in unlisted.gone}
    return unlisted.skipped


async def _to_fetch(
    ctx: RunContext,
    resource: Resource,
    window: Window,
    listing: Listing,
    held: dict[int, Held],
    done: Mapping[int, str | None],
) -> dict[int, Wanted]:
    """O que buscar da janela, menos o que outra leitura dela já buscou (`done`); cada um uma vez por leitura: um que
    apareça mudado noutra listagem faz a janela ser lida outra vez. Em `held` fica o que o banco tinha antes.

    Só depois de lida toda: o detalhe de um que se exclui enquanto se listam as páginas seguintes, pedido antes, não
    diria que ele saiu, e que outro pode ter passado sem ser visto.
    """
    todo: dict[int, Wanted] = {}
    async with ctx.reading(resource), aclosing(read_window(ctx, resource, window, listing)) as pages:
        async with ctx.engine.connect() as connection:
            held |= await proof.held(connection, resource.kept, window.inicio, window.fim)
        async for page in pages:
            todo |= {
                id_: wanted
                for id_, wanted in page.items()
                if id_ not in todo and (id_ not in done or done[id_] != wanted.resumo)
            }
    if ctx.outlook is not None:
        ctx.outlook.listed(resource.name, window, len(todo) if ctx.repair else len(listing.listed))
    if ctx.repair:
        ctx.start(f"{resource.title} de {window}", len(todo), done=ctx.progress.here.feitos)
    return todo


async def _refresh_unseen(ctx: RunContext, resource: Resource, listing: Listing, held: Mapping[int, Held]) -> None:
    """Relê pelo detalhe o que o banco tem e a listagem não mostrou nos dias que não se leram: o que os estraga pode ser
    um desses, e ter mudado."""
    unseen = {
        id_: Wanted(day=note.day)
        for id_, note in held.items()
        if id_ not in listing.listed and not listing.read(note.day)
    }
    todo = dict(sorted(unseen.items(), reverse=True)[:MOST_UNSEEN])
    if not todo:
        return
    ctx.start(f"{resource.title} que a listagem não mostra", len(todo))
    stored = await fetch_and_store(ctx, resource, todo, count=False)
    ctx.check_stop()
    ctx.found.add(resource.name, mudaram=stored.updated)
