"""Os produtos dos SKUs que as notas citam, por lotes, e qual deles é o vivo de cada SKU."""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from itertools import product as combinations
from urllib.parse import quote

from bling_collector.db import control, proof, repository
from bling_collector.db.control import Pendencia
from bling_collector.errors import BlingRejectedError
from bling_collector.etl.altered import altered, checkpoint_or_start
from bling_collector.etl.context import RunContext
from bling_collector.etl.save import Item, Saved
from bling_collector.payload import Json, text
from bling_collector.streams.base import Params
from bling_collector.streams.produtos import DELETED, PRODUTOS

BATCH = 100
"""SKUs por requisição: uma página de produtos."""
LONGEST_QUERY = 6000
"""Caracteres de `codigos[]` numa requisição: um endereço comprido demais é recusado no caminho."""
ASK_AGAIN_AFTER = timedelta(days=7)
"""Um SKU que o Bling não conhece não é perguntado de novo antes disso."""
_DEFAULT: Params = ()
_OTHER_STOCKS: tuple[Params, ...] = ((("filtroSaldoEstoque", "0"),), (("filtroSaldoEstoque", "2"),))
"""A descrição do Bling diz que /produtos, por padrão, só mostra saldo positivo (não foi medido): o que faltar é pedido
também com saldo zerado e negativo, e, se aparecer, tudo passa a ser pedido assim."""
_HIDES_STOCK = "produtos.saldo"
"""O checkpoint que lembra que o padrão esconde."""


async def collect_produtos(ctx: RunContext) -> None:
    """Traz os produtos dos SKUs que estão nas notas e não em `produtos`, e os que o Bling diz alterados."""
    now = ctx.clock.now()
    since = await checkpoint_or_start(ctx, PRODUTOS, now)
    if since is not None:
        ctx.start("Produtos alterados")
        for stock in await stock_filters(ctx):
            async for page in altered(ctx, PRODUTOS, since, now, stock):
                async with ctx.engine.connect() as connection:
                    ours = await repository.present(connection, PRODUTOS.table, [row["id"] for row in page])
                await store_produtos(ctx, [row for row in page if row["id"] in ours])
                async with ctx.transaction() as connection:  # a mudança pode ser a categoria, que a linha não mostra
                    await repository.forget_categorias(connection, ours)
        async with ctx.transaction() as connection:
            await control.move_checkpoint(connection, PRODUTOS.name, now)
    async with ctx.engine.connect() as connection:
        skus = await repository.skus_without_produto(connection, unknown_since=now - ASK_AGAIN_AFTER)
    ctx.start("Produtos", len(skus))
    await _collect(ctx, skus)
    await _find_the_deleted(ctx)


async def stock_filters(ctx: RunContext) -> tuple[Params, ...]:
    """Os filtros que, juntos, mostram os produtos de qualquer saldo: o padrão basta, até prova em contrário."""
    async with ctx.engine.connect() as connection:
        hides = await control.checkpoint(connection, _HIDES_STOCK) is not None
    return (_DEFAULT, *_OTHER_STOCKS) if hides else (_DEFAULT,)


async def _collect(ctx: RunContext, skus: Sequence[str]) -> None:
    filters = await stock_filters(ctx)
    missing = await _ask(ctx, skus, filters)
    if missing and len(filters) == 1:
        unknown = await _ask(ctx, missing, _OTHER_STOCKS)
        if len(unknown) < len(missing):
            # O padrão escondeu uns: pode ter escondido também o gêmeo de outros, de mesmo SKU.
            async with ctx.engine.connect() as connection:
                known = await repository.skus_with_produto(connection)
            await _ask(ctx, known, _OTHER_STOCKS)
            async with ctx.transaction() as connection:
                await control.move_checkpoint(connection, _HIDES_STOCK, ctx.clock.now())
        missing = unknown
    async with ctx.transaction() as connection:
        await repository.mark_unknown_skus(connection, missing, ctx.clock.now())


async def _ask(ctx: RunContext, skus: Sequence[str], filters: Collection[Params]) -> list[str]:
    """Grava os produtos destes SKUs; devolve os SKUs que nenhum dos filtros mostrou."""
    missing: list[str] = []
    for batch in batches(skus):
        missing += await _ask_batch(ctx, batch, filters)
        ctx.progress.feitos = min(ctx.progress.feitos + len(batch), ctx.progress.total)
        ctx.show()
        ctx.check_stop()
    return missing


def batches(skus: Sequence[str]) -> Iterator[list[str]]:
    """Os SKUs em lotes de até `BATCH` que cabem num endereço."""
    batch: list[str] = []
    length = 0
    for sku in skus:
        size = len(f"&codigos%5B%5D={quote(sku, safe='')}")
        if batch and (len(batch) == BATCH or length + size > LONGEST_QUERY):
            yield batch
            batch, length = [], 0
        batch.append(sku)
        length += size
    if batch:
        yield batch


async def _ask_batch(ctx: RunContext, skus: list[str], filters: Collection[Params]) -> list[str]:
    asked, found = set(skus), set[str]()
    try:
        for stock in filters:
            params = (*PRODUTOS.listings[0], *stock, *(("codigos[]", sku) for sku in skus))
            async for page in ctx.client.pages(PRODUTOS.path, params):
                wanted = [row for row in page if text(row.get("codigo")) in asked]
                found |= {str(text(row["codigo"])) for row in wanted}
                await store_produtos(ctx, wanted)
    except BlingRejectedError as error:
        if len(skus) > 1:  # um SKU que o Bling recusa não leva os outros consigo
            middle = len(skus) // 2
            return [*await _ask_batch(ctx, skus[:middle], filters), *await _ask_batch(ctx, skus[middle:], filters)]
        async with ctx.transaction() as connection:
            failure = Pendencia(PRODUTOS.name, skus[0], str(error))
            await control.add_pendencias(connection, [failure], ctx.clock.now())
        return []
    async with ctx.transaction() as connection:
        await repository.mark_known_skus(connection, found)
        await control.settle(connection, PRODUTOS.name, skus)
    return [sku for sku in skus if sku not in found]


async def _find_the_deleted(ctx: RunContext) -> None:
    """De um SKU com mais de um produto, quais foram excluídos: a linha da listagem não o diz, só o critério."""
    async with ctx.engine.connect() as connection:
        skus = await repository.skus_in_doubt(connection)
    for batch, stock in combinations(list(batches(skus)), await stock_filters(ctx)):
        codigos = tuple(("codigos[]", sku) for sku in batch)
        async for page in ctx.client.pages(PRODUTOS.path, (*DELETED, *stock, *codigos)):
            async with ctx.transaction() as connection:
                deleted = [row["id"] for row in page]
                await proof.mark_gone(
                    connection, PRODUTOS.table, deleted, ctx.clock.now(), ctx.run_id, since=ctx.started
                )
            ctx.check_stop()
    async with ctx.transaction() as connection:
        await repository.mark_exclusao_seen(connection, skus, ctx.clock.now())
        await repository.prefer_produtos(connection, skus)


async def store_produtos(ctx: RunContext, rows: Sequence[Json]) -> Saved:
    """Salva linhas da listagem e decide de novo a preferência dos seus SKUs."""
    if not rows:
        return Saved()
    async with ctx.transaction() as connection:
        outcome = await ctx.store(connection, PRODUTOS, [Item(row) for row in rows])
        ctx.progress.saved[PRODUTOS.name] += len(outcome.created)
        await repository.after_produtos(connection, outcome.created | outcome.updated)
    return outcome
