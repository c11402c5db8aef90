"""O construtor de upserts: puro, de uma tabela a um comando que recebe todas as linhas num parâmetro JSON."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, Text, TextClause, text
from sqlalchemy.dialects import postgresql

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.payload import Row, dumps

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # o SQLAlchemy não anota os dialetos


_UNHISTORICAL = frozenset({"id", "detalhe", "resumo_lista", "cfop", "cfops"})
"""O que muda com os dados sem ser um dado: `historico` não o repete."""


@dataclass(frozen=True)
class Upserted:
    """O que um upsert fez: as chaves das linhas criadas e das mudadas; as iguais não são tocadas."""

    created: frozenset[int]
    updated: frozenset[int]

    @property
    def written(self) -> list[int]:
        return sorted(self.created | self.updated)


@dataclass(frozen=True)
class History:
    """Como anotar em `historico` o que um upsert mudar, na mesma transação."""

    run_id: int | None
    quando: datetime
    parts: tuple[str, ...] = ()
    """Chaves de `detalhe` que contam como colunas."""


def history_key(table: Table) -> str:
    """A coluna de `historico` que guarda os ids desta tabela."""
    return "registro_texto" if isinstance(table.c.id.type, Text) else "registro_id"


def upsert_statement(
    table: Table,
    columns: Collection[str],
    *,
    volatile: Collection[str] = (),
    history: Collection[str] | None = None,
    newest: bool = False,
) -> TextClause:
    """INSERT … ON CONFLICT (id) DO UPDATE das `columns`, com as linhas em `:rows` (jsonb).

    Uma linha igual à guardada não é tocada; as colunas `volatile` não contam nessa comparação. Com `history` (chaves de
    `detalhe` que contam como colunas), o que muda numa linha já detalhada é anotado em `historico`. Com `newest` não
    se toca numa linha que já se leu depois, a não ser que o tenha dito um relógio adiantado (`:now` é a hora de agora).
    """
    names = [c.name for c in table.columns if c.name in columns]
    assert set(names) == set(columns), (table.name, columns)
    changing = [n for n in names if n != "id"]
    compared = [n for n in changing if n not in volatile]
    noted = [n for n in compared if n not in _UNHISTORICAL]
    before = after = notes = later = ""
    if newest:
        # Se o documento é o mesmo, o que a listagem diz dele ainda se grava.
        other = "atual.detalhe IS NOT NULL AND atual.detalhe IS DISTINCT FROM EXCLUDED.detalhe AND "
        later = f""" AND ({other if "detalhe" in table.c else ""}
                  atual.extraido_em > EXCLUDED.extraido_em AND atual.extraido_em <= :now) IS NOT TRUE"""
    if history is not None:
        before = f"""antes AS (
            SELECT atual.id, {_as_json(noted, history)} AS linha
            FROM {table.name} AS atual JOIN entrada ON entrada.id = atual.id WHERE atual.detalhe IS NOT NULL),"""
        after = f", {_as_json(noted, history)} AS linha"
        notes = f""", anotadas AS (
            INSERT INTO historico (tabela, {history_key(table)}, quando, run_id, mudancas)
            SELECT '{table.name}', gravadas.id, CAST(:quando AS timestamptz), CAST(:run_id AS integer), mudancas
            FROM gravadas JOIN antes ON antes.id = gravadas.id
            CROSS JOIN LATERAL (
                SELECT jsonb_object_agg(k, jsonb_build_array(antes.linha -> k, gravadas.linha -> k)) AS mudancas
                FROM jsonb_object_keys(gravadas.linha) AS k
                WHERE antes.linha -> k IS DISTINCT FROM gravadas.linha -> k) AS m
            WHERE mudancas IS NOT NULL)"""
    return text(f"""
        WITH entrada AS (SELECT * FROM {_recordset(table, names)}), {before}
        gravadas AS (
            INSERT INTO {table.name} AS atual ({", ".join(names)})
            SELECT {", ".join(names)} FROM entrada
            ON CONFLICT (id) DO UPDATE SET {", ".join(f"{n} = EXCLUDED.{n}" for n in changing)}
            WHERE ({", ".join(f"atual.{n}" for n in compared)})
                  IS DISTINCT FROM ({", ".join(f"EXCLUDED.{n}" for n in compared)}){later}
            RETURNING atual.id, (xmax = 0) AS criada{after}){notes}
        SELECT id, criada FROM gravadas""")


def _as_json(columns: Collection[str], parts: Collection[str]) -> str:
    pairs = [f"'{c}', atual.{c}" for c in columns] + [f"'{p}', atual.detalhe -> '{p}'" for p in parts]
    return f"jsonb_build_object({', '.join(pairs)})"


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
    connection: AsyncConnection,
    table: Table,
    rows: Iterable[Row],
    *,
    volatile: Collection[str] = ("extraido_em",),
    history: History | None = None,
    now: datetime | None = None,
) -> Upserted:
    """Grava as linhas (todas com as mesmas colunas); de um id repetido, vale a última. Com `now`, a hora de agora, não
    se toca numa que se leu depois (`extraido_em`)."""
    unique = {row["id"]: row for row in rows}
    if not unique:
        return Upserted(frozenset(), frozenset())
    columns = next(iter(unique.values())).keys()
    parts = history.parts if history is not None else None
    statement = upsert_statement(table, columns, volatile=volatile, history=parts, newest=now is not None)
    parameters: dict[str, Any] = {"rows": dumps(list(unique.values()))}
    if now is not None:
        parameters["now"] = now
    if history is not None:
        parameters |= {"quando": history.quando, "run_id": history.run_id}
    result = (await connection.execute(statement, parameters)).all()
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
    connection: AsyncConnection,
    table: Table,
    parent: str,
    parents: Sequence[int],
    rows: Sequence[Row],
    *,
    ours: str = "true",
) -> None:
    """Troca as linhas de `parents` (ids na coluna `parent`) por `rows`; só as que são `ours`, em SQL."""
    if parents:
        await connection.execute(
            text(f"DELETE FROM {table.name} WHERE {parent} = ANY(:parents) AND {ours}"), {"parents": list(parents)}
        )
    await insert(connection, table, rows)
