"""O worker como processo: SIGTERM salva o que ele tem na mão, e o que um morto deixou outro retoma."""

import asyncio
import random
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import serving
from tests.acceptance.test_service_process import process
from tests.support.collecting import rows, scalar, until
from tests.support.commands import Terminal, variables_for
from tests.support.truth import assert_equals_truth

from bling_collector.config import Settings
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer
from bling_simulator.webhooks import Delivery

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="o Windows não tem SIGTERM"),
    pytest.mark.bling(latency=0.2, scale=0.03),
    pytest.mark.collector(extraction_days_back=2000),
]
KILLS = 8
EVERY_MINUTE = "* * * * * run"


@pytest.fixture
def terminal(tmp_path: Path, settings: Settings, server: RunningServer) -> Terminal:
    return Terminal(tmp_path, variables_for(settings, server) | {"EXTRACTION_DAYS_BACK": "2000"})


async def _in_hand(engine: AsyncEngine) -> None:
    async def some() -> bool:
        return bool(await scalar(engine, "SELECT count(*) FROM nfe_cabecalho"))

    await until(some)


async def _complete(engine: AsyncEngine) -> None:
    async def done() -> bool:
        return bool(await scalar(engine, "SELECT count(*) FROM etl_controle WHERE status = 'success'"))

    await until(done)


@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL"])
async def test_what_one_left_the_next_completes(account: Account, bling: Bling, terminal: Terminal, how: str) -> None:
    first = await terminal.start("worker", SCHEDULE=EVERY_MINUTE)
    await _in_hand(account.engine)
    first.send_signal(signal.Signals[how])
    _, errors = await first.communicate()
    status = await scalar(account.engine, "SELECT status FROM etl_controle ORDER BY id DESC LIMIT 1")
    job = "SELECT status::text FROM procrastinate.procrastinate_jobs WHERE task_name = 'run'"
    if how == "SIGTERM":
        assert first.returncode == 0, errors
        assert (status, await scalar(account.engine, job)) == ("partial", "todo")
    else:
        assert (status, await scalar(account.engine, job)) == ("running", "doing")

    second = await terminal.start("worker", SCHEDULE="")
    try:
        await _complete(account.engine)
    finally:
        second.terminate()
        await second.communicate()
    assert second.returncode == 0
    await assert_equals_truth(account.engine, bling)


@pytest.mark.bling(latency=0.05, scale=0.1, goes_on=True)
async def test_killed_at_any_moment_it_reads_what_was_announced_and_nothing_shows_twice(
    account: Account, bling: Bling, terminal: Terminal
) -> None:
    await account.pipeline.run()
    chance = random.Random(11)
    notes = [id_ for id_, note in bling.notes.items() if note["tipo"] == 1 and note["situacao"] in (5, 6)]
    bling.webhooks.pending()
    async with serving(account.settings) as http:  # com a hora de verdade, que é a do worker

        async def post(each: Delivery) -> int:
            return (await http.post("/webhooks/bling", content=each.body, headers=each.headers)).status_code

        one = await terminal.start("worker", SCHEDULE="")
        for turn in range(KILLS):
            for note in notes[turn * 8 : turn * 8 + 8]:
                bling.edit_note(note, situacao=11 - bling.notes[note]["situacao"])
            assert set(await bling.webhooks.deliver(post)) == {"200"}
            await asyncio.sleep(chance.random() * 3)
            one.kill()
            await one.communicate()
            one = await terminal.start("worker", SCHEDULE="")

        async def all_read() -> bool:
            return not await scalar(account.engine, "SELECT count(*) FROM webhook_eventos WHERE lido_em IS NULL")

        try:
            await until(all_read, seconds=400)
        finally:
            one.terminate()
            await one.communicate()
    changed = notes[: KILLS * 8]
    found = dict(await rows(account.engine, "SELECT id, situacao FROM nfe_cabecalho"))
    assert {note: found[note] for note in changed} == {note: bling.notes[note]["situacao"] for note in changed}
    noted = "SELECT registro_id, count(*) FROM historico WHERE tabela = 'nfe_cabecalho' GROUP BY 1"
    assert dict(await rows(account.engine, noted)) == dict.fromkeys(changed, 1)


@pytest.mark.bling(latency=0.0, scale=0.03, goes_on=True)
async def test_beside_the_service_it_reads_what_is_announced_and_stops_with_it(
    account: Account, bling: Bling, tmp_path: Path
) -> None:
    serve = ("-m", "bling_collector", "serve", "--with-worker", "--port")
    await account.pipeline.run()
    bling.webhooks.pending()
    async with process(serve, replace(account.settings, schedule=""), tmp_path) as service:
        note = bling.sell()

        async def post(each: Delivery) -> int:
            return (await service.http.post("/webhooks/bling", content=each.body, headers=each.headers)).status_code

        assert set(await bling.webhooks.deliver(post)) == {"200"}

        async def arrived() -> bool:
            return bool(await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho WHERE id = :id", id=note))

        await until(arrived)
        code, seconds = await service.terminate()
    assert code == 0
    assert seconds < 60
