"""Uma execução mais longa do que quem a chama: para antes, com jeito, e as seguintes acabam-na sem alarme."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.acceptance.service_fixtures import serving
from tests.support.collecting import rows, scalar
from tests.support.commands import Terminal, variables_for
from tests.support.fakes import FakeClock
from tests.support.truth import assert_equals_truth

from bling_collector.clock import STOP_SECONDS
from bling_collector.config import Settings
from bling_collector.runs.request import SCHEDULER
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer

START = date(2021, 1, 1)
SOUNDING = "SELECT nome, estado FROM alarmes WHERE estado <> 'normal'"
Each = Callable[[float], None]


@pytest.fixture
def each_request_takes(bling: Bling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Each:
    """Quantos segundos demora cada resposta do Bling, poucas de cada vez."""
    monkeypatch.setattr("bling_collector.runs.reader.IN_FLIGHT", 2)
    choose, seconds = bling.faults.choose, 0.0

    def slow(*asked: str) -> object:
        clock.advance(seconds)
        return choose(*asked)

    def set_seconds(new: float) -> None:
        nonlocal seconds
        seconds = new

    monkeypatch.setattr(bling.faults, "choose", slow)
    return set_seconds


@pytest.mark.slow
@pytest.mark.collector(run_max_seconds=60)
async def test_a_load_of_many_calls_goes_on_without_an_alarm(
    account: Account, bling: Bling, clock: FakeClock, each_request_takes: Each
) -> None:
    each_request_takes(1)
    calls = 0
    result = await account.pipeline.run_full(START)
    while result.status != "success":
        calls += 1
        assert (result.status, result.exit_code, result.goes_on, result.error) == ("partial", 1, True, None)
        said = r"Parou ao fim de 5\d s, como RUN_MAX_SECONDS manda; o que faltou ficou devido e a próxima"
        assert re.match(said, str(result.message)), result.message
        assert result.requisicoes <= 60
        assert calls < 10, "não acaba"
        clock.advance(3600 * 20)  # um dia entre duas chamadas não é um dia sem coletar
        assert await account.alarms.check() is None
        assert await rows(account.engine, SOUNDING) == []
        result = await account.pipeline.run()
    assert calls > 1
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.collector(run_max_seconds=60, alert_no_run_hours=2)
async def test_calls_that_do_not_get_anywhere_sound(
    account: Account, clock: FakeClock, each_request_takes: Each
) -> None:
    each_request_takes(40)
    for _ in range(3):
        result = await account.pipeline.run_full(START)
        assert result.status == "partial"
    assert not result.goes_on
    assert await rows(account.engine, SOUNDING) == [("execucao", "aviso")]
    clock.advance(3 * 3600)
    assert await account.alarms.check() is None
    assert ("sem-execucao", "erro") in await rows(account.engine, SOUNDING)


@pytest.mark.collector(run_max_seconds=60)
async def test_it_counts_from_when_it_was_asked(account: Account, clock: FakeClock, bling: Bling) -> None:
    bling.counters.reset()
    asked_at = clock.monotonic() - (60 - STOP_SECONDS)
    result = await account.pipeline.run_full(START, asked_at=asked_at)
    assert result.status == "partial"
    assert bling.counters.requests["/nfe/{id}"] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("headers", "own", "stops_at"),
    [
        ({"X-CloudScheduler": "true", "X-CloudScheduler-JobName": "sol-bling-daily-run"}, 3300, SCHEDULER.runs_for),
        ({"X-CloudScheduler": "true"}, 600, 600 - STOP_SECONDS),
        ({}, 3300, 3300 - STOP_SECONDS),
    ],
)
async def test_whoever_waits_less_is_answered_before(
    settings: Settings,
    clock: FakeClock,
    bling: Bling,
    account: Account,
    each_request_takes: Each,
    headers: dict[str, str],
    own: int,
    stops_at: float,
) -> None:
    each_request_takes(100)
    began = clock.monotonic()
    async with serving(replace(settings, run_max_seconds=own), clock) as http:
        answer = await http.post("/run/full?data_inicio=2021-01-01", headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (200, "partial")
    why = "o Cloud Scheduler espera" if stops_at == SCHEDULER.runs_for else "RUN_MAX_SECONDS"
    assert why in answer.json()["mensagem"]
    assert stops_at <= clock.monotonic() - began < stops_at + 1000
    left = await scalar(account.engine, "SELECT restam FROM etl_controle")
    assert left is None or left > 0


async def test_a_limit_that_is_not_one_is_a_sentence(account: Account, server: RunningServer, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, variables_for(account.settings, server))
    for bad in ("-1", "muito", "3300s", "1e9"):
        done = await terminal.run("run", RUN_MAX_SECONDS=bad)
        assert done.code == 2
        assert "RUN_MAX_SECONDS: " in done.err
    assert await scalar(account.engine, "SELECT count(*) FROM etl_controle") == 0
