"""A pessoa no que é de vários, no que é de outros e onde só o id do contato a diz."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fixtures import fixture
from tests.support.collecting import rows, scalar

from bling_collector.db.models import empresa, metadata
from bling_collector.errors import CollectorError
from bling_collector.etl.resource import Document, Resource
from bling_collector.etl.save import Item, save
from bling_collector.privacy.titular import erase_person, export_person, load_person
from bling_collector.streams.cadastros.contatos import CONTATOS
from bling_collector.streams.cadastros.vendedores import VENDEDORES
from bling_collector.streams.financeiro.borderos import BORDEROS
from bling_collector.streams.financeiro.caixas import CAIXAS
from bling_collector.streams.financeiro.contas_pagar import CONTAS_PAGAR
from bling_collector.streams.notas.nfe import NFE
from bling_collector.streams.produtos.produtos import PRODUTOS
from bling_collector.streams.produtos.produtos_fornecedores import PRODUTOS_FORNECEDORES
from bling_collector.streams.registry import RESOURCES
from bling_collector.streams.vendas.pedidos_venda import PEDIDOS_VENDA

NOW = datetime(2026, 2, 20, 12, tzinfo=UTC)
HER, OTHER = 14300000501, 14300000502
CPF, CNPJ, OTHERS_CPF = "52998224725", "65020209000162", "11144477735"
NAME = "Zybélina Zanetti"


async def _save(engine: AsyncEngine, resource: Resource, *documents: Document) -> None:
    async with engine.begin() as connection:
        outcome = await save(connection, resource, [Item(document) for document in documents], NOW)
    assert not outcome.refused


async def _everything(engine: AsyncEngine) -> str:
    """Todas as linhas, sem pontuação nos documentos."""
    names = [table.name for table in metadata.sorted_tables]
    found = [f"{name} {row}" for name in names for (row,) in await rows(engine, f"SELECT t::text FROM {name} t")]
    return re.sub(r"(?<=\d)[./-](?=\d)", "", "\n".join(found))


async def _detail(engine: AsyncEngine, table: str, id_: int) -> Any:
    return await scalar(engine, f"SELECT detalhe FROM {table} WHERE id = :id", id=id_)


def _contato(id_: int = HER, **changes: Any) -> dict[str, Any]:
    return fixture("contato") | {"id": id_, "nome": NAME, "fantasia": "", "numeroDocumento": CPF} | changes


def _pagamento(contato: dict[str, Any], **changes: Any) -> dict[str, Any]:
    values = {"valorPago": 10, "juros": 0, "desconto": 0, "acrescimo": 0, "tarifa": 0}
    return {"contato": contato, "numeroDocumento": "77/1"} | values | changes


def _bordero(id_: int, *pagamentos: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return fixture("bordero") | {"id": id_, "pagamentos": list(pagamentos), "historico": "Acerto"} | changes


def _pedido(id_: int, transporte: dict[str, Any], **changes: Any) -> dict[str, Any]:
    contato = {"id": OTHER, "nome": "Quirino Prado", "tipoPessoa": "F", "numeroDocumento": OTHERS_CPF}
    return fixture("pedido_venda") | {"id": id_, "contato": contato, "transporte": transporte} | changes


HERS = _pagamento({"id": HER, "nome": NAME}, observacoes="da Zybélina")
OTHERS = _pagamento({"id": OTHER, "nome": "Quirino Prado"}, observacoes="do Quirino")


async def test_a_bordero_is_exported_only_in_what_is_of_the_person(engine: AsyncEngine) -> None:
    await _save(engine, BORDEROS, _bordero(1, OTHERS, HERS), _bordero(2, OTHERS))
    await _save(engine, BORDEROS, _bordero(1, OTHERS | {"valorPago": 11}, HERS))
    (bordero,) = (await export_person(engine, HER, NOW))["registros"]["borderos"]
    assert bordero["id"] == 1
    assert bordero["detalhe"]["pagamentos"] == [HERS]
    assert bordero["historico"], "o texto do borderô"
    assert [each["contato_id"] for each in bordero["borderos_pagamentos"]] == [HER]
    assert "Quirino" not in str(bordero)


async def test_from_a_shared_bordero_only_what_is_of_the_person_goes(engine: AsyncEngine) -> None:
    text_of_her = f"Acerto com {NAME} e mais um"
    await _save(engine, CONTATOS, _contato())
    await _save(engine, BORDEROS, _bordero(1, OTHERS, HERS, historico=text_of_her))
    await _save(engine, BORDEROS, _bordero(1, OTHERS, HERS | {"juros": 3}, historico=f"{text_of_her}, corrigido"))
    await _save(engine, BORDEROS, _bordero(2, OTHERS))
    before = await rows(engine, "SELECT * FROM borderos_pagamentos ORDER BY bordero_id, ordem")
    done = await erase_person(engine, HER, NOW)
    assert done.registros == {"borderos": [1]}
    assert "Zyb" not in await _everything(engine)
    assert await rows(engine, "SELECT id, historico FROM borderos ORDER BY id") == [(1, None), (2, "Acerto")]
    others, hers = (await _detail(engine, "borderos", 1))["pagamentos"]
    assert others == OTHERS
    assert hers == _pagamento({"id": HER}, juros=3)
    assert await rows(engine, "SELECT * FROM borderos_pagamentos ORDER BY bordero_id, ordem") == before
    changed = await scalar(engine, "SELECT mudancas -> 'pagamentos' FROM historico WHERE tabela = 'borderos'")
    assert [side[0] for side in changed] == [OTHERS, OTHERS]
    assert [side[1]["juros"] for side in changed] == [0, 3]

    await _save(engine, BORDEROS, _bordero(1, OTHERS, HERS, historico=text_of_her), _bordero(3, HERS))
    assert "Zyb" not in await _everything(engine)
    assert (await erase_person(engine, OTHER, NOW)).registros == {"borderos": [1, 2]}
    dump = await _everything(engine)
    assert "Quirino" not in dump
    assert "Acerto" not in dump


@pytest.mark.slow
async def test_a_bordero_that_once_was_of_the_person(engine: AsyncEngine) -> None:
    await _save(engine, BORDEROS, _bordero(1, HERS, historico=f"para {NAME}"))
    await _save(engine, BORDEROS, _bordero(1, OTHERS, historico="para Quirino"))
    exported = await export_person(engine, HER, NOW)
    assert [(each["tabela"], each["registro_id"]) for each in exported["passagens"]] == [("borderos", 1)]
    assert "Zyb" in str(exported["passagens"])
    assert "Quirino" not in str(exported["passagens"])
    await erase_person(engine, HER, NOW)
    assert "Zyb" not in await _everything(engine)
    assert (await _detail(engine, "borderos", 1))["pagamentos"] == [OTHERS]


@pytest.mark.slow
async def test_the_documento_also_goes_from_the_columns_and_the_children(engine: AsyncEngine) -> None:
    """As linhas do que cita a pessoa refazem-se, também as de um recurso que não fala de pessoas."""
    written = "529.982.247-25"
    await _save(engine, CONTATOS, _contato())
    itens = [each | {"descricao": f"Gravar {written}"} for each in fixture("pedido_venda")["itens"]]
    await _save(engine, PEDIDOS_VENDA, _pedido(10, {}, itens=itens, numeroLoja=CPF))
    await _save(engine, PRODUTOS, fixture("produto") | {"id": 20, "nome": f"Placa {written}"})
    await erase_person(engine, HER, NOW)
    assert CPF not in await _everything(engine)
    assert await rows(engine, "SELECT numero_loja FROM pedidos_venda") == [(None,)]
    assert {each for (each,) in await rows(engine, "SELECT descricao FROM pedidos_venda_itens")} == {None}
    assert await rows(engine, "SELECT nome FROM produtos WHERE id = 20") == [(None,)]


@pytest.mark.slow
async def test_the_documento_also_goes_from_what_stays_of_the_person(engine: AsyncEngine) -> None:
    await _save(engine, CONTATOS, _contato())
    hers = {"id": HER, "nome": NAME, "tipoPessoa": "F", "numeroDocumento": CPF}
    await _save(engine, PEDIDOS_VENDA, _pedido(10, {}, contato=hers, numeroLoja="529.982.247-25"))
    await erase_person(engine, HER, NOW)
    assert CPF not in await _everything(engine)


@pytest.mark.slow
@pytest.mark.parametrize("documento", [CPF, ""])
async def test_who_only_carries_is_found_by_id(engine: AsyncEngine, documento: str) -> None:
    """Um contato sem documento, ou que nem está em contatos, citado no fundo de um pedido de outro."""
    if documento:
        await _save(engine, CONTATOS, _contato(numeroDocumento=documento))
    label = {"nome": NAME.upper(), "endereco": "Rua Só Dela"} if documento else {"nome": "Quirino Prado"}
    carried = {"frete": 9, "contato": {"id": HER, "nome": NAME}, "etiqueta": label}
    deep = {"frete": 9, "volumes": [{"id": 1, "servico": "PAC", "contato": {"id": str(HER), "nome": NAME}}]}
    await _save(engine, PEDIDOS_VENDA, _pedido(10, carried), _pedido(11, deep), _pedido(12, {"frete": 9}))
    before = await _detail(engine, "pedidos_venda", 12)
    exported = await export_person(engine, HER, NOW)
    cited = {each["id"]: each["trechos"] for each in exported["citacoes"]}
    assert cited.keys() == {10, 11}
    assert {"id": HER, "nome": NAME} in cited[10]
    assert cited[11] == [{"id": str(HER), "nome": NAME}]
    done = await erase_person(engine, HER, NOW)
    assert done.contatos == [HER]
    assert "ZYB" not in (await _everything(engine)).upper()
    assert (await _detail(engine, "pedidos_venda", 10))["transporte"]["contato"] == {"id": HER}
    assert (await _detail(engine, "pedidos_venda", 10))["contato"]["nome"] == "Quirino Prado"
    assert await _detail(engine, "pedidos_venda", 12) == before

    await erase_person(engine, HER, NOW)
    await _save(engine, PEDIDOS_VENDA, _pedido(10, {"frete": 8, "contato": {"id": HER, "nome": NAME}}))
    await _save(engine, PEDIDOS_VENDA, _pedido(13, deep))
    assert "Zyb" not in await _everything(engine)
    assert (await export_person(engine, HER, NOW))["apagado_em"]


@pytest.mark.parametrize(
    ("said", "documento"),
    [
        ({"cnpj": "65.020.209/0001-62"}, CNPJ),
        ({"cpf": CPF}, CPF),
        ({"cpfCnpj": CPF}, CPF),
        ({"numeroDocumento": int(CPF)}, CPF),
    ],
)
async def test_an_object_says_the_documento_in_more_than_one_way(
    engine: AsyncEngine, said: dict[str, Any], documento: str
) -> None:
    await _save(engine, CONTATOS, _contato(numeroDocumento=documento))
    carrier = {"razao": "Outro Nome Dela", **said}
    other = {"razao": NAME, "cnpj": "11.222.333/0001-81"}
    await _save(engine, PEDIDOS_VENDA, _pedido(10, {"frete": 9, "quem": carrier, "outro": other}))
    (cited,) = (await export_person(engine, HER, NOW))["citacoes"]
    assert cited["trechos"] == [carrier]
    await erase_person(engine, HER, NOW)
    transporte = (await _detail(engine, "pedidos_venda", 10))["transporte"]
    assert (transporte["quem"], transporte["outro"]) == ({}, other)


@pytest.mark.slow
async def test_a_namesake_stays_as_it_is(engine: AsyncEngine) -> None:
    """O nome igual não é a pessoa, se o que o diz traz outro documento ou outro contato."""
    await _save(engine, CONTATOS, _contato())
    namesake = {"id": OTHER, "nome": NAME, "tipoPessoa": "F", "numeroDocumento": OTHERS_CPF}
    other = {"id": 14300000503, "nome": NAME}
    transporte = {"frete": 9, "contato": {"id": HER, "nome": NAME}, "etiqueta": {"nome": NAME}}
    await _save(
        engine,
        PEDIDOS_VENDA,
        _pedido(10, transporte, contato=namesake),
        _pedido(11, {"contato": {"id": HER, "nome": NAME}}, contato=other),
    )
    await _save(engine, CONTATOS, _contato(OTHER, numeroDocumento=OTHERS_CPF, fantasia=f"sócio de {CPF}"))
    await erase_person(engine, HER, NOW)
    first, second = [await _detail(engine, "pedidos_venda", id_) for id_ in (10, 11)]
    assert first["contato"] == namesake
    assert first["transporte"] == transporte | {"contato": {"id": HER}}
    assert (second["contato"], second["transporte"]) == (other, {"contato": {"id": HER}})
    assert await rows(engine, "SELECT nome, fantasia FROM contatos WHERE id = :id", id=OTHER) == [(NAME, None)]


@pytest.mark.slow
async def test_the_fornecedor_of_a_produto_is_exported_and_erased(engine: AsyncEngine) -> None:
    vinculo = fixture("produto_fornecedor") | {"id": 30, "fornecedor": {"id": HER, "nome": NAME}}
    await _save(engine, PRODUTOS_FORNECEDORES, vinculo, vinculo | {"id": 31, "fornecedor": {"id": OTHER}})
    (exported,) = (await export_person(engine, HER, NOW))["registros"]["produtos_fornecedores"]
    assert exported["detalhe"] == vinculo
    before = await rows(engine, "SELECT id, produto_id, fornecedor_id, preco_custo FROM produtos_fornecedores")
    assert (await erase_person(engine, HER, NOW)).registros == {"produtos_fornecedores": [30]}
    await _save(engine, PRODUTOS_FORNECEDORES, vinculo)
    assert "Zyb" not in await _everything(engine)
    after = await rows(engine, "SELECT id, produto_id, fornecedor_id, preco_custo FROM produtos_fornecedores")
    assert sorted(after) == sorted(before)


@pytest.mark.slow
async def test_who_is_only_in_the_caixa_or_in_a_conta_is_erased(engine: AsyncEngine) -> None:
    await _save(engine, CAIXAS, fixture("caixa") | {"contato": {"id": HER, "nome": NAME, "cnpj": "529.982.247-25"}})
    await _save(engine, CONTAS_PAGAR, fixture("conta_pagar") | {"contato": {"id": HER}, "historico": NAME})
    await erase_person(engine, HER, NOW)
    dump = await _everything(engine)
    assert "Zyb" not in dump
    assert CPF not in dump


async def test_an_id_of_something_else_is_not_the_person(engine: AsyncEngine) -> None:
    await _save(engine, PEDIDOS_VENDA, _pedido(10, {"frete": 9}, vendedor={"id": HER}, loja={"id": HER}))
    with pytest.raises(CollectorError, match="não tem o contato"):
        await load_person(engine, HER)


def test_every_table_with_the_json_of_bling_is_of_a_resource() -> None:
    declared = {empresa, *(resource.table for resource in RESOURCES)}  # a empresa é a dona da conta
    assert [table.name for table in metadata.sorted_tables if "detalhe" in table.c and table not in declared] == []


async def test_the_texts_of_the_collector_do_not_keep_the_documento(engine: AsyncEngine) -> None:
    await _save(engine, CONTATOS, _contato())
    async with engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO execucao_log (run_id, quando, nivel, mensagem) VALUES (1, now(), 'info', :said)"),
            {"said": "recusado: CPF 529.982.247-25"},
        )
    await erase_person(engine, HER, NOW)
    assert CPF not in await _everything(engine)


@pytest.mark.parametrize("documento", ["12", "12-3", "ISENTO", "000.000.000-00"])
async def test_a_documento_that_does_not_say_whose_it_is(engine: AsyncEngine, documento: str) -> None:
    """Dois contatos com o mesmo `12` no lugar do documento não são a mesma pessoa, nem é dela todo texto com 12."""
    await _save(
        engine,
        CONTATOS,
        _contato(numeroDocumento=documento, nome="Abelardo"),
        _contato(OTHER, numeroDocumento=documento, nome="Quirino Prado", fantasia=f"Casa {documento}"),
    )
    before = await _detail(engine, "contatos", OTHER)
    assert (await load_person(engine, HER)).contatos == [HER]
    await erase_person(engine, HER, NOW)
    assert await _detail(engine, "contatos", OTHER) == before


async def test_what_was_of_another_before_is_not_exported(engine: AsyncEngine) -> None:
    other = {"id": OTHER, "nome": "Quirino Prado", "numeroDocumento": OTHERS_CPF}
    hers = {"id": HER, "nome": NAME, "numeroDocumento": CPF}
    nota = fixture("nfe_estrangeira")
    before, after = ({**nota, "contato": {**nota["contato"], **whose}} for whose in (other, hers))
    await _save(engine, NFE, before)
    await _save(engine, NFE, after)
    await _save(engine, VENDEDORES, fixture("vendedor") | {"id": 40, "contato": {"id": OTHER, "nome": "Quirino Prado"}})
    await _save(engine, VENDEDORES, fixture("vendedor") | {"id": 40, "contato": {"id": HER, "nome": NAME}})
    await _save(engine, BORDEROS, _bordero(1, OTHERS, historico="para Quirino"))
    await _save(engine, BORDEROS, _bordero(1, OTHERS, HERS, historico=f"para {NAME}"))
    pedido = _pedido(10, {}, itens=[{"id": 1, "descricao": "Placa", "gravar": "Quirino"}])
    await _save(engine, PEDIDOS_VENDA, pedido)
    await _save(engine, PEDIDOS_VENDA, pedido | {"contato": hers, "itens": [{"id": 1, "descricao": "Placa"}]})
    exported = await export_person(engine, HER, NOW)
    assert len(exported["registros"]["pedidos_venda"][0]["historico"]) == 1
    assert "Quirino" not in str(exported)
    assert OTHERS_CPF not in str(exported)
    (changed,) = exported["notas"][0]["historico"]
    assert changed["mudancas"]["contato_nome"] == [None, NAME]
    (changed,) = exported["registros"]["vendedores"][0]["historico"]
    assert changed["mudancas"]["contato"] == [None, {"id": HER, "nome": NAME}]
    assert exported["registros"]["borderos"][0]["historico"][0]["mudancas"]["historico"] == [None, f"para {NAME}"]
