"""A porta: cabeçalhos tortos, HEAD, proxies, tokens errados, sair, e um GET que não grava nada."""

from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import problem, serving
from tests.acceptance.test_access import GUARDED, TOKEN, bearer, called_from, settings_with
from tests.support.fakes import FakeClock

from bling_collector.config import Secret, Settings
from bling_collector.db.connection.database import in_schema
from bling_collector.main import create_app
from bling_collector.web.door.attempts import MOST
from bling_collector.web.door.connections import MAX_TARGET
from bling_collector.web.door.ended import EndedSessions
from bling_collector.workplace.companies import add
from bling_simulator.bling import Bling

pytestmark = pytest.mark.bling(scale=0.01)
WRITTEN = text("SELECT (SELECT count(*) FROM oauth_states), (SELECT count(*) FROM oauth_tokens)")


@pytest.fixture
async def http(settings: Settings, clock: FakeClock) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(settings, clock) as client:
        yield client


BROKEN = [
    "http://[",
    "http://[::1",
    "[",
    "]",
    "://",
    "http://a:b:c",
    "\x01",
    "a" * 5000,
    "é",
    "",
    "%",
    "http://\t",
    "//[",
]
PARSED = [
    *("Host", "Origin", "Referer", "HX-Current-URL", "Cookie", "Authorization", "Accept", "Prefer", "Content-Length"),
    *(
        "Content-Type",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-For",
        "X-Forwarded-Prefix",
        "Last-Event-ID",
    ),
    *("Sec-Fetch-Site", "HX-Request", "Range", "If-None-Match", "Accept-Language", "Connection", "Transfer-Encoding"),
]


@pytest.mark.parametrize("token", [None, Secret(TOKEN)])
async def test_no_header_that_is_read_breaks_an_answer(settings: Settings, token: Secret | None) -> None:
    """Sem banco, sem soquete: o que se lê antes de a rota começar."""
    app = create_app(settings_with(api_token=token))
    async with app.router.lifespan_context(app), called_from(app, "127.0.0.1") as http:
        for name in PARSED:
            for value in BROKEN:
                for method, path in (("GET", "/nada"), ("POST", "/sair")):
                    headers = [(b"hx-request", b"true"), (name.lower().encode(), value.encode())]
                    answer = await http.request(method, path, headers=headers)
                    assert answer.status_code != 500, (name, value)
                    assert answer.headers["x-content-type-options"] == "nosniff"
                    assert answer.headers["content-security-policy"]


async def test_a_hostile_path_is_cut_before_it_is_looked_at() -> None:
    app = create_app(settings_with(api_token=Secret(TOKEN)))
    async with app.router.lifespan_context(app), called_from(app, "127.0.0.1") as http:
        answer = await http.get("/" + "eyJ-" * 15_000)
        assert answer.status_code == 414
        assert len(answer.json()["instance"]) < 600
        answer = await http.get("/" + "eyJ-" * (MAX_TARGET // 5))
        assert len(answer.json()["instance"]) < 600


@pytest.mark.parametrize(
    "path", ["/", "/health", "/status", "/runs", "/docs", "/openapi.json", "/metrics", "/nada", "/runs/9"]
)
async def test_head_answers_where_get_does(http: httpx2.AsyncClient, path: str) -> None:
    got, head = await http.get(path), await http.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    assert head.headers["content-type"] == got.headers["content-type"]
    assert head.headers["content-length"]


async def test_head_where_only_post_answers(http: httpx2.AsyncClient) -> None:
    assert (await http.head("/run")).status_code == 405
    assert (await http.post("/health")).headers["allow"] == "GET, HEAD"


# --- atrás de um proxy ---------------------------------------------------------------------------------------------

PUBLIC = {"Origin": "https://painel.empresa.com.br", "Sec-Fetch-Site": "same-origin"}


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "status"),
    [
        ("127.0.0.1", {}, "127.0.0.1", 403),  # o nginx como vem: o Host é o dele
        ("127.0.0.1", {"X-Forwarded-Host": "painel.empresa.com.br"}, "127.0.0.1", 303),
        ("10.0.0.9", {"X-Forwarded-Host": "painel.empresa.com.br"}, "10.0.0.0/8", 303),
        ("10.0.0.9", {"X-Forwarded-Host": "painel.empresa.com.br"}, "127.0.0.1", 403),
        ("127.0.0.1", {"X-Forwarded-Host": "outro.empresa.com.br"}, "127.0.0.1", 403),
        ("127.0.0.1", {"Host": "painel.empresa.com.br"}, "127.0.0.1", 303),
    ],
)
async def test_a_form_behind_a_proxy(peer: str, forwarded: dict[str, str], trusted: str, status: int) -> None:
    app = create_app(settings_with(api_token=Secret(TOKEN), forwarded_allow_ips=trusted))
    async with app.router.lifespan_context(app), called_from(app, peer, "127.0.0.1:8080") as http:
        answer = await http.post("/entrar", data={"token": TOKEN}, headers=PUBLIC | forwarded)
        assert answer.status_code == status
        if status == 403:
            said = problem(answer, 403)["detail"]
            assert "proxy_set_header Host $http_host" in said
            assert "FORWARDED_ALLOW_IPS" in said


