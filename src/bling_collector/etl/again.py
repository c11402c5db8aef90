"""O que se busca outra vez, ou a pedido: o que ficou pendente, o que está em aberto, um registro só."""

import logging
from collections.abc import Collection, Mapping
from datetime import date
from itertools import product
from typing import Final

from bling_collector.clock import is_due, today
from bling_collector.db import control
from bling_collector.db.control import Pendencia
from bling_collector.db.resources import repository
from bling_collector.errors import BlingNotFoundError, CollectorError, UsageError
from bling_collector.etl.batches import batches
from bling_collector.etl.cited import settle_the_missing
from bling_collector.etl.context import RunContext
from bling_collector.etl.fetch import Wanted, fetch_and_store
from bling_collector.etl.listing import diff, extras, list_window, read_of_late, shown, wanted_of
from bling_collector.etl.narrowing import days_of
from bling_collector.etl.resource import WEEKLY, Document, Id, Recent, Resource
from bling_collector.etl.save import Item, Saved
from bling_collector.etl.settle import READINGS, mark_gone
from bling_collector.payload import Json
from bling_collector.windows import Period, Window, pieces

log = logging.getLogger(__name__)

MOST_OPEN: Final = 100
"""Registros em aberto por execução, dos mais novos; os outros esperam a sua vez na releitura semanal. São poucos: uma
nota que não se autoriza é corrigida ou excluída, e uma conta em aberto a listagem por vencimento mostra."""


class UnknownObjectError(CollectorError):
    """O Bling não tem o que se pediu."""

    http_status = 404
    exit_code = 2
    title = "Não existe no Bling"


async def retry_pendencias(ctx: RunContext, resource: Resource) -> None:
    """Tenta outra vez o que está pendente e que esta execução ainda não tentou."""
    async with ctx.engine.connect() as connection:
        owed = await control.pending(connection, resource.name, before=ctx.started, now=ctx.clock.now())
    if resource.keys is not None:
        owed = [each for each in owed if each.recurso_id.isdecimal()]  # as outras são chaves
    if not owed:
        return
    # O que só a linha diz não ficou na pendência: sem a impressão, a listagem traz outra vez o registro.
    todo = {
        resource.id_of(each.recurso_id): Wanted(None if resource.from_list else each.resumo, each.data_emissao)
        for each in owed
    }
    ctx.start(f"{resource.title} pendentes", len(todo))
    if resource.only_listed or resource.detail_with or (resource.ids is not None and not resource.detail):
        await _retry_listed(ctx, resource, [each.recurso_id for each in owed])
        return
    missing = (await fetch_and_store(ctx, resource, todo, count=resource.emitted is not None)).missing
    ctx.check_stop()
    if missing and resource.emitted is not None:
        await _settle_the_deleted(ctx, resource, {id_: todo[id_].day for id_ in missing})
    else:
        await settle_the_missing(ctx, resource, missing, len(todo))


async def _retry_listed(ctx: RunContext, resource: Resource, ids: list[str]) -> None:
    """O mesmo, do que só a listagem dá: a destes ids ou, se ela não se filtra por eles, a de todos."""
    for portion in batches(ids, resource.ids) if resource.ids is not None else [ids]:
        asked = tuple((resource.ids, id_) for id_ in portion) if resource.ids is not None else ()
        gone = {*portion}
        for listing in [*await shown(ctx, resource, asked)] * READINGS:  # um pode ter passado entre duas páginas
            if not gone:
                break
            reading = listing.reading(ctx, resource)
            async for page in reading.pages():
                await _store_listed(ctx, resource, [row for row in page if str(row["id"]) in portion])
                gone -= {str(row["id"]) for row in page}
            gone = gone if not reading.unread else set()
        async with ctx.transaction() as connection:  # o que a listagem de todos não mostra já não existe
            await control.settle(connection, resource.name, sorted(gone))
        ctx.check_stop()


async def store_rows(ctx: RunContext, resource: Resource, rows: Collection[Json]) -> Saved:
    """Salva linhas da listagem, que são o documento."""
    if not rows:
        return Saved()
    async with ctx.transaction() as connection:
        outcome = await ctx.store(connection, resource, [_as_listed(resource, row) for row in rows])
        ctx.progress.saved[resource.name] += len(outcome.created)
    return outcome


async def _store_listed(ctx: RunContext, resource: Resource, rows: Collection[Json]) -> None:
    if resource.detail:
        await fetch_and_store(ctx, resource, {row["id"]: wanted_of(resource, row) for row in rows}, count=False)
    else:
        await store_rows(ctx, resource, rows)


def _as_listed(resource: Resource, row: Document) -> Item:
    """A linha, por salvar, com a impressão dela se o recurso a guarda."""
    return Item(row, wanted_of(resource, row).resumo if resource.keeps_listing else None)


