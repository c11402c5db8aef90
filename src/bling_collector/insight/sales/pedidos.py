"""A lista dos pedidos de venda, e um pedido inteiro."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.connection.database import one_instant
from bling_collector.db.models import historico, pedidos_venda
from bling_collector.db.reports import order_search
from bling_collector.db.reports.order_search import NONE, Criteria, Totals
from bling_collector.db.resources.nota_words import folded
from bling_collector.errors import CollectorError
from bling_collector.payload import Json, Row

PER_PAGE: Final = 50


class UnknownPedidoError(CollectorError):
    """O banco não tem este pedido."""

    http_status = 404
    exit_code = 2
    title = "Pedido desconhecido"


@dataclass(frozen=True)
class Choices:
    """Por que se pode filtrar: (id, nome) do que os pedidos têm; NONE é o que não o tem."""

    situacoes: Sequence[tuple[int, str]]
    canais: Sequence[tuple[int, str]]
    vendedores: Sequence[tuple[int, str]]


@dataclass(frozen=True)
class Listed:
    """Uma página dos pedidos, e o que todos somam."""

    rows: list[Row]
    totals: Totals
    page: int
    pages: int
    choices: Choices


@dataclass(frozen=True)
class Pedido:
    """Um pedido inteiro."""

    header: Row
    items: list[Row]
    parcels: list[Row]
    accounts: list[Row]
    """As contas a receber dele, ou da nota que dele se fez, sem as canceladas."""
    changes: list[tuple[datetime, int | None, dict[str, list[Json]]]]
    """(quando, em que execução, coluna → o que era e o que passou a ser), do mais novo ao mais antigo."""
    statuses: dict[int, str]
    """O nome de cada situação da conta."""


async def load_pedidos(engine: AsyncEngine, criteria: Criteria, order: str, *, falling: bool, page: int) -> Listed:
    """A página pedida, ou a última que há."""
    async with one_instant(engine).connect() as connection:
        totals = await order_search.count(connection, criteria)
        pages = max(-(-totals.pedidos // PER_PAGE), 1)
        page = min(page, pages)
        rows = await order_search.find(
            connection, criteria, order, falling=falling, limit=PER_PAGE, offset=(page - 1) * PER_PAGE
        )
        return Listed(rows, totals, page, pages, _choices(await order_search.choices(connection)))


async def load_all(engine: AsyncEngine, criteria: Criteria, order: str, *, falling: bool) -> list[Row]:
    """Todos os que se procuram."""
    async with engine.connect() as connection:
        return await order_search.find(connection, criteria, order, falling=falling, limit=None)


async def load_pedido(engine: AsyncEngine, pedido_id: int) -> Pedido:
    """O pedido. UnknownPedidoError se não há."""
    async with one_instant(engine).connect() as connection:
        header = await order_search.read_order(connection, pedido_id)
        if header is None:
            raise UnknownPedidoError(
                f"Este banco não tem o pedido de id {pedido_id}, que é o que o Bling lhe dá, e não o número dele. "
                f"`bling-collector sync pedidos_venda/{pedido_id}` o busca."
            )
        items, parcels, accounts = await order_search.read_children(connection, pedido_id)
        h = historico.c
        changes = await connection.execute(
            select(h.quando, h.run_id, h.mudancas)
            .where(h.tabela == pedidos_venda.name, h.registro_id == pedido_id)
            .order_by(h.id.desc())
        )
        events = [(row.quando, row.run_id, row.mudancas) for row in changes]
        statuses = await order_search.status_names(connection)
        return Pedido(header, items, parcels, accounts, events, statuses)


async def load_orders_of_note(engine: AsyncEngine, nfe_id: int, most: int = 10) -> list[Row]:
    """(id, número) dos pedidos de que a nota se fez: quase sempre um, ou nenhum."""
    async with engine.connect() as connection:
        return await order_search.orders_of_note(connection, nfe_id, most)


def _choices(found: Sequence[Row]) -> Choices:
    statuses = {row["situacao_base_id"]: row["situacao_base"] for row in found}
    statuses |= {row["situacao_id"]: row["situacao"] for row in found}
    return Choices(
        _named(statuses, "Situação", "Sem situação"),
        _named({row["loja_id"]: row["canal"] for row in found}, "Canal", "Venda própria"),
        _named({row["vendedor_id"]: row["vendedor"] for row in found}, "Vendedor", "Sem vendedor"),
    )


def _named(found: dict[int | None, Any], what: str, none: str) -> list[tuple[int, str]]:
    named = [(id_, name or f"{what} {id_}") for id_, name in found.items() if id_ is not None]
    rest = [(NONE, none)] if None in found else []
    return sorted(named, key=lambda each: (folded(each[1]), each[1], each[0])) + rest
