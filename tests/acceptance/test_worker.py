"""O worker: cada hora uma vez, uma execução por vez, e nada se perde com quem morre no meio."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.support.collecting import at_request, rows, scalar, until
from tests.support.commands import Terminal, variables_for
from tests.support.fakes import FakeClock
from tests.support.proving import execute

from bling_collector.db import broker
from bling_collector.db.run_lock import run_lock
from bling_collector.jobs.broker import open_queue
from bling_collector.jobs.schedule import Line, parse
from bling_collector.jobs.tasks import Tasks
from bling_collector.jobs.worker import Worker, work
from bling_collector.workplace.account import Account
from bling_collector.workplace.companies import open_companies
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer

AGENDA = parse("0 6 * * * run; */15 * * * * look")
JOBS = "SELECT task_name, status::text, attempts FROM procrastinate.procrastinate_jobs ORDER BY id"
INTERNAL = {"alarms", "prune"}


@asynccontextmanager
async def worker(account: Account, lines: tuple[Line, ...] = AGENDA) -> AsyncIterator[Tasks]:
    """As tarefas de um worker que só bate o relógio quando se manda."""
    queue = await open_queue(account.engine)
    async with queue.app.open_async():
        yield Worker(queue, asyncio.Event()).take_on(account, lines)


async def drain(one: Tasks, *, at_once: int = 1) -> None:
    """Faz o que está na fila, e para."""
    queue = one.queue
    await queue.app.run_worker_async(
        queues=[queue.name], wait=False, install_signal_handlers=False, delete_jobs="successful", concurrency=at_once
    )


async def change(account: Account, *statements: str) -> None:
    """Muda a fila por baixo."""
    async with account.engine.begin() as connection:
        await connection.exec_driver_sql("SET LOCAL search_path TO procrastinate")
        for each in statements:
            await connection.exec_driver_sql(each)


def written(folder: Path) -> str:
    return "".join(each.read_text("utf-8") for each in folder.glob("*.csv"))


async def waiting(account: Account) -> list[str]:
    return [name for name, status, _ in await rows(account.engine, JOBS) if status == "todo" and name not in INTERNAL]


@pytest.mark.loaded(date(2025, 12, 1))
async def test_of_two_workers_each_hour_is_of_one(account: Account, clock: FakeClock) -> None:
    async with worker(account) as one, worker(account) as other:
        await asyncio.gather(one.beat(), other.beat())
        assert await waiting(account) == ["run", "look"]
        await other.beat()
        await asyncio.gather(drain(one), drain(other))
        assert await rows(account.engine, JOBS) == []

        await asyncio.gather(one.beat(), other.beat())
        assert await waiting(account) == []
        clock.advance(15 * 60)
        await asyncio.gather(other.beat(), one.beat())
        assert await waiting(account) == ["look"]
        clock.advance(45 * 60)  # a que espera vale pelas horas que passam entretanto
        await one.beat()
        assert await waiting(account) == ["look"]

    async with worker(account) as restarted:  # recomeçar não é hora de nada
        await restarted.beat()
        assert await waiting(account) == ["look"]


@pytest.mark.loaded(date(2025, 12, 1))
async def test_a_run_waits_for_whoever_has_the_lock(account: Account, bling: Bling) -> None:
    note = bling.sell()
    async with worker(account, parse("0 6 * * * run")) as one:
        await one.beat()
        async with run_lock(account.engine):
            await drain(one)
        assert await rows(account.engine, JOBS) == [("run", "todo", 1)]

        await change(account, "UPDATE procrastinate_jobs SET scheduled_at = now()")
        await drain(one)

    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho WHERE id = :id", id=note) == 1


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 12, 1))
async def test_what_the_run_brought_is_exported_after_it(account: Account, bling: Bling, tmp_path: Path) -> None:
    note = bling.sell()
    settings = replace(account.settings, export_to=str(tmp_path / "exportado"), export_format="csv")
    async with worker(replace(account, settings=settings), parse("0 6 * * * run; 0 6 * * * exportar")) as one:
        await one.beat()
        assert await waiting(account) == ["run", "exportar"]
        await drain(one)
    assert await rows(account.engine, JOBS) == []
    assert str(note) in written(tmp_path / "exportado" / "nfe_cabecalho")


@pytest.mark.loaded(date(2025, 12, 1))
async def test_what_a_dead_worker_had_in_hand_is_taken_up(account: Account) -> None:
    async with worker(account, parse("0 6 * * * run")) as dead:
        await dead.beat()
        manager = dead.queue.app.job_manager
        id_ = await manager.register_worker()
        while job := await manager.fetch_job(queues=[dead.queue.name], worker_id=id_):
            assert job.id
    await change(account, "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
    async with worker(account, ()) as alive:
        await alive.beat()
        assert await waiting(account) == ["run"]
        await drain(alive)
    assert await rows(account.engine, JOBS) == []


async def test_what_ended_long_ago_is_pruned(account: Account) -> None:
    async with worker(account, ()) as one:
        await one.beat()
        await change(
            account,
            "UPDATE procrastinate_jobs SET status = 'failed' WHERE task_name = 'alarms'",
            "UPDATE procrastinate_events SET at = now() - interval '8 days'",
        )
        await drain(one)
    assert await rows(account.engine, JOBS) == []
    assert await scalar(account.engine, "SELECT count(*) FROM procrastinate.procrastinate_events") == 0


@pytest.mark.slow
async def test_the_queue_is_of_who_starts_a_worker_and_is_brought_up_to_date(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await account.pipeline.run()
    assert await scalar(account.engine, "SELECT to_regnamespace('procrastinate') IS NULL")
    _, migrations = broker._scripts()
    older = dict(list(migrations.items())[:-3])
    with monkeypatch.context() as patch:  # como se o pacote fosse o de antes
        patch.setattr(broker, "_scripts", lambda: ("\n".join(older.values()), older))
        await broker.upgrade(account.engine)

    async with worker(account, parse("0 6 * * * run")) as one:
        await one.beat()
        await drain(one)

    assert await rows(account.engine, JOBS) == []
    assert await scalar(account.engine, "SELECT count(*) FROM procrastinate.migracoes") == len(migrations)


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 12, 1))
async def test_it_works_until_it_is_asked_to_stop(account: Account, bling: Bling, clock: FakeClock) -> None:
    note, stop = bling.sell(), asyncio.Event()
    found = "SELECT count(*) FROM nfe_cabecalho WHERE id = :id"

    async def arrived() -> bool:
        return bool(await scalar(account.engine, found, id=note))

    async with open_companies(replace(account.settings, schedule="*/15 * * * * look"), clock=clock) as companies:
        working = asyncio.create_task(work(companies, stop))
        await until(arrived)
        stop.set()
        await working


async def test_an_odd_agenda_is_a_sentence_and_db_upgrade_makes_the_queue(
    account: Account, server: RunningServer, tmp_path: Path
) -> None:
    terminal = Terminal(tmp_path, variables_for(account.settings, server))

    done = await terminal.run("worker", SCHEDULE="0 6 * * * run; todo dia look")

    assert done.code == 2
    assert "SCHEDULE: a linha «todo dia look» não serve; cada uma tem cinco campos antes do nome" in done.err
    assert await scalar(account.engine, "SELECT to_regnamespace('procrastinate') IS NULL")
    assert (await terminal.run("db", "upgrade")).code == 0
    assert await rows(account.engine, JOBS) == []


@pytest.mark.loaded(date(2025, 12, 1))
async def test_however_much_bling_announces_a_run_has_its_turn(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """Três recursos de que não para de se ler; e a execução que é hora de fazer começa."""
    held = bling.fail("^/(nfe|contatos|produtos)/[0-9]+$", "hold")
    tables = {"nfe": "nfe_cabecalho", "contatos": "contatos", "produtos": "produtos"}
    for recurso, table in tables.items():
        id_ = await scalar(account.engine, f"SELECT max(id) FROM {table} WHERE detalhe IS NOT NULL")
        await announce(account, clock, recurso, id_)
    async with worker(account) as one:
        await one.announced()
        await one.beat()
        assert await waiting(account) == ["read", "read", "read", "run", "look"]
        draining = asyncio.create_task(drain(one, at_once=8))
        await until(lambda: _runs(account))
        bling.faults.remove(held)
        await draining


@pytest.mark.loaded(date(2025, 12, 1))
async def test_an_answer_that_is_late_holds_back_no_other_record(
    account: Account, bling: Bling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, other, third = await newest_notes(account, 3)
    held, asked, again = bling.fail(f"^/nfe/{slow}$", "hold"), asyncio.Event(), asyncio.Event()
    at_request(bling, monkeypatch, f"^/nfe/{slow}$", 1, asked.set)
    at_request(bling, monkeypatch, f"^/nfe/{slow}$", 2, again.set)

    async def read() -> list[str]:
        found = await rows(account.engine, "SELECT registro_id FROM webhook_eventos WHERE lido_em IS NOT NULL")
        return [id_ for (id_,) in found]

    async with worker(account) as one:
        await announce(account, clock, "nfe", slow)
        await one.announced()
        draining = asyncio.create_task(drain(one))
        await asked.wait()
        await announce(account, clock, "nfe", other)
        await until(read)
        assert await read() == [other]
        clock.advance(120)  # o que se espera por uma leitura que ninguém acabou
        await announce(account, clock, "nfe", third)
        await until(lambda: _is_read(read, third))
        assert not again.is_set()
        bling.faults.remove(held)
        await draining
    assert sorted(await read()) == sorted([slow, other, third])
    assert not again.is_set()


@pytest.mark.loaded(date(2025, 12, 1))
async def test_what_one_reading_cannot_have_does_not_cut_the_other(
    account: Account, bling: Bling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, refused = await newest_notes(account, 2)
    held, asked, given_up = bling.fail(f"^/nfe/{slow}$", "hold"), asyncio.Event(), asyncio.Event()
    too_many = '{"error":{"type":"TOO_MANY_REQUESTS","period":"second"}}'
    bling.fail(f"^/nfe/{refused}$", "body", status=429, body=too_many)
    at_request(bling, monkeypatch, f"^/nfe/{slow}$", 1, asked.set)
    at_request(bling, monkeypatch, f"^/nfe/{refused}$", 5, given_up.set)
    async with worker(account) as one:
        await announce(account, clock, "nfe", slow)
        await one.announced()
        draining = asyncio.create_task(drain(one))
        await asked.wait()
        await announce(account, clock, "nfe", refused)
        await given_up.wait()
        bling.faults.remove(held)
        await draining
    paid = "SELECT registro_id FROM webhook_eventos WHERE lido_em IS NOT NULL"
    assert await rows(account.engine, paid) == [(slow,)]


async def _is_read(read: Callable[[], Awaitable[list[str]]], id_: str) -> bool:
    return id_ in await read()


async def newest_notes(account: Account, most: int) -> list[str]:
    found = "SELECT id FROM nfe_cabecalho WHERE detalhe IS NOT NULL ORDER BY id DESC LIMIT :most"
    return [str(id_) for (id_,) in await rows(account.engine, found, most=most)]


async def announce(account: Account, clock: FakeClock, recurso: str, id_: object) -> None:
    """Um aviso que já está na vez."""
    await execute(
        account.engine,
        "INSERT INTO webhook_eventos (event_id, recebido_em, evento, recurso, registro_id)"
        f" VALUES ('{recurso} {id_}', :then, '{recurso}.updated', '{recurso}', '{id_}')",
        then=clock.now() - timedelta(minutes=1),
    )


async def _runs(account: Account) -> bool:
    return bool(await scalar(account.engine, "SELECT count(*) FROM etl_controle WHERE tipo = 'run'"))