async def _settle_the_deleted(ctx: RunContext, resource: Resource, missing: dict[Id, date | None]) -> None:
    """Um 404 quita a pendência só quando a listagem do dia também não mostra o registro: foi excluído no Bling."""
    for day in sorted({day for day in missing.values() if day is not None}):
        listing = await list_window(ctx, resource, Window(day, day))
        if listing.unread:  # pode ser justamente o que não se leu
            ctx.note_unread(resource, listing.unread)
            continue
        gone = [id_ for id_, its_day in missing.items() if its_day == day and id_ not in listing.listed]
        async with ctx.transaction() as connection:
            await control.settle(connection, resource.name, [str(id_) for id_ in gone])
        for id_ in gone:
            log.warning(
                "%s/%s não está mais no Bling, e não chegou a ser salvo; deixa de ser pendente.", resource.name, id_
            )
            del missing[id_]
    still = [
        Pendencia(resource.name, str(id_), "O Bling lista este registro mas responde 404 ao seu detalhe.", day)
        for id_, day in missing.items()
    ]
    async with ctx.transaction() as connection:
        await control.add_pendencias(connection, still, ctx.clock.now())


async def refresh_open(
    ctx: RunContext, resource: Resource, read: Collection[Window], seen: Collection[Id]
) -> list[Window]:
    """Relê pelo detalhe o que está em aberto, menos o das janelas que já se leram e o que outra data mostrou (`seen`).

    Devolve os dias do que mudou ou respondeu 404: só a listagem diz se foi excluído, e como o mostra agora.
    """
    if resource.open is None:
        return []
    async with ctx.engine.connect() as connection:
        found = await repository.open_days(connection, resource.kept, resource.open, today(ctx.clock))
    fresh = await read_of_late(ctx, resource, found.keys())
    asked = found.keys() - fresh - {*seen}
    days = {id_: found[id_] for id_ in found if id_ in asked and not any(each.holds(found[id_]) for each in read)}
    todo = {id_: Wanted(day=days[id_]) for id_ in list(days)[:MOST_OPEN]}
    if not todo:
        return []
    ctx.start(f"{resource.title} em aberto", len(todo))
    stored = await fetch_and_store(ctx, resource, todo, count=False)
    ctx.check_stop()
    return [Window(day, day) for day in sorted({days[id_] for id_ in stored.updated | stored.missing})]


async def reread_unlisted(ctx: RunContext, resource: Resource) -> None:
    """De um recurso sem listagem, relê pelo detalhe o que está em aberto; numa conferência que repara, tudo. O que o
    Bling já deu, e em duas execuções diz não ter (404), foi excluído."""
    alive = f"(({resource.open or 'false'}) OR {resource.doubtful}) AND excluida_em IS NULL"
    condition = "true" if ctx.everything else alive
    async with ctx.engine.connect() as connection:
        ids = await repository.already_given(connection, resource.kept, condition, today(ctx.clock))
        doubtful = await repository.already_given(connection, resource.kept, resource.doubtful, today(ctx.clock))
    fresh = await read_of_late(ctx, resource, {*ids} - {*doubtful})
    ids = [id_ for id_ in ids if id_ not in fresh]
    ctx.start(f"{resource.title} relidos", len(ids))
    missing = (await fetch_and_store(ctx, resource, {id_: Wanted() for id_ in ids}, count=False)).missing
    ctx.check_stop()
    async with ctx.transaction() as connection:
        twice = await repository.not_found_again(connection, resource.table, ids, missing, ctx.clock.now())
        gone = await mark_gone(ctx, connection, resource, twice)
    ctx.gone[resource.name] += gone


async def read_recent(ctx: RunContext, resource: Resource, recent: Recent, seen: set[Id]) -> None:
    """Busca o que outra data da listagem, em volta de hoje, mostra de outro jeito que o banco; o que só não é final, se
    esta execução ainda não o pediu. Acrescenta a `seen` o que ela mostra."""
    day, mark = today(ctx.clock), f"{resource.name}.{recent.weekly}"
    if recent.weekly and not ctx.everything:
        async with ctx.engine.connect() as connection:
            if not is_due(await control.checkpoint(connection, mark), ctx.clock.now(), WEEKLY):
                return
    ctx.start(f"{resource.title} em volta de hoje")
    shows_it = resource.emitted is not None and recent.between == resource.emitted.between
    first = day - recent.back
    if shows_it and ctx.scope is not None:
        first = max(first, ctx.scope)  # o de antes do começo ninguém pediu
    wanted: dict[Id, Wanted] = {}
    windows = pieces(Window(first, day + recent.ahead), recent.between.max_days)
    for listing, window in product(await shown(ctx, resource, recent.filters), windows):
        # O que uma página curta escondesse, a releitura da história toda o mostra.
        reading = listing.reading(ctx, resource, between=recent.between, short_is_last=not ctx.everything)
        async for listed in reading.pages(Period.of(window)):
            # Onde a linha diz a data, o que um filtro ignorado traz a mais não se quer.
            page = [row for row in listed if not shows_it or window.holds(resource.day(row) or window.inicio)]
            seen |= {row["id"] for row in page}
            async with ctx.engine.connect() as connection:
                known = await repository.known(connection, resource.table, [row["id"] for row in page])
            asked = ctx.asked.get(resource.name, set())
            found = diff(page, known, resource, fresh=await read_of_late(ctx, resource, known.keys()))
            wanted |= {id_: w for id_, w in found.items() if id_ not in asked or known.get(id_) != w.resumo}
            ctx.show()
            ctx.check_stop()
        ctx.note_unread(resource, days_of(reading.unread))
    await fetch_and_store(ctx, resource, wanted)
    ctx.check_stop()
    if recent.weekly:
        async with ctx.transaction() as connection:
            await control.move_checkpoint(connection, mark, ctx.started)


