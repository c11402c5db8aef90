"""O plano que o PostgreSQL escolhe para uma busca, e quanto ela leva."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement
from sqlalchemy.ext.asyncio import AsyncConnection


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


async def explain(connection: AsyncConnection, statement: ClauseElement) -> Plan:
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
