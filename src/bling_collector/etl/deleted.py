"""Os cadastros que o Bling dá por excluídos: a listagem própria deles diz quem está e quem deixou de estar."""

from collections.abc import Sequence
from datetime import timedelta

from bling_collector.db import control, proof, repository
from bling_collector.etl.context import RunContext
from bling_collector.etl.exclusoes import UnlikelyDeletionsError, mark_gone
from bling_collector.etl.produtos import stock_filters
from bling_collector.streams.base import Params, Stream
from bling_collector.streams.contatos import CONTATOS
from bling_collector.streams.contatos import DELETED as DELETED_CONTATOS
from bling_collector.streams.produtos import DELETED as DELETED_PRODUTOS
from bling_collector.streams.produtos import PRODUTOS

EVERY = timedelta(days=7)


async def collect_deleted(ctx: RunContext) -> None:
    """Relê os excluídos de contatos e de produtos, uma vez por semana; numa conferência pedida, sempre.

    Na primeira execução, só os de produtos: de um contato, o detalhe que se acabou de buscar já disse se existe.
    """
    deleted_produtos = [(*DELETED_PRODUTOS, *stock) for stock in await stock_filters(ctx)]
    for stream, listings, at_first in ((CONTATOS, [DELETED_CONTATOS], False), (PRODUTOS, deleted_produtos, True)):
        try:
            await _collect(ctx, stream, listings, at_first=at_first)
        except UnlikelyDeletionsError as error:
            ctx.suspect(error.stream, error)  # o que se leu continua devido: a execução seguinte pergunta outra vez


async def _collect(ctx: RunContext, stream: Stream, listings: Sequence[Params], *, at_first: bool) -> None:
    name, now = f"{stream.name}.excluidos", ctx.clock.now()
    async with ctx.transaction() as connection:
        last = await control.checkpoint(connection, name)
        if last is None and not at_first:
            await control.move_checkpoint(connection, name, now)
    due = at_first if last is None else now - last >= EVERY
    if not due and not ctx.everything:
        return
    ctx.start(f"{stream.title} excluídos")
    deleted: set[int] = set()
    for params in listings:
        async for page in ctx.pages(stream.path, params):
            deleted |= {row["id"] for row in page}
            ctx.show()
            ctx.check_stop()
    async with ctx.transaction() as connection:
        await mark_gone(ctx, connection, stream, deleted)
        await proof.clear_gone_except(connection, stream.table, deleted, now, ctx.run_id)
        if stream is PRODUTOS:
            await repository.prefer_produtos(connection, await repository.skus_repeated(connection))
        await control.move_checkpoint(connection, name, now)
