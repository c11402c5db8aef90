"""Os produtos dos SKUs que as notas citam, por lotes, e qual deles é o vivo de cada SKU."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product as combinations
from urllib.parse import quote

from bling_collector.api.transport import ATTEMPTS
from bling_collector.db import control
from bling_collector.db.control import Pendencia
from bling_collector.db.core import AsyncConnection
from bling_collector.db.resources import repository
from bling_collector.errors import LASTING, BlingError
from bling_collector.etl.altered import altered, checkpoint_or_start, read_until
from bling_collector.etl.context import RunContext
from bling_collector.etl.exclusoes import mark_gone
from bling_collector.etl.narrowing import MOST_REFUSED, Reading, blame
from bling_collector.etl.save import Item, Saved
from bling_collector.payload import Json, decimal, part, text
from bling_collector.streams.base import Params
from bling_collector.streams.produtos import DELETED, PRODUTOS
from bling_collector.windows import Window

BATCH = 95
"""SKUs por requisição: uma página de produtos, com lugar para os que repetem um SKU."""
LONGEST_QUERY = 6000
"""Caracteres de `codigos[]` numa requisição: um endereço comprido demais é recusado no caminho."""
ASK_AGAIN_AFTER = timedelta(days=7)
"""Um SKU que o Bling não conhece não é perguntado de novo antes disso."""
_DEFAULT: Params = ()
_OTHER_STOCKS: tuple[Params, ...] = ((("filtroSaldoEstoque", "0"),), (("filtroSaldoEstoque", "2"),))
_ALL_STOCKS = (_DEFAULT, *_OTHER_STOCKS)
"""A descrição do Bling diz que /produtos, por padrão, só mostra saldo positivo (não foi medido): se o primeiro lote não
mostra nenhum sem saldo, ele é pedido também com saldo zerado e negativo, e assim o que faltar; se aparecer um que o
padrão não mostrou, tudo passa a ser pedido assim."""
_HIDES_STOCK = "produtos.saldo"
"""O checkpoint que lembra que o padrão esconde, gravado com o primeiro produto que o revela."""
_REREAD = "produtos.saldo.relidos"
"""O checkpoint que lembra que os SKUs gravados antes disso já foram perguntados de novo; até lá, são devidos."""


async def collect_produtos(ctx: RunContext) -> None:
    """Traz os produtos dos SKUs que estão nas notas e não em `produtos`, e os que o Bling diz alterados.

    Uma conferência que repara relê também os outros: o filtro de alteração pode não ter mostrado uma mudança.
    """
    now = ctx.clock.now()
    since = await checkpoint_or_start(ctx, PRODUTOS, now)
    if since is not None:
        ctx.start("Produtos alterados")
        unread: dict[Window, str] = {}
        for stock in await stock_filters(ctx):
            async for page in altered(ctx, PRODUTOS, since, now, unread, stock):
                async with ctx.engine.connect() as connection:
                    ours = await repository.present(connection, PRODUTOS.table, [row["id"] for row in page])
                await store_produtos(ctx, [row for row in page if row["id"] in ours])
                async with ctx.transaction() as connection:  # a mudança pode ser a categoria, que a linha não mostra
                    await repository.forget_categorias(connection, ours)
        await read_until(ctx, PRODUTOS, now, unread)
    if ctx.everything:
        await _read_again(ctx)
    async with ctx.engine.connect() as connection:
        lacking = await repository.skus_without_produto(
            connection, unknown_since=now - ASK_AGAIN_AFTER, now=ctx.clock.now()
        )
        pending = await repository.skus_pending(connection)
    skus = sorted({*lacking} - {*pending})
    ctx.start("Produtos", len(skus) + len(pending), each=1 / BATCH)
    # Um que já estragou um lote vai sozinho, para não estragar outro.
    await _collect(ctx, [*batches(skus), *([sku] for sku in pending)])
    await _retry_refused(ctx)
    await _find_the_deleted(ctx)


async def _retry_refused(ctx: RunContext) -> None:
    """Pede outra vez, pelo id, os produtos cuja linha não se pôde salvar e que nesta execução ninguém mais pediu."""
    async with ctx.engine.connect() as connection:
        owed = await control.pending(connection, PRODUTOS.name, before=ctx.started, now=ctx.clock.now())
    ids = [each.recurso_id for each in owed if each.recurso_id.isdecimal()]  # os outros são SKUs
    for portion in batches(ids):
        asked = tuple(("idsProdutos[]", id_) for id_ in portion)
        gone = set(portion)
        for stock in await stock_filters(ctx):
            reading = Reading(ctx, PRODUTOS.path, (*PRODUTOS.listings[0], *stock, *asked))
            async for page in reading.pages():
                await store_produtos(ctx, [row for row in page if str(row["id"]) in portion])
                gone -= {str(row["id"]) for row in page}
            gone = gone if not reading.unread else set()
        async with ctx.transaction() as connection:  # o que a listagem de todos não mostra já não existe
            await control.settle(connection, PRODUTOS.name, sorted(gone))
        ctx.check_stop()


async def _read_again(ctx: RunContext) -> None:
    async with ctx.engine.connect() as connection:
        skus = await repository.skus_with_produto(connection)
    ctx.start("Produtos relidos", len(skus))
    for batch in batches(skus):
        await _ask(ctx, batch, await stock_filters(ctx), _Answers())


async def stock_filters(ctx: RunContext) -> tuple[Params, ...]:
    """Os filtros que, juntos, mostram os produtos de qualquer saldo: o padrão basta, até prova em contrário."""
    async with ctx.engine.connect() as connection:
        hides = await control.checkpoint(connection, _HIDES_STOCK) is not None
    return _ALL_STOCKS if hides else (_DEFAULT,)


async def _collect(ctx: RunContext, asked: Sequence[list[str]]) -> None:
    answers = _Answers()
    for place, batch in enumerate(asked):
        hides = await stock_filters(ctx) == _ALL_STOCKS
        probe = place == 0 and not hides
        await _ask(ctx, batch, _ALL_STOCKS if hides or probe else (_DEFAULT,), answers, probe=probe)
    doubtful, answers.doubtful = answers.doubtful, []
    for batch in batches(doubtful):
        await _ask(ctx, batch, _OTHER_STOCKS, answers)
    async with ctx.engine.connect() as connection:
        hides = await control.checkpoint(connection, _HIDES_STOCK) is not None
        owes = hides and await control.checkpoint(connection, _REREAD) is None
        # O padrão escondeu uns: pode ter escondido também o gêmeo de outros, de mesmo SKU.
        known = set(await repository.skus_with_produto(connection)) - answers.complete if owes else set()
    for batch in batches(sorted(known)):
        await _ask(ctx, batch, _OTHER_STOCKS, _Answers())
    async with ctx.transaction() as connection:
        if owes:
            await control.move_checkpoint(connection, _REREAD, ctx.clock.now())
        await repository.mark_unknown_skus(connection, answers.unknown, ctx.clock.now())


@dataclass
class _Answers:
    """O que as perguntas de uma execução já disseram dos SKUs."""

    complete: set[str] = field(default_factory=set)
    """Perguntados com qualquer saldo."""
    unknown: list[str] = field(default_factory=list)
    """Destes, os que o Bling não conhece."""
    doubtful: list[str] = field(default_factory=list)
    """Os que o padrão não mostrou."""


async def _ask(
    ctx: RunContext, batch: list[str], filters: Sequence[Params], answers: _Answers, *, probe: bool = False
) -> None:
    await _ask_batch(ctx, batch, filters, answers, probe=probe)
    ctx.progress.feitos = min(ctx.progress.feitos + len(batch), ctx.progress.total)
    ctx.show()
    ctx.check_stop()


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


async def _ask_batch(
    ctx: RunContext,
    skus: list[str],
    filters: Sequence[Params],
    answers: _Answers,
    *,
    probe: bool,
    attempts: int = ATTEMPTS,
) -> None:
    """Grava de uma vez os produtos destes SKUs. Uma sonda só passa do padrão se ele não mostra nenhum sem saldo.

    Um lote que falha é cortado ao meio, até o SKU que o Bling não dá, que fica pendente.
    """
    asked, rows = set(skus), dict[int, Json]()
    hidden = False
    refused: list[BlingError] = []
    try:
        for stock in filters:
            async for page in _pages(ctx, (*PRODUTOS.listings[0], *stock), skus, refused, attempts):
                wanted = {row["id"]: row for row in page if _may_be_asked(row, asked)}
                hidden |= stock != _DEFAULT and not wanted.keys() <= rows.keys()
                rows |= wanted
            if probe and stock == _DEFAULT and any(map(_is_out_of_stock, rows.values())):
                filters = (_DEFAULT,)
                break
    except LASTING as error:
        await blame(ctx, PRODUTOS.path, error)
        if len(skus) > 1:
            if not _is_enough(ctx, skus, error):
                for half in _halves(skus):
                    await _ask_batch(ctx, half, filters, answers, probe=probe, attempts=1)
            return
        refused.append(error)
    found = {sku for row in rows.values() if (sku := text(row["codigo"]))}
    async with ctx.transaction() as connection:
        await _store(ctx, connection, list(rows.values()))
        if hidden:
            await control.move_checkpoint(connection, _HIDES_STOCK, ctx.clock.now())
        await repository.mark_known_skus(connection, found)
        if refused:
            failure = Pendencia(PRODUTOS.name, skus[0], str(refused[0]))
            await control.add_pendencias(connection, [failure], ctx.clock.now())
            return
        await control.settle(connection, PRODUTOS.name, skus)
    missing = [sku for sku in skus if sku not in found]
    if filters == (_DEFAULT,):
        answers.doubtful += missing
    else:
        answers.complete |= asked
        answers.unknown += missing


async def _pages(
    ctx: RunContext, params: Params, skus: Sequence[str], refused: list[BlingError], attempts: int
) -> AsyncIterator[list[Json]]:
    """As páginas dos produtos destes SKUs; de um só, também o que se lê em volta do que não se lê (em `refused`)."""
    params = (*params, *(("codigos[]", sku) for sku in skus))
    if len(skus) > 1:
        async for page in ctx.pages(PRODUTOS.path, params, attempts=attempts):
            yield page
        return
    reading = Reading(ctx, PRODUTOS.path, params)
    async for page in reading.pages():
        yield page
    refused += [each.error for each in reading.unread]


def _is_enough(ctx: RunContext, skus: Sequence[str], error: BlingError) -> bool:
    """Se já falharam pedidos demais para que se continue a cortar: estes SKUs ficam para a próxima execução."""
    if ctx.refused[PRODUTOS.path] < MOST_REFUSED:
        return False
    ctx.problems.append(f"os produtos de {len(skus)} SKUs, de {skus[0]} em diante, ficaram por pedir: {error}")
    return True


def _may_be_asked(row: Json, asked: set[str]) -> bool:
    """Um código que não se lê pode ser um dos pedidos: a linha é guardada como o que não se lê, e não ignorada."""
    codigo = row.get("codigo")
    return text(codigo) in asked if text(codigo) else codigo not in (None, "")


def _is_out_of_stock(produto: Json) -> bool:
    saldo = decimal(part(produto, "estoque", "saldoVirtualTotal"))
    return saldo is not None and saldo <= 0


async def _find_the_deleted(ctx: RunContext) -> None:
    """De um SKU com mais de um produto, quais foram excluídos: a linha da listagem não o diz, só o critério."""
    async with ctx.engine.connect() as connection:
        skus = await repository.skus_in_doubt(connection)
    unknown: set[str] = set()
    for batch, stock in combinations(list(batches(skus)), await stock_filters(ctx)):
        await _mark_deleted(ctx, batch, stock, unknown)
    async with ctx.transaction() as connection:
        await repository.mark_exclusao_seen(connection, [sku for sku in skus if sku not in unknown], ctx.clock.now())
        await repository.prefer_produtos(connection, skus)


async def _mark_deleted(
    ctx: RunContext, skus: list[str], stock: Params, unknown: set[str], attempts: int = ATTEMPTS
) -> None:
    """Marca os excluídos destes SKUs; os de que o Bling não o diz vão para `unknown`."""
    refused: list[BlingError] = []
    try:
        async for page in _pages(ctx, (*DELETED, *stock), skus, refused, attempts):
            async with ctx.transaction() as connection:
                gone = await mark_gone(ctx, connection, PRODUTOS, [row["id"] for row in page])
            ctx.gone[PRODUTOS.name] += gone
            ctx.check_stop()
    except LASTING as error:
        await blame(ctx, PRODUTOS.path, error)
        if len(skus) > 1 and _is_enough(ctx, skus, error):
            unknown |= set(skus)
            return
        if len(skus) > 1:
            for half in _halves(skus):
                await _mark_deleted(ctx, half, stock, unknown, attempts=1)
            return
        refused.append(error)
    if refused:
        unknown |= set(skus)
        ctx.problems.append(f"não se sabe quais dos produtos do SKU {skus[0]} foram excluídos: {refused[0]}")


def _halves(skus: list[str]) -> tuple[list[str], list[str]]:
    """O que fazer de um lote recusado: são demais (o máximo não está documentado), ou há um que o Bling não aceita."""
    middle = len(skus) // 2
    return skus[:middle], skus[middle:]


async def store_produtos(ctx: RunContext, rows: Sequence[Json]) -> Saved:
    """Salva linhas da listagem e decide de novo a preferência dos seus SKUs."""
    if not rows:
        return Saved()
    async with ctx.transaction() as connection:
        return await _store(ctx, connection, rows)


async def _store(ctx: RunContext, connection: AsyncConnection, rows: Sequence[Json]) -> Saved:
    outcome = await ctx.store(connection, PRODUTOS, [Item(row) for row in rows])
    ctx.progress.saved[PRODUTOS.name] += len(outcome.created)
    await repository.after_produtos(connection, outcome.created | outcome.updated)
    return outcome
