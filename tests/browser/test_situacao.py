"""A primeira página: a frase, os números, e o que fazer; e o caminho do nada até os dados na tela."""

import re

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import text
from tests.browser.conftest import NOTES, Panel
from tests.browser.looking import MOST_BYTES, axe, fits, weight

BOTH = [
    pytest.param(id="claro", marks=pytest.mark.browser(theme="light")),
    pytest.param(id="escuro", marks=[pytest.mark.browser(theme="dark", width=360, height=740), pytest.mark.slow]),
]


@pytest.mark.slow
@pytest.mark.parametrize((), BOTH)
async def test_all_is_well(page: Page) -> None:
    assert await weight(page, "/") < MOST_BYTES
    await expect(page.get_by_role("heading", level=1)).to_have_text(
        f"Tudo certo: {NOTES} de {NOTES} notas, conferido agora mesmo."
    )
    await expect(page.get_by_role("link", name="Situação")).to_have_attribute("aria-current", "page")
    await axe(page)
    await fits(page)


@pytest.mark.slow
async def test_the_theme_is_chosen_and_kept(page: Page) -> None:
    await page.goto("/")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = await page.evaluate(ground)
    await page.get_by_role("button", name="Trocar entre tema claro e escuro").click()
    dark = await page.evaluate(ground)
    assert light != dark
    await page.goto("/execucoes")
    assert await page.evaluate(ground) == dark
    await axe(page)


@pytest.mark.slow
async def test_the_empty_line_of_a_lost_contact_takes_no_room(page: Page) -> None:
    await page.goto("/")
    above = await page.locator("main").evaluate(
        "main => main.children[1].getBoundingClientRect().top - main.getBoundingClientRect().top"
    )
    assert above == await page.locator("main").evaluate("main => parseFloat(getComputedStyle(main).paddingTop)")


@pytest.mark.slow
async def test_by_the_keyboard(page: Page) -> None:
    await page.goto("/")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Pular para o conteúdo")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()


@pytest.mark.slow
@pytest.mark.company(loaded=False)
@pytest.mark.bling(scale=0.03)
async def test_from_nothing_to_the_data(page: Page, panel: Panel) -> None:
    """Autorizar na página do Bling, ver o plano, seguir a carga ao vivo até o fim, e ver as notas."""
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Três passos até os seus dados")
    await expect(page.get_by_text(f"{panel.url}/auth/callback")).to_be_visible()
    await axe(page)
    await fits(page)
    await page.get_by_role("link", name="Autorizar no Bling").click()

    await page.get_by_role("button", name="Autorizar").click()  # aqui já é a página do Bling
    await expect(page).to_have_url(re.compile(r".*/auth/callback\?.*"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Autorizado")
    await axe(page)
    await page.get_by_role("link", name="Continuar").click()

    await expect(page.get_by_role("heading", name="Autorizar — feito")).to_be_visible()
    await axe(page)
    await page.get_by_label("Primeiro dia").fill("2021-01-01")
    await page.get_by_role("button", name="Ver o plano").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Plano: carga histórica")
    await expect(page.get_by_text("É uma estimativa.")).to_be_visible()
    await axe(page)

    panel.bling.configure(latency=0.02)
    await page.get_by_role("button", name="Começar").click()
    await expect(page).to_have_url(f"{panel.url}/execucoes/1")
    await expect(page.get_by_text("Completa", exact=True)).to_be_visible(timeout=60_000)
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Tudo certo")
    total = sum(note["tipo"] == 1 for note in panel.bling.notes.values())
    await expect(page.get_by_role("heading", level=1)).to_contain_text(f"{total} de {total} notas")


@pytest.mark.slow
@pytest.mark.company(loaded=False)
async def test_a_denied_consent_offers_to_try_again(page: Page) -> None:
    await page.goto("/autorizar")
    await page.get_by_role("button", name="Negar").click()
    await expect(page.get_by_role("link", name="Autorizar no Bling")).to_be_visible()
    await axe(page)


@pytest.mark.slow
async def test_a_lost_authorisation_is_said_and_repaired(page: Page, panel: Panel) -> None:
    panel.bling.grants.revoke_all()
    panel.clock.advance(7 * 3600)  # o token de acesso venceu: é preciso renová-lo
    await page.goto("/executar")
    await page.request.post(f"{panel.url}/run")
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("nada é coletado")
    await axe(page)
    await page.locator(".verdict").get_by_role("link", name="Autorizar de novo").click()
    await page.get_by_role("button", name="Autorizar").click()
    await page.get_by_role("link", name="Continuar").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("não chegou ao fim")
    await page.get_by_role("button", name="Executar agora").click()
    await expect(page.get_by_text("Completa", exact=True)).to_be_visible(timeout=60_000)
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Tudo certo")


@pytest.mark.slow
async def test_a_failure_and_its_repair(page: Page, panel: Panel) -> None:
    """Uma nota que o Bling não entrega fica devida, o painel diz qual, e o botão a busca quando ela volta."""
    note = max(note["id"] for note in panel.bling.notes.values() if note["tipo"] == 1)
    async with panel.engine.begin() as connection:
        await connection.execute(text("UPDATE nfe_cabecalho SET resumo_lista = 'outra' WHERE id = :id"), {"id": note})
    rule = panel.bling.fail(rf"^/nfe/{note}$")
    await page.goto("/executar")
    await page.get_by_role("button", name="Ver o plano").click()
    await page.get_by_role("button", name="Começar").click()
    await expect(page.get_by_text("Em parte", exact=True)).to_be_visible(timeout=60_000)
    named = f"ota {panel.bling.notes[note]['numero']}, de "
    await expect(page.get_by_role("rowheader", name=f"N{named}")).to_be_visible()
    await axe(page)
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_contain_text(f"Falta uma parte: n{named}")
    await page.get_by_text("O que falta, e por quê").click()
    await expect(page.get_by_role("listitem").filter(has_text=f"N{named}")).to_contain_text("O Bling falhou.")
    await axe(page)

    panel.bling.faults.remove(rule)
    await page.get_by_role("button", name="Tentar de novo").click()
    await expect(page.get_by_text("Completa", exact=True)).to_be_visible(timeout=60_000)
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_contain_text(f"Tudo certo: {NOTES} de {NOTES} notas")


@pytest.mark.slow
@pytest.mark.parametrize((), BOTH)
async def test_the_api_is_a_page_of_ours(page: Page) -> None:
    assert await weight(page, "/docs") < MOST_BYTES
    await expect(page.get_by_text("POST /run/full")).to_be_visible()
    await axe(page)
    await fits(page)
