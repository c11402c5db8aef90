"""Entrar no painel quando o serviço tem API_TOKEN."""

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Panel
from tests.browser.looking import axe, fits

from bling_collector.config import Secret

TOKEN = "o-gato-e-o-pato-de-1936"
pytestmark = [pytest.mark.collector(api_token=Secret(TOKEN)), pytest.mark.company(loaded=False)]


async def test_the_door_and_the_way_back(page: Page, panel: Panel) -> None:
    await page.goto("/notas?busca=sol&uf=SP")
    await expect(page).to_have_url(f"{panel.url}/entrar?volta=/notas%3Fbusca%3Dsol%26uf%3DSP")
    await axe(page)
    await page.get_by_label("Token").fill("errado")
    await page.get_by_role("button", name="Entrar").click()
    await expect(page.get_by_text("O token não confere")).to_be_visible()
    await axe(page)
    await page.get_by_label("Token").fill(TOKEN)
    await page.get_by_role("button", name="Entrar").click()
    await expect(page).to_have_url(f"{panel.url}/notas?busca=sol&uf=SP")
    cookie = next(cookie for cookie in await page.context.cookies() if cookie["name"] == "sessao")
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert TOKEN not in cookie["value"]

    await page.goto("/entrar?volta=/execucoes")
    await expect(page).to_have_url(f"{panel.url}/execucoes")

    await page.goto("/")
    await page.get_by_role("button", name="Sair").click()
    await expect(page).to_have_url(f"{panel.url}/entrar")
    await page.goto("/")
    await expect(page).to_have_url(f"{panel.url}/entrar?volta=/")


@pytest.mark.slow
@pytest.mark.browser(width=360, height=640, theme="dark", javascript=True)
async def test_on_a_phone_in_the_dark(page: Page) -> None:
    await page.goto("/")
    await fits(page)
    await axe(page)
