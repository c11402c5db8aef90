"""As trancas e os tokens: uma execução por vez, um que renova, cada `state` uma vez."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows, scalar

from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.auth.token_store import FORGET_AFTER, PgStateStore, PgTokenStore
from bling_collector.auth.tokens import Token
from bling_collector.db import schema
from bling_collector.db.connection.database import close, create_engine, explained, in_schema, parse_url
from bling_collector.db.connection.patience import is_gone
from bling_collector.db.run_lock import RunLock, is_locked, run_lock
from bling_collector.errors import DatabaseError, RunInProgressError

NOW = datetime(2026, 2, 20, 12, tzinfo=UTC)


@pytest.fixture
async def other_engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """O mesmo banco, visto de outro lugar."""
    engine = create_engine(parse_url(database_url))
    yield engine
    await close(engine)


async def test_the_lock_refuses_a_second_and_is_released_at_once(
    engine: AsyncEngine, other_engine: AsyncEngine
) -> None:
    for _ in range(20):
        async with run_lock(engine):
            with pytest.raises(RunInProgressError, match="em curso"):
                async with run_lock(other_engine):
                    pass
        async with run_lock(other_engine):
            assert await is_locked(engine)
    assert not await is_locked(engine)


async def test_looking_at_the_lock_does_not_take_it(engine: AsyncEngine, other_engine: AsyncEngine) -> None:
    """Quem mostra a situação de segundo em segundo não faz recusar a execução que começa."""

    async def look() -> None:
        for _ in range(50):
            await is_locked(other_engine)

    async def run() -> None:
        for _ in range(50):
            async with run_lock(engine):
                pass

    await asyncio.gather(look(), look(), run())


async def test_an_error_or_a_cancellation_releases_the_lock(engine: AsyncEngine, other_engine: AsyncEngine) -> None:
    with pytest.raises(ZeroDivisionError):
        async with run_lock(engine):
            raise ZeroDivisionError
    async with run_lock(other_engine):
        pass
    started = asyncio.Event()

    async def hold() -> None:
        async with run_lock(engine):
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with run_lock(other_engine):
        pass


async def test_a_dropped_connection_releases_the_lock(engine: AsyncEngine, other_engine: AsyncEngine) -> None:
    async with run_lock(engine):
        killed = await scalar(
            other_engine,
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        assert killed
        assert await _wait_until_free(other_engine)


async def _wait_until_free(engine: AsyncEngine) -> bool:
    for _ in range(2000):
        if not await is_locked(engine):
            return True
    return False


async def test_each_schema_has_its_tables_and_its_lock(engine: AsyncEngine, database_url: str) -> None:
    joint = "&" if "?" in database_url else "?"
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE SCHEMA norte")
        await connection.exec_driver_sql("CREATE SCHEMA sul")
    engines = [create_engine(parse_url(f"{database_url}{joint}options=-csearch_path%3D{s}")) for s in ("norte", "sul")]
    try:
        await asyncio.gather(*(schema.upgrade(each) for each in engines))
        north, south = engines
        async with north.begin() as connection:
            await connection.exec_driver_sql("INSERT INTO contatos (id) VALUES (1)")
        assert await rows(south, "SELECT id FROM contatos") == []
        assert await rows(engine, "SELECT id FROM contatos") == []
        async with run_lock(north), run_lock(south), run_lock(engine):
            assert await is_locked(north)
        async with run_lock(north):
            assert not await is_locked(south)
    finally:
        for each in engines:
            await close(each)


async def test_the_locks_of_many_companies_are_held_by_one_session_and_lost_with_it(
    engine: AsyncEngine, other_engine: AsyncEngine
) -> None:
    """Mais do que as conexões que há; e a queda de uma sessão é de todas as execuções, que voltam uma a uma."""
    names = [f"empresa_{n}" for n in range(20)]
    async with engine.begin() as connection:
        for name in names:
            await connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    locks = [RunLock(in_schema(engine, name)) for name in names]
    assert all(await asyncio.gather(*(lock.take() for lock in locks)))
    assert not await RunLock(in_schema(engine, names[0])).take(), "nem no mesmo processo"
    assert not await RunLock(in_schema(other_engine, names[0])).take()
    held = "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    assert await scalar(other_engine, held) == 1
    await locks[0].release()
    assert not await is_locked(in_schema(other_engine, names[0]))
    for lock in locks[1:]:
        await lock.keep()

    await scalar(
        other_engine, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted LIMIT 1"
    )
    for lock in locks[1:]:
        with pytest.raises(DBAPIError) as lost:
            await lock.keep()
        assert is_gone(lost.value), "o mesmo que uma conexão que caiu"
    with_the_fallen = RunLock(in_schema(engine, names[0]))
    assert await with_the_fallen.take(), "quem chega antes que se note a queda não paga por ela"
    await with_the_fallen.release()
    await asyncio.gather(*(lock.retake() for lock in locks[1:]))
    for lock, name in zip(locks[1:], names[1:], strict=True):
        await lock.keep()
        assert await is_locked(in_schema(other_engine, name))
    await asyncio.gather(*(lock.release() for lock in locks))
    assert await scalar(other_engine, held) == 0


async def test_a_lock_asked_for_and_given_up_is_free(engine: AsyncEngine, other_engine: AsyncEngine) -> None:
    """Cancelada a qualquer altura, a pergunta não deixa a tranca com ninguém, nem a tira a outra empresa."""
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE SCHEMA empresa_b")
    other = RunLock(in_schema(engine, "empresa_b"))
    assert await other.take()
    for turns in range(40):
        lock = RunLock(engine)
        asking = asyncio.create_task(lock.take())
        for _ in range(turns):
            await asyncio.sleep(0)
        cut = not asking.done()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await other.keep()
        assert await is_locked(other_engine) is not cut, turns
        await lock.release()
    await other.release()


def token(number: int) -> Token:
    return Token(f"acesso-{number}", f"renovacao-{number}", NOW + timedelta(hours=number), updated_at=NOW)


async def test_the_token_goes_and_comes_back_whole(engine: AsyncEngine) -> None:
    store = PgTokenStore(engine, TokenCipher())
    assert await store.read() is None
    long = Token("x" * 5000, "y", NOW, token_type="bearer", updated_at=NOW, refresh_in_doubt=True)
    async with store.locked() as tokens:
        assert await tokens.read() is None
        await tokens.save(long)
    assert await store.read() == long
    async with store.locked() as tokens:
        await tokens.save(token(1))
    assert await store.read() == token(1)
    assert await scalar(engine, "SELECT count(*) FROM oauth_tokens") == 1


async def test_what_is_saved_under_the_lock_counts_before_its_release(
    engine: AsyncEngine, other_engine: AsyncEngine
) -> None:
    async with PgTokenStore(engine, TokenCipher()).locked() as tokens:
        await tokens.save(token(1))
        assert await PgTokenStore(other_engine, TokenCipher()).read() == token(1)


async def test_many_at_once_enter_one_at_a_time(engine: AsyncEngine, other_engine: AsyncEngine) -> None:
    inside, refreshed = 0, 0

    async def refresh(each: AsyncEngine) -> None:
        nonlocal inside, refreshed
        async with PgTokenStore(each, TokenCipher()).locked() as tokens:
            inside += 1
            assert inside == 1, "dois com a tranca na mão"
            if await tokens.read() is None:
                refreshed += 1
                await tokens.save(token(1))
            inside -= 1

    await asyncio.gather(*(refresh(each) for each in (engine, other_engine) * 5))
    assert refreshed == 1


async def test_a_value_is_used_once(engine: AsyncEngine) -> None:
    states = PgStateStore(engine)
    ends = NOW + timedelta(minutes=10)
    assert not await states.is_spent("um")
    tries = await asyncio.gather(*(states.spend("um", ends, NOW) for _ in range(5)))
    assert sorted(tries) == [False] * 4 + [True]
    assert await states.is_spent("um")
    assert not await states.is_spent("outro")
    assert "um" not in str(await rows(engine, "SELECT state_hash FROM oauth_states"))


async def test_those_long_expired_disappear(engine: AsyncEngine) -> None:
    states = PgStateStore(engine)
    assert await states.spend("velho", NOW, NOW)
    assert await states.spend("novo", NOW + FORGET_AFTER * 3, NOW + FORGET_AFTER * 2)
    assert await scalar(engine, "SELECT count(*) FROM oauth_states") == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"host": "127.0.0.1", "port": 1, "query": {}}, r"127\.0\.0\.1:1 não atende.*Confira se o servidor está no ar"),
        ({"database": "nao_existe"}, r"does not exist.*Crie o banco"),
        ({"username": "ninguem"}, r"não deixa este usuário entrar.*ninguem.*Confira usuário e senha"),
    ],
)
async def test_a_database_that_does_not_answer_becomes_a_sentence(
    database_url: str, change: dict[str, object], words: str
) -> None:
    url = parse_url(database_url).set(**change)  # type: ignore[arg-type]  # cada caso troca uma parte do endereço
    engine = create_engine(url.set(password="segredo-do-banco"))
    try:
        with pytest.raises(DatabaseError, match=words) as caught:
            await schema.upgrade(engine)
    finally:
        await close(engine)
    assert "segredo" not in str(caught.value)


async def test_a_database_that_falls_midway_becomes_a_sentence(engine: AsyncEngine, other_engine: AsyncEngine) -> None:
    async def work() -> None:
        async with explained(engine.url), engine.connect() as connection:
            pid = (await connection.exec_driver_sql("SELECT pg_backend_pid()")).scalar_one()
            await scalar(other_engine, "SELECT pg_terminate_backend(:pid)", pid=pid)
            await connection.exec_driver_sql("SELECT 1")

    with pytest.raises(DatabaseError, match=r"A conexão com o banco em .* caiu"):
        await work()
