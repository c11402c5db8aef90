"""As tabelas da fila de tarefas, que são do procrastinate e ficam num schema só delas: criadas e postas em dia.

O SQL é o do pacote, lido sem o carregar: só o worker o carrega.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateSchema

from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.database import explained, sqlstate
from bling_collector.errors import DatabaseError

_LOCK: Final = "bling_collector.broker"
_LONGEST: Final = 63
"""Caracteres de um nome no PostgreSQL."""


@dataclass(frozen=True)
class Place:
    """Onde fica a fila."""

    schema: str
    ours: str
    """O schema dos dados de que ela trata."""


async def upgrade(engine: AsyncEngine) -> Place:
    """Cria o schema da fila, ou o põe em dia. DatabaseError se este usuário não pode."""
    whole, migrations = _scripts()
    more = True
    async with explained(engine.url):
        while more:  # uma transação por migração: o valor que uma põe num tipo, só a seguinte pode usar
            async with engine.begin() as connection:
                ours, user = (await connection.execute(text("SELECT current_schema(), current_user"))).one()
                name = "procrastinate" if ours == "public" else f"procrastinate_{ours}"[:_LONGEST]
                try:
                    more = await _step(connection, name, whole, migrations)
                except DBAPIError as error:
                    if sqlstate(error) != "42501":
                        raise
                    raise DatabaseError(
                        f"A fila de tarefas do worker fica num schema só dela, {name}, em que o usuário {user} não "
                        f"pode criar tabelas. Com o dono do banco, rode CREATE SCHEMA {name} AUTHORIZATION {user}."
                    ) from error
    return Place(name, ours)


async def _step(connection: AsyncConnection, name: str, whole: str, migrations: Mapping[str, str]) -> bool:
    """Cria tudo, ou aplica a próxima migração que falta; se ainda falta alguma."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:schema AS text) || :name, 0))")
    await connection.execute(lock, {"schema": name, "name": _LOCK})
    if await connection.scalar(text("SELECT to_regnamespace(quote_ident(:name))"), {"name": name}) is None:
        await connection.execute(CreateSchema(name))
    await connection.execute(
        text("SELECT set_config('search_path', quote_ident(:name), true), set_config('lock_timeout', '10s', true)"),
        {"name": name},
    )
    if await connection.scalar(text("SELECT to_regclass('procrastinate_jobs')")) is None:
        await _run(connection, whole)
        await connection.execute(text("CREATE TABLE migracoes (arquivo text PRIMARY KEY)"))
        applied = list(migrations)
    else:
        known = set((await connection.execute(text("SELECT arquivo FROM migracoes"))).scalars())
        applied = [each for each in migrations if each not in known][:1]
        for each in applied:
            await _run(connection, migrations[each])
    note = text("INSERT INTO migracoes SELECT unnest(CAST(:names AS text[]))")
    await connection.execute(note, {"names": applied})
    return len(applied) == 1


async def _run(connection: AsyncConnection, script: str) -> None:
    """Os comandos todos de um arquivo, como estão nele."""
    plain = await connection.execution_options(no_parameters=True)
    await plain.exec_driver_sql(script)
    await connection.execution_options(no_parameters=False)


def _scripts() -> tuple[str, dict[str, str]]:
    """O que cria tudo, e o que leva de cada versão à seguinte."""
    spec = find_spec("procrastinate")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "sql"
    migrations = {path.name: path.read_text("utf-8") for path in sorted((folder / "migrations").glob("*.sql"))}
    return (folder / "schema.sql").read_text("utf-8"), migrations
