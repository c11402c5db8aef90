"""Estoque, um produto, um cliente e o que pede atenção, num navegador de verdade."""

import re

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Panel
from tests.browser.looking import MOST_BYTES, axe, fits, weight
from tests.browser.test_layout import CAPTIONS, HIDDEN
from tests.support.collecting import scalar
from tests.support.proving import execute

STOCK = (
    "INSERT INTO depositos (id, descricao) VALUES (1, 'Depósito geral'), (2, 'Loja')",
    "INSERT INTO estoque_totais SELECT timestamptz '2026-02-20 12:00-03' - make_interval(days => d), id,"
    " id % 40 - 2, id % 40 - 3 FROM produtos, generate_series(0, 44) AS d WHERE excluida_em IS NULL",
    "INSERT INTO estoque_saldos SELECT lido_em, produto_id, d, saldo_fisico / 2, saldo_virtual / 2"
    " FROM estoque_totais, generate_series(1, 2) AS d",
    "INSERT INTO contas_receber (id, situacao, vencimento, valor, saldo, contato_id, numero_documento)"
    " SELECT row_number() OVER (), 1, '2026-01-10', 100, 100, contato_id, 'R-1'"
    " FROM (SELECT DISTINCT contato_id FROM vw_nfe_validas WHERE contato_id IS NOT NULL LIMIT 5) AS c",
)
"""O que a empresa da demonstração, carregada só com os recursos de sempre, não tem."""
pytestmark = pytest.mark.collector(recursos=("nfe", "estoques", "contas_receber"))


async def _pages(panel: Panel) -> list[str]:
    await execute(panel.engine, *STOCK)
    product = await scalar(
        panel.engine, "SELECT produto_id FROM vw_estoque_cobertura ORDER BY vendido_90_dias DESC LIMIT 1"
    )
    customer = await scalar(panel.engine, "SELECT contato_id FROM contas_receber LIMIT 1")
    return ["/estoque", f"/produtos/{product}?periodo=tudo", f"/clientes/{customer}?periodo=tudo", "/atencao"]


@pytest.mark.slow
async def test_from_the_estoque_to_the_produto_the_cliente_and_the_nota(page: Page, panel: Panel) -> None:
    paths = await _pages(panel)
    await page.goto(paths[0])
    await expect(page.get_by_role("heading", level=1)).to_have_text("Estoque")
    await expect(page.get_by_role("img", name=re.compile("^Valor do estoque"))).to_be_visible()
    await axe(page)
    await fits(page)
    await page.get_by_label("Depósito").select_option("Loja")
    await page.get_by_label("Ordem").select_option("Vende mais")
    await page.get_by_role("button", name="Ver", exact=True).click()
    await expect(page).to_have_url(re.compile("deposito=2&ordem=venda"))
    await page.locator("tbody th a").first.click()
    await expect(page).to_have_url(re.compile(r"/produtos/\d+$"))
    await expect(page.get_by_role("heading", name="De quem se compra, e os custos")).to_be_visible()
    await axe(page)
    await fits(page)
    await page.goto(paths[1])
    await page.locator("section[aria-labelledby=t-clientes] tbody th a").first.click()
    await expect(page.get_by_role("heading", name="O que comprou")).to_be_visible()
    await page.goto(paths[2])
    await expect(page.get_by_role("heading", name="O que deve")).to_be_visible()
    await axe(page)
    await fits(page)
    await page.goto("/")
    await page.get_by_role("link", name="O que pede atenção").click()
    await expect(page.get_by_role("heading", name="Contas a receber vencidas")).to_be_visible()
    await axe(page)
    await fits(page)
    for path in paths:
        assert await weight(page, path) < MOST_BYTES, path


@pytest.mark.slow
@pytest.mark.browser(width=390, theme="dark")
async def test_on_a_phone_and_in_the_dark(page: Page, panel: Panel) -> None:
    for path in await _pages(panel):
        await page.goto(path)
        await page.wait_for_load_state("networkidle")
        await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert await page.evaluate(HIDDEN) == [], path
        assert await page.evaluate(CAPTIONS) == [], path
        await fits(page)
        await axe(page)


@pytest.mark.slow
@pytest.mark.browser(javascript=False)
async def test_without_javascript_everything_is_within_reach(page: Page, panel: Panel) -> None:
    await _pages(panel)
    await page.goto("/estoque")
    await page.get_by_role("link", name="Ver o valor de cada dia").click()
    await expect(page.get_by_role("img", name=re.compile("^Valor do estoque"))).to_be_visible()