async def test_the_address_to_register_is_the_one_that_the_proxy_was_called_by(
    settings: Settings, clock: FakeClock
) -> None:
    app = create_app(replace(settings, allowed_hosts=("localhost", "painel.empresa.com.br")), clock=clock)
    forwarded = {"X-Forwarded-Host": "painel.empresa.com.br", "X-Forwarded-Proto": "https", "Accept": "text/html"}
    async with app.router.lifespan_context(app), called_from(app, "127.0.0.1") as http:
        page = await http.get("/", headers=forwarded)
        assert "https://painel.empresa.com.br/auth/callback" in page.text


async def test_a_page_of_another_name_does_not_pass_for_a_proxy() -> None:
    """O navegador desta máquina, numa página cujo nome foi apontado para cá, escreve o cabeçalho que quiser."""
    app = create_app(settings_with())
    async with app.router.lifespan_context(app), called_from(app, "127.0.0.1", "mau.example") as http:
        problem(await http.get("/", headers={"X-Forwarded-Host": "localhost"}), 403)


async def test_a_path_of_the_proxy_is_refused_in_words() -> None:
    app = create_app(settings_with())
    async with app.router.lifespan_context(app), called_from(app, "127.0.0.1") as http:
        assert "raiz" in problem(await http.get("/", headers={"X-Forwarded-Prefix": "/bling"}), 421)["detail"]
        assert (await http.get("/", headers={"X-Forwarded-Prefix": "/"})).status_code == 200
    async with app.router.lifespan_context(app), called_from(app, "203.0.113.7") as http:
        problem(await http.get("/", headers={"X-Forwarded-Prefix": "/bling"}), 403)  # quem não é o proxy não o diz


# --- os tokens errados ---------------------------------------------------------------------------------------------


async def test_wrong_bearers_are_counted_as_wrong_logins_are(clock: FakeClock) -> None:
    app = create_app(settings_with(api_token=Secret(TOKEN)), clock=clock)
    async with app.router.lifespan_context(app), called_from(app, "203.0.113.7") as http:
        for _ in range(MOST - 1):
            problem(await http.get("/nada", headers=bearer("errado")), 401)
        problem(await http.get("/nada"), 401)  # sem token não se adivinha nada
        assert (await http.post("/entrar", data={"token": "errado"})).status_code == 403
        limited = await http.get("/nada", headers=bearer(TOKEN))  # nem o certo: senão adivinhar valeria a pena
        assert 0 < int(limited.headers["retry-after"]) <= 60
        assert "tokens errados" in problem(limited, 429)["detail"]
        assert (await http.post("/entrar", data={"token": TOKEN})).status_code == 429
        codes = []
        for address in ("203.0.113.8", "192.0.2.7", "127.0.0.1"):  # um pode cair na mesma conta: são 1024
            async with called_from(app, address) as other:
                codes.append((await other.get("/nada", headers=bearer(TOKEN))).status_code)
        assert codes.count(404) >= 2
        clock.advance(61)
        problem(await http.get("/nada", headers=bearer(TOKEN)), 404)


# --- sair ----------------------------------------------------------------------------------------------------------


