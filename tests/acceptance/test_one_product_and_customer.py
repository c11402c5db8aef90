"""A página de um produto e a de um cliente pelo HTTP: os números, os arquivos, os enlaces e os pedidos sem sentido."""

import csv
import html
import re
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from io import StringIO

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import problem, serving
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.proving import execute

from bling_collector.config import Settings
from bling_collector.documentos import masked
from bling_collector.insight.recursos import first_mark
from bling_collector.privacy.titular import erase_person
from bling_collector.streams.financeiro.contas_receber import CONTAS_RECEBER
from bling_collector.words import money
from bling_collector.workplace.account import Account

PAGE = {"Accept": "text/html"}
START = date(2025, 1, 1)
YEAR = "de=2025-01-01&ate=2025-12-31"
EVIL = "<script>alert('x')</script>=1+1"
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


async def csv_of(http: httpx2.AsyncClient, path: str) -> list[dict[str, str]]:
    answer = await http.get(path)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))


def decimal(written: str) -> Decimal:
    return Decimal(written.replace(",", "."))


@pytest.mark.loaded(START)
async def test_the_faturamento_leads_to_the_produto_with_the_same_numbers(
    http: httpx2.AsyncClient, engine: AsyncEngine
) -> None:
    revenue = await http.get(f"/faturamento?{YEAR}&partes=sim", headers=PAGE)
    address = html.unescape(re.findall(r'href="(/produtos/\d+\?[^"]+)"', revenue.text)[0])
    id_ = int(re.findall(r"\d+", address)[0])
    top = (await csv_of(http, f"/faturamento.csv?tabela=produtos&{YEAR}"))[0]
    shown = await http.get(address, headers=PAGE)
    assert shown.status_code == 200
    assert f"{money(decimal(top['Valor']))}, em" in said(shown).replace(" ,", ",")
    base = f"/produtos/{id_}.csv?{YEAR}"
    for table, column in (("evolucao", "Valor"), ("clientes", "Valor"), ("notas", "Valor")):
        found = await csv_of(http, f"{base}&tabela={table}")
        assert sum(decimal(row[column]) for row in found) == decimal(top["Valor"]), table
    assert sum(decimal(row["Quantidade"]) for row in await csv_of(http, f"{base}&tabela=clientes")) == decimal(
        top["Quantidade"]
    )
    assert re.search(r'href="/clientes/\d+"', shown.text)
    assert re.search(r'href="/notas/\d+"', shown.text)
    assert (await http.get(f"/produtos/{id_}.xlsx?{YEAR}")).content.startswith(b"PK")
    asked = (
        "SELECT round(sum(margem), 2) FROM vw_margem_itens WHERE produto_id = :id AND NOT cancelado AND data BETWEEN"
    )
    margin = await scalar(engine, f"{asked} '2025-01-01' AND '2025-12-31'", id=id_)
    assert money(margin) in said(shown)


@pytest.mark.loaded(START)
async def test_the_produto_says_its_stock_its_suppliers_and_where_it_sells(
    http: httpx2.AsyncClient, engine: AsyncEngine
) -> None:
    for table, query in (
        ("depositos", "SELECT saldo_fisico FROM estoque_saldos WHERE produto_id = :id ORDER BY 1"),
        ("fornecedores", "SELECT preco_custo FROM produtos_fornecedores WHERE produto_id = :id ORDER BY 1"),
        ("canais", "SELECT preco FROM produtos_lojas WHERE produto_id = :id ORDER BY 1"),
        ("estoque", "SELECT saldo_fisico FROM estoque_totais WHERE produto_id = :id ORDER BY 1"),
    ):
        source = re.findall(r"FROM (\w+)", query)[0]
        id_ = await scalar(
            engine, f"SELECT produto_id FROM {source} JOIN produtos p ON p.id = produto_id ORDER BY 1 LIMIT 1"
        )
        column = {"depositos": "Saldo", "estoque": "Saldo", "fornecedores": "Custo", "canais": "Preço"}[table]
        found = await csv_of(http, f"/produtos/{id_}.csv?tabela={table}")
        truth = [row[0] for row in await rows(engine, query, id=id_)]
        assert sorted(decimal(row[column]) for row in found if row[column]) == [v for v in truth if v is not None]
        assert (await http.get(f"/produtos/{id_}", headers=PAGE)).status_code == 200


