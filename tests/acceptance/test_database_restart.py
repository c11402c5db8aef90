"""O PostgreSQL que cai no meio de uma execução: ela espera por ele, retoma a tranca e termina igual ao Bling."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from datetime import date

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.chaos.postgres import STOPS, Postgres, mortal_postgres
from tests.chaos.proxy import proxy
from tests.support.collecting import authorise, collector_settings, until
from tests.support.fakes import FakeClock
from tests.support.postgres import libpq_url
from tests.support.truth import assert_equals_truth

from bling_collector.config import Secret
from bling_collector.db.connection import patience
from bling_collector.db.run_lock import RunLock
from bling_collector.errors import DatabaseError, RunInProgressError
from bling_collector.etl.progress import Progress
from bling_collector.runs.request import RunResult
from bling_collector.workplace.account import Account, open_account
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer

START = date(2021, 1, 1)
Disaster = Callable[[], Awaitable[None]]
pytestmark = pytest.mark.bling(scale=0.1)


@pytest.fixture
async def mortal() -> AsyncIterator[Postgres]:
    async with mortal_postgres() as postgres:
        yield postgres


@asynccontextmanager
async def collector(server: RunningServer, url: str, clock: FakeClock) -> AsyncIterator[Account]:
    async with open_account(collector_settings(server.api_url, Secret(url)), clock=clock) as account:
        yield account


async def full_load(account: Account, disaster: Disaster, at: tuple[int, ...]) -> RunResult:
    """A carga inteira, com o desastre quando tantos registros já estão salvos."""
    waiting, struck = list(at), set[asyncio.Task[None]]()

    def sink(progress: Progress) -> None:
        if waiting and progress.saved.total() >= waiting[0]:
            waiting.pop(0)
            struck.add(asyncio.ensure_future(disaster()))

    try:
        result = await account.pipeline.run_full(START, sink=sink)
    finally:
        await asyncio.gather(*struck)
    assert not waiting
    return result


async def runs(account: Account) -> list[str]:
    async with account.engine.connect() as connection:
        return list((await connection.execute(text("SELECT status FROM etl_controle ORDER BY id"))).scalars())


@pytest.mark.slow
@pytest.mark.parametrize("how", [pytest.param(how, marks=[pytest.mark.slow] * (how != "kill -9")) for how in STOPS])
async def test_a_restart_in_the_middle_costs_only_the_batch_in_hand(
    server: RunningServer, bling: Bling, clock: FakeClock, mortal: Postgres, how: str
) -> None:
    url = mortal.url(await mortal.create())

    async def restart() -> None:
        await mortal.stop(STOPS[how])
        await asyncio.to_thread(mortal.start)

    async with collector(server, url, clock) as account:
        await authorise(account, bling)
        result = await full_load(account, restart, (20, 150))
        assert (result.status, result.message) == ("success", None)
        assert await runs(account) == ["success"]
        await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_connections_ended_by_an_administrator_are_opened_again(
    server: RunningServer, bling: Bling, clock: FakeClock, mortal: Postgres
) -> None:
    database = await mortal.create()

    async def end_them() -> None:
        await mortal.terminate_backends(database)

    async with collector(server, mortal.url(database), clock) as account:
        await authorise(account, bling)
        result = await full_load(account, end_them, (10, 60, 150, 200))
        assert (result.status, await runs(account)) == ("success", ["success"])
        await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_a_network_that_forgets_the_connections(
    server: RunningServer, bling: Bling, clock: FakeClock, mortal: Postgres
) -> None:
    """O servidor não cai, e a sessão que tinha a tranca ainda vive nele: a execução a encerra e toma a tranca."""
    database = await mortal.create()
    async with proxy(mortal.connect) as middle:

        async def cut() -> None:
            middle.cut()

        url = f"postgresql+psycopg://{_user(mortal)}@127.0.0.1:{middle.port}/{database}"
        async with collector(server, url, clock) as account:
            await authorise(account, bling)
            result = await full_load(account, cut, (20, 150))
            assert (result.status, await runs(account)) == ("success", ["success"])
            await assert_equals_truth(account.engine, bling)


def _user(mortal: Postgres) -> str:
    return mortal.url("x").partition("://")[2].partition("@")[0]


@pytest.mark.slow
async def test_whoever_took_the_lock_meanwhile_keeps_it(
    server: RunningServer, bling: Bling, clock: FakeClock, mortal: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await mortal.create()
    monkeypatch.setattr("bling_collector.db.run_lock._PAUSE", 0.01)
    async with proxy(mortal.connect) as middle:
        others: list[psycopg.AsyncConnection] = []

        async def another_takes_over() -> None:
            """Enquanto nada passa para esta execução, a outra chega ao banco por outro caminho."""
            silence = asyncio.ensure_future(middle.hang(2))
            await asyncio.sleep(0)
            middle.cut()
            await mortal.terminate_backends(database)
            other = await psycopg.AsyncConnection.connect(libpq_url(mortal.url(database)), autocommit=True)
            others.append(other)
            await other.execute(
                "SELECT pg_advisory_lock(hashtextextended(current_schema() || 'bling_collector.run', 0))"
            )
            await other.execute("UPDATE etl_controle SET status = 'error'")
            await silence

        url = f"postgresql+psycopg://{_user(mortal)}@127.0.0.1:{middle.port}/{database}"
        async with collector(server, url, clock) as account:
            await authorise(account, bling)
            with pytest.raises(RunInProgressError, match="outra tomou"):
                await full_load(account, another_takes_over, (20,))
            await others[0].close()
            result = await account.pipeline.run()
            assert (result.status, await runs(account)) == ("success", ["error", "success"])
            await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_a_database_that_does_not_come_back_ends_the_run_and_the_next_one_completes(
    server: RunningServer, bling: Bling, clock: FakeClock, mortal: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = mortal.url(await mortal.create())
    monkeypatch.setattr(patience, "PATIENCE", 0.3)

    async def stop() -> None:
        await mortal.stop(signal.SIGKILL)

    async with collector(server, url, clock) as account:
        await authorise(account, bling)
        with pytest.raises(DatabaseError, match="não atende") as raised:
            await full_load(account, stop, (20,))
        assert raised.value.exit_code == 1
        mortal.start()
        result = await account.pipeline.run()
        assert (result.status, await runs(account)) == ("success", ["error", "success"])
        await assert_equals_truth(account.engine, bling)


async def test_the_lock_is_held_by_one_session_at_a_time(account: Account) -> None:
    one, other = RunLock(account.engine), RunLock(account.engine)
    assert await one.take()
    assert not await other.take()
    await one.retake()
    assert not await other.take()
    await one.release()
    assert await other.take()
    await other.release()


@pytest.mark.slow
@pytest.mark.bling(scale=0.02)
async def test_a_worker_outlives_the_database(
    server: RunningServer, bling: Bling, clock: FakeClock, mortal: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    from bling_collector.jobs.worker import work
    from bling_collector.workplace.companies import open_companies

    url = mortal.url(await mortal.create())
    async with AsyncExitStack() as stack, collector(server, url, clock) as account:
        await authorise(account, bling)
        await account.pipeline.run()
        stop = asyncio.Event()
        caplog.set_level("INFO")

        def said(words: str) -> Callable[[], Awaitable[bool]]:
            async def heard() -> bool:
                return any(words in message for message in caplog.messages)

            return heard

        companies = await stack.enter_async_context(
            open_companies(replace(account.settings, schedule="*/15 * * * * look"), clock=clock)
        )
        working = asyncio.create_task(work(companies, stop))
        await until(said("O worker está no ar"))
        await mortal.stop(STOPS["kill -9"])
        await until(said("A fila de tarefas não atende"))
        await asyncio.to_thread(mortal.start)
        clock.advance(3600)
        note = bling.sell()

        async def arrived() -> bool:
            with suppress(DBAPIError):
                async with account.engine.connect() as connection:
                    found = text("SELECT count(*) FROM nfe_cabecalho WHERE id = :id")
                    return bool(await connection.scalar(found, {"id": note}))
            return False

        await until(arrived)
        stop.set()
        await working
