"""O que o reprocessamento lê do banco e anota nele. Nada aqui faz COMMIT."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, Table, func, select, text, update

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import etl_controle

Dates = tuple[str, date | None, date | None] | None
"""A coluna do dia, e de quando a quando; None para tudo."""


def _kept(table: Table, after: object, period: Dates) -> list[ColumnElement[bool]]:
    c = table.c
    where: list[ColumnElement[bool]] = [c.detalhe.is_not(None)]
    if after is not None:
        where.append(c.id > after)
    column, inicio, fim = period or (None, None, None)
    if column is not None and inicio is not None:
        where.append(c[column] >= inicio)
    if column is not None and fim is not None:
        where.append(func.date(c[column]) <= fim)
    return where


async def count(connection: AsyncConnection, table: Table, after: object, period: Dates) -> int:
    """Quantas linhas com o JSON guardado há por refazer."""
    statement = select(func.count()).select_from(table).where(*_kept(table, after, period))
    return int(await connection.scalar(statement) or 0)


async def stored(
    connection: AsyncConnection, table: Table, after: object, limit: int, period: Dates
) -> Sequence[RowMapping]:
    """As próximas `limit` linhas, por id: `id`, `detalhe` e `extraido_em`."""
    statement: Select[Any] = select(table.c.id, table.c.detalhe, table.c.extraido_em)
    # Sem a tranca das linhas, o que um `sync` gravasse agora seria desfeito pelo JSON lido antes.
    ordered = statement.where(*_kept(table, after, period)).order_by(table.c.id).limit(limit).with_for_update()
    rows: Sequence[RowMapping] = (await connection.execute(ordered)).mappings().all()
    return rows


async def living(connection: AsyncConnection, table: Table, ids: Collection[int]) -> set[int]:
    """Dos `ids`, os que o Bling não deu por excluídos."""
    statement = select(table.c.id).where(table.c.id.in_(ids))
    if "excluida_em" in table.c:
        statement = statement.where(table.c.excluida_em.is_(None))
    return set((await connection.execute(statement)).scalars())


async def notas_of_contatos_without_detail(connection: AsyncConnection) -> Sequence[RowMapping]:
    """A nota mais nova de cada contato que só as notas conhecem: o `detalhe` dela e o `extraido_em` dele."""
    found = await connection.execute(
        text("""
            SELECT DISTINCT ON (n.contato_id) n.detalhe, c.extraido_em
            FROM contatos c JOIN nfe_cabecalho n ON n.contato_id = c.id
            WHERE c.detalhe IS NULL AND n.detalhe IS NOT NULL
            ORDER BY n.contato_id, n.data_emissao DESC NULLS LAST, n.id DESC""")
    )
    return found.mappings().all()


async def move_cursor(connection: AsyncConnection, run_id: int, cursor: int | None) -> None:
    """Anota na execução o id da última nota refeita; None quando não há mais o que refazer."""
    await connection.execute(update(etl_controle).where(etl_controle.c.id == run_id).values(cursor=cursor))


async def interrupted_cursor(
    connection: AsyncConnection, inicio: date | None, fim: date | None, *, since: datetime, now: datetime
) -> int:
    """Onde o último reprocessamento do mesmo período parou sem terminar, se começou entre os dois; senão, zero."""
    c = etl_controle.c
    last = (
        await connection.execute(
            select(c.inicio, c.cursor)
            .where(
                c.tipo == "reprocess", c.data_inicio.is_not_distinct_from(inicio), c.data_fim.is_not_distinct_from(fim)
            )
            .order_by(c.id.desc())
            .limit(1)
        )
    ).one_or_none()
    return last.cursor or 0 if last is not None and since < last.inicio <= now else 0
