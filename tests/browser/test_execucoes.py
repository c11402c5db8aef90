"""Executar, acompanhar ao vivo, parar, e a história."""

import asyncio
import re

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Panel
from tests.browser.looking import MOST_BYTES, axe, fits, weight
from tests.support.collecting import until
from tests.support.one_run import OneRun

from bling_collector.web.panel.pages import execucoes
from bling_simulator.server import RunningServer

PHONE = pytest.mark.browser(width=360, height=740, theme="dark")
PAGES = ["/executar", "/execucoes", "/execucoes/1"]


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES)
async def test_each_page(page: Page, path: str) -> None:
    assert await weight(page, path) < MOST_BYTES
    await axe(page)
    await fits(page)


@pytest.mark.slow
@PHONE
@pytest.mark.parametrize(
    "path", ["/nada", *(pytest.param(path, marks=pytest.mark.slow) for path in (*PAGES, "/execucoes/99"))]
)
async def test_each_page_on_a_phone_in_the_dark(page: Page, path: str) -> None:
    await page.goto(path)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await axe(page)
    await fits(page)


@pytest.mark.slow
async def test_the_period_is_only_asked_for_a_historic_load(page: Page) -> None:
    await page.goto("/executar")
    await expect(page.get_by_label("Primeiro dia")).to_be_hidden()
    await page.get_by_label("Carga histórica").check()
    await page.get_by_label("Primeiro dia").fill("2030-01-01")
    await page.get_by_role("button", name="Ver o plano").click()
    await expect(page.get_by_role("alert")).to_contain_text("está no futuro")
    await expect(page.get_by_label("Primeiro dia")).to_have_value("2030-01-01")
    await axe(page)


@pytest.mark.slow
async def test_back_to_the_plan_shows_it_again(page: Page) -> None:
    await page.goto("/executar")
    await page.get_by_role("button", name="Ver o plano").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Plano: coleta do dia")
    await page.get_by_role("link", name="Cancelar").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Executar")
    await page.go_back()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Plano: coleta do dia")
    await page.reload()
    await expect(page.get_by_role("button", name="Começar")).to_be_enabled()
    await page.go_back()
    await expect(page.get_by_role("button", name="Ver o plano")).to_be_enabled()


@pytest.mark.slow
@pytest.mark.company(loaded=False)
@pytest.mark.bling(scale=0.1, latency=0.3)
async def test_a_run_is_followed_live_and_stopped_gently(
    page: Page, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execucoes, "EVERY", 0.1)
    await _authorise(page)
    await page.request.post(f"{panel.url}/run/full?data_inicio=2021-01-01", headers={"Prefer": "respond-async"})
    await page.goto("/executar")
    await expect(page).to_have_url(f"{panel.url}/execucoes/1")
    await expect(page.locator("[data-live=fase]")).to_contain_text(re.compile("Lendo|Notas de"), timeout=20_000)
    bar = page.get_by_role("progressbar")
    await expect(page.locator("[data-live=ritmo]")).not_to_have_text("—")
    first = await page.locator("[data-live=requisicoes]").inner_text()
    await expect(page.locator("[data-live=requisicoes]")).not_to_have_text(first)
    await expect(bar).not_to_have_attribute("max", "1", timeout=20_000)
    await axe(page)
    await fits(page)
    await page.get_by_role("button", name="Parar com jeito").click()
    await expect(page.get_by_text("Ficou uma parte por fazer")).to_be_visible(timeout=30_000)
    await expect(page.locator(".notice").get_by_text("Interrompida a pedido")).to_be_visible()
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).not_to_contain_text("Tudo certo")
    await axe(page)


@pytest.mark.slow
@pytest.mark.company(loaded=False)
@pytest.mark.bling(scale=0.1, latency=0.3)
async def test_a_run_of_another_process_is_followed_and_stopped_too(
    page: Page, panel: Panel, server: RunningServer, database_url: str
) -> None:
    await _authorise(page)
    other = await OneRun.start(server, database_url, "2021-01-01")
    await other.ready()
    ending = asyncio.create_task(other.finish())
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Três passos até os seus dados")

    async def running() -> bool:
        await page.goto("/executar")
        return page.url.endswith("/execucoes/1")

    await until(running)
    await expect(page.locator("[data-live=fase]")).to_contain_text(re.compile("Lendo|Notas de"), timeout=20_000)
    await page.get_by_role("button", name="Parar com jeito").click()
    await expect(page.get_by_text("Ficou uma parte por fazer")).to_be_visible(timeout=30_000)
    assert (await ending)["status"] == "partial"


@pytest.mark.slow
@pytest.mark.browser(javascript=False)
async def test_without_javascript_it_all_works(page: Page) -> None:
    await page.goto("/executar")
    await page.get_by_role("button", name="Ver o plano").click()
    await page.get_by_role("button", name="Começar").click()
    await expect(page.get_by_text("Completa", exact=True)).to_be_visible(timeout=60_000)  # a página se refaz sozinha
    await page.get_by_role("navigation", name="Seções").get_by_role("link", name="Execuções").click()
    await expect(page.get_by_role("row")).to_have_count(3)


async def _authorise(page: Page) -> None:
    await page.goto("/autorizar")
    await page.get_by_role("button", name="Autorizar").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Autorizado")
