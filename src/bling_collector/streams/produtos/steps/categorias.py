"""A categoria de cada produto: a listagem não a mostra, e um detalhe por produto custaria demais."""

from collections.abc import Collection
from itertools import product as combinations

from bling_collector.db import control, proof
from bling_collector.db.resources import produtos_categorias
from bling_collector.errors import BlingNotFoundError, BlingRejectedError
from bling_collector.etl.context import RunContext
from bling_collector.etl.fetch import Wanted, details, fetch_and_store
from bling_collector.etl.listing import extras
from bling_collector.etl.narrowing import Reading
from bling_collector.etl.resource import Params
from bling_collector.etl.save import Item
from bling_collector.etl.settle import refuse_silence
from bling_collector.streams.produtos.categorias_produto import CATEGORIAS_PRODUTO
from bling_collector.streams.produtos.produtos import PRODUTOS, categoria_id
from bling_collector.together import LISTINGS, together

_NAME = CATEGORIAS_PRODUTO.name
_SAMPLE = 3
_PORTION = 200


async def collect_categorias(ctx: RunContext) -> None:
    """Descobre a categoria dos produtos de que ainda não se sabe.

    O filtro `idCategoria` responde por muitos de uma vez; o detalhe, por um. Vai o que pedir menos requisições.
    """
    async with ctx.engine.connect() as connection:
        unknown = await produtos_categorias.produtos_without_categoria(connection)
        owed = await control.pending(connection, _NAME, before=ctx.started, now=ctx.clock.now())
    pending = {int(each.recurso_id) for each in owed}
    listed = await _list(ctx, len(unknown)) if unknown else None
    if unknown:
        await _find(ctx, unknown, whole=listed is True)
    async with ctx.engine.connect() as connection:
        unlisted = await produtos_categorias.categorias_without_description(connection) if listed is False else set()
    await _by_id(ctx, pending | unlisted)


async def _list(ctx: RunContext, total: int) -> bool:
    """Relê as categorias; se a listagem se deixou ler toda."""
    ctx.start("Categorias", total, each=0)  # quanto cada um custa depende de quantas categorias há
    reading = Reading(ctx, CATEGORIAS_PRODUTO)
    async for page in reading.pages():
        async with ctx.transaction() as connection:
            await ctx.store(connection, CATEGORIAS_PRODUTO, [Item(row) for row in page])
        ctx.check_stop()
    return not reading.unread


async def _by_id(ctx: RunContext, categorias: Collection[int]) -> None:
    """As categorias que a listagem não deu e que algum produto tem, uma a uma."""
    if not categorias:
        return
    asked = await fetch_and_store(ctx, CATEGORIAS_PRODUTO, {id_: Wanted() for id_ in categorias}, count=False)
    async with ctx.transaction() as connection:
        await control.settle(connection, _NAME, [str(id_) for id_ in asked.missing])
        await produtos_categorias.fill_categoria_descricao(connection)


async def _find(ctx: RunContext, unknown: set[int], *, whole: bool) -> None:
    """Sem `whole` há categorias de que não se sabe, e de um produto que nenhum filtro mostra só o detalhe diz."""
    async with ctx.engine.connect() as connection:
        parents = await produtos_categorias.categorias(connection)
    filtered = len(unknown) > 2 * len(parents) and await _filter_works(ctx, parents)
    asked = len(parents) * len(await extras(ctx, PRODUTOS))
    ctx.progress.here.each = asked / len(unknown) if filtered else 1.0
    if filtered:
        shown, all_shown = await _by_filter(ctx, unknown, parents)
        unknown -= shown
        sample = sorted(unknown)[:_SAMPLE]
        found, gone = await _by_detail(ctx, sample)
        if whole and all_shown and not any(found.values()):
            # O filtro não os mostrou e o detalhe da amostra o confirma: os que sobram não têm categoria.
            await _store(ctx, dict.fromkeys(unknown))
            return
        unknown -= found.keys()
        ctx.progress.here.each = 1.0
    _, gone = await _by_detail(ctx, sorted(unknown))
    if gone and not filtered and await _filter_works(ctx, parents):
        # O detalhe de um excluído responde 404, mas a listagem ainda o mostra.
        gone -= (await _by_filter(ctx, gone, parents))[0]
    async with ctx.engine.connect() as connection:
        held = await proof.count_living(connection, PRODUTOS.kept)
    refuse_silence(ctx, PRODUTOS, "Categorias dos produtos", len(gone), held)
    await _store(ctx, dict.fromkeys(gone))


async def _filter_works(ctx: RunContext, parents: dict[int, int | None]) -> bool:
    """O Bling ignora em silêncio um parâmetro que não conhece: uma categoria que não existe não pode ter produtos."""
    params = (*PRODUTOS.shows[0], ("idCategoria", str(max(parents, default=0) + 1)))
    reading = Reading(ctx, PRODUTOS, params)
    async for _ in reading.pages():
        return False
    # Recusar a categoria que não existe é também uma prova de que o filtro é lido.
    return all(isinstance(each.error, (BlingNotFoundError, BlingRejectedError)) for each in reading.unread)


async def _by_filter(ctx: RunContext, unknown: set[int], parents: dict[int, int | None]) -> tuple[set[int], bool]:
    """Os produtos que as listagens por categoria mostraram, e se elas se deixaram ler todas.

    As filhas vêm depois das mães e, se o filtro de uma mãe mostra também os produtos das filhas, a mais específica
    vale.
    """
    filters = await extras(ctx, PRODUTOS)
    asked, most, seen = 0, max(len(unknown), 3 * len(parents) * len(filters)), set[int]()

    async def shown_by(categoria: int, stock: Params) -> tuple[dict[int, int | None], bool]:
        nonlocal asked
        asked += 1
        found: dict[int, int | None] = {}
        reading = Reading(
            ctx, PRODUTOS, (*PRODUTOS.shows[0], *stock, ("idCategoria", str(categoria))), short_is_last=True
        )
        async for page in reading.pages():
            asked += 1
            if asked > most:
                break
            found |= {row["id"]: categoria for row in page if row["id"] in unknown}
            seen.update(found)
            ctx.progress.here.feitos = len(seen)
            ctx.show()
            ctx.check_stop()
        return found, not reading.unread

    each = combinations(sorted(parents, key=lambda c: (_depth(c, parents), c)), filters)
    shown = await together(lambda pair: shown_by(*pair), each, limit=LISTINGS)
    if asked > most:
        return set(), False  # o catálogo é muito maior que o que as notas citam: um a um sai mais barato
    found = {id_: categoria for one, _ in shown for id_, categoria in one.items()}
    await _store(ctx, found)
    return set(found), all(whole for _, whole in shown)


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
    async for fetched in details(ctx, PRODUTOS, ids, categoria_id):
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
            await produtos_categorias.set_categorias(connection, found, ctx.clock.now(), ctx.run_id)


async def refresh_categoria(ctx: RunContext, produto: int) -> bool:
    """Relê a categoria de um produto no seu detalhe; se mudou. A de um excluído (404) fica como está."""
    try:
        document = await ctx.detail(PRODUTOS, produto, categoria_id)
    except BlingNotFoundError:
        return False
    async with ctx.transaction() as connection:
        found = {produto: categoria_id(document)}
        return produto in await produtos_categorias.set_categorias(connection, found, ctx.clock.now(), ctx.run_id)
