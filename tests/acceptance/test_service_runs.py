"""Executar por HTTP: até o fim, em segundo plano, duas ao mesmo tempo, e quando algo falha."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import authorise, problem, serving
from tests.support.collecting import until
from tests.support.fakes import FakeClock

from bling_collector.config import Settings
from bling_collector.main import create_app
from bling_collector.web.service import Service
from bling_simulator.bling import Bling

FULL = "/run/full?data_inicio=2026-01-01"
HELD = r"^/nfe/\d+$"
"""O que o Bling não responde enquanto se faz outra coisa durante uma execução."""
ASYNC = {"Prefer": "respond-async"}


@pytest.fixture
async def stranger(settings: Settings, clock: FakeClock) -> AsyncIterator[httpx2.AsyncClient]:
    """O serviço ainda sem autorização."""
    async with serving(settings, clock) as client:
        yield client


@pytest.fixture
async def http(stranger: httpx2.AsyncClient, bling: Bling) -> httpx2.AsyncClient:
    """O serviço já autorizado."""
    assert (await authorise(stranger, bling)).status_code == 200
    return stranger


async def _notes(engine: AsyncEngine, since: str = "2000-01-01") -> int:
    async with engine.connect() as connection:
        query = text("SELECT count(*) FROM nfe_cabecalho WHERE data_emissao >= CAST(:since AS timestamp)")
        return int(await connection.scalar(query, {"since": since}) or 0)


def _in_bling(bling: Bling, since: str) -> int:
    return sum(note["tipo"] == 1 and note["dataEmissao"] >= since for note in bling.notes.values())


async def _runs(http: httpx2.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await http.get("/runs")).json()["runs"]
    return found


async def _until_it_ends(http: httpx2.AsyncClient, address: str) -> dict[str, Any]:
    run: dict[str, Any] = {}

    async def ended() -> bool:
        run.update((await http.get(address)).json())
        return bool(run["status"] != "running")

    await until(ended)
    return run


# --- até o fim -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_full_load(http: httpx2.AsyncClient, bling: Bling, engine: AsyncEngine) -> None:
    answer = await http.post(FULL)
    assert answer.status_code == 200, answer.text
    run = answer.json()
    assert run["status"] == "success"
    assert run["stats"]["nfes"] == await _notes(engine) == _in_bling(bling, "2026-01-01")
    assert run["stats"]["contatos"] > 0
    assert run["stats"]["produtos"] > 0
    assert run["data_referencia"] == "2026-02-20"
    assert run["mensagem"] is None
    assert run["requisicoes"] > run["stats"]["nfes"]

    details = (await http.get(f"/runs/{run['run_id']}")).json()
    assert details["tipo"] == "run-full"
    assert details["periodo"] == {"data_inicio": "2026-01-01", "data_fim": "2026-02-20"}
    assert details["stats"] == run["stats"]
    last = (await http.get("/status")).json()["last_successful_run"]
    assert (last["date"], last["nfes"]) == ("2026-02-20", run["stats"]["nfes"])


async def test_the_daily_run_takes_what_is_new(http: httpx2.AsyncClient, bling: Bling, engine: AsyncEngine) -> None:
    await http.post(FULL)
    before = await _notes(engine)
    bling.issue_note()
    assert (await http.post("/run")).json()["status"] == "success"
    assert await _notes(engine) == before + 1


@pytest.mark.slow
async def test_a_period_in_the_past(http: httpx2.AsyncClient) -> None:
    answer = await http.post("/run?data_inicio=2025-11-01&data_fim=2025-11-30")
    assert answer.status_code == 200
    details = (await http.get(f"/runs/{answer.json()['run_id']}")).json()
    assert details["periodo"] == {"data_inicio": "2025-11-01", "data_fim": "2025-11-30"}


@pytest.mark.slow
async def test_runs_page_by_page(http: httpx2.AsyncClient) -> None:
    for _ in range(5):
        assert (await http.post("/run?data_inicio=2026-02-20")).status_code == 200
    seen, address = [], "/runs?limit=2"
    while address:
        page = (await http.get(address)).json()
        seen.append([run["run_id"] for run in page["runs"]])
        address = page["next"]
    assert seen == [[5, 4], [3, 2], [1]]


@pytest.mark.slow
async def test_leftovers_are_partial(http: httpx2.AsyncClient, bling: Bling) -> None:
    bad = next(id_ for id_, note in bling.notes.items() if note["tipo"] == 1 and note["dataEmissao"] >= "2026-02-01")
    rule = bling.fail(rf"^/nfe/{bad}$", "body", status=400, body='{"error": {"type": "VALIDATION_ERROR"}}')
    answer = await http.post(FULL)
    assert answer.status_code == 200
    assert answer.json()["status"] == "partial"
    assert "1 registro pendente" in answer.json()["mensagem"]
    bling.faults.remove(rule)
    assert (await http.post("/run")).json()["status"] == "success"


@pytest.mark.slow
async def test_ten_requests_at_once_are_answered_while_it_runs(http: httpx2.AsyncClient, bling: Bling) -> None:
    """O que o Cloud Run deixa chegar de uma vez: nenhum espera pela execução, nem por uma conexão do banco."""
    held = bling.fail(HELD, "hold")
    started = (await http.post(FULL, headers=ASYNC)).headers["Location"]
    pages = ("/", "/status", "/cobertura", "/execucoes", "/executar", "/faturamento", "/notas", "/runs", "/reconcile")
    async with asyncio.timeout(120):
        answers = await asyncio.gather(*(http.get(page, headers={"Accept": "text/html"}) for page in (*pages, started)))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 303, 200, 200, 200, 200, 200]
    assert (await http.get(started)).json()["status"] == "running"
    bling.faults.remove(held)
    assert (await _until_it_ends(http, started))["status"] == "success"


# --- o que falha ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_bling_is_down_and_comes_back(http: httpx2.AsyncClient, bling: Bling, engine: AsyncEngine) -> None:
    bling.fail("^/(?!oauth)", "bad_gateway")
    body = problem(await http.post(FULL), 502)
    assert body["type"] == "urn:bling-collector:bling-unavailable"
    assert body["run_status"] == "error"
    assert body["stats"] == {"nfes": 0, "contatos": 0, "produtos": 0}
    assert (await http.get(f"/runs/{body['run_id']}")).json()["status"] == "error"
    bling.faults.clear()
    assert (await http.post("/run")).json()["status"] == "success"
    # o período devido também foi pago
    assert await _notes(engine, "2026-01-01") == _in_bling(bling, "2026-01-01") > 0


@pytest.mark.slow
@pytest.mark.bling(requests_per_day=20)
async def test_the_daily_quota_ends(http: httpx2.AsyncClient, bling: Bling, clock: FakeClock) -> None:
    body = problem(await http.post(FULL), 502)
    assert body["title"] == "A cota diária do Bling acabou"
    assert body["run_id"]
    assert body["run_status"] == "partial"
    bling.configure(requests_per_day=0)
    sent = bling.counters.total
    assert "meia-noite" in problem(await http.post("/run"), 502)["detail"]
    assert bling.counters.total == sent
    clock.advance(24 * 3600)
    assert (await http.post("/run")).json()["status"] == "success"


async def test_nobody_authorised(stranger: httpx2.AsyncClient) -> None:
    body = problem(await stranger.post("/run"), 503)
    assert body["title"] == "Sem autorização do Bling"
    assert body["auth_start"] == "/auth/start"
    assert body["run_status"] == "error"


async def test_the_authorisation_was_revoked(http: httpx2.AsyncClient, bling: Bling) -> None:
    bling.revoke_all()
    assert problem(await http.post("/run"), 503)["type"] == "urn:bling-collector:reauthorize"


async def test_an_unexpected_error_in_a_run_says_which_run(
    http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise KeyError("um detalhe interno")

    monkeypatch.setattr("bling_collector.runs.collection.sweep", broken)
    body = problem(await http.post("/run"), 500)
    assert body["run_id"] == 1
    assert body["reference"] in caplog.text
    assert "detalhe interno" not in str(body)


# --- duas ao mesmo tempo -------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_only_one_run_at_a_time(http: httpx2.AsyncClient, bling: Bling) -> None:
    held = bling.fail(HELD, "hold")
    asking = [asyncio.ensure_future(http.post("/run?data_inicio=2026-02-01")) for _ in range(3)]
    while len([answer for answer in asking if answer.done()]) < 2:
        await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED, timeout=0.05)
    bling.faults.remove(held)
    answers = await asyncio.gather(*asking)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            assert problem(answer, 409)["title"] == "Execução em curso"
    assert len(await _runs(http)) == 1


# --- em segundo plano ----------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_respond_async_to_the_end(http: httpx2.AsyncClient, bling: Bling, engine: AsyncEngine) -> None:
    held = bling.fail(HELD, "hold")
    answer = await http.post(FULL, headers={"Prefer": "wait=5, Respond-Async"})
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "respond-async"
    assert answer.headers["location"] == f"/runs/{answer.json()['run_id']}"
    assert answer.json()["status"] == "running"
    assert (await http.get("/status")).json()["running"] is True
    problem(await http.post("/run", headers=ASYNC), 409)
    problem(await http.post("/run"), 409)
    bling.faults.remove(held)

    run = await _until_it_ends(http, answer.headers["location"])
    assert run["status"] == "success"
    assert run["stats"]["nfes"] == await _notes(engine) == _in_bling(bling, "2026-01-01")


async def test_a_background_run_that_fails_is_in_its_record(stranger: httpx2.AsyncClient) -> None:
    answer = await stranger.post("/run", headers=ASYNC)
    assert answer.status_code == 202
    run = await _until_it_ends(stranger, answer.headers["location"])
    assert run["status"] == "error"
    assert "autorização" in run["mensagem"]


@pytest.mark.slow
async def test_the_client_leaves_and_the_run_goes_on(
    http: httpx2.AsyncClient, bling: Bling, engine: AsyncEngine
) -> None:
    held = bling.fail(HELD, "hold")
    impatient = asyncio.create_task(http.post(FULL))
    await until(lambda: _runs(http))
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    bling.faults.remove(held)
    assert (await _until_it_ends(http, "/runs/1"))["status"] == "success"
    assert await _notes(engine) > 0


@pytest.mark.slow
async def test_the_service_stops_in_the_middle(
    settings: Settings, clock: FakeClock, bling: Bling, engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bling_collector")
    app = create_app(settings, clock=clock)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost") as http,
    ):
        await authorise(http, bling)
        bling.fail(HELD, "hold", after=60)
        waiting = asyncio.create_task(http.post("/run/full?data_inicio=2021-01-01"))
        await until(lambda: _notes(engine))
        service: Service = app.state.services.main
        service.runner.stop()
        body = problem(await waiting, 503)
        assert body["title"] == "Serviço parando"
        assert body["run_status"] == "partial"
        assert body["stats"]["nfes"] == await _notes(engine)
        problem(await http.post("/run"), 503)
    bling.faults.clear()
    async with serving(settings, clock) as http:
        assert (await http.post("/run")).json()["status"] == "success"
    assert await _notes(engine) == _in_bling(bling, "2021-01-01")


# --- nenhum segredo ------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_no_secret_is_logged(
    stranger: httpx2.AsyncClient, bling: Bling, engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    code = bling.authorise()
    state = (await stranger.get("/auth/start")).json()["auth_url"].rpartition("state=")[2]
    await stranger.get("/auth/callback", params={"code": code, "state": state})
    bling.expire_access_tokens()  # a execução passa por um 401 e por uma renovação
    bling.fail(r"^/nfe/\d+$", times=2)
    assert (await stranger.post("/run")).status_code == 200
    async with engine.connect() as connection:
        tokens = (await connection.execute(text("SELECT access_token, refresh_token FROM oauth_tokens"))).one()
    for secret in (code, *tokens, bling.settings.client_secret):
        ours = [record.getMessage() for record in caplog.records if record.name.startswith("bling_collector")]
        assert ours
        assert not any(secret in message for message in ours)
