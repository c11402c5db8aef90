"""As fotografias: tabelas em que cada leitura acrescenta as suas linhas. Nada aqui faz COMMIT."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, select

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.upsert import insert
from bling_collector.payload import Row


async def photographed(
    connection: AsyncConnection, table: Table, taken: str, at: datetime, ids: Collection[Any]
) -> set[Any]:
    """Dos `ids`, os que a fotografia desta hora tem. `taken` é a coluna da hora."""
    found = await connection.execute(select(_id(table, taken)).where(*_of(table, taken, at, ids)))
    return {*found.scalars()}


async def photograph_again(
    connection: AsyncConnection, table: Table, taken: str, at: datetime, rows: Mapping[Any, list[Row]]
) -> set[Any]:
    """Troca, na fotografia desta hora, as linhas destes ids pelas que se leram agora; devolve os ids que mudaram."""
    mine, key = _of(table, taken, at, rows.keys()), _id(table, taken).name
    before: dict[Any, list[Row]] = {id_: [] for id_ in rows}
    for row in (await connection.execute(select(table).where(*mine))).mappings():
        before[row[key]].append(dict(row))
    names = [column.name for column in table.primary_key]
    changed = {id_ for id_, now in rows.items() if _by(names, before[id_]) != _by(names, now)}
    await connection.execute(delete(table).where(*_of(table, taken, at, changed)))
    await insert(connection, table, [row for id_ in changed for row in rows[id_]])
    return changed


def _by(names: Collection[str], rows: Collection[Row]) -> dict[tuple[Any, ...], Row]:
    return {tuple(row[name] for name in names): dict(row) for row in rows}


def _id(table: Table, taken: str) -> ColumnElement[Any]:
    """A coluna do id: da chave, a primeira que não é a hora."""
    return next(column for column in table.primary_key if column.name != taken)


def _of(table: Table, taken: str, at: datetime, ids: Collection[Any]) -> tuple[ColumnElement[bool], ...]:
    return table.c[taken] == at, _id(table, taken).in_(ids)
