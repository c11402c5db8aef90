"""Um recurso que declara pessoas é exportado, apagado e lembrado só por declará-las."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Integer, MetaData, Numeric, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows, scalar

from bling_collector.db import control
from bling_collector.db.control import Pendencia
from bling_collector.db.resources import erasure
from bling_collector.etl.resource import Child, Document, Person, Resource, Rows
from bling_collector.etl.save import Item, save
from bling_collector.payload import Fields
from bling_collector.privacy.titular import Erasure, erase_again, erase_person, export_person, load_person, names_of
from bling_collector.streams.registry import RESOURCES

NOW = datetime(2026, 2, 20, 12, tzinfo=UTC)
HER, HEIR = 501, 502
CPF = "52998224725"
HERS = ["Zybelina", CPF, "zybelina@exemplo", "gravar", "portaria"]

_metadata = MetaData()
representantes = Table(
    "representantes",
    _metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("contato_id", BigInteger),
    Column("nome", Text),
    Column("comissao", Numeric),
    Column("detalhe", JSONB),
    Column("extraido_em", DateTime(timezone=True)),
)
encomendas = Table(
    "encomendas",
    _metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("numero", Text),
    Column("contato_id", BigInteger),
    Column("detalhe", JSONB),
    Column("extraido_em", DateTime(timezone=True)),
)
encomendas_itens = Table(
    "encomendas_itens",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("encomenda_id", BigInteger, ForeignKey(encomendas.c.id), nullable=False),
    Column("descricao", Text),
    Column("observacoes", Text),
)
TABLES = ("representantes", "encomendas", "encomendas_itens", "historico", "pendencias")


def _rows_of_representante(document: Document) -> Rows:
    read = Fields(document)
    row = {"id": read.id("id"), "contato_id": read.reference("contato"), "nome": read.text("contato", "nome")}
    return {representantes: [row | {"comissao": read.decimal("comissao"), "detalhe": document}]}


def _rows_of_encomenda(document: Document) -> Rows:
    read = Fields(document)
    row = {"id": read.id("id"), "numero": read.text("numero"), "contato_id": read.reference("contato")}
    itens = [
        {
            "encomenda_id": read.id("id"),
            "descricao": item.text("descricao"),
            "observacoes": item.text("observacoes"),
        }
        for item in read.objects("itens")
    ]
    return {encomendas: [row | {"detalhe": document}], encomendas_itens: itens}


def _nameless(document: Document) -> Document:
    kept = {key: document[key] for key in ("id", "numero", "comissao") if key in document}
    if "contato" in document:
        kept["contato"] = {"id": document["contato"]["id"]}
    if "itens" in document:
        kept["itens"] = [{"descricao": item["descricao"]} for item in document["itens"]]
    return kept


REPRESENTANTES = Resource(
    name="representantes",
    title="Representantes",
    noun="Representante",
    singular="representante",
    permission="Representantes",
    path="/representantes",
    table=representantes,
    rows=_rows_of_representante,
    history=(),
    person=Person(_nameless, contato_id=representantes.c.contato_id, names=(representantes.c.nome,)),
)
ENCOMENDAS = Resource(
    name="encomendas",
    title="Encomendas",
    noun="Encomenda",
    singular="encomenda",
    permission="Encomendas",
    path="/encomendas",
    table=encomendas,
    rows=_rows_of_encomenda,
    children=(Child(encomendas_itens, "encomenda_id"),),
    history=("itens",),
    person=Person(
        _nameless,
        contato_id=encomendas.c.contato_id,
        names=(encomendas.c.detalhe["contato", "nome"].astext,),
        documento=encomendas.c.detalhe["contato", "numeroDocumento"].astext,
        texts=("itens", "observacoes"),
    ),
)
DECLARED = (*RESOURCES, REPRESENTANTES, ENCOMENDAS)


def _representante(id_: int, **changes: Any) -> dict[str, Any]:
    return {"id": id_, "comissao": 5, "contato": {"id": HER, "nome": "Zybelina Zanetti"}} | changes


def _encomenda(id_: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "numero": str(id_),
        "contato": {"id": HER, "nome": "Zybelina Zanetti", "numeroDocumento": CPF},
        "itens": [{"descricao": "Engrenagem", "observacoes": "gravar Zybelina no eixo"}],
        "observacoes": "deixar na portaria",
        "transporte": {"etiqueta": {"nome": "Zybelina Zanetti", "email": "zybelina@exemplo.net"}},
    } | changes


async def _save(engine: AsyncEngine, resource: Resource, *documents: Document) -> None:
    async with engine.begin() as connection:
        outcome = await save(connection, resource, [Item(document) for document in documents], NOW)
    assert not outcome.refused


async def _everything(engine: AsyncEngine) -> str:
    return "\n".join([row for name in TABLES for (row,) in await rows(engine, f"SELECT t::text FROM {name} t")])


async def _left(engine: AsyncEngine) -> list[str]:
    dump = re.sub("[.-]", "", await _everything(engine))
    return [each for each in HERS if each in dump]


async def _erase(engine: AsyncEngine, contato_id: int = HER) -> Erasure:
    return await erase_person(engine, contato_id, NOW, DECLARED)


async def _export(engine: AsyncEngine, contato_id: int = HER) -> dict[str, Any]:
    return await export_person(engine, contato_id, NOW, DECLARED)


@pytest.fixture
async def declared(engine: AsyncEngine) -> AsyncEngine:
    """Um banco com as tabelas dos dois recursos, em que a pessoa só está neles."""
    async with engine.begin() as connection:
        await connection.run_sync(_metadata.create_all)
    await _save(engine, REPRESENTANTES, _representante(1))
    await _save(engine, ENCOMENDAS, _encomenda(10), _encomenda(11))
    return engine


async def test_what_they_hold_is_exported(declared: AsyncEngine) -> None:
    await _save(declared, ENCOMENDAS, _encomenda(11, numero="11-B"))
    exported = await _export(declared)
    assert (exported["contatos"], exported["notas"], exported["pendencias"]) == ([], [], [])
    (representante,) = exported["registros"]["representantes"]
    assert (representante["nome"], representante["detalhe"]) == ("Zybelina Zanetti", _representante(1))
    first, second = exported["registros"]["encomendas"]
    assert (first["detalhe"], first["historico"]) == (_encomenda(10), [])
    assert [item["observacoes"] for item in first["encomendas_itens"]] == ["gravar Zybelina no eixo"]
    assert second["historico"][0]["mudancas"] == {"numero": ["11", "11-B"]}
    assert await names_of(declared, await load_person(declared, HER, DECLARED)) == ["Zybelina Zanetti"]


async def test_there_is_no_key_without_records(declared: AsyncEngine) -> None:
    async with declared.begin() as connection:
        await connection.execute(text("INSERT INTO contatos (id, nome) VALUES (900, 'Outro')"))
    assert "registros" not in await _export(declared, 900)


async def test_what_identifies_the_person_goes_and_does_not_come_back(declared: AsyncEngine) -> None:
    itens = [{"descricao": "Engrenagem", "observacoes": "gravar Zybelina Z. no eixo"}]
    await _save(declared, ENCOMENDAS, _encomenda(11, numero="11-B", itens=itens))  # o histórico tem os dois textos
    assert await _left(declared) == HERS
    done = await _erase(declared)
    assert (done.contatos, done.notas, done.restam) == ([HER], [], [])
    assert await _left(declared) == []
    assert await rows(declared, "SELECT tabela, registro_id FROM dados_apagados") == [("contatos", HER)]
    assert await rows(declared, "SELECT nome, comissao FROM representantes") == [(None, 5)]
    assert await rows(declared, "SELECT descricao FROM encomendas_itens") == [("Engrenagem",), ("Engrenagem",)]
    changes = await scalar(declared, "SELECT mudancas FROM historico")
    assert changes == {"numero": ["11", "11-B"], "itens": [[{"descricao": "Engrenagem"}]] * 2}

    await _save(declared, REPRESENTANTES, _representante(1, comissao=6), _representante(2))
    await _save(declared, ENCOMENDAS, _encomenda(10, numero="10-B"), _encomenda(12))
    assert await _left(declared) == []
    assert await scalar(declared, "SELECT count(*) FROM encomendas WHERE contato_id = :id", id=HER) == 3
    assert (await _export(declared))["apagado_em"]


async def _back(engine: AsyncEngine) -> bool:
    places = [resource.personal for resource in DECLARED if resource.personal is not None]
    async with engine.connect() as connection:
        return await erasure.came_back(connection, places)


@pytest.mark.slow
@pytest.mark.parametrize(("table", "columns"), [("representantes", "nome"), ("encomendas", "detalhe")])
async def test_who_came_back_with_a_copy_goes_again(declared: AsyncEngine, table: str, columns: str) -> None:
    async with declared.begin() as connection:
        await connection.execute(text(f"CREATE TABLE copia AS SELECT * FROM {table}"))
    await _erase(declared)
    assert not await _back(declared)
    async with declared.begin() as connection:
        await connection.execute(text(f"UPDATE {table} t SET {columns} = c.{columns} FROM copia c WHERE c.id = t.id"))
    assert await _back(declared)
    assert await erase_again(declared, NOW, DECLARED) == 1
    assert not await _back(declared)
    assert await _left(declared) == []


@pytest.mark.slow
async def test_a_record_that_cites_the_person_only_by_document(declared: AsyncEngine) -> None:
    """Acha-se pelo documento, lembra-se pelo próprio id, e a pendência dele não diz o nome."""
    loose = _encomenda(13, contato={"id": 0, "nome": "Zybelina", "numeroDocumento": "529.982.247-25"})
    await _save(declared, ENCOMENDAS, loose)
    assert len((await _export(declared))["registros"]["encomendas"]) == 3
    await _erase(declared)
    assert set(await rows(declared, "SELECT tabela, registro_id FROM dados_apagados")) == {
        ("contatos", HER),
        ("encomendas", 13),
    }
    await _save(declared, ENCOMENDAS, loose)
    await _pend(declared, Pendencia("encomendas", "13", "falhou", names={"contato_nome": "Zybelina"}))
    assert await _left(declared) == []
    async with declared.begin() as connection:
        await connection.execute(
            text("UPDATE encomendas SET detalhe = CAST(:d AS jsonb) || detalhe WHERE id = 13"),
            {"d": '{"observacoes": "portaria"}'},
        )
        await connection.execute(
            text("UPDATE encomendas SET detalhe = jsonb_set(detalhe, '{contato,nome}', '\"Zybelina\"') WHERE id = 13")
        )
    assert await _back(declared)
    await erase_again(declared, NOW, DECLARED)
    assert await _left(declared) == []


async def _pend(engine: AsyncEngine, *items: Pendencia) -> None:
    async with engine.begin() as connection:
        await control.add_pendencias(connection, list(items), NOW)


@pytest.mark.slow
async def test_what_could_not_be_read_is_exported_and_loses_the_name(declared: AsyncEngine) -> None:
    names = {"contato_id": HER, "contato_nome": "Zybelina Zanetti"}
    pending = [
        Pendencia("encomendas", "10", "recusada: Zybelina"),
        Pendencia("encomendas", "99", "não veio", names=names),
        Pendencia("representantes", "1", "não veio", names={"contato_nome": "Zybelina Zanetti"}),
    ]
    await _pend(declared, *pending)
    found = (await _export(declared))["pendencias"]
    assert [(each["recurso"], each["recurso_id"]) for each in found] == [
        (each.recurso, each.recurso_id) for each in pending
    ]
    await _erase(declared)
    await _pend(declared, pending[1], Pendencia("representantes", "7", "não veio", names=names))
    await _pend(declared, Pendencia("representantes", str(HER), "não veio", names={"contato_nome": "Homônimo"}))
    assert await _left(declared) == []
    assert "Homônimo" in await _everything(declared), "o id de um contato não é o de um representante"


@pytest.mark.slow
async def test_what_changed_hands_keeps_nothing_of_who_had_it(declared: AsyncEngine) -> None:
    heir = {"id": HEIR, "nome": "Quirino Herdeiro", "numeroDocumento": "11144477735"}
    await _save(declared, REPRESENTANTES, _representante(1, contato=heir))
    await _save(declared, ENCOMENDAS, _encomenda(11, contato=heir))
    exported = await _export(declared)
    assert {(each["tabela"], each["registro_id"]) for each in exported["passagens"]} == {
        ("representantes", 1),
        ("encomendas", 11),
    }
    assert "Quirino" not in str(exported["passagens"])
    await _erase(declared)
    assert await _left(declared) == []
    assert await rows(declared, "SELECT id, nome FROM representantes") == [(1, "Quirino Herdeiro")]
    assert await scalar(declared, "SELECT detalhe -> 'contato' FROM encomendas WHERE id = 11") == heir


@pytest.mark.slow
async def test_the_document_goes_from_what_is_of_others(declared: AsyncEngine) -> None:
    """Também do histórico de uma tabela que não fala de pessoas."""
    heir = {"id": HEIR, "nome": "Quirino Herdeiro", "numeroDocumento": "11144477735"}
    transporte = {"transportador": {"nome": "Z", "numeroDocumento": "529.982.247-25"}}
    await _save(declared, ENCOMENDAS, _encomenda(14, contato=heir, itens=[], observacoes="", transporte=transporte))
    async with declared.begin() as connection:
        await connection.execute(
            text("""
                INSERT INTO historico (tabela, registro_id, mudancas)
                VALUES ('produtos', 1, '{"nome": ["brinde de 52998224725", "brinde"]}')""")
        )
    exported = await _export(declared)
    assert [(each["tabela"], each["id"]) for each in exported["citacoes"]] == [("encomendas", 14)]
    await _erase(declared)
    assert await _left(declared) == []
    assert await scalar(declared, "SELECT mudancas FROM historico WHERE tabela = 'produtos'") == {
        "nome": ["", "brinde"]
    }
    assert await scalar(declared, "SELECT detalhe -> 'contato' FROM encomendas WHERE id = 14") == heir
