"""O que pede atenção, pelo HTTP."""

import html
import re
from collections.abc import AsyncIterator
from datetime import date

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import problem, serving
from tests.support.collecting import rows
from tests.support.fakes import FakeClock
from tests.support.proving import execute

from bling_collector.config import Settings
from bling_collector.insight.attention import RULES
from bling_collector.insight.recursos import first_mark
from bling_collector.streams.financeiro.contas_receber import CONTAS_RECEBER
from bling_collector.words import money

PAGE = {"Accept": "text/html"}
START = date(2025, 1, 1)
pytestmark = [
    pytest.mark.bling(scale=0.05),
    pytest.mark.collector(
        recursos=(
            *("nfe", "estoques", "pedidos_venda", "produtos_fornecedores", "produtos_lojas", "canais_venda"),
            *("situacoes", "contas_receber"),
        )
    ),
]


@pytest.fixture
async def http(settings: Settings, clock: FakeClock) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(settings, clock) as client:
        yield client


def said(answer: httpx2.Response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


@pytest.mark.loaded(START)
async def test_each_signal_has_its_number_its_rule_and_its_file(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    await execute(engine, "UPDATE contatos SET nome = '<script>alert(1)</script>'")
    shown = await http.get("/atencao", headers=PAGE)
    words = said(shown)
    assert shown.status_code == 200
    assert "<script>alert" not in shown.text
    for name, rule in RULES.items():
        assert rule.title in words
        if rule.recurso == "contas_pagar":
            assert "bling-collector recursos ligar contas_pagar" in shown.text
            assert "não se coleta" in problem(await http.get(f"/atencao.csv?tabela={name}"), 422)["detail"]
        else:
            assert rule.rule in words
            assert (await http.get(f"/atencao.csv?tabela={name}")).content.startswith(b"\xef\xbb\xbf")
    owed = await rows(
        engine,
        "SELECT sum(coalesce(saldo, valor)) FROM contas_receber"
        " WHERE situacao IN (1, 3) AND excluida_em IS NULL AND vencimento < '2026-02-20'",
    )
    assert f"{money(owed[0][0])}, de" in words
    assert (await http.get("/atencao.xlsx")).content.startswith(b"PK")
    assert 'href="/atencao"' in (await http.get("/", headers=PAGE)).text
    problem(await http.get("/atencao.csv?tabela=segredos"), 422)
    problem(await http.get("/atencao.csv"), 422)
    problem(await http.get("/atencao.xlsx?cor=azul"), 422)
    assert "não conhece o filtro" in said(await http.get("/atencao?cor=azul", headers=PAGE))


@pytest.mark.loaded(START)
async def test_what_was_not_read_is_not_said_to_be_well(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    await execute(
        engine,
        "DELETE FROM contas_receber",
        f"DELETE FROM checkpoints WHERE recurso = '{first_mark(CONTAS_RECEBER)}'",
    )
    shown = await http.get("/atencao", headers=PAGE)
    part = said(shown).partition("Contas a receber vencidas")[2]
    assert part.strip().startswith("Ainda não se leu")
    assert "Ainda não se leram por inteiro: contas a receber." in said(shown)
    assert "de 5 que se olham" in said(shown)


async def test_before_the_first_collection(http: httpx2.AsyncClient) -> None:
    assert "Ainda não há notas" in said(await http.get("/atencao", headers=PAGE))
