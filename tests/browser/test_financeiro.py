"""O dinheiro num navegador de verdade: a página, as listas e uma conta, com as notas da empresa feitas contas."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Panel
from tests.browser.looking import axe, fits
from tests.browser.test_layout import CAPTIONS, HIDDEN
from tests.support.collecting import scalar
from tests.support.proving import execute

OWING = (
    "INSERT INTO categorias_financeiras (id, categoria_pai_id, descricao, tipo) "
    "VALUES (1, NULL, 'Receitas', 2), (2, 1, 'Vendas na loja', 2), (3, NULL, 'Compras de mercadorias', 1)",
    "INSERT INTO contas_receber (id, situacao, vencimento, data_emissao, competencia, valor, saldo, contato_id, "
    "numero_documento, categoria_id, origem_tipo, origem_id, detalhe) "
    "SELECT p.id, s.situacao, coalesce(p.data_vencimento, n.data_emissao::date), n.data_emissao::date, "
    "n.data_emissao::date, p.valor, CASE s.situacao WHEN 2 THEN 0 ELSE p.valor END, n.contato_id, "
    "n.numero || '/' || p.numero_parcela, 2, 'notafiscal', n.id, '{}' "
    "FROM nfe_pagamentos p JOIN nfe_cabecalho n ON n.id = p.nfe_id "
    "CROSS JOIN LATERAL (SELECT CASE WHEN p.data_vencimento > '2026-02-20' OR p.id % 17 = 0 THEN 1 ELSE 2 END) "
    "AS s (situacao) WHERE n.situacao IN (5, 6, 7)",
    "INSERT INTO contas_pagar (id, situacao, vencimento, data_emissao, competencia, valor, saldo, contato_id, "
    "numero_documento, categoria_id, detalhe) "
    "SELECT id + 9000000, situacao, vencimento + 3, data_emissao, competencia, "
    "round(valor * 0.6, 2), round(saldo * 0.6, 2), contato_id, 'F' || id, 3, '{}' FROM contas_receber WHERE id % 2 = 0",
    "INSERT INTO borderos (id, data, historico) SELECT id, vencimento, 'Recebimento' FROM contas_receber "
    "WHERE situacao = 2 UNION ALL SELECT id, vencimento, 'Pagamento' FROM contas_pagar WHERE situacao = 2",
    "INSERT INTO contas_borderos SELECT 'receber', id, id FROM contas_receber WHERE situacao = 2 "
    "UNION ALL SELECT 'pagar', id, id FROM contas_pagar WHERE situacao = 2",
    "INSERT INTO borderos_pagamentos SELECT id, 1, contato_id, numero_documento, valor, 0, 0, 0, 1.5 FROM "
    "(SELECT * FROM vw_contas WHERE situacao = 2) c (tipo, id, situacao, contato_id, numero_documento, e, v, o, valor)",
    "UPDATE contas_receber SET saldo = 1 WHERE id = (SELECT max(id) FROM contas_receber WHERE situacao = 2)",
    "ANALYZE",
)
"""As parcelas das notas, feitas contas: umas pagas, umas vencidas; e o que se deve aos mesmos contatos."""
PLACES = ("/financeiro?periodo=ano-passado", "/contas/receber?situacao=vencidas", "/contas/pagar?cliente=a")


async def _whole(page: Page, path: str) -> None:
    await page.goto(path)
    if path.startswith("/financeiro"):
        await expect(page.get_by_role("heading", name="A conferência")).to_be_visible()
    await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    await axe(page)
    assert await page.evaluate(HIDDEN) == [], path
    assert await page.evaluate(CAPTIONS) == [], path
    await fits(page)


@pytest.mark.slow
async def test_the_money_from_the_sentence_to_the_conta(page: Page, panel: Panel, tmp_path: Path) -> None:
    await execute(panel.engine, *OWING)
    for path in PLACES:
        await _whole(page, path)
    await page.goto("/financeiro")
    await expect(page.get_by_role("group", name="O que entrou e saiu")).to_be_visible()
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="Quem mais deve: baixar CSV").click()
    download = await waiting.value
    await download.save_as(tmp_path / "devedores.csv")
    assert (tmp_path / "devedores.csv").read_bytes().startswith(b"\xef\xbb\xbfCliente;")
    late = await scalar(
        panel.engine,
        "SELECT count(*) FROM vw_contas WHERE conta_tipo = 'receber' AND vencimento BETWEEN :de AND :ate "
        "AND em_aberto <> 0",
        de="2026-01-21",
        ate="2026-02-19",
    )
    await (
        page.get_by_role("region", name="A receber, por vencimento")
        .get_by_role("link", name="Vencidas há 1 a 30 dias")
        .click()
    )
    await expect(page.get_by_role("heading", level=1)).to_have_text("Contas a receber")
    await expect(page.get_by_role("status").filter(has_text="Valem")).to_contain_text(f"{late} conta")
    await page.get_by_role("columnheader").get_by_role("link", name="Valor").click()
    await expect(page.get_by_role("columnheader", name=re.compile("^Valor"))).to_have_attribute(
        "aria-sort", "descending"
    )
    await page.locator("tbody th a").first.click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Conta a receber")
    await axe(page)
    await fits(page)
    await page.get_by_role("link", name=re.compile("^Nota ")).click()
    await expect(page).to_have_url(re.compile(r"/notas/\d+$"))


@pytest.mark.slow
@pytest.mark.browser(width=360, height=640, theme="dark")
async def test_on_a_phone_and_in_the_dark(page: Page, panel: Panel) -> None:
    await execute(panel.engine, *OWING)
    paid = await scalar(panel.engine, "SELECT min(id) FROM contas_receber WHERE situacao = 2")
    for path in (*PLACES, f"/contas/receber/{paid}"):
        await _whole(page, path)


@pytest.mark.slow
async def test_from_desk_to_phone_nothing_is_hidden(page: Page, panel: Panel) -> None:
    await execute(panel.engine, *OWING)
    paid = await scalar(panel.engine, "SELECT min(id) FROM contas_receber WHERE situacao = 2")
    for width in (390, 768, 1024, 1440):
        await page.set_viewport_size({"width": width, "height": 900})
        for path in (*PLACES, f"/contas/receber/{paid}"):
            await _whole(page, path)
