"""As notas que uma execução anterior não conseguiu salvar: tentadas de novo por toda execução."""

import logging
from datetime import date

from sqlalchemy import update

from bling_collector.db import control
from bling_collector.db.control import Pendencia
from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.models import pendencias
from bling_collector.etl.context import RunContext
from bling_collector.etl.sweep import Wanted, fetch_and_store, list_window
from bling_collector.insight.failures import named_failure, unknown_failure
from bling_collector.streams.base import Stream
from bling_collector.windows import Window

log = logging.getLogger(__name__)


async def retry_pendencias(ctx: RunContext, stream: Stream) -> None:
    """Tenta outra vez o que está pendente e que as janelas desta execução não tentaram."""
    async with ctx.engine.connect() as connection:
        owed = await control.pending(connection, stream.name, before=ctx.started, now=ctx.clock.now())
    if not owed:
        return
    todo = {int(each.recurso_id): Wanted(each.resumo, each.data_emissao) for each in owed}
    ctx.start(f"{stream.title} pendentes", len(todo))
    missing = (await fetch_and_store(ctx, stream, todo)).missing
    ctx.check_stop()
    if missing:
        await _settle_the_deleted(ctx, stream, {id_: todo[id_].day for id_ in missing})


async def _settle_the_deleted(ctx: RunContext, stream: Stream, missing: dict[int, date | None]) -> None:
    """Um 404 quita a pendência só quando a listagem do dia também não mostra a nota: foi excluída no Bling."""
    for day in sorted({day for day in missing.values() if day is not None}):
        listing = await list_window(ctx, stream, Window(day, day))
        if listing.unread:  # a nota pode ser justamente a que não se leu
            ctx.note_unread(stream, listing.unread)
            continue
        gone = [id_ for id_, its_day in missing.items() if its_day == day and id_ not in listing.listed]
        async with ctx.transaction() as connection:
            await control.settle(connection, stream.name, [str(id_) for id_ in gone])
        for id_ in gone:
            log.warning("%s %s foi excluída no Bling antes de ser salva; deixa de ser pendente.", stream.name, id_)
            del missing[id_]
    still = [
        Pendencia(stream.name, str(id_), "O Bling lista este registro mas responde 404 ao seu detalhe.", day)
        for id_, day in missing.items()
    ]
    async with ctx.transaction() as connection:
        await control.add_pendencias(connection, still, ctx.clock.now())


async def unpark(engine: AsyncEngine, name: str | None = None) -> int:
    """Faz com que as pendências (uma, ou todas) voltem a ser tentadas; devolve quantas são.

    UnknownFailureError se a nomeada não existe.
    """
    async with engine.begin() as connection:
        changed = await _reset(connection, name)
    if name is not None and not changed:
        raise unknown_failure(name)
    return changed


async def _reset(connection: AsyncConnection, name: str | None) -> int:
    statement = update(pendencias).values(tentativas=0)
    result = await connection.execute(statement.where(*named_failure(name)) if name is not None else statement)
    return result.rowcount
