"""O que mudou no Bling desde a última leitura, pelo filtro de alteração."""

import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Final

from bling_collector.clock import BRASILIA, is_weekly_due
from bling_collector.db import control, proof
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.resources import repository
from bling_collector.etl.context import RunContext
from bling_collector.etl.fetch import Wanted, fetch_and_store
from bling_collector.etl.listing import otherwise, shown, wanted_of
from bling_collector.etl.narrowing import Reading, days_of
from bling_collector.etl.resource import Changed, Id, Resource
from bling_collector.etl.settle import owed_of
from bling_collector.etl.strategies.cited import settle_the_missing
from bling_collector.payload import Json
from bling_collector.windows import EARLIEST, Period, Window

log = logging.getLogger(__name__)

READ: Final = "alteracoes_lidas"
IGNORED: Final = "alteracoes_ignoradas"
"""O fim do nome do ponto de leitura que lembra quando se viu que o Bling lê, ou ignora, o filtro de alteração."""
OVERLAP = timedelta(hours=6)
"""Quanto a leitura volta atrás. Reler o que já se leu custa pouco; o que um relógio adiantado, um fuso mal dito ou uma
alteração que o filtro demore a mostrar deixassem para trás não seria lido nunca mais."""
_AHEAD = timedelta(days=1)
_SAME = timedelta(minutes=1)
"""O que dois relógios certos podem diferir."""
MANY = 500
"""Registros mudados a partir dos quais se confere que o filtro é lido."""
_EARLIEST = datetime.combine(EARLIEST, time(), BRASILIA)


async def read_changed(ctx: RunContext, resource: Resource) -> None:
    """Traz de novo o que o Bling diz alterado."""
    assert resource.changed is not None, resource.name
    now = ctx.clock.now()
    known = await _is_known_ignored(ctx, resource, resource.changed)
    since = await _checkpoint_or_start(ctx, resource, now)
    if since is None:
        return
    ctx.start(f"{resource.title}: o que mudou")
    unread: dict[Window, str] = {}
    async with ctx.engine.connect() as connection:
        owed = await control.owed(connection, _debts(resource))
        gone = await _say_gone(connection, resource)
    bad = [Period.of(Window(each.inicio, each.fim)) for each in owed]
    wanted = await _list(ctx, resource, resource.changed, since - OVERLAP, now, unread, known_bad=bad, known=known)
    if wanted is None:
        wanted = await _list(ctx, resource, resource.changed, since - OVERLAP, now, unread, known_bad=bad, ignored=True)
    read = await _bring(ctx, resource, wanted or {})
    # Onde só há a linha, que talvez não o diga, só voltam os que o diziam.
    await _clear_the_returned(ctx, resource, read if resource.detail else gone)
    await _read_until(ctx, resource, now, unread)


async def _say_gone(connection: AsyncConnection, resource: Resource) -> set[Id]:
    """Os excluídos que o dizem eles mesmos."""
    return await proof.gone_saying(connection, resource.kept, resource.removed.said) if resource.removed else set()


async def _clear_the_returned(ctx: RunContext, resource: Resource, ids: Collection[Id]) -> None:
    """Destes, os excluídos que não o dizem voltaram: não esperam a semana."""
    if resource.removed is None or not ids:
        return
    async with ctx.transaction() as connection:
        await proof.clear_gone_unsaying(
            connection, resource.kept, resource.removed.said, ids, ctx.clock.now(), ctx.run_id
        )


async def look_at_changed(ctx: RunContext, resource: Resource, since: datetime) -> None:
    """O que mudou há pouco, desde `since`, sem mover o ponto de leitura: a leitura inteira não conta com esta.

    Nada, se as alterações nunca se leram, ou se o Bling ignora o filtro.
    """
    assert resource.changed is not None, resource.name
    now = ctx.clock.now()
    async with ctx.engine.connect() as connection:
        read = await control.checkpoint(connection, resource.name)
    if read is not None:
        only_the_rows = replace(resource.changed, after=None)  # o que se refaz depois, só a leitura inteira refaz
        await _bring(ctx, resource, await _list(ctx, resource, only_the_rows, since, now, {}) or {})


async def _bring(ctx: RunContext, resource: Resource, wanted: Mapping[Id, Wanted]) -> set[Id]:
    """Busca-os, e devolve os que se leram."""
    if not wanted:
        return set()
    ctx.start(f"{resource.title}: o que mudou", len(wanted))
    stored = await fetch_and_store(ctx, resource, wanted, count=False)
    ctx.check_stop()
    await settle_the_missing(ctx, resource, stored.missing, len(wanted))
    return stored.read