@pytest.mark.loaded(START)
async def test_the_faturamento_leads_to_the_cliente_with_the_same_numbers(
    http: httpx2.AsyncClient, engine: AsyncEngine
) -> None:
    revenue = await http.get(f"/faturamento?{YEAR}&partes=sim", headers=PAGE)
    address = html.unescape(re.findall(r'href="(/clientes/\d+\?[^"]+)"', revenue.text)[0])
    id_ = int(re.findall(r"\d+", address)[0])
    top = (await csv_of(http, f"/faturamento.csv?tabela=clientes&{YEAR}"))[0]
    shown = await http.get(address, headers=PAGE)
    words = said(shown)
    assert f"comprou {money(decimal(top['Valor']))}" in words
    document = await scalar(engine, "SELECT documento FROM contatos WHERE id = :id", id=id_)
    assert masked(document) in words
    assert document not in shown.text
    for table in ("evolucao", "notas"):
        found = await csv_of(http, f"/clientes/{id_}.csv?{YEAR}&tabela={table}")
        assert sum(decimal(row["Valor"]) for row in found) == decimal(top["Valor"]), table
    bought = await csv_of(http, f"/clientes/{id_}.csv?{YEAR}&tabela=produtos")
    items = await scalar(
        engine,
        "SELECT sum(i.valor) FROM vw_itens_operacoes i JOIN nfe_cabecalho n ON n.id = i.nfe_id WHERE n.contato_id = :id"
        " AND i.valida AND i.operacao = 'venda' AND extract(year FROM i.data_emissao) = 2025",
        id=id_,
    )
    assert sum(decimal(row["Valor"]) for row in bought) == items
    assert (await http.get(f"/clientes/{id_}.xlsx?{YEAR}")).content.startswith(b"PK")


