"""As notas do banco que esperam autorização: relidas todo dia, por mais velhas que sejam."""

from collections.abc import Collection

from bling_collector.db.resources import repository
from bling_collector.etl.context import RunContext
from bling_collector.etl.sweep import Wanted, fetch_and_store
from bling_collector.streams.base import Stream
from bling_collector.streams.nfe import AWAITING
from bling_collector.windows import Window

MOST = 100
"""Notas por execução, das mais novas; as outras esperam a sua vez na releitura semanal. São poucas em qualquer conta:
uma nota que não se autoriza é corrigida ou excluída."""


async def refresh_open(ctx: RunContext, stream: Stream, read: Collection[Window]) -> list[Window]:
    """Relê pelo detalhe as notas que esperam, menos as das janelas que já se leram.

    Devolve os dias das que mudaram ou responderam 404: só a listagem diz se foram excluídas, e como as mostra agora.
    """
    async with ctx.engine.connect() as connection:
        found = await repository.notas_in(connection, AWAITING)
    days = {id_: day for id_, day in found.items() if not any(each.inicio <= day <= each.fim for each in read)}
    todo = {id_: Wanted(day=days[id_]) for id_ in list(days)[:MOST]}
    if not todo:
        return []
    ctx.start(f"{stream.title} em aberto", len(todo))
    stored = await fetch_and_store(ctx, stream, todo, count=False)
    ctx.check_stop()
    return [Window(day, day) for day in sorted({days[id_] for id_ in stored.updated | stored.missing})]
