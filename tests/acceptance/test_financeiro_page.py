"""Financeiro e as contas pelo HTTP: os números são os do Bling, e os pedidos errados se dizem."""

import csv
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from io import StringIO
from typing import Any

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import authorise, problem, serving
from tests.support.collecting import rows
from tests.support.fakes import FakeClock
from tests.support.owing import RESOURCES, ZERO, accounts, due, links, still_open, trade
from tests.support.proving import START, execute

from bling_collector.clock import today
from bling_collector.config import Settings
from bling_collector.insight.finance.money import load_money
from bling_collector.insight.recursos import first_mark
from bling_collector.insight.sales.periods import ComparedPeriod
from bling_collector.streams.financeiro.contas_pagar import CONTAS_PAGAR
from bling_collector.words import money
from bling_simulator.bling import Bling

PAGE = {"Accept": "text/html"}
pytestmark = pytest.mark.collector(recursos=RESOURCES)
LOADED = pytest.mark.loaded(START, before=trade)


@pytest.fixture
async def http(
    settings: Settings, clock: FakeClock, bling: Bling, changed: object
) -> AsyncIterator[httpx2.AsyncClient]:
    """O serviço, já autorizado."""
    async with serving(settings, clock) as client:
        assert (await authorise(client, bling)).status_code == 200
        yield client


async def csv_of(http: httpx2.AsyncClient, address: str) -> list[dict[str, str]]:
    answer = await http.get(address)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))


def decimal(written: str) -> Decimal:
    return Decimal(written.replace(",", "."))


