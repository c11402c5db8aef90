"""Os produtos dos SKUs que as notas citam, por lotes; e a categoria de cada um."""

from collections.abc import Sequence
from datetime import timedelta

from bling_collector.db import control, repository
from bling_collector.db.control import Pendencia
from bling_collector.errors import (
    BlingRejectedError,
)
from bling_collector.etl.altered import altered, checkpoint_or_start
from bling_collector.etl.context import RunContext
from bling_collector.etl.save import Item
from bling_collector.payload import Json, text
from bling_collector.streams.base import Params
from bling_collector.streams.produtos import PRODUTOS

BATCH = 100
"""SKUs por requisição: uma página de produtos."""
ASK_AGAIN_AFTER = timedelta(days=7)
"""Um SKU que o Bling não conhece não é perguntado de novo antes disso."""
_STOCK_FILTERS: tuple[Params, ...] = ((), (("filtroSaldoEstoque", "0"),), (("filtroSaldoEstoque", "2"),))
"""A descrição do Bling diz que /produtos, por padrão, só mostra saldo positivo: o que faltar é pedido também com saldo
zerado e negativo."""


async def collect_produtos(ctx: RunContext) -> None:
    """Traz os produtos dos SKUs que estão nas notas e não em `produtos`, e os que o Bling diz alterados."""
    now = ctx.clock.now()
    since = await checkpoint_or_start(ctx, PRODUTOS, now)
    if since is not None:
        ctx.start("Produtos alterados")
        async for page in altered(ctx, PRODUTOS, since, now):
            async with ctx.engine.connect() as connection:
                ours = await repository.present(connection, PRODUTOS.table, [row["id"] for row in page])
            await _store(ctx, [row for row in page if row["id"] in ours])
        async with ctx.transaction() as connection:
            await control.move_checkpoint(connection, PRODUTOS.name, now)
    async with ctx.engine.connect() as connection:
        skus = await repository.skus_without_produto(connection, unknown_since=now - ASK_AGAIN_AFTER)
    ctx.start("Produtos", len(skus))
    for start in range(0, len(skus), BATCH):
        await _collect_skus(ctx, skus[start : start + BATCH])
        ctx.progress.feitos = min(start + BATCH, len(skus))
        ctx.show()
        ctx.check_stop()


async def _collect_skus(ctx: RunContext, skus: list[str]) -> None:
    found: set[str] = set()
    try:
        for stock in _STOCK_FILTERS:
            missing = [sku for sku in skus if sku not in found]
            if not missing:
                break
            params = (*PRODUTOS.listings[0], *stock, *(("codigos[]", sku) for sku in missing))
            async for page in ctx.client.pages(PRODUTOS.path, params):
                wanted = [row for row in page if text(row.get("codigo")) in set(missing)]
                found |= {str(row["codigo"]) for row in wanted}
                await _store(ctx, wanted)
    except BlingRejectedError as error:
        if len(skus) > 1:  # um SKU que o Bling recusa não leva os outros consigo
            await _collect_skus(ctx, skus[: len(skus) // 2])
            await _collect_skus(ctx, skus[len(skus) // 2 :])
            return
        async with ctx.transaction() as connection:
            failure = Pendencia(PRODUTOS.name, skus[0], str(error))
            await control.add_pendencias(connection, [failure], ctx.clock.now())
        return
    async with ctx.transaction() as connection:
        await repository.mark_skus(connection, found, set(skus) - found, ctx.clock.now())
        await control.settle(connection, PRODUTOS.name, skus)


async def _store(ctx: RunContext, rows: Sequence[Json]) -> None:
    if not rows:
        return
    async with ctx.transaction() as connection:
        outcome = await ctx.store(connection, PRODUTOS, [Item(row) for row in rows])
        ctx.progress.saved[PRODUTOS.name] += len(outcome.created)
        await repository.after_produtos(connection, outcome.created | outcome.updated)