async def _list(
    ctx: RunContext,
    resource: Resource,
    changed: Changed,
    since: datetime,
    until: datetime,
    unread: dict[Window, str],
    *,
    known_bad: Sequence[Period] = (),
    known: bool = False,
    ignored: bool = False,
) -> dict[Id, Wanted] | None:
    """O que buscar do que o filtro mostra; None se ele mostra muito e o Bling não o lê, o que talvez já se saiba
    (`known`).

    De um filtro que o Bling ignora (`ignored`), que mostra tudo, vale só o que a listagem mostra de outro jeito que o
    banco: o detalhe de cada um, a cada execução, custaria a cota do dia.
    """
    wanted: dict[Id, Wanted] = {}
    shown_ids: set[Id] = set()
    is_checked = ignored
    async for page in _pages(ctx, resource, changed, since, until, unread, known_bad):
        ids, todo = await _of_page(ctx, resource, changed, page, until)
        shown_ids |= ids
        if not is_checked and len(shown_ids) > MANY:
            if known or await _is_ignored(ctx, resource, changed):
                return None
            is_checked = True
        listed = [row for row in page if row["id"] in todo]
        if not resource.detail:  # já se tem o documento: não se guarda na memória
            found = {row["id"]: wanted_of(resource, row) for row in listed}
            await fetch_and_store(ctx, resource, found, count=False)
        elif ignored:
            wanted |= await otherwise(ctx, resource, listed)
        else:
            wanted |= {row["id"]: wanted_of(resource, row) for row in listed}
        ctx.show()
        ctx.check_stop()
    if changed.after is not None and shown_ids and not ignored:
        async with ctx.transaction() as connection:
            await changed.after(connection, shown_ids)
    return wanted


async def _pages(
    ctx: RunContext,
    resource: Resource,
    changed: Changed,
    since: datetime,
    until: datetime,
    unread: dict[Window, str],
    known_bad: Sequence[Period],
) -> AsyncIterator[list[Json]]:
    """As páginas do que foi alterado entre `since` e `until` (UTC), e nos dias que antes não se puderam ler
    (`known_bad`).

    As duas datas vão sempre: a inicial sozinha é ignorada (medido), e entre elas não cabe mais de um ano. Os dias que
    ainda não se leem vão para `unread`; quem os guarda é `_read_until`.
    """
    periods = list(known_bad)
    start, end = _local(since), _local(until + _AHEAD)
    while start < end:
        stop = min(end, start + timedelta(days=changed.between.max_days))
        periods.append(Period(start, stop))
        start = stop
    for listing in await shown(ctx, resource):
        reading = listing.reading(ctx, resource, between=changed.between)
        for period in periods:
            async for page in reading.pages(period, known_bad=period in known_bad):
                yield page
        unread |= days_of(reading.unread)


async def _of_page(
    ctx: RunContext, resource: Resource, changed: Changed, page: list[Json], until: datetime
) -> tuple[set[Id], set[Id]]:
    """De uma página do que mudou, os que interessam; e, desses, os por buscar: menos o que esta execução leu há pouco.

    A linha não diz quando o registro mudou: o que a execução leu pode ter mudado depois. Só se passa por cima do que,
    se mudou depois de lido, a próxima leitura mostra, que ela volta `OVERLAP` antes de `until`; a outra metade da volta
    continua a ser para os relógios.
    """
    ids = [row["id"] for row in page]
    async with ctx.engine.connect() as connection:
        if changed.only_ours and resource.name not in ctx.registers:
            ids = [*await repository.already_read(connection, resource.table, ids)]
        elif before := [row["id"] for row in page if _is_before_all(ctx, resource, row)]:
            held = await repository.already_read(connection, resource.table, before)
            ids = [id_ for id_ in ids if id_ in held or id_ not in before]
        since = max(ctx.started, until - OVERLAP / 2)
        todo = {*ids} - await repository.read_between(connection, resource.table, ids, since, ctx.clock.now())
    return {*ids}, todo


def _is_before_all(ctx: RunContext, resource: Resource, row: Json) -> bool:
    """Se o dia da linha é anterior ao começo da coleta, que nada diz dele."""
    day = resource.day(row)
    return day is not None and ctx.scope is not None and day < ctx.scope


