"""O painel por HTTP: quem entra, o que muda só a pedido de uma página dele, e o que responde a pedidos tortos."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import Pool
from tests.acceptance.service_fixtures import authorise, problem, serving
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock

from bling_collector.config import Secret, Settings
from bling_collector.main import create_app
from bling_collector.web.door import session
from bling_collector.web.door.attempts import DRAWERS, MOST, Attempts
from bling_collector.web.door.headers import PANEL
from bling_collector.web.panel.pages import executar
from bling_collector.words import number
from bling_simulator.bling import Bling

TOKEN = "o-gato-e-o-pato-de-1936"
GUARDED = pytest.mark.collector(api_token=Secret(TOKEN))
PAGE = {"Accept": "text/html,application/xhtml+xml"}
OTHER_SITE = {"Sec-Fetch-Site": "cross-site"}
pytestmark = pytest.mark.bling(scale=0.01)


@pytest.fixture
async def http(settings: Settings, clock: FakeClock) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(settings, clock) as client:
        yield client


async def enter(http: httpx2.AsyncClient, token: str = TOKEN, back: str = "/") -> httpx2.Response:
    return await http.post("/entrar", data={"token": token, "volta": back}, headers=PAGE)


# --- entrar --------------------------------------------------------------------------------------------------------


@GUARDED
async def test_a_browser_is_taken_to_the_door_and_a_program_is_not(http: httpx2.AsyncClient) -> None:
    for path, back in (("/", "/"), ("/notas?busca=a&uf=SP", "/notas%3Fbusca%3Da%26uf%3DSP"), ("/docs", "/docs")):
        answer = await http.get(path, headers=PAGE)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/entrar?volta={back}")
        problem(await http.get(path), 401)
    lost = await http.post("/executar", data={"tipo": "run"}, headers=PAGE)
    assert (lost.status_code, lost.headers["location"]) == (303, "/entrar?volta=/")


@GUARDED
async def test_the_right_token_opens_the_pages_and_the_api(http: httpx2.AsyncClient, clock: FakeClock) -> None:
    answer = await enter(http, back="/notas?busca=ção")
    assert (answer.status_code, answer.headers["location"]) == (303, "/notas?busca=%C3%A7%C3%A3o")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert TOKEN not in cookie
    assert (await http.get("/", headers=PAGE)).status_code == 200
    assert (await http.get("/status")).status_code == 200

    clock.advance(session.LIFE.total_seconds())
    assert (await http.get("/", headers=PAGE)).status_code == 303
    problem(await http.get("/status"), 401)


@GUARDED
async def test_behind_https_the_cookie_is_secure(http: httpx2.AsyncClient) -> None:
    answer = await http.post("/entrar", data={"token": TOKEN}, headers=PAGE | {"X-Forwarded-Proto": "https"})
    assert "Secure" in answer.headers["set-cookie"]


async def test_behind_https_the_guide_says_https(http: httpx2.AsyncClient) -> None:
    here = str(http.base_url).rstrip("/")
    assert f'<code class="break">{here}/auth/callback</code>' in (await http.get("/", headers=PAGE)).text
    answer = await http.get("/", headers=PAGE | {"X-Forwarded-Proto": "https", "Host": "painel.localhost"})
    assert "https://painel.localhost/auth/callback" in answer.text


@GUARDED
async def test_an_ended_session_takes_the_page_to_the_door_and_not_a_piece_of_it(http: httpx2.AsyncClient) -> None:
    asking = PAGE | {"HX-Request": "true", "HX-Current-URL": "http://painel.example/faturamento?periodo=ano"}
    answer = await http.get("/faturamento?periodo=ano&partes=sim", headers=asking)
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/entrar?volta=/faturamento%3Fperiodo%3Dano"
    assert answer.text == ""


@GUARDED
async def test_the_door_says_nothing_to_who_is_in(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/entrar?volta=/notas", headers=PAGE)).status_code == 200
    await enter(http)
    answer = await http.get("/entrar", params={"volta": "/notas?busca=ção"}, headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/notas?busca=%C3%A7%C3%A3o")
    assert (await http.get("/entrar?volta=//mau.example", headers=PAGE)).headers["location"] == "/"


@GUARDED
async def test_ten_wrong_tokens_close_the_door_for_the_rest_of_the_minute(
    http: httpx2.AsyncClient, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    assert [(await enter(http, "errado")).status_code for _ in range(10)] == [403] * 10
    clock.advance(20)
    for token in ("errado", TOKEN):
        answer = await enter(http, token)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "40")
        assert "Espere 40 segundos" in answer.text
        assert "set-cookie" not in answer.headers
    assert len([line for line in caplog.messages if "tokens errados" in line]) == 1
    clock.advance(40)
    assert (await enter(http)).status_code == 303


@GUARDED
async def test_who_guesses_from_elsewhere_does_not_keep_the_owner_out(
    http: httpx2.AsyncClient, settings: Settings, clock: FakeClock
) -> None:
    app = create_app(settings, clock=clock)

    def calling_from(address: str) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app=app, client=(address, 40_000))
        return httpx2.AsyncClient(transport=transport, base_url="http://localhost")

    async with app.router.lifespan_context(app), calling_from("203.0.113.9") as guesser:
        for n in range(30):  # um cabeçalho forjado não faz dele outro
            forged = {"X-Forwarded-For": f"198.51.100.{n}"}
            answer = await guesser.post("/entrar", data={"token": "errado"}, headers=PAGE | forged)
        assert answer.status_code == 429
        assert (await enter(guesser)).status_code == 429, "adivinhar depois disso não serve de nada"
        answers = []
        for address in (
            "::1",
            "127.0.0.1",
            "192.0.2.7",
        ):  # um deles pode cair na conta de quem adivinha: são 1024 contas
            async with calling_from(address) as owner:
                answers.append((await enter(owner)).status_code)
        assert answers.count(303) >= 2


def test_a_whole_ipv6_network_is_one_who_guesses(clock: FakeClock) -> None:
    attempts = Attempts(clock)
    for n in range(MOST):
        attempts.failed(f"2001:db8::{n:x}")
    assert attempts.wait("2001:db8::ffff") == 60
    assert sum(attempts.wait(f"2001:db8:0:{n:x}::1") > 0 for n in range(1, 100)) < 10


def test_no_number_of_addresses_fills_the_memory_or_guesses_without_end(clock: FakeClock) -> None:
    attempts, guesses = Attempts(clock), 0
    for n in range(40_000):
        address = f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"
        if not attempts.wait(address):
            attempts.failed(address)
            guesses += 1
    assert guesses <= DRAWERS * MOST


@GUARDED
@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], TOKEN + "x", "ção", "\x00"])
async def test_another_token_opens_nothing(http: httpx2.AsyncClient, token: str) -> None:
    answer = await enter(http, token)
    assert answer.status_code == 403
    assert "O token não confere" in answer.text
    assert "set-cookie" not in answer.headers
    assert token in ("", "x") or token not in answer.text
    assert (await http.get("/", headers=PAGE)).status_code == 303


@GUARDED
@pytest.mark.parametrize("back", ["//mau.example", "https://mau.example/", "/\\mau.example", "javascript:alert(1)"])
async def test_the_way_back_never_leaves(http: httpx2.AsyncClient, back: str) -> None:
    page = await http.get("/entrar", params={"volta": f'{back}"><script>alert(1)</script>'})
    assert "<script>alert" not in page.text
    assert 'name="volta" value="/"' in page.text
    assert (await enter(http, back=back)).headers["location"] == "/"


@GUARDED
async def test_leaving_ends_the_session(http: httpx2.AsyncClient) -> None:
    await enter(http)
    answer = await http.post("/sair", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/entrar")
    assert (await http.get("/", headers=PAGE)).status_code == 303


@GUARDED
async def test_a_session_does_not_obey_another_site(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    await enter(http)
    for path in (
        "/run",
        "/failures/retry",
        "/executar",
        "/execucoes/1/parar",
        "/alerts/check",
        "/sair",
    ):
        problem(await http.post(path, headers=OTHER_SITE), 403)
        problem(await http.post(path, headers={"Origin": "https://mau.example"}), 403)
    assert await scalar(engine, "SELECT count(*) FROM etl_controle") == 0
    problem(await http.get("/executar/plano?tipo=run", headers=OTHER_SITE), 403)
    problem(await http.post("/entrar", data={"token": TOKEN}, headers=OTHER_SITE), 403)


async def test_without_a_token_there_is_no_door(http: httpx2.AsyncClient) -> None:
    for answer in (await http.get("/entrar", headers=PAGE), await enter(http)):
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Sair" not in (await http.get("/", headers=PAGE)).text
    problem(await http.post("/executar", data={"tipo": "run"}, headers=OTHER_SITE), 403)


# --- páginas -------------------------------------------------------------------------------------------------------


async def test_a_program_that_asks_for_the_root_gets_what_it_always_got(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/")
    assert answer.json().keys() == {"service", "version", "docs", "status"}
    assert (await http.get("/", headers=PAGE)).headers["content-type"].startswith("text/html")


async def test_every_page_is_dressed(http: httpx2.AsyncClient) -> None:
    for path in ("/", "/executar", "/execucoes", "/nada", "/execucoes/7"):
        answer = await http.get(path, headers=PAGE)
        assert answer.headers["content-security-policy"] == PANEL["Content-Security-Policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r'\sstyle="|\son\w+="|<script>|javascript:', answer.text)


async def test_what_a_page_carries_never_changes_under_its_address(http: httpx2.AsyncClient) -> None:
    page = (await http.get("/", headers=PAGE)).text
    found = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert {path.rpartition("/")[2] for path in found} == {"app.css", "app.js", "htmx.min.js", "favicon.svg"}
    for path in found:
        answer = await http.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
    for path in (
        "/static/0/app.css",
        "/static/x/../app.css",
        "/static/0/%2e%2e%2fsecret",
        "/static/1/htmx-LICENSE.txt",
    ):
        assert (await http.get(path)).status_code == 404


ODD_ADDRESSES = [
    ("/nada", 404),
    ("/execucoes/0", 404),
    ("/execucoes/x", 404),
    ("/execucoes/999", 404),
    ("/execucoes/2147483648", 404),
    ("/execucoes/99999999999999999999", 404),
    ("/execucoes/-1", 404),
    ("/execucoes?antes=x", 200),
    ("/execucoes?antes=-5", 200),
    ("/execucoes?antes=99999999999999999999999", 200),
    ("/execucoes?antes=²", 200),
    ("/execucoes?antes=٣", 200),
    ("/execucoes?antes=000000000001999999999999", 200),
    (f"/execucoes?antes={'0' * 5000}", 200),
    ("/execucoes?antes=2147483648", 200),
    ("/execucoes/<script>alert(1)", 404),
    ("/?tema=<script>", 200),
]


async def test_an_odd_address_is_a_page(http: httpx2.AsyncClient, subtests: pytest.Subtests) -> None:
    for path, status in ODD_ADDRESSES:
        with subtests.test(path=path, status=status):
            answer = await http.get(path, headers=PAGE | {"Cookie": "tema=<b>; sessao=x"})
            assert answer.status_code == status
            assert answer.headers["content-type"].startswith("text/html")
            assert "<script>alert" not in answer.text
            assert "<h1>" in answer.text
            assert "run_id" not in answer.text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"tipo": "run-full"}, "Diga o primeiro dia"),
        ({"tipo": "run-full", "data_inicio": "ontem"}, "não é uma data"),
        ({"tipo": "run-full", "data_inicio": "2026-02-30"}, "não é uma data"),
        ({"tipo": "run-full", "data_inicio": "2030-01-01"}, "está no futuro"),
        ({"tipo": "run-full", "data_inicio": "1990-01-01"}, "ainda não havia NF-e"),
        ({"tipo": "run-full", "data_inicio": "2025-02-01", "data_fim": "2025-01-01"}, "vem antes"),
        ({"tipo": "run-full", "data_inicio": '"><script>alert(1)</script>'}, "não é uma data"),
        ({"tipo": "outro"}, "Escolha a coleta"),
        ({}, "Escolha a coleta"),
    ],
)
async def test_a_plan_of_nonsense_says_so(http: httpx2.AsyncClient, data: dict[str, str], said: str) -> None:
    answer = await http.get("/executar/plano", params=data, headers=PAGE)
    assert answer.status_code == 422
    assert said in answer.text
    assert "<script>alert" not in answer.text
    assert (await http.post("/executar", data=data, headers=PAGE)).status_code == 422


async def test_a_plan_of_many_years_says_how_far_off_it_may_be(http: httpx2.AsyncClient, bling: Bling) -> None:
    await authorise(http, bling)
    for inicio, loose in (("2000-01-01", True), ("2026-01-01", False)):
        answer = await http.get(f"/executar/plano?tipo=run-full&data_inicio={inicio}", headers=PAGE)
        assert (answer.status_code, "pode errar pela metade" in answer.text) == (200, loose), inicio


@pytest.mark.bling(scale=0.01, missing_scopes=frozenset({"/vendedores"}))
@pytest.mark.collector(recursos=("depositos", "vendedores"))
async def test_a_plan_says_what_is_of_each_resource_and_what_was_not_known(
    http: httpx2.AsyncClient, bling: Bling
) -> None:
    await authorise(http, bling)
    html = (await http.get("/executar/plano?tipo=run-full&data_inicio=2026-01-01", headers=PAGE)).text
    assert "pelo menos" in html
    assert "só se contou o que é certo que se pede: vendedores." in html
    assert '<th scope="row">Depósitos</th>' in html
    assert "Notas no período" not in html, "as notas não se coletam"
    assert bling.counters.requests["/nfe"] == 0


@pytest.mark.bling(scale=0.01)
async def test_a_plan_does_not_wait_for_ever(
    http: httpx2.AsyncClient, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    await authorise(http, bling)
    bling.fail("^/nfe$", "hang", seconds=1.0)
    monkeypatch.setattr(executar, "PATIENCE", 0.05)
    answer = await http.get("/executar/plano?tipo=run-full&data_inicio=2021-01-01", headers=PAGE)
    assert answer.status_code == 502
    assert "O Bling não respondeu como devia" in answer.text
    assert 'href="/executar/plano?tipo=run-full&amp;data_inicio=2021-01-01"' in answer.text, "tentar de novo é o mesmo"


async def test_nothing_starts_without_authorisation_and_the_page_offers_it(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/executar/plano?tipo=run", headers=PAGE)
    assert answer.status_code == 503
    assert 'href="/autorizar"' in answer.text


async def test_the_consent_that_was_denied_is_a_page_too(http: httpx2.AsyncClient, bling: Bling) -> None:
    denied = await http.get("/auth/callback?error=access_denied", headers=PAGE)
    assert denied.status_code == 422
    assert "<h1>Autorização negada</h1>" in denied.text
    assert "Pedido inválido" not in denied.text
    assert 'href="/autorizar"' in denied.text
    problem(await http.get("/auth/callback?error=access_denied"), 422)
    assert (await authorise(http, bling)).json()["status"] == "success"


async def test_a_run_from_the_page_and_its_page(http: httpx2.AsyncClient, bling: Bling, engine: AsyncEngine) -> None:
    await authorise(http, bling)
    started = await http.post("/executar", data={"tipo": "run-full", "data_inicio": "2026-01-01"}, headers=PAGE)
    assert (started.status_code, started.headers["location"]) == (303, "/execucoes/1")
    lines = [line async for line in (await http.get("/execucoes/1/ao-vivo")).aiter_lines()]
    assert "event: fim" in lines
    assert lines[lines.index("event: fim") + 1] == "data: success"
    page = (await http.get("/execucoes/1", headers=PAGE)).text
    assert "Carga histórica".lower() in page
    assert "Execução 1: completa. Tudo em dia." in page
    contatos, produtos = (await rows(engine, "SELECT contatos_novos, produtos_novos FROM etl_controle"))[0]
    for address in ("/execucoes", "/execucoes/1"):
        shown = re.sub(r"<[^>]+>", " ", (await http.get(address, headers=PAGE)).text)
        assert "Outros registros" in shown
        assert f" {number(contatos + produtos)} " in shown, "o mesmo número, com o mesmo nome"
    assert "Período das notas" in page
    kept = await rows(engine, "SELECT tipo, status FROM etl_controle")
    assert kept == [("run-full", "success")]
    problem(await http.post("/execucoes/1/parar"), 422)
    problem(await http.get("/execucoes/2/ao-vivo"), 404)


async def test_the_owner_s_names_are_only_text(http: httpx2.AsyncClient, engine: AsyncEngine, clock: FakeClock) -> None:
    """O que vem do Bling aparece escrito, e nada dele se executa."""
    evil = "<img src=x onerror=alert(1)>{{ 7*7 }}"
    async with engine.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO etl_controle (tipo, status, inicio, fim, erro_mensagem) VALUES ('run', 'error', %s, %s, %s)",
            (clock.now() - timedelta(hours=1), clock.now(), evil),
        )
    for path in ("/execucoes", "/execucoes/1"):
        page = (await http.get(path, headers=PAGE)).text
        assert "<img src=x" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;{{ 7*7 }}" in page


async def test_the_home_page_reads_everything_in_one_connection(http: httpx2.AsyncClient) -> None:
    await http.get("/", headers=PAGE)
    taken: list[object] = []

    def take(*connection: object) -> None:
        taken.append(connection)

    event.listen(Pool, "checkout", take)
    try:
        assert (await http.get("/", headers=PAGE)).status_code == 200
    finally:
        event.remove(Pool, "checkout", take)
    assert len(taken) == 1, "mais conexões por página são menos pessoas ao mesmo tempo"
