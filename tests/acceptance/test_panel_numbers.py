"""Faturamento e cobertura pelo HTTP: os números da página e dos arquivos, os pedidos errados, e nada que se execute."""

import csv
import re
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import authorise, problem, serving
from tests.support.collecting import rows, scalar, until
from tests.support.fakes import FakeClock
from tests.support.proving import START, at, execute, outgoing, snapshot

from bling_collector.config import Settings
from bling_collector.db.run_lock import run_lock
from bling_collector.words import share
from bling_simulator.bling import Bling

PAGE = {"Accept": "text/html"}
EVIL = "<script>alert('x')</script>=1+1"
NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
YEAR = "de=2025-01-01&ate=2025-12-31"


@pytest.fixture
async def http(settings: Settings, clock: FakeClock, bling: Bling) -> AsyncIterator[httpx2.AsyncClient]:
    """O serviço, já autorizado."""
    async with serving(settings, clock) as client:
        assert (await authorise(client, bling)).status_code == 200
        yield client


async def csv_of(http: httpx2.AsyncClient, query: str) -> list[dict[str, str]]:
    answer = await http.get(f"/faturamento.csv?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))


def decimal(written: str) -> Decimal:
    return Decimal(written.replace(",", "."))


@pytest.mark.loaded(START)
async def test_the_files_add_up_to_what_the_view_does(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    months = await rows(
        engine, "SELECT notas, valor FROM vw_faturamento_mes WHERE mes BETWEEN '2025-01-01' AND '2025-12-31'"
    )
    notas, valor = sum(row[0] for row in months), sum(row[1] for row in months)
    steps = await csv_of(http, YEAR)
    assert [step["Mês"] for step in steps] == [f"01/{m:02}/2025" for m in range(1, 13)]
    assert sum(int(step["Notas"]) for step in steps) == notas
    assert sum(decimal(step["Valor"]) for step in steps) == valor
    for table in ("ufs", "clientes"):
        found = await csv_of(http, f"tabela={table}&{YEAR}")
        assert sum(int(row["Notas"]) for row in found) == notas
        assert sum(decimal(row["Valor"]) for row in found) == valor
    shown = (await http.get(f"/faturamento?{YEAR}", headers=PAGE)).text
    written = f"{valor:,.2f}".translate(str.maketrans(",.", ".,"))
    assert f"R$ {written}" in shown
    assert "autorizadas, emitidas e registradas" in shown, "que situações contam"
    assert "vw_cfops" in shown, "que CFOPs contam"


@pytest.mark.loaded(START)
async def test_the_bar_of_the_share_says_what_the_number_says(http: httpx2.AsyncClient) -> None:
    shown = (await http.get(f"/faturamento?{YEAR}&partes=sim", headers=PAGE)).text
    found = re.findall(
        r'data-label="Participação"[^>]*>([\d,]+)%<svg.*?<rect class="fill-1" width="([\d.]+)%"', shown, re.DOTALL
    )
    assert len(found) > 20
    for number, width in found:
        assert abs(decimal(number) - Decimal(width)) < Decimal("0.06"), (number, width)


@pytest.mark.loaded(START)
async def test_the_whole_spreadsheet(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    answer = await http.get(f"/faturamento.xlsx?{YEAR}")
    assert answer.headers["content-disposition"] == (
        'attachment; filename="faturamento-completo-2025-01-01-a-2025-12-31.xlsx"'
    )
    with ZipFile(BytesIO(answer.content)) as book:
        names = [s.get("name") for s in ET.fromstring(book.read("xl/workbook.xml")).iter(f"{{{NS['m']}}}sheet")]  # noqa: S314
        steps = ET.fromstring(book.read("xl/worksheets/sheet2.xml"))  # noqa: S314 — é a nossa própria planilha
    assert names == [
        "Sobre",
        "Evolução",
        "Por UF",
        "Clientes",
        "Produtos",
        "Formas de pagamento",
        "Vendas e outras saídas",
    ]
    numbers = [
        [float(cell.findtext("m:v", "nan", NS)) for cell in row.findall("m:c", NS)[:4]]
        for row in steps.findall(".//m:row", NS)[1:]
    ]
    stored = await rows(
        engine, "SELECT sum(notas)::int, sum(valor) FROM vw_faturamento_mes WHERE extract(year FROM mes) = 2025"
    )
    assert (sum(row[1] for row in numbers), round(sum(row[3] for row in numbers), 2)) == (
        stored[0][0],
        float(stored[0][1]),
    )
    one = await http.get(f"/faturamento.xlsx?tabela=ufs&{YEAR}")
    assert "faturamento-ufs-" in one.headers["content-disposition"]
    with ZipFile(BytesIO(one.content)) as book:
        assert "xl/worksheets/sheet3.xml" not in book.namelist()


@pytest.mark.loaded(START)
async def test_a_cliente_named_as_a_script_is_not_executed(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    await execute(
        engine,
        "UPDATE contatos SET nome = :evil",
        "UPDATE nfe_cabecalho SET contato_nome = :evil, contato_uf = :evil",
        "UPDATE nfe_itens SET descricao_produto = :evil, codigo_produto = '=' || codigo_produto",
        "UPDATE formas_pagamento SET descricao = :evil",
        "UPDATE produtos SET nome = :evil",
        evil=EVIL,
    )
    pages = [
        await http.get("/faturamento?periodo=tudo&partes=sim", headers=PAGE),
        await http.get("/faturamento?periodo=tudo&partes=sim", headers=PAGE | {"HX-Request": "true"}),
    ]
    for page in pages:
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text
        assert re.search(r"<[^>]+\sstyle=", page.text) is None
        assert "default-src 'none'" in page.headers["content-security-policy"]
    found = await csv_of(http, "tabela=produtos&periodo=tudo")
    assert found
    assert all(row["Código"].startswith("'=") for row in found if row["Código"])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("de=2025-02-30", "não é um dia"),
        ("de=2025-03-01&ate=2025-02-01", "antes da inicial"),
        ("de=2027-01-01&ate=2027-02-01", "ainda não chegou"),
        ("periodo=semana", "período chamado"),
        ("periodo=ano&de=2025-01-01", "se contradizem"),
        ("situacao=6", "não conhece o filtro"),
        ("de=%3Cscript%3Ealert(1)%3C/script%3E", "não é um dia"),
        ("de=%00", "não é um dia"),
    ],
)
async def test_a_period_of_nonsense_is_said_on_the_page(http: httpx2.AsyncClient, query: str, said: str) -> None:
    answer = await http.get(f"/faturamento?{query}", headers=PAGE)
    assert answer.status_code == 422
    assert said in answer.text
    assert "<script>alert" not in answer.text
    assert 'name="de"' in answer.text, "a página continua ali, com o formulário"
    for extension in ("csv", "xlsx"):
        problem(await http.get(f"/faturamento.{extension}?{query}"), 422)


@pytest.mark.loaded(START)
async def test_a_period_that_is_not_proven_is_told(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    assert "podem mudar" not in (await http.get(f"/faturamento?{YEAR}", headers=PAGE)).text
    owed = "INSERT INTO janelas_devidas (recurso, data_inicio, data_fim) VALUES ('nfe', '2025-02-10', '2025-03-02')"
    await execute(engine, owed)
    page = (await http.get(f"/faturamento?{YEAR}", headers=PAGE)).text
    assert "podem mudar" in page
    assert "2 meses deste período" in page
    assert "podem mudar" not in (await http.get("/faturamento?de=2025-04-01", headers=PAGE)).text


@pytest.mark.loaded(START)
async def test_a_period_of_before_the_collection_is_told(http: httpx2.AsyncClient) -> None:
    page = (await http.get("/faturamento?de=2020-01-01&ate=2020-12-31", headers=PAGE)).text
    assert "De 01/01/2020 a 31/12/2020 nada se coletou." in page
    assert "Este período é de antes de 01/01/2021, quando começa o que se coletou." in page
    page = (await http.get("/faturamento?de=2020-12-15&ate=2021-12-31", headers=PAGE)).text
    assert "Este período começa antes de 01/01/2021, quando começa o que se coletou." in page
    assert "quando começa" not in (await http.get("/faturamento?de=2021-01-01", headers=PAGE)).text


async def test_a_table_that_does_not_exist(http: httpx2.AsyncClient) -> None:
    assert "evolucao, ufs" in problem(await http.get("/faturamento.csv?tabela=segredos"), 422)["detail"]
    problem(await http.get("/faturamento.xlsx?tabela=segredos"), 422)


async def test_an_empty_database_has_pages(http: httpx2.AsyncClient) -> None:
    for path, said in (("/faturamento", "Ainda não há notas"), ("/cobertura", "Ainda não há o que cobrir")):
        answer = await http.get(path, headers=PAGE)
        assert answer.status_code == 200
        assert said in answer.text
    assert (await http.get("/faturamento?partes=sim", headers=PAGE)).status_code == 200
    assert (await http.get("/cobertura/2025-03", headers=PAGE)).status_code == 200
    assert len(await csv_of(http, "tabela=clientes")) == 0
    assert (await http.get("/faturamento.xlsx")).status_code == 200


@pytest.mark.loaded(START)
async def test_the_coverage_says_the_same_as_the_reconciliation(http: httpx2.AsyncClient, bling: Bling) -> None:
    proven = (await http.get("/reconcile")).json()
    page = (await http.get("/cobertura", headers=PAGE)).text
    cells = r'href="/cobertura/(\d{4}-\d\d)">.*?<span class="visually-hidden">(.*?)</span>'
    said = dict(re.findall(cells, page, re.DOTALL))
    assert said.keys() == {month["mes"] for month in proven["meses"]}
    for month in proven["meses"]:
        total = month["no_bling"]["total"]
        expected = f"100%, {share(total, total, 'nota', 'notas')}" if total else "sem notas, dos dois lados"
        assert said[month["mes"]].endswith(expected), month["mes"]


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_checking_and_repairing_a_month(http: httpx2.AsyncClient, bling: Bling, engine: AsyncEngine) -> None:
    issued = bling.issue_note(emitted_at=at("2024-07-31 23:59:59"))
    other = bling.issue_note(emitted_at=at("2024-08-01 00:00:00"))
    before = await snapshot(engine, ["nfe_cabecalho"])
    looked = await http.post("/cobertura/2024-07/conferir", data={"reparar": "nao"})
    run_id = await _ended(looked, engine)
    period = await rows(engine, "SELECT tipo, data_inicio, data_fim FROM etl_controle WHERE id = :id", id=run_id)
    assert period == [("reconcile", date(2024, 7, 1), date(2024, 7, 31))]
    assert await snapshot(engine, ["nfe_cabecalho"]) == before
    page = (await http.get("/cobertura/2024-07", headers=PAGE)).text
    assert str(issued) in page
    assert "1 falta aqui" in page
    await _ended(await http.post("/cobertura/2024-07/conferir", data={"reparar": "sim"}), engine)
    held = {id_ for (id_,) in await rows(engine, "SELECT id FROM nfe_cabecalho")}
    assert issued in held
    assert other not in held, "só o mês pedido"
    assert "são iguais" in (await http.get("/cobertura/2024-07", headers=PAGE)).text


async def _ended(answer: httpx2.Response, engine: AsyncEngine) -> int:
    assert answer.status_code == 303, answer.text
    run_id = int(answer.headers["location"].removeprefix("/execucoes/"))

    async def over() -> bool:
        return bool(await scalar(engine, "SELECT status <> 'running' FROM etl_controle WHERE id = :id", id=run_id))

    await until(over)
    return run_id


@pytest.mark.slow
@pytest.mark.parametrize("mes", ["2025-13", "março", "2025-3", "0000-00", "1999-12", "%3Cb%3E", "9999-99", "9999-12"])
async def test_a_month_that_does_not_exist(http: httpx2.AsyncClient, mes: str) -> None:
    answer = await http.get(f"/cobertura/{mes}", headers=PAGE)
    assert answer.status_code == 422
    assert "<b>" not in answer.text
    assert (await http.post(f"/cobertura/{mes}/conferir")).status_code == 422


@pytest.mark.slow
async def test_a_month_that_cannot_be_checked(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    await http.post("/run/full?data_inicio=2025-01-01")
    runs = await scalar(engine, "SELECT count(*) FROM etl_controle")
    for mes in ("2024-12", "2026-03", "2099-01"):
        assert "não pode ser conferido" in problem(await http.post(f"/cobertura/{mes}/conferir"), 422)["detail"]
        page = await http.get(f"/cobertura/{mes}", headers=PAGE)
        assert (page.status_code, "/conferir" in page.text) == (200, False)
    assert await scalar(engine, "SELECT count(*) FROM etl_controle") == runs


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_a_huge_value_breaks_no_page_and_no_spreadsheet(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    note = await scalar(engine, "SELECT max(id) FROM vw_nfe_validas")
    await execute(engine, "UPDATE nfe_cabecalho SET total_nota = '1e400' WHERE id = :id", id=note)
    await execute(
        engine, "UPDATE nfe_itens SET quantidade = '1e400', valor_total = '-1e400' WHERE nfe_id = :id", id=note
    )
    for path in ("/faturamento?periodo=tudo&partes=sim", "/notas", f"/notas/{note}", "/", "/cobertura"):
        answer = await http.get(path, headers=PAGE)
        assert answer.status_code == 200, path
        assert "0" * 100 not in answer.text, path
    for path in (
        "/faturamento.xlsx?periodo=tudo",
        "/faturamento.csv?periodo=tudo",
        "/faturamento.csv?periodo=tudo&tabela=produtos",
    ):
        assert (await http.get(path)).status_code == 200, path


@pytest.mark.loaded(START)
async def test_what_nobody_checked_is_not_asserted(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    await execute(engine, "DELETE FROM conferencias WHERE mes = '2025-03-01'")

    async def seen(mes: str) -> str:
        return (await http.get(f"/cobertura/{mes}?numeracao=sim", headers=PAGE)).text

    unknown = "Este mês ainda não foi conferido: não se sabe o que o Bling tem."
    for mes in ("2025-03", "2020-01"):
        page = await seen(mes)
        assert unknown in page, mes
        assert "de nenhum dos lados" not in page, mes
        assert ">Nenhuma lacuna</span>" not in page, mes
    later = await seen("2099-01")
    assert later.count("Este mês ainda não chegou.") == 3
    assert "Nenhuma lacuna" not in later
    assert unknown not in later
    proven = await seen("2025-06")
    assert unknown not in proven


@pytest.mark.slow
async def test_while_a_run_goes_on_the_coverage_leads_to_it(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    await http.post("/run/full?data_inicio=2025-01-01")
    await execute(engine, "UPDATE etl_controle SET status = 'running', fim = NULL")
    await execute(engine, "DELETE FROM conferencias")
    async with run_lock(engine):
        page = (await http.get("/cobertura/2025-03", headers=PAGE)).text
        whole = (await http.get("/cobertura", headers=PAGE)).text
    assert 'href="/execucoes/1">Ver a execução em curso' in page
    assert "Conferir e reparar" not in page
    assert 'href="/execucoes/1">Ver a execução em curso' in whole
    assert "Nenhum mês foi conferido ainda" in whole
    assert "0 de 0 notas" not in whole


@pytest.mark.loaded(START)
async def test_another_site_cannot_start_a_check(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    runs = await scalar(engine, "SELECT count(*) FROM etl_controle")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://outro.example"}):
        answer = await http.post("/cobertura/2024-07/conferir", data={"reparar": "sim"}, headers=headers)
        assert answer.status_code == 403
    assert await scalar(engine, "SELECT count(*) FROM etl_controle") == runs


@pytest.mark.loaded(START)
async def test_a_deleted_nota_appears_in_its_month(http: httpx2.AsyncClient, bling: Bling, engine: AsyncEngine) -> None:
    doomed = outgoing(bling, 6)[-1]
    mes = bling.notes[doomed]["dataEmissao"][:7]
    await execute(engine, "UPDATE nfe_cabecalho SET excluida_em = now() WHERE id = :id", id=doomed)
    page: Any = (await http.get(f"/cobertura/{mes}", headers=PAGE)).text
    assert "Excluídas no Bling (1)" in page
    assert f'href="/notas/{doomed}"' in page


async def test_what_the_faturamento_does_not_count_is_said_beside_it(
    http: httpx2.AsyncClient, engine: AsyncEngine
) -> None:
    await execute(
        engine,
        "INSERT INTO nfe_cabecalho (id, situacao, tipo, data_emissao, total_nota) VALUES (1, 5, 1, '2025-03-01', 50)",
    )
    assert "há também" not in (await http.get(f"/faturamento?{YEAR}", headers=PAGE)).text
    await execute(
        engine,
        "INSERT INTO nfce_cabecalho (id, situacao, data_emissao, total_nota) VALUES (1, 5, '2025-03-01', 1234.5)",
    )
    page = (await http.get(f"/faturamento?{YEAR}", headers=PAGE)).text
    assert "No mesmo período há também 1 nota de consumidor (R$" in page
    assert "1.234,50): o coletor tem-nas" in page
