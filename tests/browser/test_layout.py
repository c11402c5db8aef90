"""O desenho das páginas, do celular à mesa: nenhuma tabela esconde uma coluna, nenhum número se parte."""

import pytest
from playwright.async_api import Page
from sqlalchemy import text
from tests.browser.conftest import Panel
from tests.browser.looking import fits

PAGES = ("/", "/cobertura/2025-11", "/execucoes", "/execucoes/1", "/faturamento?partes=sim", "/notas")
HIDDEN = """[...document.querySelectorAll('.table-wrap:not(.log)')]
    .filter(table => table.scrollWidth > table.clientWidth).map(table => table.getAttribute('aria-label'))"""
BROKEN = """[...document.querySelectorAll('.note-cards .stat-value')]
    .filter(value => value.offsetHeight > 1.5 * parseFloat(getComputedStyle(value).lineHeight))
    .map(value => value.textContent)"""
CAPTIONS = """[...document.querySelectorAll('caption:not(.visually-hidden)')]
    .filter(caption => caption.offsetWidth < caption.parentElement.offsetWidth - 2)
    .map(caption => caption.textContent)"""


@pytest.mark.parametrize("width", [390, 768, 1024, 1440])
async def test_every_column_is_in_sight(panel: Panel, page: Page, width: int) -> None:
    async with panel.engine.connect() as connection:
        query = "SELECT nfe_id FROM nfe_itens GROUP BY nfe_id ORDER BY count(*) DESC, nfe_id LIMIT 1"
        nota = await connection.scalar(text(query))
    await page.set_viewport_size({"width": width, "height": 900})
    for path in (*PAGES, f"/notas/{nota}"):
        await page.goto(path)
        await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert await page.evaluate(HIDDEN) == [], path
        assert await page.evaluate(CAPTIONS) == [], path
        assert await page.evaluate(BROKEN) == [], path
        await fits(page)
