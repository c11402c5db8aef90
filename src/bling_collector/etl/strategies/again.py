"""O que se busca outra vez, ou a pedido: o que ficou pendente, o que está em aberto, um registro só."""

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import date, datetime, timedelta
from heapq import nsmallest
from itertools import product
from typing import Final

from bling_collector.api.transport import noting_when_sent
from bling_collector.clock import is_weekly_due, today
from bling_collector.db import control
from bling_collector.db.control import Pendencia
from bling_collector.db.resources import repository
from bling_collector.errors import LASTING, BlingNotFoundError, CollectorError, UsageError
from bling_collector.etl.context import RunContext
from bling_collector.etl.fetch import Stored, Wanted, fetch_and_store
from bling_collector.etl.listing import (
    Sightings,
    batches,
    diff,
    drifting_among,
    due_this_week,
    list_window,
    read_of_late,
    shown,
    suspects,
    suspicious,
    wanted_of,
)
from bling_collector.etl.narrowing import Reading, days_of
from bling_collector.etl.resource import Document, Id, Recent, Resource
from bling_collector.etl.save import Item, Saved
from bling_collector.etl.settle import READINGS, mark_gone
from bling_collector.etl.strategies.batches import halves
from bling_collector.etl.strategies.cited import citing, fetch_cited, is_asked_again, settle_the_missing
from bling_collector.payload import Json
from bling_collector.together import together
from bling_collector.windows import Period, Window, pieces

log = logging.getLogger(__name__)

MOST_OPEN: Final = 100
"""Registros em aberto por execução, dos mais novos; os outros esperam a sua vez na releitura semanal. São poucos: uma
nota que não se autoriza é corrigida ou excluída, e uma conta em aberto a listagem por vencimento mostra."""


AT_ONCE: Final = 24
"""Detalhes, ou listagens, ao mesmo tempo, do que se pede avulso: bastam ao ritmo ainda que o Bling demore, e deixam
responder quem no mesmo processo espera por uma resposta."""


class UnknownObjectError(CollectorError):
    """O Bling não tem o que se pediu."""

    http_status = 404
    exit_code = 2
    title = "Não existe no Bling"


class NotThisResourceError(UsageError):
    """O registro é de outro recurso."""


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
        gone, unread, sightings = {*portion}, False, Sightings(resource)
        usual = await shown(ctx, resource, asked)
        for listings in (*[usual] * READINGS, await suspicious(ctx, resource, asked)):
            if not gone:  # senão, pode ter passado entre duas páginas
                break
            for listing in listings:
                if not gone and not resource.told:  # o que só o filtro diz, só todas o dizem
                    break
                reading = listing.reading(ctx, resource)
                async for page in reading.pages():
                    sightings.see(row for row in page if str(row["id"]) in portion)
                    gone -= {str(row["id"]) for row in page}
                unread |= bool(reading.unread)
        await _store_listed(ctx, resource, sightings.rows(whole=not unread).values())
        gone = gone if not unread else set()
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
    stored = await fetch_and_store(ctx, resource, {id_: Wanted() for id_ in ids}, count=False)
    ctx.check_stop()
    await _settle_the_not_found(ctx, resource, stored)


async def ask_again(ctx: RunContext, resource: Resource) -> None:
    """Pergunta outra vez pelo que o Bling disse não ter (404) e se cita, ou a listagem mostra: um 404 sozinho não prova
    nada, e o que hoje não há pode haver amanhã. No dia seguinte e, se ele o confirma, uma vez por semana, até
    `MOST_OPEN`; numa conferência que repara, por todos."""
    if resource.detail_with:
        return
    async with ctx.engine.connect() as connection:
        denied = await repository.denied(connection, resource.kept, listed=resource.listed)
        due = [each for each in denied if is_asked_again(ctx, each)]
        lacking = [each.id for each in due if not each.is_held]
        cited = await repository.cited_among(connection, citing(ctx, resource), lacking)
    ids = [each.id for each in due if each.is_held or each.id in cited]
    if not ctx.everything:
        ids = ids[:MOST_OPEN]
    if not ids:
        return
    ctx.start(f"{resource.title} que não se achavam", len(ids))
    missing = await fetch_cited(ctx, resource, ids)
    ctx.check_stop()
    async with ctx.transaction() as connection:
        await repository.mark_not_found(connection, resource.table, missing, ctx.clock.now())


