"""O que se lê inteiro, sem período: um cadastro pequeno, ou a listagem dos excluídos de um grande."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

from bling_collector.db import control, proof
from bling_collector.db.resources import repository
from bling_collector.errors import BlingNotFoundError
from bling_collector.etl.cited import lacks, whole_mark
from bling_collector.etl.context import RunContext
from bling_collector.etl.fetch import Wanted, details, fetch_and_store
from bling_collector.etl.listing import diff, extras, shown, wanted_of
from bling_collector.etl.narrowing import Reading, Unread
from bling_collector.etl.resource import WEEKLY, Document, Id, Resource
from bling_collector.etl.save import Item
from bling_collector.etl.settle import limit, mark_gone
from bling_collector.payload import Json

Unreads = list[Unread]


async def read_whole(ctx: RunContext, resource: Resource) -> None:
    """Relê a listagem inteira, se é a hora; o que ela, completa, não mostra foi excluído."""
    assert resource.whole is not None, resource.name
    name, now = whole_mark(resource), ctx.clock.now()
    if not ctx.everything and not await _is_due(ctx, resource, name):
        return
    ctx.start(resource.title)
    seen: set[Id] = set()
    rows: dict[Id, Document] = {}
    wanted: dict[Id, Wanted] = {}
    unread: Unreads = []
    async for page in _pages(ctx, resource, unread):
        new = [row for row in page if row["id"] not in seen]  # o que outra listagem já mostrou
        seen |= {row["id"] for row in page}
        if resource.keeps_listing:
            async with ctx.engine.connect() as connection:
                known = await repository.known(connection, resource.table, [row["id"] for row in new])
            found = diff(new, known, resource)
        else:
            found = {row["id"]: wanted_of(resource, row) for row in new}
        if resource.detail:
            wanted |= found
            rows |= {row["id"]: row for row in new if row["id"] in found}
        else:
            await fetch_and_store(ctx, resource, found)
        ctx.show()
        ctx.check_stop()
    if wanted:
        ctx.start(resource.title, len(wanted))
        missing = (await fetch_and_store(ctx, resource, wanted)).missing
        ctx.check_stop()
        # De um que se lista e não tem detalhe (404), o que há é a linha.
        alone = {id_: replace(wanted[id_], row=rows[id_]) for id_ in missing}
        await fetch_and_store(ctx, resource, alone)
    if unread:
        if not resource.whole.when_lacking:  # o que se cita e ela não deu pede-se pelo id: o resto não faz falta
            ctx.problems.append(f"O Bling não dá toda a listagem de {resource.title.lower()}: {unread[0].error}")
        return
    left: list[Id] = []
    if "excluida_em" in resource.table.c:
        async with ctx.engine.connect() as connection:
            left = await repository.living_except(connection, resource.kept, seen)
        left = await _without_the_never_listed(ctx, resource, left)
    async with ctx.transaction() as connection:
        gone = await mark_gone(ctx, connection, resource, left) if left else 0
        if not resource.whole.when_lacking:
            await control.move_checkpoint(connection, name, now)
    ctx.gone[resource.name] += gone


async def _without_the_never_listed(ctx: RunContext, resource: Resource, ids: list[Id]) -> list[Id]:
    """Dos `ids`, que a listagem não mostra, os que deviam estar nela e os que o Bling não tem (404). Os outros existem,
    e salvam-se; de um cujo detalhe não se lê, não se sabe.

    De um que já não estava nela só se pergunta outra vez numa conferência que repara.
    """
    if resource.never_listed is None or not ids:
        return ids
    async with ctx.engine.connect() as connection:
        listed = await repository.known(connection, resource.table, ids)
        most = limit(await proof.count_living(connection, resource.kept))
    asked = [id_ for id_ in ids if ctx.everything or listed.get(id_) is not None]
    gone: list[Id] = []
    alive: list[Item] = []
    async with aclosing(await details(ctx, resource, asked)) as answers:
        async for fetched in answers:
            if fetched.document is not None and resource.never_listed(fetched.document):
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


async def _pages(ctx: RunContext, resource: Resource, unread: Unreads) -> AsyncIterator[list[Json]]:
    """As páginas das listagens que mostram tudo; o que não se leu delas vai para `unread`."""
    for listing in await shown(ctx, resource):
        reading = listing.reading(ctx, resource)
        try:
            async for page in reading.pages():
                yield page
        except BlingNotFoundError as error:
            if resource.each is None:
                raise
            unread.append(Unread(None, error))  # o pai já não existe: a dos outros segue
        unread += reading.unread


async def _is_due(ctx: RunContext, resource: Resource, name: str) -> bool:
    assert resource.whole is not None, resource.name
    now = ctx.clock.now()
    if resource.whole.when_lacking:
        async with ctx.engine.connect() as connection:
            owed = await control.pending(connection, resource.name, before=ctx.started, now=now)
        return bool(owed) or await lacks(ctx, resource)
    async with ctx.engine.connect() as connection:
        last = await control.checkpoint(connection, name)
    # Um marco do futuro, de um relógio que andou adiantado, não vale.
    due = last is None or not timedelta() <= now - last < resource.whole.every
    return due or (not resource.alone and await lacks(ctx, resource))


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
    due = at_first if last is None else not timedelta() <= now - last < WEEKLY
    if not due and not ctx.everything:
        return
    ctx.start(f"{resource.title} excluídos")
    deleted: set[Id] = set()
    unread: Unreads = []
    for extra in await extras(ctx, resource):
        reading = Reading(ctx, resource, (*resource.removed.params, *extra))
        async for page in reading.pages():
            deleted |= {row["id"] for row in page}
            ctx.show()
            ctx.check_stop()
        unread += reading.unread
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
