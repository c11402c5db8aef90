"""O que se lê inteiro, sem período: um cadastro pequeno, ou a listagem dos excluídos de um grande."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime

from bling_collector.clock import is_due
from bling_collector.db import control, proof
from bling_collector.db.core import AsyncConnection
from bling_collector.db.proof import Kept
from bling_collector.db.resources import repository
from bling_collector.errors import BlingError, BlingNotFoundError, BlingRejectedError
from bling_collector.etl.cited import PORTION, lacks, settle_the_missing, whole_mark
from bling_collector.etl.context import RunContext
from bling_collector.etl.fetch import details, fetch_and_store
from bling_collector.etl.listing import Shown, diff, extras, read_of_late, shown, wanted_of
from bling_collector.etl.narrowing import Reading, Unread
from bling_collector.etl.resource import WEEKLY, Document, Id, Resource
from bling_collector.etl.save import Item
from bling_collector.etl.settle import READINGS, limit, mark_gone
from bling_collector.payload import Json
from bling_collector.together import LISTINGS, PORTIONS, merged, together

Unreads = list[Unread]


async def read_whole(ctx: RunContext, resource: Resource) -> None:
    """Relê a listagem inteira, se é a hora; o que ela, completa, não mostra foi excluído.

    A paginação do Bling é por posição: uma linha que sai no meio da leitura puxa as seguintes, e uma que existe passa
    entre duas páginas sem ser vista. Por isso o que falta na primeira leitura se procura em outra.
    """
    assert resource.whole is not None, resource.name
    name, now = whole_mark(resource), ctx.clock.now()
    async with ctx.engine.connect() as connection:
        last = await control.checkpoint(connection, name)
    if not ctx.everything and not await _is_due(ctx, resource, last):
        return
    # Uma vez por semana todas as listagens, até a página vazia; nos outros dias bastam as de costume, até uma página
    # curta, se mostram tudo o que se tem.
    thorough = ctx.everything or is_due(last, now, WEEKLY)
    seen: set[Id] = set()
    unread: Unreads = []
    looked_for = resource.kept
    for reading in range(READINGS):
        everywhere = thorough or reading > 0
        await _read(ctx, resource, seen, unread, thorough=everywhere)
        looked_for = resource.kept if everywhere else _in_the_first(resource)
        async with ctx.engine.connect() as connection:
            if unread or not await _unseen(connection, looked_for, seen, now, ctx.clock.now()):
                break
    if unread:
        if not resource.whole.when_lacking:  # o que se cita e ela não deu pede-se pelo id: o resto não faz falta
            ctx.problems.append(f"O Bling não dá toda a listagem de {resource.title.lower()}: {unread[0].error}")
        return
    async with ctx.engine.connect() as connection:
        left = await _unseen(connection, looked_for, seen, now, ctx.clock.now())
    left = await _without_the_unlistable(ctx, resource, left)
    async with ctx.transaction() as connection:
        gone = await mark_gone(ctx, connection, resource, left) if left else 0
        if thorough and not resource.whole.when_lacking:
            await control.move_checkpoint(connection, name, now)
    ctx.gone[resource.name] += gone


def _in_the_first(resource: Resource) -> Kept:
    """Os que a primeira das listagens mostra."""
    aside = resource.whole.aside if resource.whole is not None else ""
    return replace(resource.kept, ours=f"({resource.ours}) AND NOT ({aside})") if aside else resource.kept


async def _unseen(
    connection: AsyncConnection, kept: Kept, seen: Collection[Id], since: datetime, until: datetime
) -> list[Id]:
    """O que o banco tem e a listagem não mostrou, menos o que alguém leu enquanto ela se lia: esse existe."""
    if "excluida_em" not in kept.table.c:
        return []
    return await repository.living_except(connection, kept, seen, since, until)


async def _without_the_unlistable(ctx: RunContext, resource: Resource, ids: list[Id]) -> list[Id]:
    """Dos `ids`, que a listagem não mostra, os que deviam estar nela e os que o Bling não tem (404). Os outros existem,
    e salvam-se; de um cujo detalhe não se lê, não se sabe.

    De um que já não estava nela só se pergunta outra vez numa conferência que repara.
    """
    if resource.listable is None or not ids:
        return ids
    async with ctx.engine.connect() as connection:
        listed = await repository.known(connection, resource.table, ids)
        most = limit(await proof.count_living(connection, resource.kept))
    asked = [id_ for id_ in ids if ctx.everything or listed.get(id_) is not None]
    gone: list[Id] = []
    alive: list[Item] = []
    async with aclosing(details(ctx, resource, asked)) as answers:
        async for fetched in answers:
            if fetched.document is not None and not resource.listable(fetched.document):
                alive.append(Item(fetched.document))
            elif fetched.document is not None or isinstance(fetched.error, BlingNotFoundError):
                gone.append(fetched.id)
                if len(gone) > most and not ctx.accept_deletions:
                    break  # já são demais para que se aceitem: os outros não se perguntam à toa
            else:
                ctx.problems.append(
                    f"{resource.name} {fetched.id} saiu da listagem e não se sabe por quê: {fetched.error}"
                )
    ctx.check_stop()
    if alive:
        async with ctx.transaction() as connection:
            await ctx.store(connection, resource, alive)
            await repository.forget_listed(connection, resource.table, [item.document["id"] for item in alive])
    return gone


async def _read(ctx: RunContext, resource: Resource, seen: set[Id], unread: Unreads, *, thorough: bool) -> None:
    """Lê a listagem e busca o que nela é novo ou mudou, menos os de `seen`, a que acrescenta os que ela mostra; o que
    não se leu dela vai para `unread`."""
    ctx.start(resource.title)
    rows: dict[Id, Document] = {}
    async for page in _pages(ctx, resource, unread, thorough=thorough):
        new = {row["id"]: row for row in page if row["id"] not in seen}
        seen.update(new)
        rows |= await _to_fetch(ctx, resource, new, thorough=thorough)
        if not resource.detail or len(rows) >= PORTION:
            await _fetch(ctx, resource, rows)
            rows = {}
        ctx.show()
        ctx.check_stop()
    await _fetch(ctx, resource, rows)


async def _to_fetch(
    ctx: RunContext, resource: Resource, rows: Mapping[Id, Document], *, thorough: bool
) -> dict[Id, Document]:
    """Das linhas, as de que é preciso buscar o registro."""
    if not resource.keeps_listing:
        return dict(rows)
    async with ctx.engine.connect() as connection:
        known = await repository.known(connection, resource.table, rows.keys())
    assert resource.whole is not None, resource.name
    again = {id_ for id_, row in rows.items() if thorough and resource.whole.weekly(row)}
    fresh = await read_of_late(ctx, resource, known.keys())
    return {id_: rows[id_] for id_ in diff(rows.values(), known, resource, fresh=fresh).keys() | again}


async def _fetch(ctx: RunContext, resource: Resource, rows: Mapping[Id, Document]) -> None:
    """Busca e salva os registros destas linhas. De um que se lista e não tem detalhe (404), o que há é a linha; a não
    ser que já se saiba mais do que ela diz: então foi excluído enquanto se lia, ou há de voltar a responder."""
    if not rows:
        return
    wanted = {id_: wanted_of(resource, row) for id_, row in rows.items()}
    if resource.detail:
        ctx.start(resource.title, len(wanted))
    missing = (await fetch_and_store(ctx, resource, wanted)).missing
    ctx.check_stop()
    if not missing:
        return
    async with ctx.engine.connect() as connection:
        held = await repository.as_held(connection, resource.table, missing, ("detalhe",))
    known = {id_ for id_, row in held.items() if _keys(row["detalhe"]) - rows[id_].keys()}
    alone = {id_: replace(wanted[id_], row=rows[id_]) for id_ in missing - known}
    await fetch_and_store(ctx, resource, alone)
    await settle_the_missing(ctx, resource, known, len(wanted))


def _keys(document: object) -> set[str]:
    return {*document} if isinstance(document, dict) else set()


async def _pages(ctx: RunContext, resource: Resource, unread: Unreads, *, thorough: bool) -> AsyncIterator[list[Json]]:
    """As páginas das listagens que mostram tudo, várias listagens ao mesmo tempo; o que não se leu delas vai para
    `unread`.

    Uma que se pede com o que o pai diz pode ser recusada (400) por não haver tal coisa nele: os outros seguem; se o são
    todas, o que não serve é o pedido.
    """
    listings, rejected = await shown(ctx, resource, thorough=thorough), list[BlingError]()
    by_params = resource.each is not None and bool(resource.each.params)

    async def pages_of(listing: Shown) -> AsyncGenerator[list[Json]]:
        reading = listing.reading(ctx, resource, short_is_last=not thorough)
        try:
            async for page in reading.pages():
                yield page
        except BlingNotFoundError as error:
            if resource.each is None:
                raise
            unread.append(Unread(None, error))  # o pai já não existe: a dos outros segue
        except BlingRejectedError as error:
            if not by_params:
                raise
            rejected.append(error)
        refused = [each.error for each in reading.unread if by_params and isinstance(each.error, BlingRejectedError)]
        rejected.extend(refused)
        unread.extend(each for each in reading.unread if each.error not in refused)

    async with aclosing(merged(map(pages_of, listings), limit=LISTINGS)) as pages:
        async for page in pages:
            yield page
    if rejected and len(rejected) == len(listings):
        raise rejected[-1]


async def _is_due(ctx: RunContext, resource: Resource, last: datetime | None) -> bool:
    assert resource.whole is not None, resource.name
    now = ctx.clock.now()
    if resource.whole.when_lacking:
        async with ctx.engine.connect() as connection:
            owed = await control.pending(connection, resource.name, before=ctx.started, now=now)
        return bool(owed) or await lacks(ctx, resource)
    return is_due(last, now, resource.whole.every) or (not resource.alone and await lacks(ctx, resource))


async def read_register(ctx: RunContext, resource: Resource) -> None:
    """Traz das listagens o que o banco não tem, uma vez por semana; numa conferência que repara, sempre. Nos outros
    dias o que há de novo vem com o que mudou."""
    name, now = f"{resource.name}.todos", ctx.clock.now()
    async with ctx.engine.connect() as connection:
        last = await control.checkpoint(connection, name)
    if not ctx.everything and not is_due(last, now, WEEKLY):
        return
    ctx.start(f"{resource.title}: o cadastro inteiro")
    unread: Unreads = []

    async def bring(page: list[Json]) -> None:
        async with ctx.engine.connect() as connection:
            known = await repository.already_read(connection, resource.table, [row["id"] for row in page])
        with ctx.progress.aside():
            await _fetch(ctx, resource, {row["id"]: row for row in page if row["id"] not in known})
        ctx.check_stop()

    for params in resource.register:
        reading = Reading(ctx, resource, params)
        await together(bring, reading.pages(), limit=PORTIONS)
        unread += reading.unread
    if unread:
        ctx.problems.append(f"O Bling não dá todo o cadastro de {resource.title.lower()}: {unread[0].error}")
        return
    async with ctx.transaction() as connection:
        await control.move_checkpoint(connection, name, now)


async def read_removed(ctx: RunContext, resource: Resource) -> None:
    """Relê, uma vez por semana, o que o Bling dá por excluído; numa conferência que repara, sempre.

    Não na primeira execução, a não ser que se diga: o detalhe que se acabou de buscar já disse se cada um existe.
    """
    assert resource.removed is not None, resource.name
    name, now = f"{resource.name}.excluidos", ctx.clock.now()
    at_first = resource.removed.at_first
    async with ctx.transaction() as connection:
        last = await control.checkpoint(connection, name)
        if last is None and not at_first:
            await control.move_checkpoint(connection, name, now)
    due = at_first if last is None else is_due(last, now, WEEKLY)
    if not due and not ctx.everything:
        return
    ctx.start(f"{resource.title} excluídos")
    deleted: set[Id] = set()
    unread: Unreads = []
    for _ in range(READINGS):  # um que não se mostrou pode ter passado entre duas páginas
        for extra in await extras(ctx, resource):
            reading = Reading(ctx, resource, (*resource.removed.params, *extra))
            async for page in reading.pages():
                deleted |= {row["id"] for row in page}
                ctx.show()
                ctx.check_stop()
            unread += reading.unread
        async with ctx.engine.connect() as connection:
            if unread or not await proof.gone_except(connection, resource.kept, deleted):
                break
    async with ctx.transaction() as connection:
        gone = await mark_gone(ctx, connection, resource, deleted, first=last is None and at_first)
        if not unread:  # um que não se mostrou pode ser o que não se leu
            await proof.clear_gone_except(connection, resource.kept, deleted, now, ctx.run_id)
        if resource.removed.after is not None:
            await resource.removed.after(connection)
        if not unread:
            await control.move_checkpoint(connection, name, now)
    ctx.gone[resource.name] += gone
    if unread:
        ctx.problems.append(
            f"O Bling não dá toda a listagem de {resource.title.lower()} excluídos, que a próxima execução relê: "
            f"{unread[0].error}"
        )
