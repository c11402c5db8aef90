"""O plano que o PostgreSQL escolhe para uma busca, e quanto ela leva."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement, Engine, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


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


class Read:
    """Os comandos que leem, de todos os motores, enquanto dura, e o que diz ao PostgreSQL como os ler."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Any]] = []

    def __enter__(self) -> "Read":
        event.listen(Engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if _first_word(statement) in ("SELECT", "WITH", "SET"):
            self.said.append((statement, parameters))

    async def blocks(self, engine: AsyncEngine) -> int:
        """Quantas páginas de 8 KB estes comandos tocam, ditos outra vez."""
        touched = 0
        async with engine.connect() as connection:
            for statement, parameters in self.said:
                if _first_word(statement) == "SET":
                    await connection.exec_driver_sql(statement, parameters)
                    continue
                explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
                plan = (await connection.exec_driver_sql(explained, parameters)).scalar_one()[0]["Plan"]
                touched += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return touched


def _first_word(statement: str) -> str:
    return statement.split(None, 1)[0].upper()
