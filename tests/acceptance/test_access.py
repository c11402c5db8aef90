"""Quem pode chamar o serviço: o API_TOKEN, esta máquina, e o tamanho de um pedido."""

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from tests.acceptance.service_fixtures import authorise, problem, serving
from tests.support.collecting import collector_settings
from tests.support.commands import Terminal
from tests.support.fakes import FakeClock

from bling_collector.config import Secret, Settings, load_settings
from bling_collector.errors import ConfigurationError
from bling_collector.main import create_app
from bling_collector.web.door.address import check_address
from bling_collector.web.door.connections import MAX_HEADERS, MAX_TARGET
from bling_collector.web.door.limits import MAX_BODY
from bling_collector.web.problems import DOWN
from bling_simulator.bling import Bling

TOKEN = "p3dro-e-o-lobo-de-1936"
GUARDED = pytest.mark.collector(api_token=Secret(TOKEN))
FAR = {"203.0.113.7", "192.168.0.7", "2001:db8::1"}
EVERYWHERE = "0.0.0.0"  # noqa: S104 — é o endereço que se quer ver recusado
NOWHERE = Secret("postgresql://ninguem@127.0.0.1:1/nada")
pytestmark = pytest.mark.bling(scale=0.01)


@pytest.fixture
async def http(settings: Settings, clock: FakeClock) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(settings, clock) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def settings_with(**changes: Any) -> Settings:
    return collector_settings("http://127.0.0.1:1", NOWHERE, **changes)


def called_from(app: Any, client: str, host: str = "localhost:8080") -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app, client=(client, 1234))
    return httpx2.AsyncClient(transport=transport, base_url=f"http://{host}")


ROUTES = sorted(
    (method.upper(), re.sub(r"\{\w+\}", "1", path))
    for path, methods in create_app(settings_with()).openapi()["paths"].items()
    for method in methods
)
OPEN = {("GET", "/health"), ("GET", "/auth/callback"), ("POST", "/webhooks/bling"), ("POST", "/webhooks/bling/1")}


# Com API_TOKEN


@GUARDED
async def test_every_route_but_those_with_their_own_key_asks_for_the_token(
    http: httpx2.AsyncClient, bling: Bling
) -> None:
    others = [("GET", path) for path in ("/", "/docs", "/openapi.json", "/docs/oauth2-redirect", "/nada", "//health")]
    guarded = [route for route in [*ROUTES, *others, ("OPTIONS", "/run"), ("POST", "/health/")] if route not in OPEN]
    assert len(guarded) >= 15
    for method, path in guarded:
        answer = await http.request(method, path)
        problem(answer, 401)
        assert answer.headers["www-authenticate"] == 'Bearer realm="bling-collector"'
        assert answer.headers["cache-control"] == "no-store"
    assert (bling.counters.total, bling.counters.token_calls) == (0, 0)


