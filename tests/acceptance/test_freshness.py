"""De quando são os dados, dito pelo painel, por `status`, pelas métricas e pelos alarmes: uma resposta só."""

from datetime import date, datetime

import httpx2
import pytest
from markupsafe import escape
from tests.acceptance.service_fixtures import serving
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock

from bling_collector.cli.screen import report
from bling_collector.clock import BRASILIA
from bling_collector.config import Settings
from bling_collector.insight.alarms import load_alarms
from bling_collector.insight.situation import load_situation
from bling_collector.insight.status import load_status
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

PAGE = {"Accept": "text/html"}
pytestmark = pytest.mark.bling(scale=0.01)


async def _age_of(account: Account, http: httpx2.AsyncClient, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """`novos` ou `velhos`, segundo cada um dos que o dizem."""
    now = account.clock.now()
    await account.alarms.check()
    status = await load_status(account.engine, account.cipher, now)
    report.status(status, now, 26)
    found = await load_situation(account.engine, account.cipher, now, no_run_hours=26)
    lag = next(line for line in (await http.get("/metrics")).text.splitlines() if line.startswith("bling_lag_seconds "))
    sounding = {each.nome for each in await load_alarms(account.engine) if each.estado != "normal"}
    told = {
        "painel": found.verdict.case == "velhos",
        "alarme": "sem-execucao" in sounding,
        "status": "Os dados estão velhos" in capsys.readouterr().err,
        "metrica": float(lag.split()[1]) > 26 * 3600,
    }
    return {"velhos" if old else "novos" for old in told.values()}


@pytest.mark.slow
async def test_only_what_reads_the_present_makes_data_young(
    account: Account, settings: Settings, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(settings, clock) as http:
        assert (await account.pipeline.run_full(date(2026, 1, 1))).status == "success"
        assert await _age_of(account, http, capsys) == {"novos"}
        clock.advance(5 * 86400)
        assert await _age_of(account, http, capsys) == {"velhos"}
        assert (await account.pipeline.reprocess()).status == "success"
        assert (await account.pipeline.reconcile(date(2026, 1, 1), date(2026, 1, 31), repair=True)).status == "success"
        assert (await account.pipeline.run_full(date(2025, 12, 1), date(2025, 12, 31))).status == "success"
        assert (await account.pipeline.run(date(2026, 2, 25))).status == "success"
        assert await _age_of(account, http, capsys) == {"velhos"}, "nada disto leu os dias que faltavam"
        assert "Tudo certo" not in (await http.get("/", headers=PAGE)).text
        assert (await account.pipeline.run()).status == "success"
        assert await _age_of(account, http, capsys) == {"novos"}


@pytest.mark.slow
async def test_one_record_that_fails_for_ever_does_not_make_the_others_old(
    account: Account, settings: Settings, clock: FakeClock, bling: Bling, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(settings, clock) as http:
        await account.pipeline.run_full(date(2026, 1, 1))
        clock.advance(5 * 86400)
        bad = bling.issue_note()
        bling.fail(rf"^/nfe/{bad}$", "body", status=400, body='{"error": {"description": "Nota estragada."}}')
        result = await account.pipeline.run()
        assert result.status == "partial"
        assert await _age_of(account, http, capsys) == {"novos"}
        page = (await http.get("/", headers=PAGE)).text
        note = bling.notes[bad]
        emitted = date.fromisoformat(note["dataEmissao"][:10])
        who = f"nota {note['numero']}, de {emitted:%d/%m/%Y}, de {escape(note['contato']['nome'])}"
        assert f"<h1>Falta uma parte: {who}.</h1>" in page
        assert "O Bling recusou o pedido. O Bling diz: «Nota estragada.»." in page
        assert page.count("edge-warning") + page.count('class="notice') == 0, "uma caixa só"
        assert page.index("Para quem cuida do coletor") < page.index("HTTP 400")


@pytest.mark.slow
@pytest.mark.loaded(date(2026, 1, 1))
async def test_the_mark_that_is_shown_never_passes_the_oldest_debt(
    account: Account, settings: Settings, clock: FakeClock, bling: Bling
) -> None:
    clock.advance(6 * 86400)  # 26/02
    assert (await account.pipeline.run()).data_referencia == date(2026, 2, 26)
    bad = bling.issue_note(dataEmissao="2026-02-24 10:00:00")
    bling.fail(rf"^/nfe/{bad}$", "body", status=400, body='{"error": {"description": "Nota estragada."}}')
    assert (await account.pipeline.run()).data_referencia == date(2026, 2, 23)
    status = await load_status(account.engine, account.cipher, account.clock.now())
    assert status.last_successful_run is not None
    assert status.data_referencia == status.last_successful_run.date == date(2026, 2, 23)
    assert await scalar(account.engine, "SELECT data_referencia FROM etl_controle ORDER BY id DESC LIMIT 1") == date(
        2026, 2, 23
    )
    async with serving(settings, clock) as http:
        assert "sem lacuna até 23/02/2026" in (await http.get("/", headers=PAGE)).text
        until = next(
            line for line in (await http.get("/metrics")).text.splitlines() if line.startswith("bling_covered_until")
        )
    assert datetime.fromtimestamp(float(until.split()[1]), BRASILIA) == datetime(2026, 2, 23, tzinfo=BRASILIA)
    bling.faults.clear()
    assert (await account.pipeline.run()).data_referencia == date(2026, 2, 26)


@pytest.mark.slow
async def test_reprocessing_an_empty_database_leaves_the_guide(
    account: Account, settings: Settings, clock: FakeClock
) -> None:
    assert (await account.pipeline.reprocess()).status == "success"
    assert await rows(account.engine, "SELECT tipo FROM etl_controle") == [("reprocess",)]
    async with serving(settings, clock) as http:
        page = (await http.get("/", headers=PAGE)).text
        assert "Três passos até os seus dados" in page
        assert 'action="/executar/plano"' in page
        assert "não chegou ao fim" not in page
        plan = await http.get("/executar/plano?tipo=run-full&data_inicio=2026-01-01", headers=PAGE)
        assert plan.status_code == 200
        choices = (await http.get("/executar", headers=PAGE)).text
        assert 'id="tipo-full" name="tipo" value="run-full" checked' in choices
