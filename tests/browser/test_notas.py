"""As páginas das notas num navegador: buscar, andar pelas páginas, abrir uma nota e buscá-la de novo no Bling."""

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Panel
from tests.browser.looking import MOST_BYTES, axe, fits, weight
from tests.support.collecting import rows, scalar
from tests.support.proving import execute, outgoing

NEWEST = "SELECT nfe_id FROM nfe_busca ORDER BY data_emissao DESC, nfe_id DESC LIMIT 1"


@pytest.mark.slow
async def test_searching_looking_and_going_back(panel: Panel, page: Page) -> None:
    await page.goto("/notas")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Notas")
    await expect(page.locator("[role=status]:not(.lost)")).to_have_text("Mais de 1.000 notas.")
    await expect(page.get_by_role("table").get_by_role("row")).to_have_count(51)
    await axe(page)
    await fits(page)
    assert await weight(page, "/notas") < MOST_BYTES
    first = await page.get_by_role("rowheader").first.inner_text()
    await page.get_by_role("link", name="Seguinte").click()
    await expect(page.get_by_role("rowheader").first).not_to_have_text(first)
    await page.get_by_role("link", name="Anterior").click()
    await expect(page.get_by_role("rowheader").first).to_have_text(first)
    ((numero, nome),) = await rows(
        panel.engine,
        "SELECT numero, contato_nome FROM nfe_cabecalho "
        " WHERE id = (SELECT min(nfe_id) FROM nfe_busca WHERE situacao = 6)",
    )
    box = page.get_by_role("searchbox", name="Buscar")
    await box.fill(nome.upper())
    await box.press("Enter")
    await expect(page.get_by_role("table")).to_contain_text(nome)
    await page.get_by_label("Situação").select_option("Emitida")
    await box.fill(numero)
    await page.get_by_role("button", name="Buscar").click()
    await page.get_by_role("link", name=numero).first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Nota {numero}")
    await axe(page)
    await page.go_back()
    await expect(box).to_have_value(numero)


@pytest.mark.slow
async def test_fetching_again_a_nota_that_changed(panel: Panel, page: Page) -> None:
    note = outgoing(panel.bling, 6)[-1]
    await page.goto(f"/notas/{note}")
    await expect(page.get_by_text("Igual à do Bling")).to_be_visible()
    panel.bling.cancel_note(note)
    await page.get_by_role("button", name="Buscar de novo no Bling").click()
    await expect(page.locator("[role=status]:not(.lost)")).to_contain_text("foi atualizada")
    await expect(page.get_by_text("Situação: Emitida")).to_be_visible()
    await axe(page)
    assert await scalar(panel.engine, "SELECT situacao FROM nfe_cabecalho WHERE id = :id", id=note) == 2


@pytest.mark.slow
async def test_a_malformed_search_is_explained(panel: Panel, page: Page) -> None:
    await page.goto("/notas?q=%25&situacao=99&de=2025-02-30")
    await expect(page.get_by_text("Escolha uma situação da lista.")).to_be_visible()
    await expect(page.get_by_label("Emitida de")).to_have_attribute("aria-invalid", "true")
    await axe(page)
    await page.goto("/notas?q=nadadissoexiste")
    await expect(page.get_by_role("heading", name="Nenhuma nota assim")).to_be_visible()
    await axe(page)
    await page.goto("/notas/1")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("não tem a nota 1")
    await axe(page)


@pytest.mark.slow
@pytest.mark.browser(width=360, height=640, theme="dark", javascript=False)
async def test_on_a_phone_in_the_dark_and_without_javascript(panel: Panel, page: Page) -> None:
    hostile = '<img src=x onerror="alert(1)">' + "semespaço" * 40
    newest = await scalar(panel.engine, NEWEST)
    await execute(panel.engine, "UPDATE nfe_cabecalho SET contato_nome = :nome WHERE id = :id", nome=hostile, id=newest)
    for path in ("/notas", "/notas?q=ltda", f"/notas/{newest}"):
        await page.goto(path)
        await fits(page)
    await expect(page.get_by_text("onerror").first).to_be_visible()
    await page.goto("/notas")
    await page.get_by_role("searchbox").fill("engrenagem")
    await page.get_by_role("button", name="Buscar").click()
    await expect(page.locator("[role=status]:not(.lost)")).to_contain_text("no cliente ou num produto")


@pytest.mark.slow
@pytest.mark.browser(theme="dark")
async def test_in_the_dark(panel: Panel, page: Page) -> None:
    newest = await scalar(panel.engine, NEWEST)
    for path in ("/notas?q=ltda", f"/notas/{newest}"):
        await page.goto(path)
        await axe(page)


@pytest.mark.slow
@pytest.mark.company(loaded=False)
async def test_without_any_nota(panel: Panel, page: Page) -> None:
    await page.goto("/notas")
    await expect(page.get_by_role("heading", name="Ainda não há notas")).to_be_visible()
    await axe(page)
