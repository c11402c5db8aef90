"""O desenho das páginas, do celular à mesa: nenhuma tabela esconde uma coluna, nenhum número se parte."""

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import text
from tests.browser.conftest import Panel
from tests.browser.looking import fits
from tests.support.collecting import scalar
from tests.support.proving import execute

PAGES = ("/", "/cobertura/2025-11", "/execucoes", "/execucoes/1", "/faturamento?partes=sim", "/notas")
HIDDEN = """[...document.querySelectorAll('.table-wrap:not(.log)')]
    .filter(table => table.scrollWidth > table.clientWidth).map(table => table.getAttribute('aria-label'))"""
BROKEN = """[...document.querySelectorAll('.note-cards .stat-value')]
    .filter(value => value.offsetHeight > 1.5 * parseFloat(getComputedStyle(value).lineHeight))
    .map(value => value.textContent)"""
CAPTIONS = """[...document.querySelectorAll('caption:not(.visually-hidden)')]
    .filter(caption => caption.offsetWidth < caption.parentElement.offsetWidth - 2)
    .map(caption => caption.textContent)"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, *(pytest.param(width, marks=pytest.mark.slow) for width in (768, 1024, 1440))])
async def test_every_column_is_in_sight(panel: Panel, page: Page, width: int) -> None:
    async with panel.engine.connect() as connection:
        query = "SELECT nfe_id FROM nfe_itens GROUP BY nfe_id ORDER BY count(*) DESC, nfe_id LIMIT 1"
        nota = await connection.scalar(text(query))
    await page.set_viewport_size({"width": width, "height": 900})
    for path in (*PAGES, f"/notas/{nota}"):
        await page.goto(path)
        if path.startswith("/faturamento") and width < 700:
            assert await page.evaluate("document.documentElement.scrollHeight") < TALLEST
        await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert await page.evaluate(HIDDEN) == [], path
        assert await page.evaluate(CAPTIONS) == [], path
        assert await page.evaluate(BROKEN) == [], path
        await fits(page)


LONG = "Companhiabrasileiradeengrenagenshelicoidaiseacoplamentosespeciaissobencomenda" * 2
HUGE = "112345.67"
TALLEST = 3600
"""Pontos de altura do faturamento num celular."""
CLIPPED = """[...document.querySelectorAll('.cal-cell, .stat-value, .stack td')]
    .filter(cell => cell.scrollWidth > cell.clientWidth + 1)
    .map(cell => `${cell.dataset.label || ''} ${cell.textContent.trim()} ${cell.clientWidth} < ${cell.scrollWidth}`)"""
PARTED = """[...document.querySelectorAll('.stat-value, td.num')]
    .filter(cell => /^[^a-z]*[0-9][^a-z]*$/.test(cell.textContent) && !cell.querySelector('svg'))
    .filter(cell => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      return new Set([...range.getClientRects()].filter(box => box.height > 6).map(box => box.top >> 3)).size > 1;
    })
    .map(cell => cell.textContent.trim())"""
OFF_SCREEN = """[...document.querySelectorAll('.tabs [aria-current], .nav [aria-current]')]
    .filter(tab => tab.getBoundingClientRect().right > innerWidth || tab.getBoundingClientRect().left < 0).length"""


@pytest.mark.slow
async def test_long_words_and_huge_numbers_stay_in_their_cells(panel: Panel, page: Page) -> None:
    """Nomes de uma palavra só, valores de bilhões e meses de muitas notas, do celular à mesa."""
    await execute(
        panel.engine,
        "UPDATE contatos SET nome = :long",
        "UPDATE nfe_cabecalho SET contato_nome = :long, total_nota = CAST(:huge AS numeric)",
        "UPDATE nfe_itens SET descricao_produto = :long, codigo_produto = md5(id::text)",
        "UPDATE produtos SET nome = :long",
        "UPDATE conferencias SET no_bling = '{\"6\": 12345}', no_banco = '{\"6\": 12345}'",
        "DELETE FROM formas_pagamento",
        "UPDATE nfe_pagamentos SET tipo_pagamento = NULL",
        long=LONG,
        huge=HUGE,
    )
    nota = await scalar(panel.engine, "SELECT min(id) FROM nfe_cabecalho")
    found: dict[str, object] = {}
    for width in (390, 900, 1000, 1100, 1280):
        await page.set_viewport_size({"width": width, "height": 900})
        for path in (
            "/faturamento?periodo=tudo&partes=sim",
            "/cobertura",
            "/cobertura/2025-11",
            "/notas",
            f"/notas/{nota}",
        ):
            await page.goto(path)
            await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            for look in (HIDDEN, CLIPPED, PARTED):
                if seen := await page.evaluate(look):
                    found[f"{width} {path} {look[30:60]}"] = seen
            if await page.evaluate(OFF_SCREEN):
                found[f"{width} {path}"] = "a aba não se vê"
            await fits(page)
    assert not found, "\n".join(f"{place}: {seen}" for place, seen in found.items())
    await page.set_viewport_size({"width": 390, "height": 900})
    await page.goto("/faturamento?periodo=tudo&partes=sim")
    await expect(page.get_by_text("Não informada")).to_have_count(1)
