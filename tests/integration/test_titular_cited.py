"""Os dados de uma pessoa no que só a cita pelo id: compras, propostas, contratos e ordens de produção."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fixtures import fixture
from tests.support.collecting import rows, scalar

from bling_collector.etl.resource import Resource
from bling_collector.etl.save import Item, save
from bling_collector.privacy.titular import erase_again, erase_person, export_person
from bling_collector.streams.registry import named

NOW = datetime(2026, 2, 20, 12, tzinfo=UTC)
HER, OTHER = 14300000001, 14300000077
CITING = {
    "pedidos_compra": ("pedido_compra", OTHER, "Eulália"),
    "propostas": ("proposta", HER, "Dalva"),
    "contratos": ("contrato", HER, "Dalva"),
    "ordens_producao": ("ordem_producao", HER, "Dalva"),
}
EACH = pytest.mark.parametrize("name", CITING)


def _resource(name: str) -> Resource:
    found = named(name)
    assert found is not None
    return found


async def _saved(engine: AsyncEngine, name: str, **changes: Any) -> dict[str, Any]:
    document = fixture(CITING[name][0]) | changes
    async with engine.begin() as connection:
        outcome = await save(connection, _resource(name), [Item(document)], NOW)
    assert not outcome.refused
    return document


async def _dump(engine: AsyncEngine, name: str) -> str:
    resource = _resource(name)
    tables = [resource.table.name, *(child.table.name for child in resource.children), "historico"]
    return "\n".join([row for table in tables for (row,) in await rows(engine, f"SELECT t::text FROM {table} t")])


@EACH
async def test_what_cites_the_person_is_exported_erased_and_remembered(engine: AsyncEngine, name: str) -> None:
    _, contato, her_name = CITING[name]
    document = await _saved(engine, name)
    exported = await export_person(engine, contato, NOW)
    (record,) = exported["registros"][name]
    expected = document
    if "vendas" in document:  # as outras são de outros
        expected = document | {"vendas": [sale for sale in document["vendas"] if sale["contato"]["id"] == contato]}
    assert record["detalhe"] == expected
    assert her_name in await _dump(engine, name)
    done = await erase_person(engine, contato, NOW)
    assert done.registros == {name: [document["id"]]}
    assert her_name not in await _dump(engine, name)
    assert await rows(engine, "SELECT tabela, registro_id FROM dados_apagados") == [("contatos", contato)]
    await _saved(engine, name, observacoes=f"outra vez {her_name}")
    assert her_name not in await _dump(engine, name)
    assert await erase_again(engine, NOW) == 1


async def test_any_contato_of_an_ordem_with_several_vendas_is_found(engine: AsyncEngine) -> None:
    document = await _saved(engine, "ordens_producao")
    await erase_person(engine, OTHER, NOW)
    kept = await scalar(engine, "SELECT detalhe FROM ordens_producao")
    assert kept["vendas"][0] == document["vendas"][0], "a venda de outra pessoa fica como estava"
    assert kept["vendas"][1] == {"numero": 197, "contato": {"id": OTHER}}
    assert await rows(engine, "SELECT contato_id FROM ordens_producao_vendas ORDER BY ordem") == [
        (HER,), (OTHER,), (None,),
    ]  # fmt: skip
    assert kept["itens"] == document["itens"]


async def test_the_lancamento_of_a_bordero_of_several_people_loses_what_it_says_of_one(engine: AsyncEngine) -> None:
    """Ele não diz contato nenhum: só o borderô sabe de quem é, e a descrição repete o que ele diz."""
    bordero = fixture("bordero")
    payments = [bordero["pagamentos"][0] | {"contato": {"id": each}} for each in (HER, OTHER)]
    lancamento = fixture("caixa") | {
        "contato": {"id": 0},
        "origem": {"id": bordero["id"], "tipo": "bordero"},
        "descricao": "Venda: Ref. a 1039, Dalva Meireles",
        "observacoes": "Dalva pagou",
    }
    async with engine.begin() as connection:
        for name, document in (("borderos", bordero | {"pagamentos": payments}), ("caixas", lancamento)):
            assert not (await save(connection, _resource(name), [Item(document)], NOW)).refused
    exported = await export_person(engine, HER, NOW)
    assert [each["id"] for each in exported["registros"]["caixas"]] == [lancamento["id"]]
    done = await erase_person(engine, HER, NOW)
    assert done.registros["caixas"] == [lancamento["id"]]
    dump = "\n".join(row for (row,) in await rows(engine, "SELECT t::text FROM caixas_lancamentos t"))
    assert "Dalva" not in dump
    assert await scalar(engine, "SELECT valor FROM caixas_lancamentos") is not None
    async with engine.begin() as connection:
        await save(connection, _resource("caixas"), [Item(lancamento | {"situacao": "R"})], NOW)
    assert "Dalva" not in "\n".join(row for (row,) in await rows(engine, "SELECT t::text FROM caixas_lancamentos t"))