async def reread_never_listed(ctx: RunContext, resource: Resource) -> None:
    """Relê pelo id o que existe e listagem nenhuma mostra, cada um uma vez por semana; o que o Bling em duas execuções
    diz não ter (404) foi excluído. Numa conferência que repara, todos; e também os excluídos, onde só o 404 o prova: os
    que respondem estão vivos."""
    now = ctx.clock.now()
    async with ctx.engine.connect() as connection:
        unlisted = await repository.unlisted(connection, resource.kept)
        if ctx.everything:
            ids = [id_ for id_, when in unlisted.items() if when is None or when < ctx.started]
        else:
            # Aos de que se duvida não se tira a vez, nem eles a tiram a ninguém.
            doubtful = [id_ for id_, when in unlisted.items() if when is None]
            due = [id_ for id_, when in unlisted.items() if when is not None and is_weekly_due(when, now, id_)]
            ids = doubtful[:MOST_OPEN] + due[:MOST_OPEN]
        if ctx.everything and not resource.is_listable({}):
            ids += await repository.excluded(connection, resource.kept)
    if not ids:
        return
    ctx.start(f"{resource.title} que a listagem não mostra", len(ids))
    stored = await fetch_and_store(ctx, resource, {id_: Wanted() for id_ in ids}, count=False)
    ctx.check_stop()
    async with ctx.transaction() as connection:
        await repository.note_read(connection, resource.table, stored.read, now)
        await repository.mark_unlisted(connection, resource.table, stored.read)
    await _settle_the_not_found(ctx, resource, stored)


async def _settle_the_not_found(ctx: RunContext, resource: Resource, stored: Stored) -> None:
    """Anota a que o Bling respondeu 404, e dá por excluídos os que já o tinham tido noutra execução: se são demais para
    que se creia, fica ao menos anotado que se perguntou."""
    async with ctx.transaction() as connection:
        now = ctx.clock.now()
        twice = await repository.not_found_again(connection, resource.table, stored.read, stored.missing, now)
    if not twice:
        return
    async with ctx.transaction() as connection:
        gone = await mark_gone(ctx, connection, resource, twice)
    ctx.gone[resource.name] += gone


async def reread_settled(ctx: RunContext, resource: Resource) -> None:
    """Relê, uma vez por semana, e numa conferência que repara, o que a listagem do que se quitou há pouco mostra e o
    banco só tem quitado antes: o pagamento é outro. Não na primeira execução, que acaba de ler tudo."""
    assert resource.settled is not None, resource.name
    settled, day = resource.settled, today(ctx.clock)
    name, now, since = f"{resource.name}.quitados", ctx.clock.now(), day - resource.settled.back
    async with ctx.transaction() as connection:
        last = await control.checkpoint(connection, name)
        if last is None and not ctx.everything:
            await control.move_checkpoint(connection, name, now)
            return
    if not ctx.everything and not is_weekly_due(last, now, name):
        return
    ctx.start(f"{resource.title} quitadas há pouco")
    rows: dict[Id, Document] = {}
    reading = Reading(ctx, resource, resource.shows[0], between=settled.between, short_is_last=not ctx.everything)
    async with aclosing(reading.pages(Period.of(Window(since, day + timedelta(days=1))))) as pages:
        async for page in pages:
            if any(map(settled.never, page)):  # o Bling não lê o filtro: nada diz
                rows = {}
                break
            rows |= {row["id"]: row for row in page}
            ctx.check_stop()
    async with ctx.engine.connect() as connection:
        found = await repository.settled_before(connection, resource.kept, settled.before, rows, since)
    await fetch_and_store(ctx, resource, {id_: wanted_of(resource, rows[id_]) for id_ in found}, count=False)
    ctx.check_stop()
    if reading.unread:  # o que não se leu lê-se na seguinte
        ctx.note_unread(resource, days_of(reading.unread))
        return
    async with ctx.transaction() as connection:
        await control.move_checkpoint(connection, name, now)


async def read_recent(ctx: RunContext, resource: Resource, recent: Recent, seen: set[Id]) -> None:
    """Busca o que outra data da listagem, em volta de hoje, mostra de outro jeito que o banco; o que só não é final, se
    esta execução ainda não o pediu; e o que pode mudar sem que ela o mostre, se é o dia dele, até `MOST_OPEN`, primeiro
    os que há mais tempo se leram. Acrescenta a `seen` o que ela mostra."""
    day, mark = today(ctx.clock), f"{resource.name}.{recent.weekly}"
    if recent.weekly and not ctx.everything:
        async with ctx.engine.connect() as connection:
            if not is_weekly_due(await control.checkpoint(connection, mark), ctx.clock.now(), mark):
                return
    ctx.start(f"{resource.title} em volta de hoje")
    shows_it = resource.emitted is not None and recent.between == resource.emitted.between
    first = day - recent.back
    if shows_it and ctx.scope is not None:
        first = max(first, ctx.scope)  # o de antes do começo ninguém pediu
    wanted, late = dict[Id, Wanted](), dict[Id, tuple[datetime, Wanted]]()
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
            drifting = drifting_among(resource, page)
            due = await due_this_week(ctx, resource, drifting.keys() - asked)
            late |= {id_: (when, wanted_of(resource, drifting[id_])) for id_, when in due.items()}
            late = dict(nsmallest(MOST_OPEN, late.items(), key=lambda each: (each[1][0], each[0])))
            ctx.show()
            ctx.check_stop()
        ctx.note_unread(resource, days_of(reading.unread))
    stored = await fetch_and_store(ctx, resource, {id_: again for id_, (_, again) in late.items()} | wanted)
    ctx.check_stop()
    if silent := stored.missing & late.keys():  # na listagem, e sem detalhe: também esperam a semana
        async with ctx.transaction() as connection:
            await repository.note_read(connection, resource.table, silent, ctx.clock.now())
    if recent.weekly:
        async with ctx.transaction() as connection:
            await control.move_checkpoint(connection, mark, ctx.started)


