"""O construtor de upserts: puro, de uma tabela a um comando que recebe todas as linhas num parâmetro JSON."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from bling_collector.payload import Row, dumps

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # o SQLAlchemy não anota os dialetos


@dataclass(frozen=True)
class Upserted:
    """O que um upsert fez: as chaves das linhas criadas e das mudadas; as iguais não são tocadas."""

    created: frozenset[int]
    updated: frozenset[int]

    @property
    def written(self) -> list[int]:
        return sorted(self.created | self.updated)


def upsert_statement(table: Table, columns: Collection[str], *, volatile: Collection[str] = ()) -> TextClause:
    """INSERT … ON CONFLICT (id) DO UPDATE das `columns`, com as linhas em `:rows` (jsonb).

    Uma linha igual à guardada não é tocada; as colunas `volatile` não contam nessa comparação.
    """
    names = [c.name for c in table.columns if c.name in columns]
    assert set(names) == set(columns), (table.name, columns)
    changing = [n for n in names if n != "id"]
    compared = [n for n in changing if n not in volatile]
    return text(f"""
        INSERT INTO {table.name} AS atual ({", ".join(names)})
        SELECT {", ".join(names)} FROM {_recordset(table, names)}
        ON CONFLICT (id) DO UPDATE SET {", ".join(f"{n} = EXCLUDED.{n}" for n in changing)}
        WHERE ({", ".join(f"atual.{n}" for n in compared)})
              IS DISTINCT FROM ({", ".join(f"EXCLUDED.{n}" for n in compared)})
        RETURNING id, (xmax = 0) AS criada""")


def insert_statement(table: Table, columns: Collection[str], *, ignore_present: bool = False) -> TextClause:
    """INSERT das `columns`, com as linhas em `:rows` (jsonb); `ignore_present` deixa como está o que já existe."""
    names = [c.name for c in table.columns if c.name in columns]
    assert set(names) == set(columns), (table.name, columns)
    conflict = "ON CONFLICT DO NOTHING" if ignore_present else ""
    return text(f"""
        INSERT INTO {table.name} ({", ".join(names)})
        SELECT {", ".join(names)} FROM {_recordset(table, names)} {conflict}""")


def _recordset(table: Table, names: Sequence[str]) -> str:
    types = (f"{n} {table.c[n].type.compile(dialect=_DIALECT)}" for n in names)
    return f"jsonb_to_recordset(CAST(:rows AS jsonb)) AS linha ({', '.join(types)})"


async def upsert(
    connection: AsyncConnection, table: Table, rows: Iterable[Row], *, volatile: Collection[str] = ("extraido_em",)
) -> Upserted:
    """Grava as linhas (todas com as mesmas colunas); de um id repetido, vale a última."""
    unique = {row["id"]: row for row in rows}
    if not unique:
        return Upserted(frozenset(), frozenset())
    statement = upsert_statement(table, next(iter(unique.values())).keys(), volatile=volatile)
    result = (await connection.execute(statement, {"rows": dumps(list(unique.values()))})).all()
    created = frozenset(row.id for row in result if row.criada)
    return Upserted(created, frozenset(row.id for row in result) - created)


async def insert(
    connection: AsyncConnection, table: Table, rows: Sequence[Row], *, ignore_present: bool = False
) -> None:
    """Insere as linhas (todas com as mesmas colunas)."""
    if rows:
        statement = insert_statement(table, rows[0].keys(), ignore_present=ignore_present)
        await connection.execute(statement, {"rows": dumps(rows)})


async def replace_children(
    connection: AsyncConnection, table: Table, parent: str, parents: Sequence[int], rows: Sequence[Row]
) -> None:
    """Troca as linhas de `parents` (ids na coluna `parent`) por `rows`."""
    if parents:
        await connection.execute(
            text(f"DELETE FROM {table.name} WHERE {parent} = ANY(:parents)"), {"parents": list(parents)}
        )
    await insert(connection, table, rows)
