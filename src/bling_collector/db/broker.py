"""As tabelas da fila de tarefas, que são do procrastinate e ficam num schema só delas: criadas e postas em dia.

O SQL é o do pacote, lido sem o carregar: só o worker o carrega.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from sqlalchemy import (
    TableClause,
    Text,
    any_,
    cast,
    column,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.schema import CreateSchema

from bling_collector.db.companies.schemas import base_of
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import explained, sqlstate
from bling_collector.errors import DatabaseError

ALIVE_SECONDS: Final = 30.0
"""Segundos sem sinal até que um worker conte como morto; ele dá um a cada dez."""
_LOCK: Final = "bling_collector.broker"
_SERVED: Final = "filas_atendidas"
"""De que filas cada worker tira o que fazer; nulo, de todas. Vai-se com o worker."""
_OURS: Final = """
    CREATE TABLE filas_atendidas (
        worker_id bigint PRIMARY KEY REFERENCES procrastinate_workers ON DELETE CASCADE, filas text[])"""
SERVE: Final = "INSERT INTO filas_atendidas (worker_id, filas) VALUES (%(worker_id)s, %(filas)s)"
_LONGEST: Final = 63
"""Caracteres de um nome no PostgreSQL."""


@dataclass(frozen=True)
class QueuePlace:
    """Onde fica a fila."""

    schema: str
    ours: str
    """O schema dos dados de que ela trata."""


async def upgrade(engine: AsyncEngine) -> QueuePlace:
    """Cria o schema da fila, ou o põe em dia. DatabaseError se este usuário não pode."""
    whole, migrations = _scripts()
    more = True
    async with explained(engine.url):
        while more:  # uma transação por migração: o valor que uma põe num tipo, só a seguinte pode usar
            async with engine.begin() as connection:
                place, user = await _place(connection), await connection.scalar(text("SELECT current_user"))
                name = place.schema
                try:
                    more = await _step(connection, name, whole, migrations)
                except DBAPIError as error:
                    if sqlstate(error) != "42501":
                        raise
                    raise DatabaseError(
                        f"A fila de tarefas do worker fica num schema só dela, {name}, em que o usuário {user} não "
                        f"pode criar tabelas. Com o dono do banco, rode CREATE SCHEMA {name} AUTHORIZATION {user}."
                    ) from error
    return place


async def _place(connection: AsyncConnection) -> QueuePlace:
    """A fila é uma só, ao lado da empresa principal; cada empresa tem nela as suas tarefas."""
    base, ours = await base_of(connection), str(await connection.scalar(text("SELECT current_schema()")))
    return QueuePlace("procrastinate" if base == "public" else f"procrastinate_{base}"[:_LONGEST], ours)


@dataclass(frozen=True)
class Asked:
    """Uma execução que se pediu à fila."""

    tipo: str
    status: str
    """`todo`, `doing` ou como acabou, nas palavras do procrastinate."""
    run_id: int | None
    """A execução que ela começou, assim que começou."""
    mensagem: str | None
    """Por que não se fez, se nem começou."""


async def is_attended(connection: AsyncConnection) -> bool:
    """Se há um worker que faça o que a empresa desta conexão puser na fila."""
    place = await _place(connection)
    workers = table("procrastinate_workers", column("id"), column("last_heartbeat"), schema=place.schema)
    served = table(_SERVED, column("worker_id"), column("filas", ARRAY(Text)), schema=place.schema)
    if not await _is_there(connection, served):
        return False
    alive = func.now() - timedelta(seconds=ALIVE_SECONDS)
    ours = or_(served.c.filas.is_(None), literal(place.ours) == any_(served.c.filas))
    working = exists().where(workers.c.id == served.c.worker_id, workers.c.last_heartbeat > alive, ours)
    return bool(await connection.scalar(select(working)))


async def load_asked(connection: AsyncConnection, job_id: int) -> Asked | None:
    """A tarefa com este número; None se não a há, ou já se esqueceu."""
    place = await _place(connection)
    jobs = _jobs(place)
    if not await _is_there(connection, jobs):
        return None
    status, args = cast(jobs.c.status, Text), jobs.c.args
    found = await connection.execute(
        select(jobs.c.task_name, status, args).where(jobs.c.id == job_id, jobs.c.queue_name == place.ours)
    )
    row = found.one_or_none()
    return None if row is None else Asked(row[0], row[1], row[2].get("run_id"), row[2].get("mensagem"))


async def note(engine: AsyncEngine, job_id: int, **facts: object) -> None:
    """Anota na tarefa o que quem a pediu há de perguntar: `run_id`, `mensagem`. Um banco que não o deixa não é um erro
    dela."""
    with suppress(SQLAlchemyError):
        async with engine.begin() as connection:
            jobs = _jobs(await _place(connection))
            more = jobs.c.args.op("||", return_type=JSONB)(cast(facts, JSONB))
            await connection.execute(update(jobs).where(jobs.c.id == job_id).values(args=more))


def _jobs(place: QueuePlace) -> TableClause:
    names = ("id", "queue_name", "task_name", "status")
    return table("procrastinate_jobs", *map(column, names), column("args", JSONB), schema=place.schema)


async def _is_there(connection: AsyncConnection, one: TableClause) -> bool:
    return bool(
        await connection.scalar(
            text("SELECT to_regclass(quote_ident(:schema) || '.' || quote_ident(:name)) IS NOT NULL"),
            {"schema": one.schema, "name": one.name},
        )
    )


async def forget(connection: AsyncConnection, queue: str) -> None:
    """Tira da fila tudo o que é de uma empresa; sem fila, não há o que tirar. É o último comando da transação."""
    place = await _place(connection)
    jobs = _jobs(place)
    if await _is_there(connection, jobs):
        path = text("SELECT set_config('search_path', quote_ident(:name), true)")  # o que os gatilhos dela procuram
        await connection.execute(path, {"name": place.schema})
        await connection.execute(delete(jobs).where(jobs.c.queue_name == queue))
        hours = table("procrastinate_periodic_defers", column("periodic_id"), schema=place.schema)
        await connection.execute(delete(hours).where(func.starts_with(hours.c.periodic_id, f"{queue} ")))


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
    whole = (folder / "schema.sql").read_text("utf-8")
    return f"{whole};\n{_OURS}", migrations | {f"{_SERVED}.sql": _OURS}
