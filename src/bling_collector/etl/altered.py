"""O que mudou no Bling desde a última leitura, pelos filtros de alteração."""

import logging
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, time, timedelta

from bling_collector.clock import BRASILIA
from bling_collector.db import control
from bling_collector.etl.context import RunContext
from bling_collector.etl.narrowing import Period, Reading, days_of
from bling_collector.etl.sweep import owed_of
from bling_collector.payload import Json
from bling_collector.streams.base import Params, Stream
from bling_collector.windows import EARLIEST, MAX_DAYS, Window

log = logging.getLogger(__name__)

OVERLAP = timedelta(hours=6)
"""Quanto a leitura volta atrás. Reler o que já se leu custa pouco; o que um relógio adiantado, um fuso mal dito ou uma
alteração que o filtro demore a mostrar deixassem para trás não seria lido nunca mais."""
_AHEAD = timedelta(days=1)
_SAME = timedelta(minutes=1)
"""O que dois relógios certos podem diferir."""
_EARLIEST = datetime.combine(EARLIEST, time(), BRASILIA)


async def altered(
    ctx: RunContext, stream: Stream, since: datetime, until: datetime, unread: dict[Window, str], filters: Params = ()
) -> AsyncIterator[list[Json]]:
    """As páginas do que foi alterado entre `since` e `until` (UTC), e nos dias que antes não se puderam ler.

    As duas datas vão sempre: a inicial sozinha é ignorada (medido), e entre elas não cabe mais de um ano. Os dias que
    ainda não se leem vão para `unread`; quem os guarda é `read_until`.
    """
    assert stream.window is not None, stream.name
    reading = Reading(ctx, stream.path, (*stream.listings[0], *filters), names=stream.window)
    async with ctx.engine.connect() as connection:
        owed = await control.owed(connection, stream.name)
    known_bad = [Period.of(Window(each.inicio, each.fim)) for each in owed]
    periods = list(known_bad)
    start, end = _local(since - OVERLAP), _local(until + _AHEAD)
    while start < end:
        stop = min(end, start + timedelta(days=MAX_DAYS))
        periods.append(Period(start, stop))
        start = stop
    for period in periods:
        async for page in reading.pages(period, known_bad=period in known_bad):
            ctx.show()
            ctx.check_stop()
            yield page
    unread |= days_of(reading.unread)


async def read_until(ctx: RunContext, stream: Stream, now: datetime, unread: Mapping[Window, str]) -> None:
    """As alterações estão lidas até `now`, menos as dos dias de `unread`, que ficam devidos."""
    async with ctx.transaction() as connection:
        await control.move_checkpoint(connection, stream.name, now)
        await control.set_owed(connection, stream.name, owed_of(unread))
    ctx.note_unread(stream, unread)


async def checkpoint_or_start(ctx: RunContext, stream: Stream, now: datetime) -> datetime | None:
    """Até onde as alterações foram lidas. Na primeira vez, None: o que se buscar de agora em diante já vem atual.

    Um ponto no futuro, que um relógio adiantado pôs, não diz nada: lê-se tudo desde a primeira execução, antes da qual
    nenhum cadastro tinha sido lido, ou desde sempre, se não se sabe quando ela foi. Assim também uma
    conferência que repara, que não se fia no que já se leu.
    """
    async with ctx.transaction() as connection:
        since = await control.checkpoint(connection, stream.name)
        if since is None:
            await control.move_checkpoint(connection, stream.name, now)
        elif since > now + _SAME or ctx.everything:
            if since > now + _SAME:
                log.warning("O ponto de leitura de %s está no futuro (%s) e não conta.", stream.title, _local(since))
            since = await control.first_run(connection, now) or _EARLIEST
    return since


def _local(moment: datetime) -> datetime:
    return moment.astimezone(BRASILIA).replace(tzinfo=None, microsecond=0)
