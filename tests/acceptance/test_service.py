"""As rotas que se leem, a autorização, e todo erro como problema."""

import asyncio
import logging
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from tests.acceptance.service_fixtures import authorise, problem, serving
from tests.support.fakes import FakeClock

from bling_collector.config import Secret, Settings
from bling_collector.db.connection.database import close, parse_url
from bling_collector.errors import ConfigurationError
from bling_collector.main import create_app
from bling_collector.web.service import Service
from bling_simulator.bling import Bling

NOWHERE = Secret("postgresql://u:segredo@127.0.0.1:1/banco")


@pytest.fixture
async def http(settings: Settings, clock: FakeClock) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(settings, clock) as client:
        yield client


async def test_health(http: httpx2.AsyncClient, clock: FakeClock) -> None:
    answer = await http.get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["timestamp"].startswith("2026-02-20T21:00:00")


async def test_root_points_to_the_docs(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/")).json()["docs"] == "/docs"


async def test_status_of_a_new_database(http: httpx2.AsyncClient) -> None:
    situation = (await http.get("/status")).json()
    assert situation["last_successful_run"] is None
    assert situation["oauth"] == {
        "has_token": False,
        "expires_at": None,
        "token_updated_at": None,
        "needs_authorization": True,
        "refresh_expires_at": None,
        "refresh_days_left": None,
        "encrypted": None,
        "readable": True,
        "warning": None,
    }


# --- autorização ---------------------------------------------------------------------------------------------------


async def test_the_first_authorisation(http: httpx2.AsyncClient, bling: Bling) -> None:
    started = await http.get("/auth/start")
    assert started.headers["cache-control"] == "no-store"
    assert started.json()["instruction"]
    query = parse_qs(urlsplit(started.json()["auth_url"]).query)
    assert query["client_id"] == [bling.settings.client_id]

    answer = await http.get("/auth/callback", params={"code": bling.authorise(), "state": query["state"][0]})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["status"] == "success"
    assert answer.json()["message"]
    assert answer.json()["expires_in"] == 21_600
    assert (await http.get("/status")).json()["oauth"]["has_token"] is True


async def test_a_state_that_did_not_start_here(http: httpx2.AsyncClient, bling: Bling) -> None:
    problem(await http.get("/auth/callback", params={"code": bling.authorise(), "state": "alheio"}), 422)
    assert bling.counters.token_calls == 0


async def test_a_state_serves_once(http: httpx2.AsyncClient, bling: Bling) -> None:
    state = parse_qs(urlsplit((await http.get("/auth/start")).json()["auth_url"]).query)["state"][0]
    first = await http.get("/auth/callback", params={"code": bling.authorise(), "state": state})
    assert first.status_code == 200
    problem(await http.get("/auth/callback", params={"code": bling.authorise(), "state": state}), 422)


async def test_a_code_that_bling_refuses(http: httpx2.AsyncClient) -> None:
    state = parse_qs(urlsplit((await http.get("/auth/start")).json()["auth_url"]).query)["state"][0]
    code = "0123456789abcdef0123456789abcdef01234567"
    body = problem(await http.get("/auth/callback", params={"code": code, "state": state}), 503)
    assert body["auth_start"] == "/auth/start"
    assert code not in str(body)


@pytest.mark.parametrize("query", [{}, {"code": "abc"}, {"state": "abc"}])
async def test_a_callback_without_what_it_needs(http: httpx2.AsyncClient, query: dict[str, str]) -> None:
    problem(await http.get("/auth/callback", params=query), 422)


async def test_bling_says_that_it_was_denied(http: httpx2.AsyncClient) -> None:
    query = {"error": "access_denied", "error_description": "O usuário não quis", "state": "x"}
    body = problem(await http.get("/auth/callback", params=query), 422)
    assert "O usuário não quis" in body["detail"]


async def test_bling_is_down_when_the_code_comes_back(http: httpx2.AsyncClient, bling: Bling) -> None:
    bling.fail("^/oauth/token$", "bad_gateway")
    problem(await authorise(http, bling), 502)


# --- o que falta ao serviço ----------------------------------------------------------------------------------------


@pytest.mark.collector(bling_client_id=None)
async def test_without_credentials_it_starts_and_says_which_is_missing(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/health")).status_code == 200
    assert (await http.get("/status")).status_code == 200
    assert (await http.get("/runs")).status_code == 200
    for method, path in (
        ("POST", "/run"),
        ("POST", "/run/full?data_inicio=2026-01-01"),
        ("GET", "/auth/start"),
        ("GET", "/auth/callback?code=a&state=b"),
    ):
        body = problem(await http.request(method, path), 503)
        assert "BLING_CLIENT_ID" in body["detail"]
    body = problem(await http.post("/run", headers={"Prefer": "respond-async"}), 503)
    assert (await http.get("/runs")).json()["runs"] == []


async def test_without_database_it_starts_and_answers_503(
    settings: Settings, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(replace(settings, database_url=NOWHERE), clock) as http:
        await _answers_without_database(http)
    assert "segredo" not in caplog.text


async def _answers_without_database(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/health")).status_code == 200
    for method, path in (("GET", "/status"), ("GET", "/runs"), ("GET", "/runs/1"), ("POST", "/run")):
        body = problem(await http.request(method, path), 503)
        assert body["title"] == "Banco de dados indisponível"
        assert "segredo" not in str(body)
    problem(await http.post("/run?data_inicio=ontem"), 422)


async def test_the_database_comes_back(settings: Settings, database_url: str, clock: FakeClock) -> None:
    url = parse_url(database_url)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    there = url.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
    async with serving(replace(settings, database_url=Secret(there)), clock) as http:
        problem(await http.get("/status"), 503)
        async with forwarded(port, f"{url.query['host']}/.s.PGSQL.{url.query['port']}"):
            assert (await http.get("/status")).status_code == 200


@asynccontextmanager
async def forwarded(port: int, path: str) -> AsyncIterator[None]:
    """O que chega à porta vai ao soquete do servidor, e o que ele responde volta."""

    async def pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
        target.close()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(path)
        await asyncio.gather(pour(reader, back), pour(there, writer))

    server = await asyncio.start_server(meet, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()


async def test_a_database_that_falls_later(
    settings: Settings, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(settings, clock=clock)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost") as http,
    ):
        service: Service = app.state.services.main
        opened = await service.account()
        await close(opened.engine)
        monkeypatch.setattr(opened.engine.sync_engine.dialect, "connect", _refuse)
        body = problem(await http.get("/status"), 503)
        assert body["type"] == "urn:bling-collector:database"
        monkeypatch.undo()
        assert (await http.get("/status")).status_code == 200


def _refuse(*_: Any, **__: Any) -> Any:
    import psycopg

    raise psycopg.OperationalError("connection refused")


def test_a_wrong_setting_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_PAGE_SIZE", "muitas")
    with pytest.raises(ConfigurationError, match="API_PAGE_SIZE"):
        create_app()


# --- pedidos errados -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/run?data_inicio=2026-02-30", "2026-02-30"),
        ("/run?data_inicio=30/01/2026", "AAAA-MM-DD"),
        ("/run?data_inicio=", "AAAA-MM-DD"),
        ("/run?data_inicio=2026-02-10&data_fim=2026-02-01", "antes"),
        ("/run?data_inicio=2031-01-01", "futuro"),
        ("/run?data_inicio=0001-01-01", "01/01/0001"),
        ("/run?data_inico=2026-01-01", "data_inico"),
        ("/run/full", "data_inicio"),
        ("/run/full?data_fim=2026-01-01", "data_inicio"),
        ("/run/full?data_inicio=2026-01-01&data_fim=amanha", "data_fim"),
    ],
)
async def test_impossible_periods(http: httpx2.AsyncClient, path: str, word: str) -> None:
    for headers in ({}, {"Prefer": "respond-async"}):
        body = problem(await http.post(path, headers=headers), 422)
        assert word in body["detail"]
    assert (await http.get("/runs")).json()["runs"] == []


async def test_dates_in_a_body_are_not_ignored(http: httpx2.AsyncClient) -> None:
    body = problem(await http.post("/run", json={"data_inicio": "2026-01-01"}), 422)
    assert "query" in body["detail"]


async def test_another_site_cannot_start_a_run(http: httpx2.AsyncClient) -> None:
    problem(await http.post("/run", headers={"Sec-Fetch-Site": "cross-site"}), 403)
    problem(await http.post("/run?data_inicio=x", headers={"Sec-Fetch-Site": "same-origin"}), 422)


@pytest.mark.parametrize("query", ["limit=0", "limit=muitas", "before=-1", "before=99999999999", "pagina=2"])
async def test_wrong_pages(http: httpx2.AsyncClient, query: str) -> None:
    body = problem(await http.get(f"/runs?{query}"), 422)
    assert body["errors"][0]["parametro"] == query.partition("=")[0]


@pytest.mark.parametrize(("path", "status"), [("/runs/77", 404), ("/runs/abc", 422), ("/runs/99999999999", 422)])
async def test_a_run_that_does_not_exist(http: httpx2.AsyncClient, path: str, status: int) -> None:
    problem(await http.get(path), status)


async def test_unknown_routes_and_methods(http: httpx2.AsyncClient) -> None:
    problem(await http.get("/nada"), 404)
    problem(await http.post("/run/"), 404)
    answer = await http.get("/run")
    problem(answer, 405)
    assert answer.headers["allow"] == "POST"


async def test_what_nobody_expected(
    http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise KeyError("um detalhe interno")

    monkeypatch.setattr("bling_collector.web.api.reading.load_status", broken)
    answer = await http.get("/status")
    body = problem(answer, 500)
    assert "um detalhe interno" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert body["reference"] in record.getMessage()
    assert record.exc_info


# --- cabeçalhos e documentação -------------------------------------------------------------------------------------


async def test_security_headers(http: httpx2.AsyncClient) -> None:
    for path in ("/health", "/nada"):
        headers = (await http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
    docs = await http.get("/docs")
    assert docs.status_code == 200
    assert "script-src 'self'" in docs.headers["content-security-policy"], "nada se carrega de fora"
    assert "POST /run/full" in docs.text
    assert "`" not in docs.text
    assert "<code>partial</code> (200) diz" in docs.text
    assert re.findall(r'(?:src|href)="(?!/)[^"#]+"', docs.text) == []


async def test_the_documentation_is_whole(http: httpx2.AsyncClient) -> None:
    api = (await http.get("/openapi.json")).json()
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
    }
    assert operations.keys() == {
        "GET /health",
        "GET /empresas",
        "GET /empresas/plan",
        "GET /status",
        "GET /recursos",
        "GET /runs",
        "GET /runs/{run_id}",
        "GET /jobs/{job_id}",
        "GET /plan",
        "POST /run",
        "POST /run/full",
        "GET /auth/start",
        "GET /auth/callback",
        "POST /webhooks/bling",
        "POST /webhooks/bling/{empresa}",
        "GET /reconcile",
        "POST /reconcile",
        "GET /reconcile/numeracao",
        "GET /failures",
        "POST /failures/retry",
        "GET /nfe/{nfe_id}",
        "POST /sync/{recurso}/{id_}",
        "GET /alerts",
        "POST /alerts/check",
        "GET /metrics",
    }
    for name, operation in operations.items():
        assert operation["tags"]
        assert operation["summary"]
        kind = "text/plain" if name == "GET /metrics" else "application/json"
        assert operation["responses"]["200"]["content"][kind]["schema"]
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in api["components"]["schemas"]
    names = {f"#/components/schemas/{name}" for name in api["components"]["schemas"]}
    assert set(_references(api)) <= names
    assert {"202", "409", "422", "502", "503"} <= operations["POST /run"]["responses"].keys()


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [reference for value in node.values() for reference in _references(value)]
    if isinstance(node, list):
        return [reference for value in node for reference in _references(value)]
    return []