def said(page: httpx2.Response) -> str:
    """O que a página diz, sem as marcas."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.text)))


@pytest.mark.slow
@LOADED
async def test_the_page_says_what_bling_says(http: httpx2.AsyncClient, bling: Bling, clock: FakeClock) -> None:
    hoje = today(clock)
    page = await http.get("/financeiro?conferencia=sim", headers=PAGE)
    assert page.status_code == 200
    words = said(page)
    for kind in ("receber", "pagar"):
        mine = [account for (side, _), account in accounts(bling) if side == kind]
        whole = sum(map(still_open, mine), ZERO)
        late = sum((still_open(each) for each in mine if (day := due(each)) and day < hoje), ZERO)
        soon = sum(
            (still_open(each) for each in mine if (day := due(each)) and hoje <= day <= hoje + timedelta(days=30)), ZERO
        )
        assert f"{money(whole)} a {kind}, dos quais {money(late)} vencidos" in words
        assert f"{money(soon)} a {kind}" in words
        bands = await csv_of(http, f"/financeiro.csv?tabela={kind}")
        assert sum(decimal(band["Valor"]) for band in bands) == whole
        assert sum(decimal(band["Valor"]) for band in bands if band["Vencimento"].startswith("Vencidas")) == late
    assert "Não se compara" in words
    assert "a conta foi quitada sem borderô" in words
    assert "Falta coletar" not in words
    for address in set(re.findall(r'href="(/contas/[^"]+)"', page.text)):
        assert (await http.get(unescape(address), headers=PAGE)).status_code == 200, address


@LOADED
async def test_what_was_not_read_is_not_said_to_be_nothing(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    assert "ainda podem mudar" not in said(await http.get("/financeiro", headers=PAGE))
    await execute(
        engine,
        "DELETE FROM contas_pagar",
        f"DELETE FROM checkpoints WHERE recurso = '{first_mark(CONTAS_PAGAR)}'",
        "INSERT INTO janelas_devidas (recurso, data_inicio, data_fim) "
        "VALUES ('contas_receber', '2026-01-01', '2026-01-31')",
    )
    words = said(await http.get("/financeiro", headers=PAGE))
    verdict = words.partition("A receber, por vencimento")[0]
    assert "R$ 0,00 a pagar" not in verdict
    assert "O que há a pagar ainda não se leu por inteiro." in words
    assert "Ainda não se leram por inteiro: contas a pagar." in words
    assert "Têm o que buscar, ou diferem do Bling: contas a receber." in words
    for lado in ("receber", "pagar"):
        assert "Estes números ainda podem mudar" in said(await http.get(f"/contas/{lado}", headers=PAGE))


@LOADED
async def test_each_band_leads_to_its_contas(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    """E somam o mesmo: a faixa, a lista e, na data do banco, a view."""
    page = (await http.get("/financeiro", headers=PAGE)).text
    for kind in ("receber", "pagar"):
        bands = await csv_of(http, f"/financeiro.csv?tabela={kind}")
        region = page.partition(f'id="{kind}"')[2].partition("</table>")[0]
        shown = dict(re.findall(r'<th scope="row"><a href="([^"]+)">([^<]+)</a>', region))
        assert set(shown.values()) == {band["Vencimento"] for band in bands if int(band["Contas"])} - {"Sem vencimento"}
        for address, name in shown.items():
            listed = await csv_of(http, unescape(address).replace(f"/{kind}?", f"/{kind}.csv?"))
            band = next(each for each in bands if each["Vencimento"] == name)
            assert len(listed) == int(band["Contas"])
            assert sum(decimal(each["Em aberto"]) for each in listed) == decimal(band["Valor"])


@LOADED
async def test_the_bands_of_the_page_are_those_of_the_views(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    """Nas bordas de cada uma, com o vencimento contado do dia do banco."""
    await execute(
        engine,
        "DELETE FROM contas_receber",
        "INSERT INTO contas_receber (id, situacao, valor, saldo, vencimento) SELECT n, 1, n, n, "
        "(now() AT TIME ZONE 'America/Sao_Paulo')::date - d "
        "FROM unnest(ARRAY[-1, 0, 1, 30, 31, 60, 61, 90, 91, 900]) WITH ORDINALITY AS u (d, n)",
        "INSERT INTO contas_receber (id, situacao, valor, saldo) VALUES (11, 3, 20, 11)",
    )
    stored = await rows(engine, "SELECT ordem, contas, em_aberto FROM vw_contas_receber_idade ORDER BY 1")
    assert stored == [(1, 2, 3), (2, 2, 7), (3, 2, 11), (4, 2, 15), (5, 2, 19), (6, 1, 11)]

    hoje = (await rows(engine, "SELECT (now() AT TIME ZONE 'America/Sao_Paulo')::date"))[0][0]
    found = await load_money(engine, ComparedPeriod(hoje, hoje), hoje, None, most=1)
    assert [(n, band.contas, band.em_aberto) for n, band in enumerate(found.receber.bands, 1)] == stored


@LOADED
async def test_the_fluxo_and_the_resultado_add_up_to_what_the_views_do(
    http: httpx2.AsyncClient, engine: AsyncEngine
) -> None:
    flow = await csv_of(http, "/financeiro.csv?tabela=fluxo&periodo=tudo")
    totals = await rows(engine, "SELECT sum(entradas), sum(saidas) FROM vw_fluxo_caixa_dia")
    assert [(sum(decimal(each["Entrou"]) for each in flow), sum(decimal(each["Saiu"]) for each in flow))] == totals
    result = await csv_of(http, "/financeiro.csv?tabela=resultado&periodo=tudo")
    sides = dict(await rows(engine, "SELECT natureza, sum(valor) FROM vw_dre_mes WHERE mes <= '2026-02-01' GROUP BY 1"))
    assert sum(decimal(each["Receitas"]) for each in result) == sides["receita"]
    assert sum(decimal(each["Despesas"]) for each in result) == sides["despesa"]
    parts = await csv_of(http, "/financeiro.csv?tabela=categorias&periodo=tudo")
    assert sum(decimal(each["Valor"]) for each in parts if each["Natureza"] == "Receita") == sides["receita"]
    assert {each["Meses inteiros que soma"][-8:] for each in parts} == {"fev/2026"}
    page = said(await http.get("/financeiro?de=2026-01-10&ate=2026-01-10", headers=PAGE))
    assert "Soma os meses inteiros: jan/2026." in page
    answer = await http.get("/financeiro.xlsx?periodo=tudo")
    assert answer.status_code == 200
    assert answer.content.startswith(b"PK")


@LOADED
async def test_the_list_filters_sorts_counts_and_sums(http: httpx2.AsyncClient, bling: Bling, clock: FakeClock) -> None:
    hoje = today(clock)

    def has(account: Any, name: str) -> bool:
        return name in str(account["contato"]["nome"]).casefold()

    name = max(bling.receivables.values(), key=lambda each: len(each["contato"]["nome"]))["contato"]["nome"].split()[0]
    contact = next(iter(bling.receivables.values()))["contato"]["id"]
    asks: list[tuple[str, Any]] = [
        ("", lambda each: True),
        ("situacao=pagas", lambda each: each["situacao"] == 2),
        ("situacao=devolvidas", lambda each: each["situacao"] in (4, 6)),
        ("situacao=vencidas", lambda each: still_open(each) and (day := due(each)) and day < hoje),
        ("situacao=a-vencer", lambda each: still_open(each) and (day := due(each)) and day >= hoje),
        (
            "de=2025-01-01&ate=2025-06-30",
            lambda each: (day := due(each)) and date(2025, 1, 1) <= day <= date(2025, 6, 30),
        ),
        (f"contato={contact}", lambda each: each["contato"]["id"] == contact),
        (f"cliente={name.upper()}", lambda each: has(each, name.casefold())),
    ]
    for query, wanted in asks:
        expected = {id_: each for id_, each in bling.receivables.items() if wanted(each)}
        listed = await csv_of(http, f"/contas/receber.csv?{query}")
        assert {int(each["Id no Bling"]) for each in listed} == set(expected), query
        page = said(await http.get(f"/contas/receber?{query}", headers=PAGE))
        counted = "1 conta" if len(expected) == 1 else f"{len(expected)} contas"
        assert counted in page, query
        assert f"Valem {money(sum((each['valor'] for each in expected.values()), ZERO))}" in page
        assert f"em aberto {money(sum(map(still_open, expected.values()), ZERO))}" in page
    for order, column in (("valor", "Valor"), ("-aberto", "Em aberto")):
        values = [decimal(each[column]) for each in await csv_of(http, f"/contas/pagar.csv?ordem={order}")]
        assert values == sorted(values, reverse=order.startswith("-"))
    first = re.findall(r'href="(/contas/receber/\d+)"', (await http.get("/contas/receber", headers=PAGE)).text)
    second = re.findall(
        r'href="(/contas/receber/\d+)"', (await http.get("/contas/receber?pagina=2", headers=PAGE)).text
    )
    assert len(first) == len(set(first)) == min(50, len(bling.receivables))
    assert not set(first) & set(second)
    assert len(first) + len(second) == len(bling.receivables)
    assert (await http.get("/contas/pagar.xlsx", headers=PAGE)).content.startswith(b"PK")


@LOADED
async def test_the_page_of_each_conta(http: httpx2.AsyncClient, bling: Bling, changed: dict[str, int]) -> None:
    shared = {key for keys in links(bling).values() if len(keys) > 1 for key in keys}
    of_note = next(id_ for id_, each in bling.receivables.items() if each["origem"]["tipoOrigem"] == "notafiscal")
    chosen = [("receber", of_note), *[key for key, account in accounts(bling) if len(account["borderos"]) == 2][:2]]
    for kind, id_ in [*chosen, *sorted(shared)[:1]]:
        account = dict(accounts(bling))[kind, id_]
        page = await http.get(f"/contas/{kind}/{id_}", headers=PAGE)
        words = said(page)
        assert money(account["valor"]) in words
        assert money(account["saldo"]) in words
        for bordero in account["borderos"]:
            assert f"{bordero}" in words
            assert f"{date.fromisoformat(bling.borderos[bordero]['data']):%d/%m/%Y}" in words
    assert (
        f'href="/notas/{bling.receivables[of_note]["origem"]["id"]}"'
        in (await http.get(f"/contas/receber/{of_note}", headers=PAGE)).text
    )
    assert "não se sabe" in said(await http.get(f"/contas/receber/{changed['irmã']}", headers=PAGE))
    assert "Nenhum borderô" in said(await http.get(f"/contas/pagar/{changed['sem borderô']}", headers=PAGE))


@LOADED
async def test_what_makes_no_sense_is_said_in_one_sentence(http: httpx2.AsyncClient) -> None:
    for address, status, sentence in (
        ("/financeiro?de=2025-02-30", 422, "não é um dia que exista"),
        ("/financeiro?de=2025-03-01&ate=2025-02-01", 422, "antes da inicial"),
        ("/financeiro?cor=azul", 422, "não conhece o filtro"),
        ("/contas/receber?de=ontem", 422, "não é um dia que se possa procurar"),
        ("/contas/receber?de=2025-02-02&ate=2025-01-01", 422, "termina antes de começar"),
        ("/contas/receber?situacao=azul", 422, "Escolha uma situação"),
        ("/contas/receber?ordem=cor", 422, "Não se ordena por"),
        ("/contas/receber?pagina=0", 422, "uma página que não existe"),
        ("/contas/receber?pagina=999", 200, "Esta página não existe"),
        ("/contas/receber?contato=abc", 422, "só de algarismos"),
        ("/contas/receber?cor=azul", 422, "um filtro que não existe"),
        ("/contas/receber?cliente=%25_%00%5C", 200, "Nenhuma conta assim"),
        ("/contas/doar", 404, "receber ou a pagar"),
        ("/contas/receber/abc", 404, "só de algarismos"),
        ("/contas/pagar/1", 404, "não tem a conta a pagar 1"),
    ):
        answer = await http.get(address, headers=PAGE)
        assert (answer.status_code, sentence in said(answer)) == (status, True), (address, said(answer)[:600])
    problem(await http.get("/financeiro.csv?tabela=azul"), 422)
    problem(await http.get("/contas/receber.csv?situacao=azul"), 422)
    problem(await http.get("/contas/doar.csv"), 404)


@LOADED
async def test_nothing_that_bling_says_is_executed(http: httpx2.AsyncClient, engine: AsyncEngine, bling: Bling) -> None:
    evil = "<script>alert('x')</script>=1+1"
    await execute(
        engine,
        "UPDATE contatos SET nome = :evil",
        "UPDATE contas_receber SET numero_documento = :evil, "
        "detalhe = jsonb_set(detalhe, '{historico}', to_jsonb(CAST(:evil AS text)))",
        "UPDATE categorias_financeiras SET descricao = :evil",
        "UPDATE contas_financeiras SET descricao = :evil",
        evil=evil,
    )
    for address in ("/financeiro", "/contas/receber", f"/contas/receber/{min(bling.receivables)}"):
        page = await http.get(address, headers=PAGE)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text
        assert re.search(r"<[^>]+\sstyle=", page.text) is None


@pytest.mark.collector(recursos=())
async def test_what_is_not_collected_says_how_to_turn_it_on(settings: Settings, clock: FakeClock) -> None:
    async with serving(settings, clock) as http:
        page = said(await http.get("/financeiro?conferencia=sim", headers=PAGE))
        assert "bling-collector recursos ligar contas_receber contas_pagar borderos caixas" in page
        assert "Ainda não há contas" in page
        refused = problem(await http.get("/financeiro.csv"), 422)
        assert refused["detail"] == "Estes números saem de borderos e caixas, que não se coletam."
        problem(await http.get("/financeiro.csv?tabela=receber"), 422)
        problem(await http.get("/financeiro.xlsx?tabela=categorias"), 422)
        problem(await http.get("/financeiro.xlsx"), 422)
        accounts = said(await http.get("/contas/pagar", headers=PAGE))
        assert "As contas a pagar não são coletadas" in accounts
        assert "bling-collector recursos ligar contas_pagar" in accounts


async def test_contas_that_were_not_read_are_not_said_to_be_none(settings: Settings, clock: FakeClock) -> None:
    async with serving(settings, clock) as http:
        shown = said(await http.get("/contas/receber", headers=PAGE))
    assert "Ainda não há contas a receber" in shown
    assert "R$ 0,00" not in shown
    assert "recursos ligar" not in shown, "já se coletam"


@LOADED
async def test_contas_that_are_switched_off_are_said(settings: Settings, clock: FakeClock) -> None:
    async with serving(replace(settings, recursos=("nfe",)), clock) as http:
        for lado in ("receber", "pagar"):
            shown = said(await http.get(f"/contas/{lado}", headers=PAGE))
            assert f"Contas a {lado} que não se coletam" in shown
            assert f"bling-collector recursos ligar contas_{lado}" in shown
