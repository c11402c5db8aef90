"""A categoria de cada produto: a listagem não a mostra, e um detalhe por produto custaria demais."""

from collections.abc import Collection
from itertools import product as combinations

from bling_collector.db import proof, repository
from bling_collector.errors import BlingNotFoundError, BlingRejectedError
from bling_collector.etl.context import RunContext
from bling_collector.etl.exclusoes import refuse_silence
from bling_collector.etl.produtos import stock_filters
from bling_collector.etl.save import Item
from bling_collector.streams.categorias_produto import CATEGORIAS_PRODUTO
from bling_collector.streams.produtos import PRODUTOS, categoria_id

_SAMPLE = 3
_PORTION = 200


async def collect_categorias(ctx: RunContext) -> None:
    """Descobre a categoria dos produtos de que ainda não se sabe.

    O filtro `idCategoria` responde por muitos de uma vez; o detalhe, por um. Vai o que pedir menos requisições.
    """
    async with ctx.engine.connect() as connection:
        unknown = await repository.produtos_without_categoria(connection)
    if not unknown:
        return
    ctx.start("Categorias", len(unknown))
    async for page in ctx.pages(CATEGORIAS_PRODUTO.path):
        async with ctx.transaction() as connection:
            await ctx.store(connection, CATEGORIAS_PRODUTO, [Item(row) for row in page])
        ctx.check_stop()
    async with ctx.engine.connect() as connection:
        parents = await repository.categorias(connection)
    filtered = len(unknown) > 2 * len(parents) and await _filter_works(ctx, parents)
    if filtered:
        unknown -= await _by_filter(ctx, unknown, parents)
        sample = sorted(unknown)[:_SAMPLE]
        found, gone = await _by_detail(ctx, sample)
        if not any(found.values()):
            # O filtro não os mostrou e o detalhe da amostra o confirma: os que sobram não têm categoria.
            await _store(ctx, dict.fromkeys(unknown))
            return
        unknown -= found.keys()
    _, gone = await _by_detail(ctx, sorted(unknown))
    if gone and not filtered and await _filter_works(ctx, parents):
        # O detalhe de um excluído responde 404, mas a listagem ainda o mostra.
        gone -= await _by_filter(ctx, gone, parents)
    async with ctx.engine.connect() as connection:
        held = await proof.count_living(connection, PRODUTOS.table)
    refuse_silence(ctx, PRODUTOS, "Categorias dos produtos", len(gone), held)
    await _store(ctx, dict.fromkeys(gone))


async def _filter_works(ctx: RunContext, parents: dict[int, int | None]) -> bool:
    """O Bling ignora em silêncio um parâmetro que não conhece: uma categoria que não existe não pode ter produtos."""
    params = (*PRODUTOS.listings[0], ("idCategoria", str(max(parents, default=0) + 1)))
    try:
        async for page in ctx.pages(PRODUTOS.path, params):
            return not page
    except (BlingNotFoundError, BlingRejectedError):
        return True  # recusar a categoria que não existe é também uma prova de que o filtro é lido
    return True


async def _by_filter(ctx: RunContext, unknown: set[int], parents: dict[int, int | None]) -> set[int]:
    """Os produtos que as listagens por categoria mostraram. As filhas vêm depois das mães e, se o filtro de uma mãe
    mostra também os produtos das filhas, a mais específica vale."""
    found: dict[int, int | None] = {}
    spent = ctx.requests.total
    filters = await stock_filters(ctx)
    for categoria, stock in combinations(sorted(parents, key=lambda c: (_depth(c, parents), c)), filters):
        params = (*PRODUTOS.listings[0], *stock, ("idCategoria", str(categoria)))
        async for page in ctx.pages(PRODUTOS.path, params, short_is_last=True):
            found |= {row["id"]: categoria for row in page if row["id"] in unknown}
            ctx.progress.feitos = len(found)
            ctx.show()
            ctx.check_stop()
        if ctx.requests.total - spent > max(len(unknown), 3 * len(parents) * len(filters)):
            return set()  # o catálogo é muito maior que o que as notas citam: um a um sai mais barato
    await _store(ctx, found)
    return set(found)


def _depth(categoria: int, parents: dict[int, int | None]) -> int:
    seen = {categoria}
    parent = parents.get(categoria)
    while parent is not None and parent not in seen:
        seen.add(parent)
        parent = parents.get(parent)
    return len(seen)


async def _by_detail(ctx: RunContext, ids: Collection[int]) -> tuple[dict[int, int | None], set[int]]:
    """A categoria de cada produto, já gravada, e os que o Bling não tem mais (404)."""
    found: dict[int, int | None] = {}
    pending: dict[int, int | None] = {}
    gone: set[int] = set()
    async for fetched in await ctx.details(PRODUTOS, ids):
        if fetched.document is not None:
            pending[fetched.id] = categoria_id(fetched.document)
        elif isinstance(fetched.error, BlingNotFoundError):
            gone.add(fetched.id)
        else:
            ctx.problems.append(f"categoria do produto {fetched.id}: {fetched.error}")
        ctx.show()
        if len(pending) >= _PORTION:
            await _store(ctx, pending)
            found |= pending
            pending = {}
    await _store(ctx, pending)
    ctx.check_stop()
    return found | pending, gone


async def _store(ctx: RunContext, found: dict[int, int | None]) -> None:
    if found:
        async with ctx.transaction() as connection:
            await repository.set_categorias(connection, found, ctx.clock.now(), ctx.run_id)


async def refresh_categoria(ctx: RunContext, produto: int) -> bool:
    """Relê a categoria de um produto no seu detalhe; se mudou. A de um excluído (404) fica como está."""
    try:
        document = await ctx.client.detail(PRODUTOS.path, produto)
    except BlingNotFoundError:
        return False
    async with ctx.transaction() as connection:
        found = {produto: categoria_id(document)}
        return produto in await repository.set_categorias(connection, found, ctx.clock.now(), ctx.run_id)