@GUARDED
async def test_what_stays_open(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/health")).status_code == 200
    problem(await http.get("/auth/callback"), 422)


async def test_where_the_database_is_is_only_for_who_is_known(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(settings_with(api_token=Secret(TOKEN)), clock) as http:
        for path, headers in (
            ("/auth/callback?code=x&state=y", {}),
            ("/auth/callback?code=x&state=y", bearer(TOKEN)),
            ("/status", bearer("norte.x")),
            ("/status", {"Cookie": "sessao=9999999999-1-norte.x"}),
            ("/status", {"Cookie": "sessao=9999999999-1-norte.x", "Accept": "text/html"}),
        ):
            caplog.clear()
            answer = await http.get(path, headers=headers)
            assert (answer.status_code, DOWN in answer.text, "127.0.0.1" in answer.text) == (503, True, False), path
            assert "127.0.0.1:1 não atende" in caplog.text
        unsigned = problem(await http.post("/webhooks/bling", content=b"{}"), 401)
        assert "127.0.0.1" not in str(unsigned)
        assert "127.0.0.1:1" in problem(await http.get("/status", headers=bearer(TOKEN)), 503)["detail"]


async def test_to_try_again_does_not_lead_to_another_site(clock: FakeClock) -> None:
    asked = {"Cookie": "sessao=9999999999-1-norte.x", "Accept": "text/html"}
    async with serving(settings_with(api_token=Secret(TOKEN)), clock) as http:
        for path, again in (
            ("//evil.example/x", "/"),
            ("/e/norte//evil.example/x", "/e/norte/"),
            ("/e/norte/notas?q=a", "/e/norte/notas?q=a"),
        ):
            page = (await http.get(f"http://localhost{path}", headers=asked)).text
            assert f'href="{again}">Tentar de novo</a>' in page, page


@GUARDED
@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic " + TOKEN, TOKEN, f"Bearer{TOKEN}", f"Token {TOKEN}"],
)
async def test_a_token_that_was_not_brought(http: httpx2.AsyncClient, header: str) -> None:
    answer = await http.get("/status", headers={"Authorization": header})
    assert problem(answer, 401)["detail"].startswith("Falta o token")
    assert "error=" not in answer.headers["www-authenticate"]


@GUARDED
@pytest.mark.parametrize("wrong", ["x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "ção", f"{TOKEN} {TOKEN}"])
async def test_a_wrong_token(http: httpx2.AsyncClient, wrong: str) -> None:
    answer = await http.get("/status", headers=[(b"Authorization", f"Bearer {wrong}".encode())])
    assert problem(answer, 401)["detail"].startswith("O token não confere")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert wrong == "x" or wrong not in answer.text


@GUARDED
async def test_the_right_one_opens_everything(http: httpx2.AsyncClient, bling: Bling) -> None:
    problem(await authorise_without_token(http), 401)
    http.headers.update(bearer(TOKEN))
    assert (await authorise(http, bling)).status_code == 200
    assert (await http.get("/status", headers={"Authorization": f"bearer  {TOKEN} "})).status_code == 200
    assert (await http.post("/run")).json()["status"] == "success"
    assert (await http.get("/docs")).status_code == 200
    problem(await http.get("/nada"), 404)


async def authorise_without_token(http: httpx2.AsyncClient) -> httpx2.Response:
    return await http.get("/auth/start")


@GUARDED
async def test_a_token_in_the_address_does_not_count(http: httpx2.AsyncClient) -> None:
    for name in ("api_token", "token", "access_token"):
        problem(await http.get(f"/status?{name}={TOKEN}"), 401)


async def test_with_a_token_any_machine_may_call() -> None:
    app = create_app(settings_with(api_token=Secret(TOKEN)))
    async with app.router.lifespan_context(app), called_from(app, "203.0.113.7", "coletor.example.com") as http:
        problem(await http.get("/"), 401)
        assert (await http.get("/", headers=bearer(TOKEN))).status_code == 200


def test_the_description_says_which_routes_ask_for_it() -> None:
    api = create_app(settings_with()).openapi()
    assert api["components"]["securitySchemes"]["apiToken"]["scheme"] == "bearer"
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            asks = (method.upper(), path.replace("{empresa}", "1")) not in OPEN
            assert ("security" in operation) is asks
            assert ("401" in operation["responses"]) is (asks or path.startswith("/webhooks/bling"))


@pytest.mark.parametrize("token", ["com espaço", "coração", "a\nb", ""])
def test_a_token_that_does_not_fit_a_header(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", token)
    if not token:
        assert load_settings().api_token is None
        return
    with pytest.raises(ConfigurationError, match="API_TOKEN") as caught:
        load_settings()
    assert token not in str(caught.value)


# Sem API_TOKEN


@pytest.mark.parametrize(
    ("client", "host", "status"),
    [
        ("127.0.0.1", "localhost:8080", 200),
        ("127.0.0.9", "127.0.0.1:8080", 200),
        ("127.0.0.1", "LOCALHOST.:8080", 200),
        ("::1", "[::1]:8080", 200),
        ("127.0.0.1", "coletor.localhost", 200),
        ("127.0.0.1", "coletor", 403),
        ("203.0.113.7", "localhost", 403),
        ("192.168.0.7", "127.0.0.1", 403),
        ("2001:db8::1", "localhost", 403),
        ("127.0.0.1", "atacante.example.com", 403),
        ("127.0.0.1", "atacante.example.com:8080", 403),
        ("127.0.0.1", "192.168.0.7:8080", 403),
        ("127.0.0.1", "127.0.0.1.example.com", 403),
    ],
)
async def test_without_a_token_only_this_machine_calls(client: str, host: str, status: int) -> None:
    """O nome de outro site, apontado para cá, é o navegador de alguém enganado (DNS rebinding)."""
    app = create_app(settings_with())
    async with app.router.lifespan_context(app), called_from(app, client, host) as http:
        answer = await http.get("/")
        assert answer.status_code == status
        if status == 403:
            assert ("API_TOKEN" if client in FAR else "ALLOWED_HOSTS") in problem(answer, 403)["detail"]
        assert (await http.get("/health")).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_this_machine_needs_no_words(host: str) -> None:
    check_address(settings_with(), host)


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "", "192.168.0.7", "coletor.example.com", "127.example.com"])
def test_another_address_is_refused_unless_told(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"API_TOKEN.*--sem-autenticacao"):
        check_address(settings_with(), host)
    check_address(settings_with(allow_unauthenticated=True), host)
    check_address(settings_with(api_token=Secret(TOKEN)), host)
    with pytest.raises(ConfigurationError, match="API_TOKEN tem 7 caracteres"):
        check_address(settings_with(api_token=Secret("segredo"), allow_unauthenticated=True), host)
    check_address(settings_with(api_token=Secret("segredo")), "127.0.0.1")


@pytest.mark.parametrize(
    ("allowed", "host", "status"),
    [
        (None, "localhost:8080", 200),
        (None, "127.0.0.1", 200),
        (None, "[::1]:8080", 200),
        (None, "atacante.example.com:8080", 403),
        (None, "192.168.0.7:8080", 403),
        ("coletor.example.com", "coletor.example.com", 200),
        ("coletor.example.com", "COLETOR.example.com:443", 200),
        ("coletor.example.com", "localhost", 403),
        ("coletor.example.com", "mau.coletor.example.com", 403),
        ("*.run.app", "sol-bling-abc.a.run.app", 200),
        ("*.run.app", "run.app", 403),
        ("*.run.app", "mau-run.app", 403),
        ("*", "o.que.for", 200),
    ],
)
async def test_told_in_so_many_words_anyone_may_call_by_our_names(
    allowed: str | None, host: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K_SERVICE", "sol-bling-collector")  # existe em todo Knative: sozinha não diz nada
    monkeypatch.setenv("ALLOWED_HOSTS", allowed or "")
    app = create_app(settings_with(allow_unauthenticated=True, allowed_hosts=load_settings().allowed_hosts))
    async with app.router.lifespan_context(app), called_from(app, "203.0.113.7", host) as http:
        answer = await http.get("/")
        assert answer.status_code == status
        if status == 403:
            assert "ALLOWED_HOSTS" in problem(answer, 403)["detail"]


async def test_knative_alone_does_not_open_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K_SERVICE", "sol-bling-collector")
    with pytest.raises(ConfigurationError, match=r"IAM do Cloud Run.*ALLOW_UNAUTHENTICATED"):
        check_address(settings_with(), EVERYWHERE)
    app = create_app(settings_with())
    async with app.router.lifespan_context(app), called_from(app, "203.0.113.7") as http:
        problem(await http.get("/"), 403)


@pytest.mark.parametrize("value", ["http://a.b", "a.b:80", "a b/c", "*a.b"])
def test_a_host_that_is_no_name(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", value)
    with pytest.raises(ConfigurationError, match="ALLOWED_HOSTS"):
        load_settings()


def free_port() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


async def test_serve_refuses_before_anything_opens(tmp_path: Any) -> None:
    """O comando sai com 2 e diz o que fazer; com a opção, atende."""
    environment = os.environ | {"DATABASE_URL": NOWHERE.get_secret_value(), "XDG_DATA_HOME": str(tmp_path)}
    command = (sys.executable, "-m", "bling_collector", "serve", "--host", EVERYWHERE, "--port", free_port())
    pipe = asyncio.subprocess.PIPE
    refused = await Terminal(tmp_path, environment).run("serve", "--host", EVERYWHERE, "--port", free_port())
    assert refused.code == 2
    assert "Sem API_TOKEN o serviço só atende nesta máquina" in refused.err

    words = (*command, "--sem-autenticacao")
    told = await asyncio.create_subprocess_exec(*words, env=environment, cwd=tmp_path, stderr=pipe)
    try:
        assert told.stderr
        async with asyncio.timeout(120):
            while b"Atendendo em" not in await told.stderr.readline():
                assert told.returncode is None
    finally:
        told.terminate()
        await told.communicate()
    assert told.returncode == 0


async def test_another_site_is_refused_even_when_the_browser_says_only_where_it_comes_from(
    http: httpx2.AsyncClient, bling: Bling
) -> None:
    """Por http a um endereço da rede, o navegador não manda o Sec-Fetch-Site."""
    problem(await http.post("/run", headers={"Origin": "http://outro.example"}), 403)
    problem(await http.post("/run", headers={"Origin": "null"}), 403)
    assert bling.counters.total == 0
    here = f"http://{http.base_url.netloc.decode()}"
    assert (await http.post("/alerts/check", headers={"Origin": here})).status_code == 200


# O tamanho de um pedido


async def test_a_body_too_large_is_refused_before_it_is_read(http: httpx2.AsyncClient) -> None:
    body = problem(await http.post("/run", content=b"x" * (MAX_BODY + 1)), 413)
    assert "1024 KB" in body["detail"]
    problem(await http.post("/run", headers={"Content-Length": "9" * 30}), 413)
    problem(await http.post("/run", content=b"x" * 5000), 422)


async def test_a_body_without_length_is_counted(http: httpx2.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * MAX_BODY:
            sent += 65536
            yield b" " * 65536

    problem(await http.post("/run", content=endless()), 413)
    assert sent <= 2 * MAX_BODY


async def test_an_address_and_headers_too_large(http: httpx2.AsyncClient) -> None:
    problem(await http.get("/status?x=" + "a" * MAX_TARGET), 414)
    problem(await http.get("/" + "z" * (MAX_TARGET + 1)), 414)
    problem(await http.get("/status", headers={"X-Grande": "a" * MAX_HEADERS}), 431)
    problem(await http.get("/" + "z" * 4000), 404)