@pytest.mark.loaded(START)
async def test_what_the_cliente_owes(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    asked = (
        "SELECT contato_id, sum(coalesce(saldo, valor)),"
        " sum(coalesce(saldo, valor)) FILTER (WHERE vencimento < '2026-02-20'), count(*)"
        " FROM contas_receber WHERE situacao IN (1, 3) AND excluida_em IS NULL GROUP BY 1"
        " ORDER BY 3 DESC NULLS LAST LIMIT 1"
    )
    id_, owed, overdue, count = (await rows(engine, asked))[0]
    assert overdue
    words = said(await http.get(f"/clientes/{id_}", headers=PAGE))
    assert f"Deve {money(owed)} , de que {money(overdue)} já venceram".replace(" ,", ",") in words.replace(" ,", ",")
    listed = await csv_of(http, f"/clientes/{id_}.csv?tabela=contas")
    assert (len(listed), sum(decimal(row["Falta receber"]) for row in listed)) == (count, owed)


@pytest.mark.loaded(date(2026, 2, 1))
async def test_who_bought_nothing_since_the_collection_began_may_have_bought_before(
    http: httpx2.AsyncClient, engine: AsyncEngine
) -> None:
    id_ = await scalar(engine, "SELECT min(id) FROM contatos WHERE id NOT IN (SELECT contato_id FROM vw_nfe_validas)")
    words = said(await http.get(f"/clientes/{id_}", headers=PAGE))
    assert "Desde 01/02/2026, quando começa o que se coletou, não comprou." in words
    assert "0 notas desde 01/02/2026" in words


@pytest.mark.loaded(START)
async def test_who_has_no_conta_read_is_not_said_to_owe_nothing(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    id_ = await scalar(engine, "SELECT min(contato_id) FROM vw_nfe_validas")
    await execute(engine, "DELETE FROM contas_receber")
    assert "Não deve nada." in said(await http.get(f"/clientes/{id_}", headers=PAGE))
    await execute(engine, f"DELETE FROM checkpoints WHERE recurso = '{first_mark(CONTAS_RECEBER)}'")
    words = said(await http.get(f"/clientes/{id_}", headers=PAGE))
    assert "Não deve nada" not in words
    assert "O que deve ainda não se leu por inteiro." in words
    assert "Estes números ainda podem mudar" in words


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_who_was_erased_has_no_name_on_the_page(
    http: httpx2.AsyncClient, engine: AsyncEngine, account: Account
) -> None:
    id_, name, document = (
        await rows(
            engine,
            "SELECT c.id, c.nome, c.documento FROM contatos c WHERE tipo_pessoa = 'F' AND documento IS NOT NULL"
            " AND EXISTS (SELECT FROM vw_nfe_validas n WHERE n.contato_id = c.id) ORDER BY c.id LIMIT 1",
        )
    )[0]
    assert name in said(await http.get(f"/clientes/{id_}", headers=PAGE))
    await erase_person(account.engine, id_, account.clock.now())
    assert document not in (await http.get(f"/clientes/{id_}", headers=PAGE)).text
    shown = await http.get(f"/clientes/{id_}?periodo=tudo", headers=PAGE)
    assert shown.status_code == 200
    assert name not in shown.text
    assert "Sem nome" in said(shown)
    assert "comprou R$" in said(shown)


@pytest.mark.loaded(START)
async def test_two_produtos_of_the_same_sku(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    other, sku, preferred = (
        await rows(
            engine,
            "SELECT id, codigo, preco_venda FROM produtos WHERE preferido AND codigo IS NOT NULL ORDER BY id LIMIT 1",
        )
    )[0]
    await execute(
        engine, f"INSERT INTO produtos (id, codigo, nome) VALUES (5, '{sku}', 'O outro'), (6, NULL, 'Sem SKU')"
    )
    shown = await http.get("/produtos/5", headers=PAGE)
    assert f'href="/produtos/{other}"' in shown.text
    assert "Outro produto tem este SKU" in said(shown)
    assert "Não tem SKU" in said(await http.get("/produtos/6", headers=PAGE))
    assert await csv_of(http, "/produtos/6.csv") == []
    assert preferred is not None


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_an_address_of_nonsense_is_explained(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    product = await scalar(engine, "SELECT min(id) FROM produtos")
    contact = await scalar(engine, "SELECT min(contato_id) FROM nfe_cabecalho")
    for base in ("/produtos", "/clientes"):
        for id_ in ("abc", "0", "-1", "٣", "9" * 40, "1;drop", "%3Cscript%3E", "1"):
            for extension in ("", ".csv", ".xlsx"):
                answer = await http.get(f"{base}/{id_}{extension}", headers=PAGE)
                assert answer.status_code == 404, (base, id_, extension)
                assert "<script>" not in answer.text.partition("<main")[2]
        id_ = product if base == "/produtos" else contact
        for query, sentence in (
            ("de=2025-02-30", "não é um dia"),
            ("periodo=semana", "período chamado"),
            ("de=2025-03-01&ate=2025-02-01", "antes da inicial"),
            ("cor=azul", "não conhece o filtro"),
        ):
            answer = await http.get(f"{base}/{id_}?{query}", headers=PAGE)
            assert answer.status_code == 422, query
            assert sentence in said(answer)
            assert 'name="de"' in answer.text
            problem(await http.get(f"{base}/{id_}.csv?{query}"), 422)
        problem(await http.get(f"{base}/{id_}.xlsx?tabela=segredos"), 422)


@pytest.mark.loaded(START)
async def test_what_is_in_the_register_is_not_executed(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    await execute(
        engine,
        "UPDATE produtos SET nome = :evil, categoria_descricao = :evil",
        "UPDATE contatos SET nome = :evil, municipio = :evil",
        "UPDATE depositos SET descricao = :evil",
        evil=EVIL,
    )
    product = await scalar(engine, "SELECT min(produto_id) FROM estoque_saldos")
    contact = await scalar(engine, "SELECT min(contato_id) FROM nfe_cabecalho")
    for path in (f"/produtos/{product}", f"/clientes/{contact}"):
        answer = await http.get(path, headers=PAGE)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "&lt;script&gt;alert" in answer.text
        assert re.search(r"<[^>]+\sstyle=", answer.text) is None
