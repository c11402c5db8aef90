"""O serviço que não responde: a página fica como estava, diz que perdeu o contato, e volta sozinha."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
from playwright.async_api import Page, Route, expect
from sqlalchemy.engine import make_url
from tests.browser.conftest import START, Panel, is_loaded
from tests.browser.looking import axe
from tests.support.collecting import authorise, until
from tests.support.postgres import execute

from bling_collector.config import Secret
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.web.door import session
from bling_collector.web.panel.pages import execucoes

pytestmark = pytest.mark.browser(outage=True)
TOKEN = "o-gato-e-o-pato-de-1936"
SLOW = pytest.mark.bling(latency=0.5)
"""Uma execução que não acaba enquanto se olha para ela."""
FIRST = [pytest.mark.company(loaded=False), pytest.mark.bling(scale=0.1)]
LOST = "Sem resposta do serviço; tentando de novo."
PATIENT = 20_000
"""Milissegundos que se espera, no pior caso, numa máquina ocupada."""
AGAIN = "Perdi o contato com o serviço; tentando de novo…"


class Outage:
    """Enquanto `down`, o navegador recebe um erro no lugar da resposta do serviço."""

    def __init__(self) -> None:
        self.down = True
        self.asked = 0

    async def __call__(self, route: Route) -> None:
        self.asked += 1
        if self.down:
            await route.fulfill(status=503, content_type="text/html", body="<main><h1>Banco fora do ar</h1></main>")
        else:
            await route.continue_()

    async def was_asked(self, times: int) -> None:
        async def enough() -> bool:
            return self.asked >= times

        await until(enough)


@pytest.fixture
async def running(request: pytest.FixtureRequest, panel: Panel, page: Page) -> AsyncIterator[int]:
    """O número de uma carga em curso, começada pelo painel."""
    if not is_loaded(request):
        await authorise(await panel.service.account(), panel.bling)
    if token := panel.settings.api_token:
        await page.goto("/entrar")
        await page.get_by_label("Token").fill(token.get_secret_value())
        await page.get_by_role("button", name="Entrar").click()
    async with panel.service.opened() as account:
        yield await panel.service.runner.start(partial(account.pipeline.run_full, START)).started()


@pytest.fixture
async def hurried(page: Page) -> AsyncIterator[None]:
    """O relógio da página corre: ninguém espera os cinco segundos que há entre duas perguntas dela."""
    await page.clock.install()

    async def run() -> None:
        while True:
            await page.clock.fast_forward(1000)
            await asyncio.sleep(0.1)

    running = asyncio.create_task(run())
    yield
    running.cancel()
    await asyncio.wait([running])


@SLOW
@pytest.mark.slow
@pytest.mark.usefixtures("running", "hurried")
async def test_the_first_page_stays_and_comes_back(page: Page, panel: Panel) -> None:
    await page.goto("/")
    title, outage = page.get_by_role("heading", level=1), Outage()
    said = await title.inner_text()
    await page.route(f"{panel.url}/", outage)
    await expect(page.locator("#contato")).to_have_text(LOST, timeout=PATIENT)
    await axe(page)
    await outage.was_asked(2)
    await expect(title).to_have_text(said)
    outage.down = False
    await expect(page.locator("#contato")).to_be_empty(timeout=PATIENT)
    await expect(title).to_have_text(said)


@SLOW
@pytest.mark.slow
@pytest.mark.usefixtures("running", "hurried")
async def test_another_page_does_not_take_the_place_of_this_one(page: Page, panel: Panel) -> None:
    async def hotel(route: Route) -> None:
        await route.fulfill(status=200, content_type="text/html", body="<main><h1>Rede do hotel</h1></main>")

    await page.goto("/")
    await page.route(f"{panel.url}/", hotel)
    await expect(page.locator("#contato")).to_have_text(LOST, timeout=PATIENT)
    await expect(page.locator("#situacao")).to_be_visible()


@SLOW
@pytest.mark.slow
@pytest.mark.usefixtures("running", "hurried")
@pytest.mark.parametrize((), [pytest.param(id="situacao"), pytest.param(id="guia", marks=[*FIRST])])
async def test_the_focus_stays_through_the_polls(page: Page, panel: Panel) -> None:
    await page.goto("/")
    link = page.locator("#situacao").get_by_role("link", name="Acompanhar")
    await link.focus()
    await link.evaluate("link => { window.focused = link; }")
    for _ in range(2):
        await page.evaluate("document.querySelector('#situacao').append(document.createElement('hr'))")
        await expect(page.locator("#situacao > hr")).to_have_count(
            0, timeout=PATIENT
        )  # a resposta tomou o lugar do que havia
        assert await page.evaluate("document.activeElement === window.focused")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "piece"),
    [
        ("/faturamento", "**/faturamento?*partes=sim"),
        pytest.param("/cobertura/2024-07", "**/cobertura/2024-07", marks=pytest.mark.slow),
    ],
)
async def test_a_piece_that_does_not_come_offers_to_try_again(page: Page, path: str, piece: str) -> None:
    outage = Outage()

    async def only_the_piece(route: Route) -> None:
        await (outage(route) if "hx-request" in route.request.headers else route.continue_())

    await page.route(piece, only_the_piece)
    await page.goto(path)
    alert = page.get_by_role("alert")
    await expect(alert).to_have_text("O serviço não respondeu a esta parte da página. Tentar de novo")
    await axe(page)
    outage.down = False
    await alert.get_by_role("link", name="Tentar de novo").click()
    await expect(alert).to_have_count(0, timeout=PATIENT)
    await expect(page.locator("[hx-trigger=load]")).to_have_count(0, timeout=PATIENT)


@SLOW
@pytest.mark.slow
@pytest.mark.company(loaded=False)
async def test_a_run_is_followed_again_after_the_database_is_back(
    page: Page, panel: Panel, running: int, postgres: EmbeddedServer, database_url: str
) -> None:
    await page.goto(f"/execucoes/{running}")
    await expect(page.locator("[data-live=fase]")).to_contain_text("Lendo")
    name = make_url(database_url).database
    await execute(
        postgres.url,
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    await expect(page.locator("#contato")).to_have_text(AGAIN, timeout=PATIENT)
    await axe(page)
    await execute(postgres.url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await expect(page.locator("#contato")).to_be_empty(timeout=PATIENT)


@SLOW
@pytest.mark.slow
@pytest.mark.usefixtures("hurried")
async def test_the_lines_of_a_run_arrive_while_it_runs(page: Page, running: int) -> None:
    await page.goto(f"/execucoes/{running}")
    await page.evaluate("document.querySelector('#registros').replaceChildren()")
    await expect(page.locator("#registros").get_by_role("heading")).to_have_text("O que ela registrou", timeout=PATIENT)


@pytest.mark.slow
@SLOW
@pytest.mark.collector(api_token=Secret(TOKEN))
@pytest.mark.parametrize("path", ["/", pytest.param("/execucoes/2", marks=pytest.mark.slow)])
@pytest.mark.usefixtures("hurried")
async def test_an_ended_session_goes_to_the_door_and_back(
    page: Page, panel: Panel, running: int, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execucoes, "LONGEST", 0.1)  # a ligação se refaz, e encontra a sessão acabada
    assert running == 2
    await page.goto(path)
    await expect(page.locator("#situacao, [data-live-url]")).to_have_count(1)
    panel.clock.advance(session.LIFE.total_seconds())
    await expect(page).to_have_url(f"{panel.url}/entrar?volta={path}", timeout=PATIENT)
    await page.get_by_label("Token").fill(TOKEN)
    await page.get_by_role("button", name="Entrar").click()
    await expect(page).to_have_url(f"{panel.url}{path}")
