"""O estoque pelo HTTP: os números da página e dos arquivos, o filtro, e os pedidos que não fazem sentido."""

import csv
import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from io import StringIO

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import problem, serving
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.proving import execute

from bling_collector.config import Settings
from bling_collector.words import money, number

PAGE = {"Accept": "text/html"}
START = date(2025, 1, 1)
EVIL = "<script>alert('x')</script>=1+1"
pytestmark = [
    pytest.mark.bling(scale=0.05),
    pytest.mark.collector(
        recursos=("nfe", "estoques", "pedidos_venda", "produtos_fornecedores", "canais_venda", "situacoes")
    ),
]


@pytest.fixture
async def http(settings: Settings, clock: FakeClock) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(settings, clock) as client:
        yield client


def said(answer: httpx2.Response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


async def csv_of(http: httpx2.AsyncClient, query: str) -> list[dict[str, str]]:
    answer = await http.get(f"/estoque.csv?{query}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))


@pytest.mark.loaded(START)
async def test_the_page_says_what_the_view_adds_up(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    shown = await http.get("/estoque?partes=sim", headers=PAGE)
    assert shown.status_code == 200
    asked = (
        "SELECT sum(valor_custo), count(*) FILTER (WHERE situacao = 'vende' AND dias_cobertura <= 30),"
        " count(*) FILTER (WHERE situacao = 'esgotado'), count(*), sum(saldo_fisico) FROM vw_estoque_cobertura"
    )
    value, ending, ended, of, balance = (await rows(engine, asked))[0]
    words = said(shown)
    assert f"Há {money(value)} em estoque, ao custo" in words
    assert f"{ending} acaba" in words
    assert f"{ended} que vende" in words
    assert f"{of} produtos, {number(balance)} em saldo, {money(value)} ao custo" in words
    assert "Valor do estoque, ao custo" in words
    assert "sem venda em 90 dias" in words
    assert "Faltam vendas" not in words
    days = await csv_of(http, "tabela=dias")
    assert [(row["Dia"], row["Valor"]) for row in days] == [("20/02/2026", f"{value:.2f}".replace(".", ","))]
    listed = await csv_of(http, "")
    assert len(listed) == of
    assert sum(float(row["Valor"].replace(",", ".") or 0) for row in listed) == pytest.approx(float(value))
    ids = [int(id_) for id_ in re.findall(r'href="/produtos/(\d+)"', shown.text)]
    order = "SELECT produto_id FROM vw_estoque_cobertura ORDER BY dias_cobertura, vendido_90_dias DESC, produto_id"
    assert ids == [id_ for (id_,) in await rows(engine, f"{order} LIMIT 25")]
    assert (await http.get("/estoque.xlsx?situacao=acaba")).content.startswith(b"PK")


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_each_filter_shows_downloads_and_counts_the_same(
    http: httpx2.AsyncClient, engine: AsyncEngine, subtests: pytest.Subtests
) -> None:
    product, sku = (await rows(engine, "SELECT produto_id, codigo FROM vw_estoque_cobertura WHERE codigo = '0001'"))[0]
    place = await scalar(engine, "SELECT max(deposito_id) FROM estoque_saldos")
    held = f"produto_id IN (SELECT produto_id FROM estoque_saldos WHERE deposito_id = {place})"
    for query, where in (
        ("situacao=acaba", "situacao = 'vende' AND dias_cobertura <= 30"),
        ("situacao=esgotado", "situacao = 'esgotado'"),
        ("situacao=parado", "situacao = 'parado'"),
        ("situacao=sem-custo", "saldo_fisico <> 0 AND valor_custo IS NULL"),
        ("situacao=sem-registro", "situacao = 'sem registro'"),
        ("situacao=negativo", "saldo_fisico < 0"),
        (f"q={sku}", f"codigo = '{sku}'"),
        (f"deposito={place}", held),
        (f"deposito={place}&situacao=parado&ordem=nome", f"situacao = 'parado' AND {held}"),
        ("q=nada+disto", "false"),
    ):
        with subtests.test(query=query):
            ids = {id_ for (id_,) in await rows(engine, f"SELECT produto_id FROM vw_estoque_cobertura WHERE {where}")}
            shown = await http.get(f"/estoque?{query}", headers=PAGE)
            assert f"{len(ids)} produto" in said(shown)
            assert len(await csv_of(http, query)) == len(ids)
            if len(ids) <= 25:
                assert {int(id_) for id_ in re.findall(r'href="/produtos/(\d+)"', shown.text)} == ids
    assert product
    pages = [await http.get("/estoque?ordem=nome", headers=PAGE)]
    while found := re.search(r'href="([^"]+)" rel="next"', pages[-1].text):
        pages.append(await http.get(html.unescape(found[1]), headers=PAGE))
    ids_of = [re.findall(r'href="/produtos/(\d+)"', answer.text) for answer in pages]
    assert len({id_ for ids in ids_of for id_ in ids}) == await scalar(
        engine, "SELECT count(*) FROM vw_estoque_cobertura"
    )
    assert sum(len(ids) for ids in ids_of) == len({id_ for ids in ids_of for id_ in ids})


USELESS = [
    ("situacao=perdido", "Não há produtos da situação"),
    ("ordem=cor", "Não há uma ordem"),
    ("deposito=geral", "não é um depósito"),
    ("deposito=٣", "não é um depósito"),
    ("deposito=99", "não há um depósito 99"),
    ("pagina=0", "não é uma página"),
    ("pagina=-1", "não é uma página"),
    ("pagina=9" * 30, "não é uma página"),
    ("q=" + "x" * 201, "no máximo 200 caracteres"),
    ("cor=azul", "não conhece o filtro"),
    ("situacao=%3Cscript%3Ealert(1)%3C/script%3E", "Não há produtos da situação"),
]


@pytest.mark.loaded(START)
async def test_a_request_of_nonsense_is_explained(http: httpx2.AsyncClient, subtests: pytest.Subtests) -> None:
    for query, sentence in USELESS:
        with subtests.test(query=query):
            answer = await http.get(f"/estoque?{query}", headers=PAGE)
            assert answer.status_code == 422
            assert sentence in said(answer)
            assert "<script>alert" not in answer.text
            assert 'name="q"' in answer.text, "o formulário continua ali"
            for extension in ("csv", "xlsx"):
                if "pagina" not in query and "99" not in query:
                    problem(await http.get(f"/estoque.{extension}?{query}"), 422)
    problem(await http.get("/estoque.csv?tabela=segredos"), 422)
    assert (await http.get("/estoque?pagina=99&q=%00", headers=PAGE)).status_code == 200
    beyond = said(await http.get("/estoque?pagina=9999", headers=PAGE))
    assert "Esta página não existe" in beyond
    assert "Nenhum produto assim" not in beyond


@pytest.mark.loaded(START)
async def test_the_sum_has_its_decimals_and_of_what_has_no_cost_there_is_no_value(
    http: httpx2.AsyncClient, engine: AsyncEngine
) -> None:
    await execute(engine, "UPDATE estoque_totais SET saldo_fisico = 0.4 WHERE saldo_fisico IS NOT NULL")
    total = await scalar(engine, "SELECT sum(saldo_fisico) FROM vw_estoque_cobertura")
    words = said(await http.get("/estoque", headers=PAGE))
    assert f" {number(total, 1).removesuffix(',0')} em saldo, R$" in words
    uncosted = said(await http.get("/estoque?situacao=sem-custo", headers=PAGE))
    assert "em saldo." in uncosted.partition("Ver Limpar")[2]


@pytest.mark.loaded(START)
async def test_what_is_in_the_register_is_not_executed_and_breaks_nothing(
    http: httpx2.AsyncClient, engine: AsyncEngine
) -> None:
    await execute(
        engine,
        "UPDATE produtos SET nome = :evil, codigo = '=1+' || id",
        "UPDATE estoque_totais SET saldo_fisico = '1e400', saldo_virtual = '1e400'",
        evil=EVIL,
    )
    shown = await http.get("/estoque?partes=sim", headers=PAGE)
    assert shown.status_code == 200
    assert "<script>alert" not in shown.text
    assert all(row["Código"].startswith("'=") for row in await csv_of(http, ""))
    assert (await http.get("/estoque.xlsx")).status_code == 200


@pytest.mark.collector(recursos=("nfe",))
async def test_without_estoque_the_page_says_how_to_turn_it_on(http: httpx2.AsyncClient) -> None:
    shown = await http.get("/estoque", headers=PAGE)
    assert shown.status_code == 200
    assert "bling-collector recursos ligar estoques" in shown.text
    assert await csv_of(http, "tabela=dias") == []
    assert await csv_of(http, "") == []


@pytest.mark.loaded(date(2026, 2, 1))
async def test_with_few_days_of_notas_nothing_is_said_to_be_parado(
    http: httpx2.AsyncClient, engine: AsyncEngine
) -> None:
    """A leitura é de 20/02, e as notas começam em 01/02: quem vendeu em janeiro não está parado."""
    id_ = await scalar(engine, "SELECT produto_id FROM vw_estoque_cobertura WHERE situacao = 'parado' LIMIT 1")
    shown = said(await http.get("/estoque", headers=PAGE))
    assert "As notas começam em 01/02/2026, 20 dias até esta leitura" in shown
    assert "sem venda em 90 dias" not in shown
    assert "Parados" not in shown
    assert "não vende há mais de 90 dias" not in said(await http.get(f"/produtos/{id_}", headers=PAGE))


@pytest.mark.loaded(START)
async def test_estoque_that_is_switched_off_is_said(settings: Settings, clock: FakeClock) -> None:
    async with serving(replace(settings, recursos=("nfe",)), clock) as http:
        shown = said(await http.get("/estoque", headers=PAGE))
    assert "Estoque que não se coleta" in shown
    assert "bling-collector recursos ligar estoques" in shown


async def test_before_the_first_reading(http: httpx2.AsyncClient) -> None:
    assert "ainda não foi lido" in said(await http.get("/estoque", headers=PAGE))
