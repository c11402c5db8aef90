"""Uma execução que o serviço deixa a um worker: o 202 na hora, uma só por mais que se peça, e onde se acompanha."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import problem, serving
from tests.support.collecting import rows, scalar, until
from tests.support.fakes import FakeClock
from tests.support.truth import assert_equals_truth

from bling_collector.config import Settings
from bling_collector.db import broker
from bling_collector.jobs.broker import open_queue
from bling_collector.jobs.worker import Worker
from bling_collector.runs.journal import stop
from bling_collector.workplace.account import Account
from bling_collector.workplace.companies import add
from bling_simulator.bling import Bling

ASYNC = {"Prefer": "respond-async"}
FULL = "/run/full?data_inicio=2021-01-01"
HELD = r"^/nfe/\d+$"
JOBS = "SELECT task_name, status::text FROM procrastinate.procrastinate_jobs WHERE task_name LIKE 'r%' ORDER BY id"


@pytest.fixture
async def http(settings: Settings, clock: FakeClock, account: Account) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(settings, clock) as client:
        yield client


@asynccontextmanager
async def worker(account: Account) -> AsyncIterator[None]:
    """Um worker que só faz o que lhe pedem."""
    queue, quitting = await open_queue(account.engine), asyncio.Event()
    async with queue.app.open_async():
        one = Worker(queue, quitting)
        one.take_on(account, ())
        working = asyncio.create_task(one.work())

        await until(lambda: attended(account.engine))
        try:
            yield
        finally:
            quitting.set()
            await working


async def attended(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        return await broker.is_attended(connection)


async def ended(http: httpx2.AsyncClient, address: str) -> dict[str, Any]:
    job: dict[str, Any] = {}

    async def done() -> bool:
        job.update((await http.get(address)).json())
        return job["status"] not in {"queued", "running"}

    await until(done)
    return job


@pytest.mark.bling(scale=0.005)
@pytest.mark.loaded(date(2026, 2, 1))
@pytest.mark.collector(schedule="0 6 * * * run; 30 23 * * * run; */15 * * * * look")
@pytest.mark.slow
async def test_the_panel_says_the_hour_of_the_agenda(http: httpx2.AsyncClient, account: Account) -> None:
    async def said() -> str:
        page = (await http.get("/", headers={"Accept": "text/html"})).text
        return page.partition("Próxima execução")[2].partition("Idade dos dados")[0]

    assert "fora daqui" in await said()
    async with worker(account):
        words = await said()
    assert "20/02/2026 23:30" in words
    assert "fora daqui" not in words


@pytest.mark.slow
async def test_it_is_answered_at_once_and_done_elsewhere(
    http: httpx2.AsyncClient, account: Account, bling: Bling
) -> None:
    held = bling.fail(HELD, "hold")
    async with worker(account):
        first = await http.post(FULL, headers=ASYNC)
        assert (first.status_code, first.headers["preference-applied"]) == (202, "respond-async")
        body = first.json()
        assert body | {"status": "?", "run_id": "?"} == {
            "job_id": body["job_id"],
            "tipo": "run-full",
            "status": "?",
            "run_id": "?",
            "mensagem": None,
            "repetida": False,
        }
        assert first.headers["location"] == f"/jobs/{body['job_id']}"

        async def begun() -> bool:
            return bool((await http.get(first.headers["location"])).json()["run_id"])

        await until(begun)
        again = await asyncio.gather(*(http.post(FULL, headers=ASYNC) for _ in range(3)))
        assert {(each.json()["job_id"], each.json()["repetida"]) for each in again} == {(body["job_id"], True)}
        assert again[0].json()["status"] == "running"
        daily = await asyncio.gather(*(http.post("/run", headers=ASYNC) for _ in range(3)))
        assert len({each.json()["job_id"] for each in daily}) == 1, "três vezes a mesma são uma"
        assert sorted(each.json()["repetida"] for each in daily) == [False, True, True]
        problem(await http.post("/run"), 409)
        bling.faults.remove(held)
        job = await ended(http, first.headers["location"])
        assert job["status"] == (await http.get(f"/runs/{job['run_id']}")).json()["status"] == "success"
        assert (await ended(http, daily[0].headers["location"]))["status"] == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.collector(run_max_seconds=60)
async def test_a_worker_goes_on_with_what_its_time_cut(
    http: httpx2.AsyncClient, account: Account, bling: Bling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bling_collector.runs.reader.IN_FLIGHT", 2)
    choose = bling.faults.choose

    def slow(*asked: str) -> object:
        clock.advance(1)
        return choose(*asked)

    monkeypatch.setattr(bling.faults, "choose", slow)
    async with worker(account):
        job = await ended(http, (await http.post(FULL, headers=ASYNC)).headers["location"])
    assert job["status"] == "success"
    runs = await rows(account.engine, "SELECT status FROM etl_controle ORDER BY id")
    assert len(runs) > 1
    assert {status for (status,) in runs[:-1]} == {"partial"}
    await assert_equals_truth(account.engine, bling)


async def test_what_cannot_be_done_is_said_before_it_is_queued(http: httpx2.AsyncClient, account: Account) -> None:
    async with worker(account):
        for address in (
            "/run?data_inicio=2030-01-01",
            "/run/full?data_inicio=ontem",
            "/run/full",
            "/run/full?data_inicio=2026-02-01&data_fim=2026-01-01",
            "/reconcile?repair=true",
            "/reconcile?aceitar_exclusoes=true",
        ):
            problem(await http.post(address, headers=ASYNC), 422)
        assert await rows(account.engine, JOBS) == []
        problem(await http.get("/jobs/77"), 404)
        problem(await http.get("/jobs/zero"), 422)


async def test_a_worker_attends_the_companies_it_is_of_and_no_other(account: Account) -> None:
    norte = await add(account.engine, "norte")
    assert not await attended(account.engine)
    async with worker(account):
        assert await attended(account.engine)
        assert not await attended(norte)
    assert not await attended(account.engine)


@pytest.mark.slow
async def test_without_a_worker_it_runs_here(http: httpx2.AsyncClient, account: Account) -> None:
    problem(await http.get("/jobs/1"), 404)
    async with worker(account):
        pass
    answer = await http.post(FULL, headers=ASYNC)  # a fila existe, e ninguém a atende
    assert (answer.status_code, answer.headers["location"]) == (202, "/runs/1")
    assert await rows(account.engine, JOBS) == []
    await until(lambda: scalar(account.engine, "SELECT count(*) FROM etl_controle WHERE status = 'success'"))


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 12, 1))
async def test_one_that_fails_says_why(http: httpx2.AsyncClient, account: Account, bling: Bling) -> None:
    bling.revoke_all()
    async with worker(account):
        answer = await http.post("/reconcile?repair=true", headers=ASYNC)
        job = await ended(http, answer.headers["location"])
    assert (job["tipo"], job["status"]) == ("reconcile", "error")
    assert "Autorize de novo" in job["mensagem"]


@pytest.mark.slow
async def test_stopping_one_does_not_stop_the_worker(http: httpx2.AsyncClient, account: Account, bling: Bling) -> None:
    held = bling.fail(HELD, "hold")
    async with worker(account):
        address = (await http.post(FULL, headers=ASYNC)).headers["location"]
        await until(lambda: scalar(account.engine, "SELECT count(*) FROM etl_controle"))
        await stop(account.engine, 1)
        assert (await ended(http, address))["status"] == "partial"
        bling.faults.remove(held)
        address = (await http.post("/run", headers=ASYNC)).headers["location"]
        assert (await ended(http, address))["status"] == "success"
