"""A sessão é do coletor: nem os costumes do banco, nem a língua do servidor, nem um intermediário a mudam."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.postgres import drop_database, execute, libpq_url
from tests.support.transaction_pooler import pooler

from bling_collector.db import schema
from bling_collector.db.connection.database import close, create_engine, explained, parse_url
from bling_collector.db.connection.patience import is_gone
from bling_collector.db.connection.session import PINNED, Sessions
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.db.run_lock import RunLock, is_locked, run_lock
from bling_collector.errors import DatabaseError, RunInProgressError

ODD = {
    "DateStyle": "German",
    "IntervalStyle": "sql_standard",
    "TimeZone": "Asia/Kathmandu",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "array_nulls": "off",
    "standard_conforming_strings": "off",
    "transform_null_equals": "on",
    "client_encoding": "LATIN1",
    "synchronous_commit": "off",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "statement_timeout": "7s",
    "idle_session_timeout": "7s",
}
"""Um banco com todos os costumes que mudariam o que se lê ou se grava."""


def database_of(url: str) -> str:
    return str(parse_url(url).database)


async def customs(url: str, values: dict[str, str]) -> None:
    """Dá ao banco os costumes `values`."""
    await execute(url, *(f"ALTER DATABASE {database_of(url)} SET {name} = '{values[name]}'" for name in values))


async def test_no_custom_of_the_database_reaches_the_session(database_url: str) -> None:
    await customs(database_url, ODD)
    engine = create_engine(parse_url(database_url))
    async with explained(engine.url), engine.begin() as connection:
        for name, value in PINNED.items():
            assert await connection.scalar(text(f"SELECT current_setting('{name}')")) == value
        assert await connection.scalar(text("SHOW transaction_isolation")) == "read committed"
        assert await connection.scalar(text("SHOW statement_timeout")) == "2min"
        assert await connection.scalar(text("SHOW idle_session_timeout")) == "0"
        row = (await connection.execute(text("SELECT date '2026-02-01', interval '1 day 02:00', 'ç — ž'"))).one()
        assert (row[0].isoformat(), row[1].total_seconds(), row[2]) == ("2026-02-01", 93_600, "ç — ž")
    await close(engine)


async def test_the_address_and_the_environment_move_only_what_they_may(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGDATESTYLE", "German")
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=1ms")
    joined = "&" if "?" in database_url else "?"
    options = "options=-c%20DateStyle%3DSQL%20--lock-timeout%3D7s%20-csearch_path%3Dpg_catalog&client_encoding=latin1"
    engine = create_engine(parse_url(f"{database_url}{joined}{options}"))
    async with engine.connect() as connection:
        shown = {n: await connection.scalar(text(f"SHOW {n}")) for n in ("datestyle", "lock_timeout", "search_path")}
        assert shown == {"datestyle": "ISO, MDY", "lock_timeout": "7s", "search_path": "pg_catalog"}
        assert await connection.scalar(text("SHOW client_encoding")) == "UTF8"
    await close(engine)


async def test_a_server_that_asks_for_more_than_the_disk_is_heard(database_url: str) -> None:
    await customs(database_url, {"synchronous_commit": "remote_apply"})
    engine = create_engine(parse_url(database_url))
    async with engine.connect() as connection:
        assert await connection.scalar(text("SHOW synchronous_commit")) == "remote_apply"
    await close(engine)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
async def test_a_database_in_which_not_every_letter_fits_is_refused(
    postgres: EmbeddedServer, database_url: str, encoding: str
) -> None:
    name = f"{database_of(database_url)}_{encoding.lower()}"
    await execute(postgres.url, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
    url = parse_url(database_url).set(database=name)
    engine = create_engine(url)
    try:
        with pytest.raises(DatabaseError, match=f"guarda textos em {encoding}.*ENCODING 'UTF8'"):
            await schema.upgrade(engine)
    finally:
        await close(engine)
        await drop_database(postgres, url.render_as_string(hide_password=False))


# --- quem recusa a conexão, noutra língua ---------------------------------------------------------------------------


@asynccontextmanager
async def german_server(sqlstate: str) -> AsyncIterator[int]:
    """Um servidor que recusa toda conexão, em alemão; a porta dele."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            (size,) = struct.unpack("!i", await reader.readexactly(4))
            if (await reader.readexactly(size - 4))[:2] != struct.pack("!h", 1234):
                break
            writer.write(b"N")  # sem TLS
        fields = {b"S": "SCHWERWIEGEND", b"V": "FATAL", b"C": sqlstate, b"M": "Das geht nicht: »ana« existiert nicht"}
        body = b"".join(kind + said.encode() + b"\0" for kind, said in fields.items()) + b"\0"
        writer.write(b"E" + struct.pack("!i", len(body) + 4) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("sqlstate", "advice", "passes"),
    [
        ("28P01", "Confira usuário e senha", False),
        ("28000", "não deixa este usuário entrar", False),
        ("3D000", "Crie o banco", False),
        ("53300", "não tem conexão livre", True),
        ("57P03", "ainda não atende", True),
    ],
)
async def test_a_refused_connection_is_understood_in_any_language(sqlstate: str, advice: str, passes: bool) -> None:
    async with german_server(sqlstate) as port:
        url = parse_url(f"postgresql://ana:senha@127.0.0.1:{port}/notas")
        with pytest.raises(DatabaseError, match=advice) as caught:
            async with explained(url), create_engine(url).connect():
                pass
        cause = caught.value.__cause__
        assert isinstance(cause, DBAPIError)
        assert is_gone(cause) is passes, "só se espera pelo que costuma passar"


