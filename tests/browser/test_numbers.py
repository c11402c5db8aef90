"""Cobertura e faturamento num navegador de verdade: o calendário, um mês que se repara, gráficos e arquivos."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Panel
from tests.browser.looking import MOST_BYTES, axe, fits, weight
from tests.support.collecting import scalar, until
from tests.support.proving import at, execute

EVIL = "<script>document.title = 'tomada'</script><img src=x onerror=alert(1)>"


@pytest.mark.slow
async def test_the_calendar_and_a_month_that_is_repaired(page: Page, panel: Panel) -> None:
    panel.bling.issue_note(emitted_at=at("2024-07-31 23:59:59"))
    await page.goto("/cobertura")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Cobertura")
    await expect(page.get_by_role("link", name=re.compile(r"julho de 2024: igual ao Bling, 100%"))).to_be_visible()
    await expect(page.get_by_role("heading", level=2)).to_have_text(["2026", "2025", "2024", "2023", "2022", "2021"])
    await axe(page)
    await fits(page)
    await page.get_by_role("link", name=re.compile("julho de 2024")).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Julho de 2024")
    await expect(page.get_by_text("Nenhuma lacuna")).to_be_visible()
    await axe(page)
    await page.get_by_role("button", name="Só conferir").click()
    await _ended(page, panel)
    await page.goto("/cobertura")
    await page.get_by_role("link", name=re.compile("julho de 2024: difere")).click()
    await expect(page.get_by_role("heading", name="Faltam aqui (1)")).to_be_visible()
    await axe(page)
    await page.get_by_role("button", name="Conferir e reparar").click()
    await _ended(page, panel)
    await page.goto("/cobertura/2024-07")
    await expect(page.get_by_text(re.compile("estão aqui, e são iguais"))).to_be_visible()


async def _ended(page: Page, panel: Panel) -> None:
    """Espera, na página da execução que o botão abriu, que ela termine."""
    await expect(page).to_have_url(re.compile(r"/execucoes/\d+$"))
    run_id = int(page.url.rpartition("/")[2])

    async def over() -> bool:
        status = "SELECT status FROM etl_controle WHERE id = :id"
        return bool(await scalar(panel.engine, status, id=run_id) != "running")

    await until(over)


@pytest.mark.slow
async def test_the_faturamento_and_what_is_downloaded_from_it(page: Page, panel: Panel, tmp_path: Path) -> None:
    await page.goto("/faturamento?periodo=ano-passado")
    await expect(page.get_by_role("group", name=re.compile("^Valor das notas"))).to_be_visible()
    await expect(page.get_by_role("heading", name="Formas de pagamento")).to_be_visible()
    await page.get_by_text("A tabela destes gráficos").click()
    await axe(page)
    await fits(page)
    valor = await scalar(panel.engine, "SELECT sum(valor) FROM vw_faturamento_mes WHERE extract(year FROM mes) = 2025")
    written = f"R$ {valor:,.2f}".translate(str.maketrans(",.", ".,"))
    await expect(page.locator(".stat-value").get_by_text(written, exact=True)).to_be_visible()
    for name, start in (("Clientes: baixar CSV", b"\xef\xbb\xbfCliente;"), ("Produtos: baixar XLSX", b"PK")):
        async with page.expect_download() as waiting:
            await page.get_by_role("link", name=name).click()
        download = await waiting.value
        await download.save_as(tmp_path / download.suggested_filename)
        assert (tmp_path / download.suggested_filename).read_bytes().startswith(start)
    await page.get_by_label("De", exact=True).fill("2024-01-01")
    await page.get_by_label("Até").fill("2023-01-01")
    await page.get_by_role("button", name="Ver estas datas").click()
    await expect(page.get_by_role("alert")).to_contain_text("antes da inicial")
    await axe(page)
    await expect(page.get_by_label("De", exact=True)).to_have_value("2024-01-01")


@pytest.mark.slow
@pytest.mark.browser(width=360, height=640, theme="dark")
async def test_on_a_phone_and_in_the_dark(page: Page) -> None:
    for path in ("/cobertura", "/cobertura/2024-07", "/faturamento?periodo=tudo", "/faturamento?periodo=mes"):
        await page.goto(path)
        await page.wait_for_load_state("networkidle")
        await fits(page)
        await axe(page)


@pytest.mark.slow
@pytest.mark.browser(javascript=False)
async def test_without_javascript_everything_is_within_reach(page: Page) -> None:
    await page.goto("/faturamento?periodo=ano-passado")
    await page.get_by_role("link", name="Ver por UF, cliente, produto e forma de pagamento").click()
    await expect(page.get_by_role("heading", name="Clientes")).to_be_visible()
    await page.goto("/cobertura/2024-07")
    await page.get_by_role("link", name="Ver as lacunas").click()
    await expect(page.get_by_text("Nenhuma lacuna")).to_be_visible()


@pytest.mark.slow
async def test_a_name_that_is_a_script_stays_a_name(page: Page, panel: Panel) -> None:
    await execute(
        panel.engine,
        "UPDATE contatos SET nome = :evil",
        "UPDATE nfe_cabecalho SET contato_nome = :evil",
        "UPDATE nfe_cabecalho SET excluida_em = now() WHERE data_emissao::date BETWEEN '2025-03-10' AND '2025-03-14'",
        "UPDATE produtos SET nome = :evil",
        evil=EVIL,
    )
    for path in ("/faturamento?periodo=tudo", "/cobertura/2025-03"):
        await page.goto(path)
        await expect(page.get_by_text(EVIL).first).to_be_visible()
        assert "tomada" not in await page.title()


@pytest.mark.slow
async def test_the_weight_of_the_pages(page: Page) -> None:
    for path in ("/cobertura", "/cobertura/2024-07", "/faturamento?periodo=tudo&partes=sim"):
        assert await weight(page, path) < MOST_BYTES, path


@pytest.mark.slow
@pytest.mark.company(loaded=False)
async def test_before_the_first_collection(page: Page) -> None:
    for path, title in (("/cobertura", "Ainda não há o que cobrir"), ("/faturamento", "Ainda não há notas")):
        await page.goto(path)
        await expect(page.get_by_role("heading", name=title)).to_be_visible()
        await axe(page)
