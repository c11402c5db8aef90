"""As mesmas conexões servem a vários schemas: cada transação se passa no do seu motor."""

import asyncio
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows, scalar
from tests.support.postgres import execute

from bling_collector.db import schema
from bling_collector.db.connection.database import in_schema
from bling_collector.db.connection.patience import is_gone
from bling_collector.errors import UsageError

WHERE = "SELECT pg_backend_pid(), current_schema()"


@pytest.fixture
async def other(engine: AsyncEngine) -> AsyncEngine:
    return await schema.create(engine, "Empresa “B”; drop")


async def test_one_connection_serves_every_schema(engine: AsyncEngine, other: AsyncEngine) -> None:
    autocommit = other.execution_options(isolation_level="AUTOCOMMIT")
    seen = [(await rows(each, WHERE))[0] for each in (engine, other, engine, autocommit, other, engine)]
    assert len({pid for pid, _ in seen}) == 1
    b = "Empresa “B”; drop"
    assert [name for _, name in seen] == ["public", b, "public", b, b, "public"]


async def test_a_transaction_undone_leaves_it_in_its_schema(engine: AsyncEngine, other: AsyncEngine) -> None:
    async with other.connect() as connection:
        await connection.execute(text("SELECT 1"))
        await connection.rollback()
        assert await connection.scalar(text("SELECT current_schema()")) != "public"
        await connection.invalidate()
        await connection.rollback()
        assert await connection.scalar(text("SELECT current_schema()")) != "public", "a que se religou"
    assert await scalar(engine, "SELECT current_schema()") == "public"


async def test_a_change_that_was_cut_is_made_again(
    engine: AsyncEngine, other: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sessão chegou a mudar de schema, e quem a mudava não o soube."""
    commit = psycopg.AsyncConnection.commit

    async def cut(connection: psycopg.AsyncConnection[object]) -> None:
        await commit(connection)
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.AsyncConnection, "commit", cut)
        with pytest.raises(asyncio.CancelledError):
            await rows(other, WHERE)
    assert await scalar(engine, "SELECT current_schema()") == "public"


async def test_a_session_that_ended_is_an_error_of_the_database(
    engine: AsyncEngine, other: AsyncEngine, database_url: str
) -> None:
    async with other.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await execute(database_url, f"SELECT pg_terminate_backend({raw.info.backend_pid})")
        with pytest.raises(DBAPIError) as raised:
            await connection.execute(text("SELECT 1"))
        assert is_gone(raised.value)
    assert (await rows(other, WHERE))[0][1] != "public"


async def test_who_has_one_schema_pays_nothing_for_it(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    run = psycopg.AsyncCursor.execute

    async def heard(cursor: Any, query: Any, *args: Any, **more: Any) -> Any:
        said.append(str(query))
        return await run(cursor, query, *args, **more)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", heard)
    for _ in range(2):
        await rows(engine, WHERE)
    assert said.count(WHERE) == 2
    assert not [each for each in said if "search_path" in each]


@pytest.mark.slow
async def test_a_schema_made_twice_at_once_is_made_once(engine: AsyncEngine) -> None:
    made = await asyncio.gather(*(schema.create(engine, "empresa_c") for _ in range(3)), return_exceptions=True)
    assert sorted(isinstance(each, UsageError) for each in made) == [False, True, True]
    await asyncio.gather(*(schema.upgrade(in_schema(engine, "empresa_c")) for _ in made))
    assert await scalar(in_schema(engine, "empresa_c"), "SELECT count(*) FROM empresa_c.contatos") == 0
