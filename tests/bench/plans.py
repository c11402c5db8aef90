"""O plano que o PostgreSQL escolhe para uma busca, e quanto ela leva."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from bling_collector.db.nota_search import Criteria, Place, count_statement, find_statement

PAGE = 51
COUNTED = 1001


@dataclass(frozen=True)
class Plan:
    """Um plano executado."""

    nodes: tuple[tuple[str, str], ...]
    """(nó, tabela ou índice), de cima para baixo."""
    milliseconds: float
    blocks: int
    """Páginas de 8 KB tocadas."""

    @property
    def scans_a_table(self) -> bool:
        return any(node == "Seq Scan" for node, _ in self.nodes)

    def __str__(self) -> str:
        return " ← ".join(f"{node} {name}".strip() for node, name in self.nodes)


async def explain(connection: AsyncConnection, statement: Select[Any]) -> Plan:
    """O plano de uma consulta, com o que ela levou."""
    compiled = statement.compile(dialect=connection.dialect)
    row = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {compiled}", compiled.params)
    answer = row.scalar_one()[0]
    root = answer["Plan"]
    blocks = root["Shared Hit Blocks"] + root["Shared Read Blocks"]
    return Plan(tuple(_nodes(root)), answer["Execution Time"] + answer["Planning Time"], blocks)


def _nodes(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield plan["Node Type"], plan.get("Index Name", plan.get("Relation Name", ""))
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


async def plans(
    connection: AsyncConnection, criteria: Criteria, place: Place | None = None, *, newer: bool = False
) -> dict[str, Plan]:
    """Os planos da página e da contagem."""
    return {
        "página": await explain(connection, find_statement(criteria, PAGE, place, newer=newer)),
        "contagem": await explain(connection, count_statement(criteria, COUNTED)),
    }


def now() -> float:
    """Milissegundos que só servem para subtrair."""
    return time.perf_counter() * 1000
