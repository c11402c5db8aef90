"""Toda resposta do simulador obedece à descrição oficial, também as dos casos feios.

A descrição não acompanha este repositório: aponte a variável BLING_OPENAPI para o arquivo.
"""

import json
import os
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bling_simulator import Bling, SimulatorSettings, create_app
from bling_simulator.api import auxiliares, contatos, nfe, pedidos_vendas, produtos, vendedores
from bling_simulator.api.estoque import saldos
from bling_simulator.api.financeiro import contas
from bling_simulator.payload import dump

from .official_schema import OfficialDescription, problems

FILE = os.environ.get("BLING_OPENAPI", "")

pytestmark = pytest.mark.skipif(
    not FILE, reason="BLING_OPENAPI não aponta para a descrição oficial da API (bling-openapi.json)"
)

LISTS = (
    "/nfe",
    "/nfce",
    "/nfse",
    "/contatos",
    "/produtos",
    "/formas-pagamentos",
    "/categorias/produtos",
    "/vendedores",
    "/pedidos/vendas",
    "/contas/receber",
    "/contas/pagar",
)
EVERYTHING = {"/vendedores": {"situacaoContato": "T"}}
SMALL: dict[str, str | None] = {
    "/depositos": "/depositos/{idDeposito}",
    "/canais-venda": "/canais-venda/{idCanalVenda}",
    "/naturezas-operacoes": None,
    "/grupos-produtos": None,
    "/produtos/fornecedores": "/produtos/fornecedores/{idProdutoFornecedor}",
    "/produtos/lojas": "/produtos/lojas/{idProdutoLoja}",
    "/categorias/lojas": "/categorias/lojas/{idCategoriaLoja}",
    "/situacoes/modulos": None,
    "/contas-contabeis": "/contas-contabeis/{idContaContabil}",
    "/categorias/receitas-despesas": "/categorias/receitas-despesas/{idCategoria}",
    "/contatos/tipos": None,
    "/campos-customizados/modulos": None,
    "/notificacoes": None,
    "/logisticas": "/logisticas/{idLogistica}",
    "/logisticas/servicos": "/logisticas/servicos/{idLogisticaServico}",
    "/pedidos/compras": "/pedidos/compras/{idPedidoCompra}",
    "/propostas-comerciais": "/propostas-comerciais/{idPropostaComercial}",
    "/ordens-producao": "/ordens-producao/{idOrdemProducao}",
    "/contratos": "/contratos/{idContrato}",
}
"""Listagem → o detalhe, onde há um que se descreva."""
DETAILS = {
    "/nfe": "/nfe/{idNotaFiscal}",
    "/nfce": "/nfce/{idNotaFiscalConsumidor}",
    "/nfse": "/nfse/{idNotaServico}",
    "/contatos": "/contatos/{idContato}",
    "/produtos": "/produtos/{idProduto}",
    "/formas-pagamentos": "/formas-pagamentos/{idFormaPagamento}",
    "/categorias/produtos": "/categorias/produtos/{idCategoriaProduto}",
    "/vendedores": "/vendedores/{idVendedor}",
    "/pedidos/vendas": "/pedidos/vendas/{idPedidoVenda}",
    "/contas/receber": "/contas/receber/{idContaReceber}",
    "/contas/pagar": "/contas/pagar/{idContaPagar}",
}


