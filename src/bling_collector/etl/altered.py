"""O que mudou no Bling desde a última leitura, pelos filtros de alteração."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from bling_collector.clock import BRASILIA
from bling_collector.db import control
from bling_collector.etl.context import RunContext
from bling_collector.etl.windows import MAX_DAYS
from bling_collector.payload import Json
from bling_collector.streams.base import Params, Stream

OVERLAP = timedelta(seconds=10)
"""Quanto a leitura volta atrás: o relógio do Bling e o nosso não batem no segundo."""
_AHEAD = timedelta(days=1)


async def altered(
    ctx: RunContext, stream: Stream, since: datetime, until: datetime, filters: Params = ()
) -> AsyncIterator[list[Json]]:
    """As páginas do que foi alterado entre `since` e `until` (UTC).

    As duas datas vão sempre: a inicial sozinha é ignorada (medido), e entre elas não cabe mais de um ano.
    """
    assert stream.window is not None, stream.name
    start, end = since - OVERLAP, until + _AHEAD
    while start < end:
        stop = min(end, start + timedelta(days=MAX_DAYS))
        dates = ((stream.window[0], _local(start)), (stream.window[1], _local(stop)))
        async for page in ctx.pages(stream.path, (*stream.listings[0], *filters, *dates)):
            ctx.show()
            ctx.check_stop()
            yield page
        start = stop


async def checkpoint_or_start(ctx: RunContext, stream: Stream, now: datetime) -> datetime | None:
    """Até onde as alterações foram lidas. Na primeira vez, None: o que se buscar de agora em diante já vem atual."""
    async with ctx.transaction() as connection:
        since = await control.checkpoint(connection, stream.name)
        if since is None:
            await control.move_checkpoint(connection, stream.name, now)
    return since


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(BRASILIA):%Y-%m-%d %H:%M:%S}"
