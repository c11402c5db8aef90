"""As fotografias da documentação: `python -m tests.support.screenshots` põe cada página do painel em docs/imagens.

Sobe um PostgreSQL descartável, o Bling simulado e o serviço, carrega a empresa da demonstração e fotografa com o
Chromium desta máquina. Tudo é inventado: nenhum dado é de alguém.
"""

import asyncio
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright
from tests.browser.conftest import ARGS, COMPANY, NAMES, START, serving_on
from tests.conftest import NOW
from tests.support.collecting import authorise, collector_settings
from tests.support.fakes import TickingClock
from tests.support.postgres import create_database, throwaway_server

from bling_collector import logs
from bling_collector.config import Secret, Settings
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.main import create_app
from bling_collector.workplace.account import open_account
from bling_simulator.server import running

FOLDER = Path(__file__).parents[2] / "docs" / "imagens"
SHOTS: tuple[tuple[str, str, int, str], ...] = (
    ("situacao", "/", 1100, "light"),
    ("situacao-celular", "/", 390, "dark"),
    ("cobertura", "/cobertura", 1100, "light"),
    ("cobertura-mes", "/cobertura/2025-11", 1100, "light"),
    ("executar", "/executar", 1100, "light"),
    ("execucoes", "/execucoes", 1100, "light"),
    ("execucao", "/execucoes/1", 1100, "light"),
    ("faturamento", "/faturamento", 1100, "light"),
    ("faturamento-escuro", "/faturamento", 1100, "dark"),
    ("notas", "/notas", 1100, "light"),
)
"""O nome do arquivo, a página, a largura da janela e o tema."""
TALLEST = 900
"""Uma página mais alta que isto é cortada, para que a figura fique pequena."""


async def photograph(server: EmbeddedServer, chromium: str) -> None:
    url, clock = await create_database(server), TickingClock(NOW)
    async with running(COMPANY, clock=clock) as bling:
        settings = collector_settings(bling.api_url, Secret(url))
        async with _empty_panel(settings, clock) as root, _chromium(chromium) as browser:
            await _shoot(browser, root, "comecar", "/", 1100, "light")
            async with open_account(settings, clock=clock) as account:
                await authorise(account, bling.bling)
                await account.pipeline.run_full(START)
                clock.advance(-12 * 3600)  # dias comuns, às seis da manhã; o último é de há três horas
                for _ in range(6):
                    clock.advance(86_400)
                    await account.pipeline.run()
                clock.advance(3 * 3600)
            for name, path, width, theme in SHOTS:
                await _shoot(browser, root, name, path, width, theme)


@asynccontextmanager
async def _empty_panel(settings: Settings, clock: TickingClock) -> AsyncIterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        async with serving_on(create_app(settings, clock=clock), listener):
            yield f"http://localhost:{listener.getsockname()[1]}"


@asynccontextmanager
async def _chromium(path: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        await browser.close()


async def _shoot(browser: Browser, root: str, name: str, path: str, width: int, theme: Any) -> None:
    context = await browser.new_context(viewport={"width": width, "height": 500}, color_scheme=theme, locale="pt-BR")
    page = await context.new_page()
    answer = await page.goto(root + path)
    assert answer is not None
    assert answer.ok, f"{path}: {answer.status}"
    await page.evaluate(
        "document.querySelectorAll('code').forEach(c => c.textContent = c.textContent.replace(/:[0-9]+/, ':8080'))"
    )
    tall = min(int(await page.evaluate("document.documentElement.scrollHeight")), TALLEST)
    await page.set_viewport_size({"width": width, "height": tall})
    await page.screenshot(path=FOLDER / f"{name}.png")
    await context.close()
    sys.stderr.write(f"{name}.png\n")


def main() -> None:
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        sys.exit("Não há Chromium nesta máquina; `make setup-browser` o instala.")
    logs.configure("ERROR", json=False)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with throwaway_server() as server:
        asyncio.run(photograph(server, chromium))


if __name__ == "__main__":
    main()