async def sync_one(ctx: RunContext, resource: Resource, id_: Id, *, since: date | None = None) -> str:
    """Busca e salva o registro; devolve `criado`, `atualizado` ou `igual`. UnknownObjectError se o Bling não o tem.

    Um de antes de `since`, que o banco não tenha, não se salva: é `antigo`. Não espera por uma execução em curso: o que
    ela gravar do mesmo registro é igual ou mais novo.
    """
    try:
        item = await _one(ctx, resource, id_)
    except BlingNotFoundError as error:  # para quem pediu um só, é o que se pediu que não existe
        raise UnknownObjectError(f"O Bling não tem {resource.name}/{id_}.") from error
    if (why := resource.refused(item.document)) is not None:
        raise UsageError(why)
    async with ctx.transaction() as connection:
        day = resource.day(item.document)
        is_old = since is not None and day is not None and day < since
        if is_old and not await repository.already_read(connection, resource.table, [id_]):
            return "antigo"
        outcome = await ctx.store(connection, resource, [item])
        if item.resumo is None and resource.keeps_listing and resource.emitted is None:
            # A linha da listagem pode voltar a ser a de antes, que já não é a do que se tem.
            await repository.forget_listed(connection, resource.table, outcome.updated)
    if outcome.refused:
        raise CollectorError(f"{resource.name}/{id_} não pôde ser salvo: {outcome.refused[0][1]}")
    changed = resource.one_more is not None and await resource.one_more(ctx, id_)
    return "criado" if id_ in outcome.created else "atualizado" if id_ in outcome.updated or changed else "igual"


async def _one(ctx: RunContext, resource: Resource, id_: Id) -> Item:
    """O documento como a coleta o guarda: o detalhe ou, se é a linha que se guarda, a da listagem."""
    if resource.only_listed and (row := await _listed(ctx, resource, id_)) is not None:
        return _as_listed(resource, row)
    if resource.alone and (resource.detail or resource.ids is None):
        document = await ctx.detail(resource, id_)
        row = await _row_of(ctx, resource, document)
        # A impressão da linha, para que a conferência não o dê por mudado; a menos que ela já diga outra coisa.
        same = row is not None and _says_the_same(row, document)
        return Item({**document, **resource.of_list(row or {})}, resource.resumo(row) if row and same else None)
    if resource.ids is None:
        raise BlingNotFoundError(f"{resource.name}/{id_} não está na listagem, e só nela se lê")
    for extra in await extras(ctx, resource):
        params = (*resource.shows[0], *extra, (resource.ids, str(id_)))
        async for page in ctx.pages(resource, params):
            for row in page:
                if row["id"] == id_:
                    return _as_listed(resource, row)
    raise BlingNotFoundError(f"{resource.name}/{id_} não está na listagem")


async def _listed(ctx: RunContext, resource: Resource, id_: Id) -> Document | None:
    """A linha, da listagem de todos; None se ela não a mostra."""
    for listing in await shown(ctx, resource):
        async for page in listing.reading(ctx, resource).pages():
            if found := next((row for row in page if row["id"] == id_), None):
                return dict(found)
    return None


async def _row_of(ctx: RunContext, resource: Resource, document: Document) -> Document | None:
    """A linha que a listagem do dia mostra do documento; None se não o mostra."""
    day = resource.day(document)
    if not resource.keeps_listing or resource.emitted is None or day is None:
        return None
    for listing in await shown(ctx, resource):
        reading = listing.reading(ctx, resource, between=resource.emitted.between)
        async for page in reading.pages(Period.of(Window(day, day))):
            for row in page:
                if row["id"] == document["id"]:
                    return dict(row)
    return None


def _says_the_same(row: Mapping[str, Json], document: Mapping[str, Json]) -> bool:
    return row.items() <= document.items()
