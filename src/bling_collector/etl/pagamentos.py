"""O código fiscal das parcelas: a nota só traz o id da forma de pagamento da conta."""

from bling_collector.db import control
from bling_collector.db.resources import repository
from bling_collector.etl.context import RunContext
from bling_collector.etl.exclusoes import refuse_silence
from bling_collector.etl.narrowing import Reading
from bling_collector.etl.save import Item
from bling_collector.etl.sweep import Wanted, fetch_and_store
from bling_collector.streams.formas_pagamento import FORMAS_PAGAMENTO


async def collect_formas_pagamento(ctx: RunContext) -> None:
    """Se alguma parcela cita uma forma que o banco não conhece, ou se alguma ficou pendente, relê as formas, e
    salvá-las preenche os códigos; numa conferência que repara, relê-as sempre."""
    async with ctx.engine.connect() as connection:
        owed = await control.pending(connection, FORMAS_PAGAMENTO.name, before=ctx.started, now=ctx.clock.now())
    if not ctx.everything and not owed and not await _unknown(ctx):
        return
    ctx.start("Formas de pagamento")
    # Das que a listagem não der pergunta-se pelo id: as que nenhuma parcela cita não fazem falta.
    async for page in Reading(ctx, FORMAS_PAGAMENTO.path).pages():
        async with ctx.transaction() as connection:
            await ctx.store(connection, FORMAS_PAGAMENTO, [Item(row) for row in page])
        ctx.check_stop()
    unknown = await _unknown(ctx)
    asked = await fetch_and_store(ctx, FORMAS_PAGAMENTO, {id_: Wanted() for id_ in unknown})
    refuse_silence(ctx, FORMAS_PAGAMENTO, FORMAS_PAGAMENTO.title, len(asked.missing), len(unknown))
    async with ctx.transaction() as connection:
        await repository.mark_formas_not_found(connection, asked.missing, ctx.clock.now())
        await control.settle(connection, FORMAS_PAGAMENTO.name, [str(id_) for id_ in asked.missing])


async def _unknown(ctx: RunContext) -> list[int]:
    async with ctx.engine.connect() as connection:
        return await repository.unknown_formas(connection)
