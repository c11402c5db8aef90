"""Um cliente por inteiro: o que comprou, quando, e o que deve."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row

from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import one_instant
from bling_collector.db.proof import scope_start
from bling_collector.db.reports import customer as queries
from bling_collector.db.reports.revenue import sold_to
from bling_collector.errors import CollectorError
from bling_collector.insight.sales.periods import ComparedPeriod
from bling_collector.insight.sales.revenue import Revenue, read_revenue

TABLES = tuple(queries.TABLES)


class UnknownCustomerError(CollectorError):
    """O banco não tem este contato, nem nota dele."""

    http_status = 404
    exit_code = 2
    title = "Cliente desconhecido"


@dataclass(frozen=True)
class CustomerPage:
    """O cliente, num período. As linhas são as das consultas, com os nomes das colunas."""

    contato: Row[Any]
    revenue: Revenue
    purchases: Row[Any]
    owed: Row[Any]
    since: date | None
    """O primeiro dia do que se coletou; do que comprou antes dele não se sabe."""
    tables: dict[str, Sequence[Row[Any]]]


async def load_customer(
    engine: AsyncEngine, contato_id: int, period: ComparedPeriod, today: date, most: int
) -> CustomerPage:
    """O cliente, com até `most` linhas em cada tabela. UnknownCustomerError se o banco não o conhece."""
    async with one_instant(engine).connect() as connection:
        contato = await _customer(connection, contato_id)
        return CustomerPage(
            contato,
            await read_revenue(connection, period, today, sold_to(contato_id)),
            await queries.read_purchases(connection, contato_id),
            await queries.read_owed(connection, contato_id, today),
            await scope_start(connection),
            {name: await _rows(connection, name, contato_id, period, today, most) for name in TABLES},
        )


async def load_customer_table(
    engine: AsyncEngine, contato_id: int, period: ComparedPeriod, today: date, name: str
) -> Sequence[Row[Any]]:
    """Uma tabela da página, inteira."""
    async with engine.connect() as connection:
        await _customer(connection, contato_id)
        return await _rows(connection, name, contato_id, period, today, None)


async def load_customer_revenue(engine: AsyncEngine, contato_id: int, period: ComparedPeriod, today: date) -> Revenue:
    """Só o que comprou, passo a passo."""
    async with engine.connect() as connection:
        await _customer(connection, contato_id)
        return await read_revenue(connection, period, today, sold_to(contato_id))


async def _customer(connection: AsyncConnection, contato_id: int) -> Row[Any]:
    found = await queries.read_customer(connection, contato_id)
    if found is None:
        raise UnknownCustomerError(f"Este banco não tem o contato {contato_id}, nem nota dele.")
    return found


async def _rows(
    connection: AsyncConnection, name: str, contato_id: int, period: ComparedPeriod, today: date, most: int | None
) -> Sequence[Row[Any]]:
    return await queries.read_table(connection, name, contato_id, period.inicio, period.fim, today, most)