async def sync_one(ctx: RunContext, resource: Resource, id_: Id) -> str:
    """Busca e salva o registro; devolve `criado`, `atualizado` ou `igual`. UnknownObjectError se o Bling não o tem.

    Não espera por uma execução em curso: o que ela gravar do mesmo registro é igual ou mais novo.
    """
    (said,) = (await sync_each(ctx, resource, [id_])).values()
    if isinstance(said, CollectorError):
        raise said
    return said


async def sync_each(
    ctx: RunContext, resource: Resource, ids: Collection[Id], *, since: date | None = None
) -> dict[Id, str | CollectorError]:
    """O mesmo de vários, com o que `sync_one` diria de cada um, ou o erro que levantaria. Os detalhes pedem-se juntos,
    e a listagem de um dia, ou um lote de ids, uma vez só.

    Um de antes de `since`, que o banco não tenha, não se salva: é `antigo`.
    """
    said: dict[Id, str | CollectorError] = {}
    items: dict[Id, Item] = {}
    for id_, found in (await _each(ctx, resource, ids)).items():
        if isinstance(found, BlingNotFoundError):  # para quem pediu um só, é o que se pediu que não existe
            said[id_] = unknown = UnknownObjectError(f"O Bling não tem {resource.name}/{id_}.")
            unknown.__cause__ = found
        elif isinstance(found, CollectorError):
            said[id_] = found
        elif (why := resource.refused(found.document)) is not None:
            said[id_] = NotThisResourceError(why)
        else:
            items[id_] = found
    return said | await save_fetched(ctx, resource, items, since=since)


async def save_fetched(
    ctx: RunContext, resource: Resource, items: Mapping[Id, Item], *, since: date | None = None
) -> dict[Id, str | CollectorError]:
    """Salva os documentos que se acabam de buscar um a um; o que diz de cada um, como em `sync_each`."""
    if not items:
        return {}
    said: dict[Id, str | CollectorError] = {}
    async with ctx.transaction() as connection:
        days = {id_: resource.day(item.document) for id_, item in items.items()}
        old = {id_ for id_, day in days.items() if since is not None and day is not None and day < since}
        old -= await repository.already_read(connection, resource.table, old) if old else set()
        outcome = await ctx.store(connection, resource, [item for id_, item in items.items() if id_ not in old])
        if resource.keeps_listing and resource.emitted is None:
            # A linha da listagem pode voltar a ser a de antes, que já não é a do que se tem.
            alone = {id_ for id_ in outcome.updated if items[id_].resumo is None}
            await repository.forget_listed(connection, resource.table, alone)
    refused = {item.document["id"]: why for item, why in outcome.refused}
    for id_, item in items.items():
        if id_ in old:
            said[id_] = "antigo"
        elif id_ in refused:
            said[id_] = CollectorError(f"{resource.name}/{id_} não pôde ser salvo: {refused[id_]}")
        else:
            said[id_] = await _more_of(ctx, resource, id_, item, outcome)
    return said


async def _more_of(ctx: RunContext, resource: Resource, id_: Id, item: Item, outcome: Saved) -> str | CollectorError:
    try:
        changed = resource.one_more is not None and await resource.one_more(ctx, item)
    except CollectorError as error:
        return error
    return "criado" if id_ in outcome.created else "atualizado" if id_ in outcome.updated or changed else "igual"