async def test_a_name_that_nobody_has() -> None:
    url = parse_url("postgresql://ana:senha@nada.invalid/notas")
    with pytest.raises(DatabaseError, match="O nome do servidor em DATABASE_URL não existe"):
        async with explained(url), create_engine(url).connect():
            pass


# --- um intermediário que troca de sessão ----------------------------------------------------------------------------


@pytest.mark.parametrize("sessions", [1, 3])
@pytest.mark.parametrize("honest", [True, False], ids=["diz outro número", "diz o número de uma sessão"])
async def test_what_changes_session_at_each_transaction_is_refused_and_leaves_no_lock(
    engine: AsyncEngine, database_url: str, sessions: int, honest: bool
) -> None:
    async with pooler(libpq_url(database_url), sessions=sessions, own_pid=honest) as address:
        behind = create_engine(parse_url(address))
        try:
            with pytest.raises(DatabaseError, match=r"troca de sessão a cada transação.*pool_mode = session"):
                async with run_lock(behind):
                    pytest.fail("a tranca não vale")
        finally:
            await close(behind)
        assert not await is_locked(engine)


async def test_a_lock_whose_session_is_no_longer_the_same_is_lost(engine: AsyncEngine) -> None:
    lock = RunLock(engine)
    assert await lock.take()
    lock._session.identity["pid"] = 1
    with pytest.raises(DatabaseError, match="troca de sessão"):
        await lock.keep()
    await lock.release()


async def test_a_lock_left_behind_is_shown_with_how_to_release_it(engine: AsyncEngine, database_url: str) -> None:
    url = libpq_url(database_url)
    async with await psycopg.AsyncConnection.connect(url, application_name="outro", autocommit=True) as left:
        await left.execute("SELECT pg_advisory_lock(hashtextextended(current_schema() || 'bling_collector.run', 0))")
        with pytest.raises(RunInProgressError, match=rf"pg_terminate_backend\({left.info.backend_pid}\)"):
            async with run_lock(engine):
                pass
        await left.execute("SELECT pg_advisory_unlock_all()")
    async with run_lock(engine):
        with pytest.raises(RunInProgressError, match="A tranca está com a sessão") as caught:
            async with run_lock(engine):
                pass
        assert "terminate" not in str(caught.value), "uma execução viva não se encerra à mão"


# --- o que falta ao usuário -------------------------------------------------------------------------------------------


async def test_the_missing_rights_are_named(engine: AsyncEngine, database_url: str) -> None:
    role = f"leitor_{database_of(database_url)}"
    await execute(
        database_url,
        f"CREATE ROLE {role} LOGIN",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
    )
    reader = create_engine(parse_url(database_url).set(username=role))
    try:
        async with reader.connect() as connection:
            assert await schema.missing_rights(connection) is None
        await execute(
            database_url,
            f"REVOKE INSERT, DELETE ON nfe_itens FROM {role}",
            f"REVOKE USAGE ON SEQUENCE etl_controle_id_seq FROM {role}",
            "ALTER TABLE contatos ENABLE ROW LEVEL SECURITY",
        )
        async with explained(reader.url), reader.connect() as connection:
            with pytest.raises(DatabaseError) as caught:
                await schema.check_usable(connection)
        for missing in ("nfe_itens (DELETE, INSERT)", "etl_controle_id_seq (USAGE)", "contatos (as linhas"):
            assert missing in str(caught.value)
        with pytest.raises(DatabaseError, match="não tem uma permissão"):
            async with explained(reader.url), reader.connect() as connection:
                await connection.execute(text("SELECT count(*) FROM contatos"))
        async with engine.connect() as connection:
            assert await schema.missing_rights(connection) is None, "ao dono nada falta"
    finally:
        await close(reader)
        await execute(database_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_the_options_are_read_as_postgresql_does() -> None:
    ours = Sessions("-c statement_timeout=5min --Lock-Timeout=1s -csearch_path=x")._ours
    assert "statement_timeout" not in ours
    assert "lock_timeout" not in ours
    assert "idle_session_timeout" in ours


async def test_closing_waits_for_the_connection_someone_still_has(empty_database_url: str) -> None:
    """Devolvida a um motor que já se fechou, ficaria aberta."""
    engine, taken, done = create_engine(parse_url(empty_database_url)), asyncio.Event(), asyncio.Event()

    async def use() -> Any:
        async with engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            taken.set()
            await done.wait()
        return raw

    using = asyncio.create_task(use())
    await taken.wait()
    closing = asyncio.create_task(close(engine))
    await asyncio.sleep(0)  # para que comece a fechar
    done.set()
    await closing
    assert (await using).closed
