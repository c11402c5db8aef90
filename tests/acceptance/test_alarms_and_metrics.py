"""Os alarmes e as métricas do coletor inteiro: execuções de verdade diante do simulador."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.acceptance.service_fixtures import authorise, serving
from tests.support.collecting import authorise as authorise_account
from tests.support.collecting import until
from tests.support.commands import Terminal, variables_for
from tests.support.fakes import FakeClock
from tests.support.inbox import Inbox, open_inbox
from tests.support.proving import execute

from bling_collector.config import Secret, Settings
from bling_collector.main import create_app
from bling_collector.web.service import Services
from bling_collector.web.watch import watched_alarms
from bling_collector.workplace.account import Account, open_account
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer

FULL = "/run/full?data_inicio=2026-01-01"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with open_inbox() as opened:
        yield opened


@pytest.fixture
def alerting(settings: Settings, inbox: Inbox) -> Settings:
    return replace(settings, alert_urls=Secret(inbox.url))


@pytest.mark.slow
async def test_a_run_that_fails_twice_is_said_once_and_its_end_too(
    alerting: Settings, clock: FakeClock, bling: Bling, inbox: Inbox
) -> None:
    async with open_account(alerting, clock=clock) as account:
        await authorise_account(account, bling)
        bling.fail("^/nfe", "bad_gateway")
        for _ in range(2):
            assert (await account.pipeline.run_full(date(2026, 1, 1))).status == "error"
        bling.faults.clear()
        assert (await account.pipeline.run()).status == "success"
    assert inbox.kinds == ["failure", "success"]
    assert "O que já tinha chegado está salvo" in inbox.received[0]["message"]


@pytest.mark.slow
async def test_a_channel_that_is_down_changes_nothing_in_the_run(
    settings: Settings, clock: FakeClock, bling: Bling
) -> None:
    broken = replace(settings, alert_urls=Secret("json://127.0.0.1:1/x nada://y"))
    async with open_account(broken, clock=clock) as account:
        await authorise_account(account, bling)
        bad = next(
            id_ for id_, note in bling.notes.items() if note["tipo"] == 1 and note["dataEmissao"] >= "2026-02-01"
        )
        bling.fail(rf"^/nfe/{bad}$", "body", status=400, body='{"error": {"type": "VALIDATION_ERROR"}}')
        assert (await account.pipeline.run_full(date(2026, 1, 1))).status == "partial"


@pytest.mark.slow
async def test_the_daily_quota_ends_the_run_partial_with_what_is_owed(account: Account, bling: Bling) -> None:
    await account.pipeline.run(date(2026, 2, 20))
    bling.configure(requests_per_day=bling.counters.total + 30)
    result = await account.pipeline.run_full(date(2021, 1, 1))
    assert result.status == "partial"
    assert result.message is not None
    assert "devido" in result.message


@pytest.mark.collector(api_daily_reserve=119_000, api_rate_limit_delay=0.35)
@pytest.mark.slow
async def test_our_part_of_the_day_ends_before_bling_says_so(account: Account, bling: Bling, clock: FakeClock) -> None:
    async with account.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE limites_bling SET dia = '2026-02-20', usadas = 960")
    before = bling.counters.total
    result = await account.pipeline.run_full(date(2021, 1, 1))
    assert result.status == "partial"
    assert result.message is not None
    assert "API_DAILY_RESERVE" in result.message
    assert bling.counters.total - before == 40
    assert (await account.pipeline.run()).status == "partial"
    assert bling.counters.total - before == 40

    clock.advance(24 * 3600)
    assert (await account.pipeline.run()).status == "success"


async def _metrics(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_metrics(settings: Settings, clock: FakeClock, bling: Bling) -> None:
    async with serving(settings, clock) as http:
        empty = await _metrics((await http.get("/metrics")).text)
        assert empty["bling_runs_total", "success"] == 0
        assert empty["bling_authorized",] == 0
        assert ("bling_lag_seconds",) not in empty

        await authorise(http, bling)
        bling.fail(
            "^/nfe$", "body", status=429, body='{"error":{"type":"TOO_MANY_REQUESTS","period":"second"}}', times=2
        )
        run = (await http.post(FULL)).json()
        clock.advance(3600)
        answer = await http.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=")
        found = await _metrics(answer.text)
        status = (await http.get("/status")).json()

    assert found["bling_runs_total", "success"] == 1
    assert found["bling_notes",] == found["bling_saved_total", "nfes"] == run["stats"]["nfes"] > 0
    assert found["bling_requests_total",] == run["requisicoes"]
    assert found["bling_throttled_total",] == 2
    assert found["bling_lag_seconds",] == pytest.approx(3600, abs=60)
    assert found["bling_owed_windows",] == found["bling_owed_records",] == 0
    assert found["bling_refresh_token_days",] == status["oauth"]["refresh_days_left"] == 29
    assert found["bling_reconciliation_equal",] == 1
    assert found["bling_reconciliation_differences", "faltam"] == 0
    assert found["bling_quota_used",] == status["quota"]["used"] >= run["requisicoes"]
    assert found["bling_quota_reserve",] == status["quota"]["reserve"] == 20_000
    assert found["bling_quota_limit",] == status["quota"]["limit"] == 120_000
    assert status["quota"]["day"] == "2026-02-20"


@pytest.mark.slow
async def test_alerts_by_http(alerting: Settings, clock: FakeClock, bling: Bling, inbox: Inbox) -> None:
    async with serving(alerting, clock) as http:
        assert (await http.get("/alerts")).json() == []
        await authorise(http, bling)
        await http.post(FULL)
        clock.advance(27 * 3600)
        found = (await http.post("/alerts/check")).json()
        assert [(alarm["nome"], alarm["estado"]) for alarm in found] == [("sem-execucao", "erro")]
        assert (await http.get("/alerts")).json() == found
    assert inbox.titles == ["Coletor Bling: faz tempo que não se lê o que há de novo no Bling"]


@pytest.mark.slow
async def test_the_service_checks_by_itself(alerting: Settings, clock: FakeClock, bling: Bling, inbox: Inbox) -> None:
    app = create_app(alerting, clock=clock)
    async with serving(alerting, clock) as http:
        await authorise(http, bling)
        await http.post(FULL)
    clock.advance(27 * 3600)

    async def heard() -> bool:
        return bool(inbox.received)

    async with app.router.lifespan_context(app):
        services: Services = app.state.services
        async with watched_alarms(services, every=0.05):
            await until(heard)
    assert inbox.kinds == ["failure"]


@pytest.mark.slow
async def test_a_command_that_finds_no_database_tells_who_watches(inbox: Inbox, tmp_path: Path) -> None:
    terminal = Terminal(
        tmp_path,
        {
            "ALERT_URLS": inbox.url,
            "BLING_CLIENT_ID": "b9c8a7",
            "BLING_CLIENT_SECRET": "d6e5f4",
            "DATABASE_URL": "postgresql://ninguem@127.0.0.1:1/nada",
        },
    )
    for command in (("run",), ("alerts", "check"), ("status",)):
        assert (await terminal.run(*command)).code == 1
    assert inbox.titles == ["Coletor Bling: o banco não atende"] * 2, "quem pede `status` está vendo"
    assert "Nada foi coletado" in inbox.received[0]["message"]


@pytest.mark.slow
async def test_a_check_says_who_did_not_hear_what_is_sounding(
    account: Account, settings: Settings, server: RunningServer, inbox: Inbox, tmp_path: Path
) -> None:
    assert (await account.pipeline.run_full(date(2026, 2, 1))).status == "success"
    await execute(
        account.engine, "UPDATE etl_controle SET inicio = inicio - interval '9 days', fim = fim - interval '9 days'"
    )
    terminal = Terminal(tmp_path, variables_for(settings, server))
    unheard = await terminal.run("alerts", "check", ALERT_URLS=f"{inbox.url} slak://abc/def/ghi")
    assert unheard.code == 1
    assert "⚠ slak://… ainda não ouviu o que está soando" in unheard.err
    assert inbox.received
    heard = await terminal.run("alerts", "check", ALERT_URLS=inbox.url)
    assert (heard.code, "ainda não ouv" in heard.err) == (1, False)