async def _each(ctx: RunContext, resource: Resource, ids: Collection[Id]) -> dict[Id, Item | CollectorError]:
    """Os documentos como a coleta os guarda: o detalhe ou, se é a linha que se guarda, a da listagem."""
    found: dict[Id, Item | CollectorError] = {}
    if resource.only_listed:
        rows = await _listed(ctx, resource, ids)
        found = {id_: _as_listed(resource, row) for id_, row in rows.items()}
    left = [id_ for id_ in ids if id_ not in found]
    if resource.alone and (resource.detail or resource.ids is None):
        return found | await _detailed(ctx, resource, left)
    if resource.ids is None:
        why = "não está na listagem, e só nela se lê"
        return found | {id_: BlingNotFoundError(f"{resource.name}/{id_} {why}") for id_ in left}
    for batch in batches([str(id_) for id_ in left], resource.ids):
        found |= await _of_batch(ctx, resource, batch)
    return found


async def _detailed(ctx: RunContext, resource: Resource, ids: Collection[Id]) -> dict[Id, Item | CollectorError]:
    found: dict[Id, Item | CollectorError] = {}
    documents: dict[Id, Document] = {}
    asked: dict[Id, datetime] = {}

    async def ask(id_: Id) -> None:
        try:
            async with ctx.slots:
                with noting_when_sent() as sent:
                    documents[id_] = await ctx.detail(resource, id_)
                asked[id_] = ctx.when(sent)
        except CollectorError as error:
            found[id_] = error

    await together(ask, ids, limit=AT_ONCE)
    rows = await _rows_of(ctx, resource, documents)
    for id_, document in documents.items():
        row = rows.get(document["id"])
        # A impressão da linha, para que a conferência não o dê por mudado; a menos que ela já diga outra coisa.
        same = row is not None and _says_the_same(row, document)
        resumo = resource.resumo(row) if row and same else None
        found[id_] = Item({**document, **resource.of_list(row or {})}, resumo, asked=asked[id_])
    return found


async def _of_batch(ctx: RunContext, resource: Resource, batch: Sequence[str]) -> dict[Id, Item | CollectorError]:
    """As linhas destes ids, que são os documentos; de um lote que falha, as de cada um."""
    assert resource.ids is not None, resource.name
    rows: dict[Id, Document] = {}
    asked = {resource.id_of(id_) for id_ in batch}
    try:
        for extra in ((), *await suspects(ctx, resource)):
            left = tuple((resource.ids, id_) for id_ in batch if resource.id_of(id_) not in rows)
            if left:
                async for page in ctx.pages(resource, (*resource.shows[0], *extra, *left)):
                    rows |= {row["id"]: row for row in page if row["id"] in asked}
                    if asked <= rows.keys():
                        break
    except LASTING as error:
        if len(batch) == 1:
            return {resource.id_of(batch[0]): error}
        found: dict[Id, Item | CollectorError] = {}
        for half in halves([*batch]):
            found |= await _of_batch(ctx, resource, half)
        return found
    why = "não está na listagem"
    return {
        id_: _as_listed(resource, rows[id_]) if id_ in rows else BlingNotFoundError(f"{resource.name}/{id_} {why}")
        for id_ in asked
    }


async def _listed(ctx: RunContext, resource: Resource, ids: Collection[Id]) -> dict[Id, Document]:
    """As linhas destes, da listagem de todos, que ela mostra."""
    sightings, unread = Sightings(resource), False
    for listing in await shown(ctx, resource):
        reading = listing.reading(ctx, resource)
        async for page in reading.pages():
            sightings.see(row for row in page if row["id"] in ids)
            if not resource.told and len(rows := sightings.rows(whole=False)) == len(ids):
                return rows
        unread |= bool(reading.unread)
    return sightings.rows(whole=not unread)


async def _rows_of(ctx: RunContext, resource: Resource, documents: Mapping[Id, Document]) -> dict[Id, Document]:
    """As linhas que as listagens dos dias deles mostram dos documentos, cada dia lido uma vez. De um dia que não se lê,
    nenhuma: a próxima leitura dele as verá."""
    if not resource.keeps_listing or resource.emitted is None:
        return {}
    days: dict[date, set[Id]] = {}
    for document in documents.values():
        if (day := resource.day(document)) is not None:
            days.setdefault(day, set()).add(document["id"])

    listings = await shown(ctx, resource) if days else []

    async def of_day(day: date) -> dict[Id, Document]:
        rows: dict[Id, Document] = {}
        assert resource.emitted is not None, resource.name
        with suppress(CollectorError):
            for listing in listings:
                reading = listing.reading(ctx, resource, between=resource.emitted.between)
                async for page in reading.pages(Period.of(Window(day, day))):
                    rows |= {row["id"]: dict(row) for row in page if row["id"] in days[day]}
                    if len(rows) == len(days[day]):
                        return rows
        return rows

    found: dict[Id, Document] = {}
    for rows in await together(of_day, days, limit=AT_ONCE):
        found |= rows
    return found


def _says_the_same(row: Mapping[str, Json], document: Mapping[str, Json]) -> bool:
    return row.items() <= document.items()