@GUARDED
async def test_leaving_ends_the_session_here_too(
    http: httpx2.AsyncClient, settings: Settings, clock: FakeClock, bling: Bling
) -> None:
    await http.post("/entrar", data={"token": TOKEN})
    kept = http.cookies["sessao"]
    assert (await http.get("/status")).status_code == 200
    http.cookies.clear()
    await http.post("/entrar", data={"token": TOKEN})
    other = http.cookies["sessao"]
    assert other != kept

    http.cookies.clear()
    http.cookies.set("sessao", kept)
    assert (await http.post("/sair")).status_code == 303
    http.cookies.clear()
    http.cookies.set("sessao", kept)  # quem guardou o cookie não entra com ele
    problem(await http.get("/status"), 401)
    assert (await http.get("/entrar")).status_code == 200
    async with serving(settings, clock) as another:  # nem noutro processo, nem depois de um recomeço
        another.cookies.set("sessao", kept)
        problem(await another.get("/status"), 401)
        another.cookies.set("sessao", other)
        assert (await another.get("/status")).status_code == 200


@GUARDED
async def test_an_ended_session_stays_ended_though_the_company_does_not_open(
    engine: AsyncEngine, settings: Settings, clock: FakeClock
) -> None:
    """A do serviço não se abre, e as outras, que podem estar em dia, mostrariam os dados a quem guardou o cookie."""
    await add(engine, "norte")
    async with serving(settings, clock) as http:
        await http.post("/entrar", data={"token": TOKEN})
        kept = http.cookies["sessao"]
        assert (await http.post("/sair")).status_code == 303
    for broken, status in (
        ("UPDATE alembic_version SET version_num = '9999'", 401),
        ("ALTER TABLE oauth_states RENAME TO outra", 503),
    ):
        async with engine.begin() as connection:
            await connection.exec_driver_sql(broken)
        async with serving(settings, clock) as http:
            http.cookies.set("sessao", kept)
            problem(await http.get("/e/norte/status"), status)


async def test_nobody_has_left_a_database_without_tables(engine: AsyncEngine, clock: FakeClock) -> None:
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE SCHEMA vazio")

    async def empty() -> AsyncEngine:
        return in_schema(engine, "vazio")

    assert not await EndedSessions(empty, clock).has("sessao")


async def test_without_a_database_a_session_opens_what_shows_nothing(clock: FakeClock) -> None:
    async with serving(settings_with(api_token=Secret(TOKEN)), clock) as http:
        await http.post("/entrar", data={"token": TOKEN})
        assert "não atende" in problem(await http.get("/status"), 503)["detail"]
        assert (await http.get("/docs")).status_code == 200


# --- um GET não grava ----------------------------------------------------------------------------------------------


async def test_asking_for_the_address_writes_nothing(
    http: httpx2.AsyncClient, engine: AsyncEngine, bling: Bling, clock: FakeClock
) -> None:
    async def written() -> tuple[int, int]:
        async with engine.connect() as connection:
            states, tokens = (await connection.execute(WRITTEN)).one()
        return states, tokens

    states = set()
    for _ in range(3):
        answer = (await http.get("/auth/start", headers={"Sec-Fetch-Site": "cross-site"})).json()
        assert answer.keys() == {"auth_url", "instruction"}
        states.add(parse_qs(urlsplit(answer["auth_url"]).query)["state"][0])
        gone = await http.get("/autorizar")
        states.add(parse_qs(urlsplit(gone.headers["location"]).query)["state"][0])
    assert len(states) == 6
    assert await written() == (0, 0)

    first, second, *_ = states
    assert (await http.get("/auth/callback", params={"code": bling.authorise(), "state": first})).status_code == 200
    assert await written() == (1, 1)
    forged = f"{second[:-1]}{'0' if second[-1] != '0' else '1'}"
    for bad in (first, forged, second.replace("-", "0-", 1), "9999999999-x.", "."):
        problem(await http.get("/auth/callback", params={"code": "c", "state": bad}), 422)
    clock.advance(601)
    problem(await http.get("/auth/callback", params={"code": "c", "state": second}), 422)
    assert await written() == (1, 1)
