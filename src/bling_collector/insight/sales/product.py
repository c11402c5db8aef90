"""Um produto por inteiro: o que se vendeu dele, a quem, o que há, de quem se compra, onde se vende e o que deixa."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from bling_collector.clock import brasilia_day
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import one_instant
from bling_collector.db.proof import scope_start
from bling_collector.db.reports import product as queries
from bling_collector.db.reports.revenue import sold_as
from bling_collector.errors import CollectorError
from bling_collector.insight.sales.periods import ComparedPeriod
from bling_collector.insight.sales.revenue import Revenue, read_revenue
from bling_collector.insight.stock.stock import SalesHeld

TABLES = tuple(queries.TABLES)


class UnknownProductError(CollectorError):
    """O banco não tem este produto."""

    http_status = 404
    exit_code = 2
    title = "Produto desconhecido"


@dataclass(frozen=True)
class ProductPage:
    """O produto, num período. As linhas são as das consultas, com os nomes das colunas."""

    produto: Row[Any]
    revenue: Revenue | None
    """None se não tem SKU: a nota só diz o SKU, e não se sabe o que se vendeu dele."""
    quantidade: Decimal
    quantidade_antes: Decimal
    cover: Row[Any] | None
    """None se o estoque não foi lido, ou se a última leitura não o tem."""
    sales: SalesHeld | None
    """As notas que há para a venda de `cover`."""
    custo: Decimal | None
    margin: Row[Any]
    tables: dict[str, Sequence[Row[Any]]]

    @property
    def mine(self) -> bool:
        """Se as vendas do SKU são deste produto, e não de outro que tem o mesmo."""
        return self.produto.preferido_id is None


async def load_product(
    engine: AsyncEngine, produto_id: int, period: ComparedPeriod, today: date, most: int
) -> ProductPage:
    """O produto, com até `most` linhas em cada tabela. UnknownProductError se o banco não o tem."""
    async with one_instant(engine).connect() as connection:
        produto = await _product(connection, produto_id)
        revenue, now, before = None, Decimal(0), Decimal(0)
        if produto.codigo is not None:
            earlier = period.year_before
            revenue = await read_revenue(connection, period, today, sold_as(produto.codigo))
            now = await queries.read_quantity(connection, produto.codigo, period.inicio, period.fim)
            before = await queries.read_quantity(connection, produto.codigo, earlier.inicio, earlier.fim)
        cover = await queries.read_cover(connection, produto_id, produto.codigo)
        sales = SalesHeld(await scope_start(connection), brasilia_day(cover.lido_em)) if cover else None
        return ProductPage(
            produto,
            revenue,
            now,
            before,
            cover,
            sales,
            await queries.read_cost(connection, produto_id),
            await queries.read_margin(connection, produto_id, produto.codigo, period.inicio, period.fim),
            {name: await _rows(connection, name, produto, period, most) for name in TABLES},
        )


async def load_product_table(
    engine: AsyncEngine, produto_id: int, period: ComparedPeriod, name: str
) -> Sequence[Row[Any]]:
    """Uma tabela da página, inteira."""
    async with engine.connect() as connection:
        return await _rows(connection, name, await _product(connection, produto_id), period, None)


async def load_product_revenue(
    engine: AsyncEngine, produto_id: int, period: ComparedPeriod, today: date
) -> Revenue | None:
    """Só o que se vendeu, passo a passo."""
    async with engine.connect() as connection:
        codigo = (await _product(connection, produto_id)).codigo
        return None if codigo is None else await read_revenue(connection, period, today, sold_as(codigo))


async def _product(connection: AsyncConnection, produto_id: int) -> Row[Any]:
    found = await queries.read_product(connection, produto_id)
    if found is None:
        raise UnknownProductError(f"Este banco não tem o produto {produto_id}.")
    return found


async def _rows(
    connection: AsyncConnection, name: str, produto: Row[Any], period: ComparedPeriod, most: int | None
) -> Sequence[Row[Any]]:
    return await queries.read_table(connection, name, produto.id, produto.codigo, period.inicio, period.fim, most)
