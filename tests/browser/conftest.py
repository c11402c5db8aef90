"""O painel num navegador de verdade: o serviço num soquete, a empresa da demonstração no banco e o Chromium.

    async def test_algo(panel: Panel, page: Page) -> None:
        await page.goto("/notas")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Notas")
        await axe(page)

    @pytest.mark.company(loaded=False)     # antes da primeira autorização, sem nada no banco
    @pytest.mark.collector(api_token=…)    # as configurações do coletor, como em todo teste
    @pytest.mark.browser(width=360, theme="dark", javascript=False)

Sem Chromium nesta máquina os testes daqui são pulados, e dizem como instalá-lo.
"""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright
from playwright.async_api import Request as Asked
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.browser.looking import harmless
from tests.conftest import NOW
from tests.support.collecting import authorise
from tests.support.fakes import FakeClock
from tests.support.loads import Loads, nothing

from bling_collector.config import Settings
from bling_collector.db.connection.database import close, create_engine, parse_url
from bling_collector.main import create_app
from bling_collector.web.service import Service
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer, running
from bling_simulator.settings import SimulatorSettings

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
COMPANY = SimulatorSettings(
    scale=0.36, requests_per_second=0, errors_per_10s=0, token_calls_per_minute=0, today=date(2026, 2, 20)
)
"""A empresa da demonstração, menor (uma busca ainda passa de mil notas) e sem limite de ritmo."""
START = date(2021, 1, 1)
NOTES = f"{sum(notes for notes, _ in COMPANY.company_volumes().values()):,}".replace(",", ".")
"""Quantas notas de saída ela tem, como a página o escreve."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "company(loaded): se o banco já tem a empresa da demonstração")
    config.addinivalue_line(
        "markers", "browser(width, height, theme, javascript, outage): a janela deste teste, e se o serviço cai nele"
    )


@dataclass(frozen=True)
class Panel:
    """O serviço no ar e o que há atrás dele."""

    url: str
    service: Service
    engine: AsyncEngine
    bling: Bling
    settings: Settings
    clock: FakeClock


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """O Chromium do sistema; BLING_CHROMIUM diz outro."""
    found = os.environ.get("BLING_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found or not Path(found).exists():
        pytest.skip("Não há Chromium nesta máquina; `make setup-browser` o instala.")
    return found


@pytest.fixture
async def loaded_template(loads: Loads, chromium_path: str) -> str:
    """Um banco com a empresa da demonstração inteira, autorizado e conferido, para copiar."""
    return (await loads.since(START, NOW, COMPANY, {}, nothing)).url


@pytest.fixture
def template(request: pytest.FixtureRequest, chromium_path: str) -> str:
    """O banco que este teste copia: com a empresa ou, se ele o pede, só com as tabelas."""
    name: str = request.getfixturevalue("loaded_template" if is_loaded(request) else "migrated_template")
    return name


def is_loaded(request: pytest.FixtureRequest) -> bool:
    mark = request.node.get_closest_marker("company")
    return mark is None or bool(mark.kwargs["loaded"])


@pytest.fixture
async def server(request: pytest.FixtureRequest, clock: FakeClock) -> AsyncIterator[RunningServer]:
    """O Bling simulado com a mesma empresa."""
    marks = [mark.kwargs for mark in reversed(list(request.node.iter_markers("bling")))]
    changes = {name: value for mark in marks for name, value in mark.items()}
    async with running(replace(COMPANY, **changes), clock=clock) as running_server:
        yield running_server


@pytest.fixture
async def panel(
    request: pytest.FixtureRequest, settings: Settings, clock: FakeClock, bling: Bling, database_url: str
) -> AsyncIterator[Panel]:
    """O serviço num soquete; o Bling simulado volta para o /auth/callback dele."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        url = f"http://localhost:{listener.getsockname()[1]}"
        bling.settings = replace(bling.settings, redirect_uri=f"{url}/auth/callback")
        app = create_app(settings, clock=clock)
        engine = create_engine(parse_url(database_url))
        async with serving_on(app, listener):
            service: Service = app.state.services.main
            opened = await service.account()
            if is_loaded(request):
                await authorise(opened, bling)  # os tokens do modelo são de outro Bling simulado
            yield Panel(url, service, engine, bling, settings, clock)
        await close(engine)


@asynccontextmanager
async def serving_on(app: FastAPI, listener: socket.socket) -> AsyncIterator[None]:
    """Atende no soquete dado, no laço de eventos presente."""
    config = uvicorn.Config(app, log_config=None, ws="none", lifespan="on", timeout_graceful_shutdown=1)
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            assert not task.done(), task.exception()
            await asyncio.sleep(0.005)
        yield
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    """Não toma os sinais do processo, que são do pytest."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture(scope="session")
async def browser(chromium_path: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=ARGS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(request: pytest.FixtureRequest, panel: Panel, browser: Browser) -> AsyncIterator[Page]:
    """Uma janela diante do painel. Ao fim, nada pode ter ido para fora dele nem dado erro no console."""
    mark = request.node.get_closest_marker("browser")
    wanted = {"width": 1280, "height": 900, "theme": "light", "javascript": True, "outage": False} | (
        mark.kwargs if mark else {}
    )
    context = await browser.new_context(
        base_url=panel.url,
        viewport={"width": wanted["width"], "height": wanted["height"]},
        color_scheme=wanted["theme"],
        java_script_enabled=wanted["javascript"],
        locale="pt-BR",
        timezone_id="America/Sao_Paulo",
    )
    context.set_default_timeout(15_000)
    page, said, outside = await context.new_page(), [], []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not harmless(message.text, outage=wanted["outage"]):
            said.append(message.text)

    def watch(asked: Asked) -> None:
        if not asked.url.startswith((f"{panel.url}/", panel.settings.bling_api_base_url.partition("/Api")[0], "data:")):
            outside.append(asked.url)

    page.on("console", listen)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", watch)
    yield page
    await context.close()
    assert not said
    assert not outside