@pytest.fixture(scope="module")
def official() -> OfficialDescription:
    return OfficialDescription(json.loads(Path(FILE).read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def company() -> Bling:
    """A empresa de referência inteira, com todos os casos feios."""
    bling: Bling = create_app(SimulatorSettings()).state.bling
    return bling


def answered(body: object) -> Any:
    """O corpo como o cliente o lê."""
    return json.loads(dump(body))


@pytest.mark.parametrize("path", LISTS)
async def test_lists(client: httpx2.AsyncClient, official: OfficialDescription, path: str) -> None:
    answer = await client.get(path, params=EVERYTHING.get(path))
    assert len(answer.json()["data"]) > 5
    assert problems(official.list_schema(path), answer.json()) == []


@pytest.mark.parametrize("path", LISTS)
async def test_details(client: httpx2.AsyncClient, official: OfficialDescription, path: str) -> None:
    for row in (await client.get(path)).json()["data"][:10]:
        answer = await client.get(f"{path}/{row['id']}")
        assert problems(official.answer_schema(DETAILS[path]), answer.json()) == []


@pytest.mark.parametrize(("path", "detail"), SMALL.items())
async def test_small_registers(
    client: httpx2.AsyncClient, official: OfficialDescription, path: str, detail: str | None
) -> None:
    answer = await client.get(path)
    rows = answer.json()["data"]
    assert rows
    assert problems(official.list_schema(path), answer.json()) == []
    for row in rows[:10] if detail else []:
        one = await client.get(f"{detail}".partition("{")[0] + str(row["id"]))
        assert problems(official.answer_schema(str(detail)), one.json()) == []


async def test_the_statuses_of_a_module(client: httpx2.AsyncClient, official: OfficialDescription) -> None:
    listed = await client.get("/situacoes/modulos/98310")
    assert problems(official.list_schema("/situacoes/modulos/{idModuloSistema}"), listed.json()) == []
    one = await client.get(f"/situacoes/{listed.json()['data'][0]['id']}")
    assert problems(official.answer_schema("/situacoes/{idSituacao}"), one.json()) == []


async def test_company_profile(client: httpx2.AsyncClient, official: OfficialDescription) -> None:
    path = "/empresas/me/dados-basicos"
    assert problems(official.answer_schema(path), (await client.get(path)).json()) == []


@pytest.mark.parametrize("path", LISTS)
async def test_not_found(client: httpx2.AsyncClient, official: OfficialDescription, path: str) -> None:
    answer = await client.get(f"{path}/1")
    assert problems(official.answer_schema(DETAILS[path], 404), answer.json()) == []


@pytest.mark.slow
def test_every_note(company: Bling, official: OfficialDescription) -> None:
    notes = list(company.notes.values())
    detail = official.answer_schema(DETAILS["/nfe"])["properties"]["data"]
    everything = {"type": "array", "items": detail}
    assert problems(everything, answered(notes)) == []
    rows = {"data": [nfe.nfe_row(note) for note in notes]}
    assert problems(official.list_schema("/nfe"), answered(rows)) == []


@pytest.mark.slow
def test_every_order(company: Bling, official: OfficialDescription) -> None:
    orders = list(company.orders.values())
    detail = official.answer_schema(DETAILS["/pedidos/vendas"])["properties"]["data"]
    assert problems({"type": "array", "items": detail}, answered(orders)) == []
    rows = {"data": [pedidos_vendas.pedido_venda_row(order) for order in orders]}
    assert problems(official.list_schema("/pedidos/vendas"), answered(rows)) == []


async def test_a_document(client: httpx2.AsyncClient, official: OfficialDescription, bling: Bling) -> None:
    chave = next(note["chaveAcesso"] for note in bling.notes.values() if note["situacao"] == 6)
    answer = await client.get(f"/nfe/documento/{chave}", params={"formato": "xml"})
    assert problems(official.answer_schema("/nfe/documento/{chaveAcesso}"), answer.json()) == []
    missing = await client.get(f"/nfe/documento/{'1' * 44}", params={"formato": "xml"})
    assert problems(official.answer_schema("/nfe/documento/{chaveAcesso}", 404), missing.json()) == []


@pytest.mark.slow
def test_every_bordero(company: Bling, official: OfficialDescription) -> None:
    detail = official.answer_schema("/borderos/{idBordero}")["properties"]["data"]
    assert problems({"type": "array", "items": detail}, answered(list(company.borderos.values())[-300:])) == []


async def test_the_boletos_of_each_origin(
    client: httpx2.AsyncClient, official: OfficialDescription, bling: Bling
) -> None:
    path, statuses = "/contas/receber/boletos", [("situacoes[]", each) for each in range(1, 7)]
    accounts = [each["contas"][0]["id"] for each in bling.slips.values()][:7]
    for status, account in enumerate(accounts, start=1):
        bling.edit_account("receber", account, situacao=status)
    seen: set[int] = set()
    for origin in bling.slips:
        answer = await client.get(path, params=[("idOrigem", origin), *statuses])
        assert problems(official.answer_schema(path), answer.json()) == []
        seen |= {each["situacao"] for each in answer.json()["contas"]}
    assert seen == {*range(1, 7)}
    assert (await client.get(path)).status_code == 400


@pytest.mark.slow
def test_every_shipped_object(company: Bling, official: OfficialDescription) -> None:
    detail = official.answer_schema("/logisticas/objetos/{idObjeto}")["properties"]["data"]
    objects = list(company.objects.values())
    assert len(objects) > 100
    assert problems({"type": "array", "items": detail}, answered(objects[-300:])) == []


async def test_the_fields_of_a_module(client: httpx2.AsyncClient, official: OfficialDescription) -> None:
    listed = await client.get("/campos-customizados/modulos/12345602")
    assert len(listed.json()["data"]) == 3
    assert problems(official.list_schema("/campos-customizados/modulos/{idModulo}"), listed.json()) == []
    one = await client.get(f"/campos-customizados/{listed.json()['data'][1]['id']}")
    assert problems(official.answer_schema("/campos-customizados/{idCampoCustomizado}"), one.json()) == []


async def test_the_shipments_of_a_carrier(
    client: httpx2.AsyncClient, official: OfficialDescription, bling: Bling
) -> None:
    shown = 0
    for logistics in bling.dimensions["/logisticas"].entries:
        listed = await client.get(f"/logisticas/{logistics}/remessas")
        assert problems(official.list_schema("/logisticas/{idLogistica}/remessas"), listed.json()) == []
        for row in listed.json()["data"]:
            one = await client.get(f"/logisticas/remessas/{row['id']}")
            assert problems(official.answer_schema("/logisticas/remessas/{idRemessa}"), one.json()) == []
            assert [each["id"] for each in one.json()["data"]["objetos"]] == row["objetos"]
            shown += len(row["objetos"])
    assert shown > 1
    assert (await client.get("/logisticas/1/remessas")).status_code == 404
    bling.configure(logistics_without_shipments_answers=400)
    assert (await client.get(f"/logisticas/{logistics}/remessas")).status_code == 400


async def test_the_lots_and_what_each_has(
    client: httpx2.AsyncClient, official: OfficialDescription, bling: Bling
) -> None:
    products = [("idsProdutos[]", id_) for id_ in bling.dimensions["/produtos/lotes/controla-lote"].entries]
    control = await client.get("/produtos/lotes/controla-lote", params=products)
    assert {each["controlaLote"] for each in control.json()["data"]} == {True, False}
    assert problems(official.list_schema("/produtos/lotes/controla-lote"), control.json()) == []
    lots = await client.get("/produtos/lotes", params=products)
    assert {each["status"] for each in lots.json()["data"]} == {1, 2}
    assert problems(official.list_schema("/produtos/lotes"), lots.json()) == []
    lot = lots.json()["data"][0]
    one = await client.get(f"/produtos/lotes/{lot['idLote']}")
    assert problems(official.answer_schema("/produtos/lotes/{idLote}"), one.json()) == []
    balances, launches = "/produtos/{}/lotes/depositos/{}/saldo", "/produtos/lotes/{}/lancamentos"
    asked = balances.format(lot["produto"]["id"], lot["deposito"]["id"])
    answer = await client.get(asked, params={"idsLotes[]": lot["idLote"]})
    assert len(answer.json()["data"]) == 1
    assert problems(official.list_schema(balances.format("{idProduto}", "{idDeposito}")), answer.json()) == []
    answer = await client.get(launches.format(lot["idLote"]))
    assert len(answer.json()["data"]) == 2
    assert problems(official.list_schema(launches.format("{idLote}")), answer.json()) == []
    assert (await client.get("/produtos/lotes")).status_code == 400


async def test_every_ad(client: httpx2.AsyncClient, official: OfficialDescription, bling: Bling) -> None:
    channel = bling.dimensions["/canais-venda"].entries[204_561_377].detail
    asked = {"idLoja": channel["id"], "tipoIntegracao": channel["tipo"]}
    shown: list[int] = []
    for situacao in range(1, 5):
        answer = await client.get("/anuncios", params=asked | {"situacao": situacao})
        shown.append(situacao if answer.json()["data"] else 0)
        assert problems(official.list_schema("/anuncios"), answer.json()) == []
        for row in answer.json()["data"][:3]:
            one = await client.get(f"/anuncios/{row['id']}", params=asked)
            assert problems(official.answer_schema("/anuncios/{idAnuncio}"), one.json()) == []
    assert any(shown)
    assert (await client.get("/anuncios")).status_code == 400


async def test_every_structure(client: httpx2.AsyncClient, official: OfficialDescription) -> None:
    kits = (await client.get("/produtos", params={"criterio": 5, "tipo": "E"})).json()["data"]
    assert kits
    for kit in kits:
        answer = await client.get(f"/produtos/estruturas/{kit['id']}")
        assert problems(official.answer_schema("/produtos/estruturas/{idProdutoEstrutura}"), answer.json()) == []


async def test_cash_has_no_envelope(client: httpx2.AsyncClient, official: OfficialDescription, bling: Bling) -> None:
    span = {"dataInicial": "2025-06-01", "dataFinal": "2026-02-28"}
    for situacao in ("R", "E"):
        answer = await client.get("/caixas", params={**span, "situacao": situacao})
        assert len(answer.json()["data"]) > 1
        assert problems(official.list_schema("/caixas"), answer.json()) == []
        for row in answer.json()["data"][:5]:
            detail = (await client.get(f"/caixas/{row['id']}")).json()
            assert problems(official.answer_schema("/caixas/{idCaixa}"), detail) == []
            assert (detail["valor"] > 0, detail["valor"]) == (True, abs(row["valor"]))


def test_every_balance(company: Bling, official: OfficialDescription) -> None:
    rows = [saldos.saldo_row(balance) for balance in company.stockroom.balances()]
    assert len(rows) > 900
    assert problems(official.list_schema("/estoques/saldos"), answered({"data": rows})) == []


@pytest.mark.slow
def test_every_account(company: Bling, official: OfficialDescription) -> None:
    books = {
        "/contas/receber": (company.receivables, contas.conta_receber_row),
        "/contas/pagar": (company.payables, contas.conta_pagar_row),
    }
    for path, (book, row) in books.items():
        details = list(book.values())[-300:]
        detail = official.answer_schema(DETAILS[path])["properties"]["data"]
        assert problems({"type": "array", "items": detail}, answered(details)) == []
        assert problems(official.list_schema(path), answered({"data": [row(each) for each in details]})) == []


def test_every_register(company: Bling, official: OfficialDescription) -> None:
    registers = {
        "/contatos": (company.contacts, contatos.contato_row),
        "/produtos": (company.products, produtos.produto_row),
        "/formas-pagamentos": (company.company.payment_methods, auxiliares.forma_pagamento_row),
        "/categorias/produtos": (company.company.categories, auxiliares.categoria_row),
        "/vendedores": (company.sellers, vendedores.vendedor_row),
    }
    for path, (register, row) in registers.items():
        details = list(register.values())
        detail = official.answer_schema(DETAILS[path])["properties"]["data"]
        assert problems({"type": "array", "items": detail}, answered(details)) == []
        assert problems(official.list_schema(path), answered({"data": [row(each) for each in details]})) == []


def test_the_check_itself_notices(official: OfficialDescription) -> None:
    schema = official.answer_schema("/nfe")
    row = {"id": "1", "tipo": 7, "inventado": 1, "contato": {"nome": "x", "pele": 1}}
    found = problems(schema, {"data": [row]})
    assert any("'1' is not of type 'integer'" in problem for problem in found)
    assert any("7 is not one of [0, 1]" in problem for problem in found)
    assert any("'numero' is a required property" in problem for problem in found)
    assert "$.data[0].inventado: campo que a descrição não tem" in found
    assert "$.data[0].contato.pele: campo que a descrição não tem" in found
