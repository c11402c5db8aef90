"""Vendas, os pedidos e um deles, num navegador de verdade: do gráfico à lista, da lista ao pedido, dele à nota."""

import re

import pytest
from playwright.async_api import Page, expect
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.browser.conftest import Panel
from tests.browser.looking import MOST_BYTES, axe, fits, weight
from tests.support.collecting import scalar
from tests.support.ordering import orders_of_notes
from tests.support.proving import execute

EVIL = "<script>document.title = 'tomada'</script>"
HIDDEN = """[...document.querySelectorAll('.table-wrap')]
    .filter(table => table.scrollWidth > table.clientWidth).map(table => table.getAttribute('aria-label'))"""


async def an_order(engine: AsyncEngine) -> int:
    """O pedido de mais itens que tem conta a receber."""
    query = "SELECT pedido_id FROM pedidos_venda_itens JOIN vw_pedidos_contas USING (pedido_id) GROUP BY 1 "
    return int(await scalar(engine, f"{query} ORDER BY count(*) DESC, 1 LIMIT 1"))


@pytest.mark.slow
async def test_from_the_vendas_to_the_nota(page: Page, panel: Panel) -> None:
    await orders_of_notes(panel.engine)
    await page.goto("/vendas?periodo=ano-passado")
    await expect(page.get_by_role("group", name=re.compile("^Valor dos pedidos"))).to_be_visible()
    await expect(page.get_by_role("heading", name="Canais de venda")).to_be_visible()
    bar = page.get_by_role("link", name="nov/2025: R$").first
    await bar.focus()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/vendas\?de=2025-11-01&ate=2025-11-30$"))
    await page.get_by_role("link", name="/11/2025: R$").first.click()
    await expect(page).to_have_url(re.compile(r"/pedidos\?de=(2025-11-\d\d)&ate=\1$"))
    await page.go_back()
    await axe(page)
    await page.go_back()
    await expect(page.get_by_role("heading", name="Canais de venda")).to_be_visible()
    await page.get_by_text("A tabela destes gráficos").click()
    await axe(page)
    await fits(page)
    await page.get_by_role("link", name="Sol do Vale no Mercado Livre").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Pedidos de venda")
    await expect(page.get_by_label("Canal")).to_have_value("7002")
    await axe(page)
    await fits(page)
    await page.get_by_role("link", name="Total", exact=True).click()
    await expect(page.get_by_role("columnheader", name="Total")).to_have_attribute("aria-sort", "descending")
    await page.locator("tbody th a").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^Pedido \d+$"))
    await axe(page)
    await fits(page)
    await page.get_by_role("link", name=re.compile(r"^Nota \d+$")).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^Nota \d+$"))
    for path in ("/vendas?periodo=tudo&partes=sim", "/pedidos"):
        assert await weight(page, path) < MOST_BYTES, path


@pytest.mark.slow
@pytest.mark.browser(width=390, theme="dark")
async def test_on_a_phone_in_the_dark_and_with_names_that_are_scripts(page: Page, panel: Panel) -> None:
    await orders_of_notes(panel.engine)
    await execute(
        panel.engine,
        "UPDATE contatos SET nome = :evil",
        "UPDATE canais_venda SET descricao = :evil",
        "UPDATE pedidos_venda SET numero_loja = repeat('9', 300)",
        evil=EVIL,
    )
    for width in (390, 768, 1024, 1440):
        await page.set_viewport_size({"width": width, "height": 900})
        for path in ("/", "/vendas?partes=sim", "/pedidos", f"/pedidos/{await an_order(panel.engine)}"):
            await page.goto(path)
            await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            assert await page.evaluate(HIDDEN) == [], (width, path)
            assert "tomada" not in await page.title()
            await fits(page)
            if width == 390:
                await axe(page)