async def _is_known_ignored(ctx: RunContext, resource: Resource, changed: Changed) -> bool:
    """Se o Bling ignora o filtro, até onde se sabe: pergunta-se à primeira vez, e uma vez por semana."""
    async with ctx.engine.connect() as connection:
        said = await control.all_checkpoints(connection)
    read, ignored = said.get(f"{resource.name}.{READ}"), said.get(f"{resource.name}.{IGNORED}")
    if is_weekly_due(read or ignored, ctx.clock.now(), f"{resource.name}.{READ}"):
        return await _is_ignored(ctx, resource, changed)
    return ignored is not None


async def _is_ignored(ctx: RunContext, resource: Resource, changed: Changed) -> bool:
    """O Bling ignora em silêncio um filtro que não lê: do ano em que ele não existia, nada se pode ter alterado. O que
    ele responde fica anotado."""
    reading, ignored = Reading(ctx, resource, resource.shows[0], between=changed.between), False
    async for _ in reading.pages(Period.of(Window(EARLIEST, EARLIEST))):
        log.warning("O Bling não lê o filtro de alteração de %s: vale só o que a listagem mostra.", resource.title)
        ignored = True
        break
    if not reading.unread:
        async with ctx.transaction() as connection:
            await control.move_checkpoint(
                connection, f"{resource.name}.{IGNORED if ignored else READ}", ctx.clock.now()
            )
            await control.forget_checkpoint(connection, f"{resource.name}.{READ if ignored else IGNORED}")
    return ignored


async def _read_until(ctx: RunContext, resource: Resource, now: datetime, unread: Mapping[Window, str]) -> None:
    """As alterações estão lidas até `now`, menos as dos dias de `unread`, que ficam devidos."""
    async with ctx.transaction() as connection:
        await control.move_checkpoint(connection, resource.name, now)
        await control.set_owed(connection, _debts(resource), owed_of(unread))
    ctx.note_unread(resource, unread)


def _debts(resource: Resource) -> str:
    """Com que nome se deve o que não se leu; o do recurso é das janelas dele, se as tem."""
    return resource.name if resource.emitted is None else f"{resource.name}.alteracoes"


async def _checkpoint_or_start(ctx: RunContext, resource: Resource, now: datetime) -> datetime | None:
    """Até onde as alterações foram lidas. Na primeira vez, None: a próxima execução lê o que mudou desde que se leu o
    mais velho do que o banco tem.

    Um ponto no futuro, que um relógio adiantado pôs, não diz nada: lê-se tudo desde a primeira execução, antes da qual
    nada tinha sido lido, ou desde sempre, se não se sabe quando ela foi. Assim também uma conferência que repara, que
    não se fia no que já se leu; e o que se percorre por janelas pode ter mudado sem que a linha da listagem o mostre.
    """
    async with ctx.transaction() as connection:
        since = await control.checkpoint(connection, resource.name)
        if since is None:
            # A carga pode ter durado dias, e parado no meio: o começo desta execução não basta.
            oldest = await repository.oldest_read(connection, resource.table)
            await control.move_checkpoint(connection, resource.name, min(ctx.started, oldest or ctx.started))
        elif since > now + _SAME or ctx.everything:
            if since > now + _SAME:
                log.warning("O ponto de leitura de %s está no futuro (%s) e não conta.", resource.title, _local(since))
            since = await control.first_run(connection, now) or _EARLIEST
    return since


async def read_shown(ctx: RunContext, resource: Resource) -> None:
    """Numa conferência que repara, lê também a listagem inteira: o filtro de alteração pode não ter mostrado uma
    mudança."""
    ctx.start(f"{resource.title} na listagem")
    wanted: dict[Id, Wanted] = {}
    for listing in await shown(ctx, resource):
        reading = listing.reading(ctx, resource)
        async for page in reading.pages():
            wanted |= await otherwise(ctx, resource, page)
            ctx.show()
            ctx.check_stop()
        if reading.unread:
            ctx.problems.append(
                f"O Bling não dá toda a listagem de {resource.title.lower()}, que se conferia: "
                f"{reading.unread[0].error}"
            )
    missing = (await fetch_and_store(ctx, resource, wanted, count=False)).missing
    ctx.check_stop()
    await settle_the_missing(ctx, resource, missing, len(wanted))


def _local(moment: datetime) -> datetime:
    return moment.astimezone(BRASILIA).replace(tzinfo=None, microsecond=0)
