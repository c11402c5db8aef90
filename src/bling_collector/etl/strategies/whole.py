"""O que se lê inteiro, sem período: um cadastro pequeno, ou a listagem dos excluídos de um grande."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta

from bling_collector.clock import WEEK, is_weekly_due, today
from bling_collector.db import control, proof
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.proof import Kept
from bling_collector.db.resources import repository
from bling_collector.errors import BlingError, BlingNotFoundError, BlingRejectedError, CollectorError
from bling_collector.etl.context import RunContext
from bling_collector.etl.fetch import Wanted, details, fetch_and_store
from bling_collector.etl.listing import (
    Shown,
    Sightings,
    diff,
    drifting_among,
    extras,
    note_hiding,
    otherwise,
    read_of_late,
    read_this_week,
    shown,
    wanted_of,
)
from bling_collector.etl.narrowing import Reading, Unread
from bling_collector.etl.resource import Document, Id, Lately, Params, Resource
from bling_collector.etl.save import BATCH, Item
from bling_collector.etl.settle import READINGS, limit, mark_gone
from bling_collector.etl.strategies.cited import PORTION, is_asked_again, lacks, settle_the_missing, whole_mark
from bling_collector.payload import Json
from bling_collector.together import LISTINGS, PORTIONS, merged, together
from bling_collector.windows import Period, Window

Unreads = list[Unread]


async def read_whole(ctx: RunContext, resource: Resource, *, only_lacking: bool = False) -> None:
    """Relê a listagem inteira, se é a hora, ou só se falta o que se cita (`only_lacking`); o que ela, completa, não
    mostra foi excluído.

    A paginação do Bling é por posição: uma linha que sai no meio da leitura puxa as seguintes, e uma que existe passa
    entre duas páginas sem ser vista. Por isso o que falta na primeira leitura se procura em outra; e na primeira vez,
    em que não se sabe o que falta, leem-se duas, se há mais de uma página.
    """
    assert resource.whole is not None, resource.name
    name, now = whole_mark(resource), ctx.clock.now()
    last, has_parents = await _last_read(ctx, resource)
    if not has_parents or not (ctx.everything or await _is_due(ctx, resource, last, only_lacking=only_lacking)):
        if last is None:
            await _begin_to_count(ctx, resource)
        return
    # Uma vez por semana, no mesmo dia que aquilo por que se lista, todas as listagens, até a página vazia; nos outros
    # dias bastam as de costume, até uma página curta, se mostram tudo o que se tem.
    thorough = ctx.everything or (not only_lacking and is_weekly_due(last, now, resource.permission))
    if not thorough and await _is_read_lately(ctx, resource):
        return
    seen: dict[Id, str] = {}
    unread: Unreads = []
    looked_for, everywhere = resource.kept, thorough
    for reading in range(READINGS):
        everywhere = thorough or reading > 0
        complete = await _read(ctx, resource, seen, unread, thorough=everywhere)
        looked_for = resource.kept if everywhere else _in_the_first(resource)
        if unread:
            break
        if last is None and reading == 0 and len(seen) > ctx.client.page_size:
            continue  # nada se tinha por que dar pela falta do que passou de uma página a outra, já lida
        async with ctx.engine.connect() as connection:
            if complete and not await _unseen(connection, looked_for, seen, now, ctx.clock.now()):
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
        if thorough:
            await control.move_checkpoint(connection, name, now)
        if everywhere and resource.is_proved_whole:
            await proof.record_whole(connection, resource.kept, seen, now, ctx.clock.now(), ctx.run_id)
    ctx.gone[resource.name] += gone


async def _last_read(ctx: RunContext, resource: Resource) -> tuple[datetime | None, bool]:
    """Quando se leu inteiro, ou há uma semana, se aqueles por que se lista se leram depois, que pode haver outros; e
    falso se deles, por não haver permissão, nada se sabe: não ter nenhum não é o mesmo que não haver."""
    of = resource.each.of if resource.each is not None else None
    parent = next((each for each in ctx.resources if each.name == of and each.whole is not None), None)
    async with ctx.engine.connect() as connection:
        last = await control.checkpoint(connection, whole_mark(resource))
        above = await control.checkpoint(connection, whole_mark(parent)) if parent is not None else None
    if parent is None or above is None:
        return last, parent is None or parent.name not in ctx.disallowed
    return (min(last, ctx.clock.now() - WEEK) if last is not None and above > last else last), True


async def check_whole(ctx: RunContext, resource: Resource) -> None:
    """Compara a listagem inteira com o banco, sem nada buscar nem dar por excluído, e guarda o que se viu."""
    now, seen, resumos, unread = ctx.clock.now(), dict[Id, str](), dict[Id, str](), Unreads()
    ctx.start(resource.title)
    for _ in range(READINGS):  # um que não se mostrou pode ter passado entre duas páginas
        async with aclosing(_rows(ctx, resource, unread, thorough=True)) as pages:
            async for page in pages:
                seen |= {row["id"]: _situation(row) for row in page}
                resumos |= {row["id"]: resource.resumo(row) for row in page}
                ctx.show()
                ctx.check_stop()
        async with ctx.engine.connect() as connection:
            if unread or not await _unseen(connection, resource.kept, seen, now, ctx.clock.now()):
                break
    if unread:
        ctx.problems.append(f"O Bling não dá toda a listagem de {resource.title.lower()}: {unread[0].error}")
        return
    async with ctx.transaction() as connection:
        known = await repository.known(connection, resource.table, resumos)
        changed = {id_ for id_, resumo in known.items() if resumo not in {None, resumos[id_]}}
        missing, extra = await proof.record_whole(
            connection, resource.kept, seen, now, ctx.clock.now(), ctx.run_id, changed
        )
        read = await control.checkpoint(connection, whole_mark(resource))
        # A execução seguinte lê-a inteira, e o que se disse não fica a semana.
        if read is not None and (missing or extra or changed):
            await control.move_checkpoint(connection, whole_mark(resource), min(read, now - WEEK))
    ctx.found.add(resource.name, faltavam=missing, mudaram=changed, sumiram=extra)


async def _is_long(ctx: RunContext, resource: Resource) -> bool:
    """Se tem tantas páginas que nos outros dias se lê só o que está em aberto."""
    assert resource.whole is not None, resource.name
    if resource.whole.lately is None:
        return False
    async with ctx.engine.connect() as connection:
        held = await proof.count_living(connection, resource.kept)
    return resource.whole.lately.is_worth(held, ctx.client.page_size)


async def _is_read_lately(ctx: RunContext, resource: Resource) -> bool:
    """Se hoje bastou ler o que está em aberto, e o que há pouco deixou de o estar. Um que o Bling diz não ter (404), ou
    muitos que já não estão em aberto, a listagem inteira o decide; e ela se lê se um filtro não é lido."""
    assert resource.whole is not None, resource.name
    lately, begin, seen = resource.whole.lately, ctx.clock.now(), set[Id]()
    if lately is None or not await _is_long(ctx, resource) or not await _read_the_open(ctx, resource, lately, seen):
        return False
    was_open = replace(resource.kept, ours=f"({resource.ours}) AND ({lately.is_open})")
    async with ctx.engine.connect() as connection:
        left = await _unseen(connection, was_open, seen, begin, ctx.clock.now())
        held = await proof.count_living(connection, resource.kept)
    if len(left) * ctx.client.page_size > held:
        return False
    stored = await fetch_and_store(ctx, resource, {id_: Wanted() for id_ in left}, count=False)
    ctx.check_stop()
    return not stored.missing


async def _read_the_open(ctx: RunContext, resource: Resource, lately: Lately, seen: set[Id]) -> bool:
    """Lê o que está em aberto, e o que há pouco deixou de o estar, e busca o que disso mudou; acrescenta a `seen` o que
    se mostra. False se não se leu todo, ou se um filtro não é lido."""
    ctx.start(f"{resource.title} em aberto")
    begun, wanted = ctx.clock.now(), dict[Id, Document]()
    day = today(ctx.clock)
    recent = Period.of(Window(day - lately.back, day + timedelta(days=1)))
    settled = Reading(ctx, resource, resource.shows[0], between=lately.settled, short_is_last=True)
    opened = [Reading(ctx, resource, params, short_is_last=True) for params in lately.open]
    for reading, filters in ((settled, None), *zip(opened, lately.open, strict=True)):
        async for page in reading.pages(recent if filters is None else None):
            if any(lately.never(row) if filters is None else not _obeys(row, filters) for row in page):
                return False
            rows = {row["id"]: row for row in page}
            seen.update(rows)
            wanted |= await _to_fetch(ctx, resource, rows, patient=filters is not None)
            ctx.show()
            ctx.check_stop()
        if reading.unread:
            return False
    await _fetch(ctx, resource, wanted, begun)
    return True


def _obeys(row: Document, filters: Params) -> bool:
    """Se a linha é das que estes filtros mostram, no que ela diz."""
    return all(str(row.get(name, value)) == value for name, value in filters)


def _situation(row: Document) -> str:
    """A situação que a linha diz, se a diz num valor só."""
    said = row.get("situacao")
    return str(said) if isinstance(said, (str, int)) else ""


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
    """Dos `ids`, que a listagem não mostra, os que deviam estar nela e os que o Bling não tem (404). Os outros existem:
    salvam-se, e anota-se que é assim; de um cujo detalhe não se lê, não se sabe."""
    if resource.listable is None or not ids:
        return ids
    async with ctx.engine.connect() as connection:
        most = limit(await proof.count_living(connection, resource.kept))
    gone: list[Id] = []
    alive: list[Item] = []

    async def keep() -> None:
        async with ctx.transaction() as connection:
            await ctx.store(connection, resource, alive)
            await repository.mark_unlisted(connection, resource.table, [item.document["id"] for item in alive])
        alive.clear()

    try:
        async with aclosing(details(ctx, resource, ids)) as answers:
            async for fetched in answers:
                if fetched.document is not None and not resource.listable(fetched.document):
                    alive.append(Item(fetched.document, asked=fetched.asked))
                elif fetched.document is not None or isinstance(fetched.error, BlingNotFoundError):
                    gone.append(fetched.id)
                    if len(gone) > most and not ctx.accept_deletions:
                        break  # já são demais para que se aceitem: os outros não se perguntam à toa
                else:
                    ctx.problems.append(
                        f"{resource.name} {fetched.id} saiu da listagem e não se sabe por quê: {fetched.error}"
                    )
                if len(alive) == BATCH:
                    await keep()
    except (CollectorError, asyncio.CancelledError):  # o que já chegou se salva, seja o que for que interrompeu
        await keep()
        raise
    await keep()
    ctx.check_stop()
    return gone


async def _read(ctx: RunContext, resource: Resource, seen: dict[Id, str], unread: Unreads, *, thorough: bool) -> bool:
    """Lê a listagem e busca o que nela é novo ou mudou, menos os de `seen`, a que acrescenta os que ela mostra, com a
    situação de cada um; o que não se leu dela vai para `unread`. False se há um que não se esperava na primeira, e de
    que só todas as listagens juntas dizem o que é."""
    ctx.start(resource.title)
    begun, rows = ctx.clock.now(), dict[Id, Document]()
    patient = thorough and not ctx.everything and await _is_long(ctx, resource)
    async for page in _rows(ctx, resource, unread, thorough=thorough):
        new = {row["id"]: row for row in page if row["id"] not in seen}
        if resource.told and not thorough and not await _are_expected(ctx, resource, new.keys()):
            return False
        seen |= {id_: _situation(row) for id_, row in new.items()}
        rows |= await _to_fetch(ctx, resource, new, patient=patient)
        if not resource.detail or len(rows) >= PORTION:
            await _fetch(ctx, resource, rows, begun)
            rows = {}
        ctx.show()
        ctx.check_stop()
    await _fetch(ctx, resource, rows, begun)
    return True


async def _are_expected(ctx: RunContext, resource: Resource, ids: Collection[Id]) -> bool:
    """Se o banco os tem a todos, e são dos que a primeira das listagens mostra."""
    async with ctx.engine.connect() as connection:
        return {*ids} <= await repository.held_among(connection, _in_the_first(resource), ids)


async def _to_fetch(
    ctx: RunContext, resource: Resource, rows: Mapping[Id, Document], *, patient: bool = False
) -> dict[Id, Document]:
    """Das linhas, as de que é preciso buscar o registro; com `patient`, as que só não são finais esperam cada uma o
    seu dia da semana."""
    if not resource.keeps_listing:
        return dict(rows)
    async with ctx.engine.connect() as connection:
        known = await repository.known(connection, resource.table, rows.keys())
        # Os outros, de que basta o id, pede-os `ask_again`.
        denied = await repository.denied(connection, resource.kept, listed=True) if resource.detail_with else []
    assert resource.whole is not None, resource.name
    restless = {id_ for id_, row in rows.items() if patient and not resource.is_final(row)}
    drifting = {*drifting_among(resource, rows.values())}
    waiting = set[Id]() if resource.whole.weekly else await read_this_week(ctx, resource, restless | drifting)
    fresh = restless & waiting | await read_of_late(ctx, resource, known.keys())
    again = {each.id for each in denied if is_asked_again(ctx, each)} & rows.keys()
    changed = diff(rows.values(), known, resource, fresh=fresh).keys()
    return {id_: rows[id_] for id_ in changed | again | drifting - waiting}


async def _fetch(ctx: RunContext, resource: Resource, rows: Mapping[Id, Document], begun: datetime) -> None:
    """Busca e salva os registros destas linhas, que se começaram a listar em `begun`. De um que se lista e não tem
    detalhe (404), o que há é a linha; a não ser que já se saiba mais do que ela diz: então foi excluído enquanto se
    lia, ou há de voltar a responder."""
    if not rows:
        return
    wanted = {id_: replace(wanted_of(resource, row), asked=begun) for id_, row in rows.items()}
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
    if alone:
        async with ctx.transaction() as connection:
            await repository.mark_without_detail(connection, resource.table, alone, ctx.clock.now())
    await settle_the_missing(ctx, resource, known, len(wanted))


def _keys(document: object) -> set[str]:
    return {*document} if isinstance(document, dict) else set()


async def _rows(
    ctx: RunContext, resource: Resource, unread: Unreads, *, thorough: bool
) -> AsyncGenerator[Collection[Document]]:
    """As linhas das listagens, à medida que vêm; se só o filtro de cada uma diz parte do registro, depois de todas, e
    outra vez se um está em duas: pode ter passado de uma a outra enquanto se liam."""
    if not resource.told:
        async for page in _pages(ctx, resource, unread, thorough=thorough):
            yield page
        return
    for _ in range(READINGS):
        sightings = Sightings(resource)
        async for page in _pages(ctx, resource, unread, thorough=thorough):
            sightings.see(page)
        if not sightings.torn:
            break
    yield sightings.rows(whole=thorough and not unread).values()


async def _pages(ctx: RunContext, resource: Resource, unread: Unreads, *, thorough: bool) -> AsyncIterator[list[Json]]:
    """As páginas das listagens que mostram tudo, várias listagens ao mesmo tempo; o que não se leu delas vai para
    `unread`.

    Um pai pode recusar a sua por não haver tal coisa nele (`_refusals`): os outros seguem. Se as recusam todos, e cada
    uma se pede com o que o pai diz, o que não serve é o pedido. A de um lote de pais, que pode ser só grande demais,
    pede-se em duas.
    """
    listings, rejected = await shown(ctx, resource, thorough=thorough), list[BlingError]()
    refusals = _refusals(resource)
    asked = len(listings)

    async def pages_of(listing: Shown) -> AsyncGenerator[list[Json]]:
        nonlocal asked
        refused: list[BlingError] = []
        reading = listing.reading(ctx, resource, short_is_last=not thorough)
        try:
            async for page in reading.pages():
                yield page
        except (BlingNotFoundError, BlingRejectedError) as error:
            if isinstance(error, refusals):
                refused.append(error)
            elif resource.each is not None and isinstance(error, BlingNotFoundError):
                unread.append(Unread(None, error))  # o pai já não existe: a dos outros segue
            else:
                raise
        refused += [each.error for each in reading.unread if isinstance(each.error, refusals)]
        unread.extend(each for each in reading.unread if each.error not in refused)
        parts = listing.halves() if refused else []
        if not parts:
            rejected.extend(refused)
            return
        asked += 1
        for part in parts:
            async for page in pages_of(part):
                yield page

    async with aclosing(merged(map(pages_of, listings), limit=LISTINGS)) as pages:
        async for page in pages:
            yield page
    if rejected and len(rejected) == asked and BlingNotFoundError not in refusals:
        raise rejected[-1]


def _refusals(resource: Resource) -> tuple[type[BlingError], ...]:
    """Os erros com que um pai diz que nada tem do recurso: recusar o que se pede com o que ele diz e, onde não estar na
    listagem não dá um por excluído, também não a ter."""
    if resource.each is None:
        return ()
    by_id = () if resource.is_listable({}) else (BlingRejectedError, BlingNotFoundError)
    return (BlingRejectedError,) if resource.each.params else by_id


async def _is_due(ctx: RunContext, resource: Resource, last: datetime | None, *, only_lacking: bool) -> bool:
    assert resource.whole is not None, resource.name
    now = ctx.clock.now()
    begins = last is None and resource.whole.when_lacking  # só quando alguém o cita
    its_day = not resource.whole.weekly or is_weekly_due(last, now, resource.permission)
    if not only_lacking and not begins and its_day:
        return True
    if resource.whole.when_lacking:
        async with ctx.engine.connect() as connection:
            owed = await control.pending(connection, resource.name, before=ctx.started, now=now)
        return bool(owed) or await lacks(ctx, resource)
    return not resource.alone and await lacks(ctx, resource)


async def _begin_to_count(ctx: RunContext, resource: Resource) -> None:
    """Do que alguém citou e se leu de outro modo, a semana até que se leia inteiro conta-se de agora."""
    async with ctx.transaction() as connection:
        if any(await proof.count_rows(connection, resource.kept)):
            await control.move_checkpoint(connection, whole_mark(resource), ctx.clock.now())


async def read_register(ctx: RunContext, resource: Resource) -> None:
    """Traz das listagens o que o banco não tem, ou tem de outro jeito, uma vez por semana; numa conferência que repara,
    sempre. Nos outros dias o que há de novo, ou mudou, vem com o filtro de alteração.

    São também elas que dizem, inteiras, se a de costume esconde: o que só um dos suspeitos mostra.
    """
    name, now = f"{resource.name}.todos", ctx.clock.now()
    async with ctx.engine.connect() as connection:
        last = await control.checkpoint(connection, name)
    if not ctx.everything and not is_weekly_due(last, now, name):
        return
    ctx.start(f"{resource.title}: o cadastro inteiro")
    unread: Unreads = []
    usual, suspected, begun = set[Id](), set[Id](), now

    async def bring(page: list[Json]) -> None:
        async with ctx.engine.connect() as connection:
            known = await repository.already_read(connection, resource.table, [row["id"] for row in page])
        held = [row for row in page if row["id"] in known]
        changed = await otherwise(ctx, resource, held) if resource.detail else known  # a linha é o documento
        with ctx.progress.aside():
            wanted = {row["id"]: row for row in page if row["id"] not in known or row["id"] in changed}
            await _fetch(ctx, resource, wanted, begun)
        ctx.check_stop()

    async def noted(pages: AsyncIterator[list[Json]], ids: set[Id]) -> AsyncIterator[list[Json]]:
        async for page in pages:
            ids.update(row["id"] for row in page)
            yield page

    suspects = {pair for params in resource.suspects for pair in params}
    for _ in range(READINGS if last is None else 1):  # na primeira vez, como em `read_whole`
        begun = ctx.clock.now()
        for params in resource.register:
            reading = Reading(ctx, resource, params)
            shown_by = suspected if suspects & {*params} else usual
            await together(bring, noted(reading.pages(), shown_by), limit=PORTIONS)
            unread += reading.unread
        if unread or len(usual | suspected) <= ctx.client.page_size:
            break
    if suspected - usual:
        async with ctx.transaction() as connection:
            await note_hiding(ctx, connection, resource)
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
    due = at_first if last is None else is_weekly_due(last, now, name)
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
