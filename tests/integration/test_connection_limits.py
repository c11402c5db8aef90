"""Os limites de cada conexão, e uma migração que não faz esperar quem usa as tabelas."""

import asyncio
from collections.abc import Awaitable

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.postgres import libpq_url

from bling_collector.db import schema
from bling_collector.db.connection.database import close, create_engine, explained, parse_url
from bling_collector.db.migrations import HEAD
from bling_collector.errors import DatabaseError


async def shown(url: str, name: str) -> str:
    engine = create_engine(parse_url(url))
    try:
        async with engine.connect() as connection:
            return str(await connection.scalar(text(f"SHOW {name}")))
    finally:
        await close(engine)


@pytest.mark.parametrize(
    ("name", "value"),
    [("statement_timeout", "2min"), ("lock_timeout", "1min"), ("idle_in_transaction_session_timeout", "1min")],
)
async def test_every_connection_has_limits_and_the_address_can_change_them(
    database_url: str, name: str, value: str
) -> None:
    assert await shown(database_url, name) == value
    joined = "&" if "?" in database_url else "?"
    assert await shown(f"{database_url}{joined}options=-c%20{name}%3D7s", name) == "7s"
    assert await shown(f"{database_url}{joined}options=-c%20search_path%3Dpg_catalog", name) == value


async def test_the_address_may_name_the_program(database_url: str) -> None:
    joined = "&" if "?" in database_url else "?"
    assert await shown(database_url, "application_name") == "bling-collector"
    assert await shown(f"{database_url}{joined}application_name=painel", "application_name") == "painel"


async def test_a_command_that_takes_too_long_says_so(engine: AsyncEngine) -> None:
    async def slow() -> None:
        async with explained(engine.url), engine.begin() as connection:
            await connection.execute(text("SET LOCAL statement_timeout = '10ms'"))
            await connection.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(DatabaseError, match="demorou demais e o comando foi cancelado"):
        await slow()


async def test_an_idle_transaction_does_not_hold_what_it_locked(engine: AsyncEngine, database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(libpq_url(database_url)) as suspended:
        await suspended.execute("SET idle_in_transaction_session_timeout = '100ms'")
        await suspended.execute("SELECT * FROM limites_bling FOR UPDATE")
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE limites_bling SET usadas = 1"))
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            await suspended.execute("SELECT 1")


async def _old_database(engine: AsyncEngine) -> None:
    """As tabelas do primeiro coletor, ainda por migrar."""
    async with engine.begin() as connection:
        await connection.run_sync(schema.migrate, "0001")


async def _while_busy(url: str, work: Awaitable[object], release: asyncio.Event) -> object:
    async with await psycopg.AsyncConnection.connect(libpq_url(url)) as reader:
        await reader.execute("SELECT * FROM nfe_cabecalho")  # a transação aberta segura a tabela
        task = asyncio.ensure_future(work)
        await release.wait()
        await reader.rollback()
        return await task


async def test_a_migration_gives_way_to_who_uses_the_tables(
    empty_engine: AsyncEngine, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "LOCK_SECONDS", 0.1)
    await _old_database(empty_engine)
    release = asyncio.Event()

    async def others() -> None:
        """Quem chega depois da migração também só quer ler, e lê: ela não faz fila diante da tabela ocupada."""
        async with await psycopg.AsyncConnection.connect(libpq_url(empty_database_url), autocommit=True) as reader:
            for _ in range(20):
                await reader.execute("SELECT * FROM nfe_cabecalho")
        release.set()

    busy = _while_busy(empty_database_url, schema.upgrade(empty_engine), release)
    async with asyncio.timeout(120):  # com uma fila, um esperaria pelo outro para sempre
        answer, _ = await asyncio.gather(busy, others())
    assert answer == ("0001", HEAD)


@pytest.mark.slow
async def test_a_table_that_never_is_free_is_said_and_nothing_changes(
    empty_engine: AsyncEngine, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "LOCK_SECONDS", 0.05)
    monkeypatch.setattr(schema, "LOCK_PAUSE", 0.01)
    await _old_database(empty_engine)
    async with await psycopg.AsyncConnection.connect(libpq_url(empty_database_url)) as reader:
        await reader.execute("SELECT * FROM nfe_cabecalho")
        with pytest.raises(DatabaseError, match="Outro programa está usando as tabelas"):
            await schema.upgrade(empty_engine)
    assert await schema.current_revision(empty_engine) == "0001"
