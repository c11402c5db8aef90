"""De um SKU com mais de um produto, qual é o vivo: a linha da listagem não diz quem foi excluído, só o critério."""

from itertools import product as combinations

from bling_collector.api.transport import ATTEMPTS
from bling_collector.db import control
from bling_collector.db.resources import produtos_skus
from bling_collector.errors import LASTING, BlingError
from bling_collector.etl.context import RunContext
from bling_collector.etl.listing import batches, extras
from bling_collector.etl.narrowing import blame
from bling_collector.etl.resource import Params
from bling_collector.etl.settle import mark_gone
from bling_collector.etl.strategies.batches import halves, is_enough, pages_of
from bling_collector.streams.produtos.produtos import DELETED, PRODUTOS


async def find_the_living(ctx: RunContext) -> None:
    """Decide o preferido de cada SKU que tem mais de um produto."""
    async with ctx.engine.connect() as connection:
        skus = await produtos_skus.skus_in_doubt(connection)
    unknown: set[str] = set()
    for batch, extra in combinations(list(batches(skus, "codigos[]")), await extras(ctx, PRODUTOS)):
        await _mark_deleted(ctx, batch, extra, unknown)
    async with ctx.transaction() as connection:
        await produtos_skus.mark_exclusao_seen(connection, [sku for sku in skus if sku not in unknown], ctx.clock.now())
        await produtos_skus.prefer_produtos(connection, skus)


async def _mark_deleted(
    ctx: RunContext, skus: list[str], extra: Params, unknown: set[str], attempts: int = ATTEMPTS
) -> None:
    """Marca os excluídos destes SKUs; os de que o Bling não o diz vão para `unknown`."""
    refused: list[BlingError] = []
    try:
        async for page in pages_of(ctx, PRODUTOS, (*DELETED, *extra), skus, refused, attempts=attempts):
            async with ctx.transaction() as connection:
                first = await control.checkpoint(connection, f"{PRODUTOS.name}.excluidos") is None
                gone = await mark_gone(ctx, connection, PRODUTOS, [row["id"] for row in page], first=first)
            ctx.gone[PRODUTOS.name] += gone
            ctx.check_stop()
    except LASTING as error:
        await blame(ctx, PRODUTOS.path, error)
        if len(skus) > 1 and is_enough(ctx, PRODUTOS, skus, error):
            unknown |= set(skus)
            return
        if len(skus) > 1:
            for half in halves(skus):
                await _mark_deleted(ctx, half, extra, unknown, attempts=1)
            return
        refused.append(error)
    if refused:
        unknown |= set(skus)
        ctx.problems.append(f"não se sabe quais dos produtos do SKU {skus[0]} foram excluídos: {refused[0]}")
