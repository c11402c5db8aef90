"""Os cadastros que o Bling dá por excluídos: a listagem própria deles diz quem está e quem deixou de estar."""

from collections.abc import Sequence
from datetime import timedelta

from bling_collector.db import control, proof
from bling_collector.db.resources import repository
from bling_collector.etl.context import RunContext
from bling_collector.etl.exclusoes import mark_gone
from bling_collector.etl.narrowing import Reading, Unread
from bling_collector.etl.produtos import stock_filters
from bling_collector.streams.base import Params, Stream
from bling_collector.streams.contatos import CONTATOS
from bling_collector.streams.contatos import DELETED as DELETED_CONTATOS
from bling_collector.streams.produtos import DELETED as DELETED_PRODUTOS
from bling_collector.streams.produtos import PRODUTOS

EVERY = timedelta(days=7)


async def collect_deleted_contatos(ctx: RunContext) -> None:
    """Relê os contatos excluídos, uma vez por semana; numa conferência pedida, sempre.

    Não na primeira execução: o detalhe que se acabou de buscar já disse se cada um existe.
    """
    await _collect(ctx, CONTATOS, [DELETED_CONTATOS], at_first=False)


async def collect_deleted_produtos(ctx: RunContext) -> None:
    """O mesmo, dos produtos, e já na primeira execução."""
    await _collect(ctx, PRODUTOS, [(*DELETED_PRODUTOS, *stock) for stock in await stock_filters(ctx)], at_first=True)


async def _collect(ctx: RunContext, stream: Stream, listings: Sequence[Params], *, at_first: bool) -> None:
    name, now = f"{stream.name}.excluidos", ctx.clock.now()
    async with ctx.transaction() as connection:
        last = await control.checkpoint(connection, name)
        if last is None and not at_first:
            await control.move_checkpoint(connection, name, now)
    due = at_first if last is None else not timedelta() <= now - last < EVERY
    if not due and not ctx.everything:
        return
    ctx.start(f"{stream.title} excluídos")
    deleted: set[int] = set()
    unread: list[Unread] = []
    for params in listings:
        reading = Reading(ctx, stream.path, params)
        async for page in reading.pages():
            deleted |= {row["id"] for row in page}
            ctx.show()
            ctx.check_stop()
        unread += reading.unread
    async with ctx.transaction() as connection:
        gone = await mark_gone(ctx, connection, stream, deleted)
        if not unread:  # um que não se mostrou pode ser o que não se leu
            await proof.clear_gone_except(connection, stream.kept, deleted, now, ctx.run_id)
        if stream is PRODUTOS:
            await repository.prefer_produtos(connection, await repository.skus_repeated(connection))
        if not unread:
            await control.move_checkpoint(connection, name, now)
    ctx.gone[stream.name] += gone
    if unread:
        ctx.problems.append(
            f"O Bling não dá toda a listagem de {stream.title.lower()} excluídos, que a próxima execução relê: "
            f"{unread[0].error}"
        )
