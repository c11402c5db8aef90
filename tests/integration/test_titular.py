"""Os dados de uma pessoa: exportados inteiros, apagados em toda parte, e não voltam."""

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.truth import assert_equals_truth
from tests.support.variants import one_now

from bling_collector.db.resources import erasure
from bling_collector.privacy.titular import (
    UnknownContatoError,
    erase_again,
    erase_person,
    export_person,
    load_person,
    names_of,
)
from bling_collector.streams.registry import RESOURCES
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

START = date(2021, 1, 1)
FISCAL = """
    SELECT n.id, n.numero, n.serie, n.situacao, n.data_emissao, n.data_operacao, n.chave_acesso, n.total_nota,
           n.total_produtos, n.valor_frete, n.contato_id, n.contato_uf, n.natureza_operacao_id, n.numero_pedido_loja,
           (SELECT jsonb_agg(to_jsonb(l) - '{contato_nome,informacoes_adicionais}'::text[] ORDER BY l.linha)
            FROM vw_nfe_linhas l WHERE l.nfe_id = n.id),
           (SELECT jsonb_agg(to_jsonb(i) - 'id' ORDER BY i.ordem) FROM nfe_itens i WHERE i.nfe_id = n.id),
           (SELECT jsonb_agg(to_jsonb(p) - 'id' ORDER BY p.numero_parcela) FROM nfe_pagamentos p WHERE p.nfe_id = n.id)
    FROM nfe_cabecalho n ORDER BY n.id"""

COPIED = {"nfe_cabecalho": "contato_nome, contato_documento, detalhe", "contatos": "nome, documento, detalhe"}


def _person(bling: Bling) -> tuple[int, list[str]]:
    """Um contato com mais de uma nota, e os textos que só ele tem."""
    notes = [note for note in bling.notes.values() if note["tipo"] == 1]
    cited = [note["contato"]["id"] for note in notes]
    for contact_id in sorted(set(cited), key=cited.count, reverse=True):
        entry = bling.company.contacts.entries.get(contact_id)
        if entry is not None and not entry.deleted and entry.detail["numeroDocumento"] and entry.detail["email"]:
            detail = entry.detail
            break
    else:
        pytest.fail("nenhum contato serve")
    geral = detail["endereco"]["geral"]
    texts = [detail["nome"], detail["numeroDocumento"], detail["email"], detail["telefone"], detail["celular"]]
    texts += [geral["cep"], f"{geral['endereco']}"]
    return contact_id, [found for found in texts if found]


async def _everything(engine: AsyncEngine) -> str:
    """Todas as tabelas e views, em texto."""
    dump: list[str] = []
    async with engine.connect() as connection:
        names = await connection.execute(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')")
        )
        for name in names.scalars().all():
            dump += (await connection.execute(text(f"SELECT t::text FROM {name} t"))).scalars()
    return "\n".join(dump)


async def _fiscal(engine: AsyncEngine) -> list[tuple[Any, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(FISCAL))]


def _found(texts: list[str], dump: str) -> list[str]:
    return [each for each in texts if each in dump]


def make_lonely(bling: Bling) -> tuple[int, list[str]]:
    """A pessoa, com textos que ninguém mais tem e notas cheias dela."""
    contact_id, _ = _person(bling)
    street = {"endereco": "Rua Só Dela", "cep": "97531024", "numero": "4242", "bairro": "Recanto Único"}
    geral = bling.contacts[contact_id]["endereco"]["geral"] | street
    unique = {
        "nome": "Zybelina Zacarias Zanetti",
        "fantasia": "Zuzu das Engrenagens",
        "numeroDocumento": "52998224725",
        "email": "zybelina@exemplo.net",
        "telefone": "(54) 98765-1234",
        "celular": "(54) 91234-8765",
        "rg": "RG-77-88-99",
        "emailNotaFiscal": "fiscal.zybelina@exemplo.net",
        "pessoasContato": [{"id": 1, "descricao": "Marido Zeferino"}],
        "dadosAdicionais": {"dataNascimento": "1961-07-13", "sexo": "F", "naturalidade": "Xique-Xique"},
    }
    bling.edit_contact(contact_id, **unique, endereco={"geral": geral, "cobranca": geral})
    for note_id, note in bling.notes.items():
        if note["contato"]["id"] == contact_id:
            _fill(bling, note_id, unique, street)
    loose = bling.issue_note(contact_id=contact_id, lines=None)
    _fill(bling, loose, unique, street)
    bling.edit_note(loose, contato=bling.notes[loose]["contato"] | {"id": 0})
    texts = [value for value in unique.values() if isinstance(value, str)]
    return contact_id, [*texts, "Zeferino", "1961-07-13", "Xique", "Zybelina", "Rua Só Dela", "97531024", "Recanto"]


@pytest.fixture
def lonely(request: pytest.FixtureRequest, bling: Bling) -> tuple[int, list[str]]:
    """A pessoa, já coletada se o teste começa por uma carga."""
    loaded = request.node.get_closest_marker("loaded")
    person: tuple[int, list[str]] = request.getfixturevalue("changed") if loaded else make_lonely(bling)
    return person


def _fill(bling: Bling, note_id: int, unique: dict[str, Any], street: dict[str, str]) -> None:
    note = bling.notes[note_id]
    names = {key: unique[key] for key in ("nome", "numeroDocumento", "email", "telefone", "rg")}
    contato = note["contato"] | names | {"endereco": note["contato"]["endereco"] | street}
    itens = [line | {"informacoesAdicionais": "gravar Zybelina no eixo"} for line in note["itens"]]
    parcelas = [each | {"observacoes": "combinado com a Zybelina"} for each in note["parcelas"]]
    etiqueta = street | {"nome": unique["nome"]}
    transporte = note["transporte"] | {"etiqueta": etiqueta}
    bling.edit_note(note_id, contato=contato, itens=itens, parcelas=parcelas, transporte=transporte)


@pytest.mark.loaded(START, before=make_lonely)
async def test_all_that_is_held_is_exported(account: Account, bling: Bling, lonely: tuple[int, list[str]]) -> None:
    contact_id, texts = lonely
    found = await export_person(account.engine, contact_id, account.clock.now())
    cited = {
        id_
        for id_, note in bling.notes.items()
        if note["tipo"] == 1 and note["contato"]["numeroDocumento"] == "52998224725"
    }
    assert {note["id"] for note in found["notas"]} == cited
    assert len(cited) > 1
    assert [each["id"] for each in found["contatos"]] == [contact_id]
    assert found["contatos"][0]["detalhe"] == bling.contacts[contact_id]
    for note in found["notas"]:
        assert note["detalhe"] == bling.notes[note["id"]]
        assert note["itens"]
    assert _found(texts, str(found)) == texts
    assert found["apagado_em"] is None


@pytest.mark.slow
async def test_who_is_only_in_what_could_not_be_read_is_exported_and_erased_too(account: Account, bling: Bling) -> None:
    note = bling.issue_note(situacao=1)
    person = bling.notes[note]["contato"]
    bling.fail(f"^/nfe/{note}$")
    assert (await account.pipeline.run()).status == "partial"
    (found,) = (await export_person(account.engine, person["id"], account.clock.now()))["pendencias"]
    assert (found["recurso"], found["recurso_id"], found["contato_nome"]) == ("nfe", str(note), person["nome"])
    await erase_person(account.engine, person["id"], account.clock.now())
    (found,) = (await export_person(account.engine, person["id"], account.clock.now()))["pendencias"]
    assert found["contato_nome"] is None
    assert found["erro"] == "Os dados deste registro foram apagados a pedido do titular."


@pytest.mark.slow
async def test_what_is_now_of_another_is_not_exported_nor_kept_with_a_name(account: Account, bling: Bling) -> None:
    note = bling.issue_note(situacao=1)
    before = bling.notes[note]["contato"]["id"]
    assert (await account.pipeline.run()).status == "success"
    heir = bling.add_contact("F", nome="Quirina de Outra Casa", numeroDocumento="11144477735")
    bling.edit_note(note, contato=bling.notes[note]["contato"] | {"id": heir, "nome": "Quirina de Outra Casa"})
    bling.fail(f"^/nfe/{note}$")
    assert (await account.pipeline.run()).status == "partial"
    exported = await export_person(account.engine, before, account.clock.now())
    assert exported["pendencias"] == []
    (named,) = (await export_person(account.engine, heir, account.clock.now()))["pendencias"]
    assert named["contato_nome"] == "Quirina de Outra Casa"
    assert await names_of(account.engine, await load_person(account.engine, heir)) == ["Quirina de Outra Casa"]


@pytest.mark.loaded(START, before=make_lonely)
@pytest.mark.slow
async def test_nothing_of_the_person_is_left_nor_comes_back(
    account: Account, bling: Bling, lonely: tuple[int, list[str]]
) -> None:
    contact_id, texts = lonely
    bling.edit_contact(contact_id, telefone="(54) 90000-4321")  # o histórico passa a ter o telefone velho e o novo
    first = next(id_ for id_, note in bling.notes.items() if note["contato"]["id"] == contact_id)
    bling.edit_note(first, contato=bling.notes[first]["contato"] | {"nome": "Zybelina Zanetti de Antes"}, situacao=6)
    assert (await account.pipeline.reconcile(repair=True)).status == "success"
    texts = [*(t for t in texts if not t.startswith("(54) 98765")), "90000-4321", "98765-1234", "de Antes"]
    before = await _everything(account.engine)
    assert _found(texts, before) == texts
    fiscal = await _fiscal(account.engine)

    done = await erase_person(account.engine, contact_id, account.clock.now())
    assert done.contatos == [contact_id]
    assert len(done.notas) > 1
    assert done.restam == []
    assert _found(texts, await _everything(account.engine)) == []
    assert await _fiscal(account.engine) == fiscal

    again = await erase_person(account.engine, contact_id, account.clock.now())
    assert again.contatos == [contact_id]
    assert (await account.pipeline.run_full(START)).status == "success"
    assert _found(texts, await _everything(account.engine)) == []
    assert (await account.pipeline.reprocess()).status == "success"
    assert _found(texts, await _everything(account.engine)) == []
    assert await _fiscal(account.engine) == fiscal

    # O Bling mostra a pessoa outra vez: mudou o cadastro, mudaram as notas, há uma nova.
    bling.edit_contact(contact_id, celular="(54) 91111-1111")
    for id_ in done.notas:
        bling.edit_note(id_, contato=bling.notes[id_]["contato"] | {"nome": "Zybelina Outra Vez"})
    new = bling.issue_note(contact_id=contact_id)
    assert (await account.pipeline.reconcile(repair=True)).status == "success"
    assert (await account.pipeline.run()).status == "success"
    assert await account.pipeline.sync("contato", contact_id) == "igual"
    assert await account.pipeline.sync("nfe", done.notas[0]) == "igual"
    dump = await _everything(account.engine)
    assert _found([*texts, "Outra Vez", "91111-1111"], dump) == []
    assert str(new) in dump
    exported = await export_person(account.engine, contact_id, account.clock.now())
    assert exported["apagado_em"]
    assert _found(texts, str(exported)) == []


@pytest.mark.slow
@pytest.mark.loaded(START, before=make_lonely)
async def test_registered_again_under_another_id_the_person_comes_back_until_it_too_is_erased(
    account: Account, bling: Bling, lonely: tuple[int, list[str]]
) -> None:
    contact_id, texts = lonely
    await erase_person(account.engine, contact_id, account.clock.now())
    again = bling.add_contact("F", nome="Zybelina Zacarias Zanetti", numeroDocumento="529.982.247-25")
    note = bling.issue_note(contact_id=again)
    assert (await account.pipeline.run()).status == "success"
    async with account.engine.connect() as connection:
        found = await connection.execute(text("SELECT id FROM contatos WHERE documento = '52998224725'"))
        assert list(found.scalars()) == [again]
    assert (await erase_person(account.engine, again, account.clock.now())).notas == [note]
    assert _found(texts, await _everything(account.engine)) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plain", "written"),
    one_now(
        [
            ("52998224725", ["52998224725", "529.982.247-25", "CPF\n529.982.247-25.", "52998224725\n"]),
            ("65020209000162", ["65020209000162", "65.020.209/0001-62", "CNPJ 65020209/0001-62"]),
            ("12ABC34501DE35", ["12ABC34501DE35", "12.ABC.345/01DE-35", "12.abc.345/01de-35"]),
            ("RNE (V) 1.5", ["RNE (V) 1.5"]),
        ]
    ),
)
async def test_notes_of_others_that_have_the_document(
    account: Account, bling: Bling, lonely: tuple[int, list[str]], plain: str, written: list[str]
) -> None:
    contact_id, _ = lonely
    bling.edit_contact(contact_id, numeroDocumento=plain)
    for note_id, note in bling.notes.items():
        if note["contato"]["numeroDocumento"] == "52998224725":
            bling.edit_note(note_id, contato=note["contato"] | {"numeroDocumento": plain})
    others = sorted(
        id_
        for id_, note in bling.notes.items()
        if note["tipo"] == 1 and note["contato"]["id"] != contact_id and note["contato"]["numeroDocumento"] != plain
    )
    citing = others[: len(written)]
    for note_id, each in zip(citing, written, strict=True):
        transporte = bling.notes[note_id]["transporte"]
        bling.edit_note(note_id, transporte=transporte | {"transportador": {"nome": "X", "numeroDocumento": each}})
    key = f"431026{plain}550010000001231000001234"
    bling.edit_note(others[len(written)], chaveAcesso=(key + "9" * 44)[:44])
    await account.pipeline.run_full(START)
    exported = await export_person(account.engine, contact_id, account.clock.now())
    assert exported["restam"] == citing
    trechos = {each["id"]: each["trechos"] for each in exported["citacoes"]}
    assert trechos == {id_: [{"nome": "X", "numeroDocumento": each}] for id_, each in zip(citing, written, strict=True)}
    assert (await erase_person(account.engine, contact_id, account.clock.now())).restam == []
    dump = await _everything(account.engine)
    assert not [each for each in written if json.dumps(each, ensure_ascii=False)[1:-1] in dump.replace(key[:20], "")]


@pytest.mark.slow
async def test_what_changed_hands_keeps_nothing_of_who_had_it(
    account: Account, bling: Bling, lonely: tuple[int, list[str]]
) -> None:
    """Uma nota e um cadastro que hoje são de outros: nem o histórico, a etiqueta ou a busca dizem de quem eram."""
    contact_id, texts = lonely
    heir = bling.add_contact("F", nome="Quirino Herdeiro", numeroDocumento="111.444.777-35")
    note = bling.issue_note(contact_id=contact_id)
    _fill(bling, note, bling.contacts[contact_id], {"endereco": "Rua Só Dela"})
    card = bling.add_contact(
        "F", nome="Zybelina Zacarias Zanetti", numeroDocumento="52998224725", email="z@casa.example"
    )
    kept = bling.issue_note(contact_id=card)
    await account.pipeline.run_full(START)
    bling.edit_note(note, contato=bling.notes[kept]["contato"] | {
        "id": heir, "nome": "Quirino Herdeiro", "numeroDocumento": "11144477735", "email": "q@casa.example",
    })  # fmt: skip
    bling.edit_contact(card, nome="Quirino Herdeiro", numeroDocumento="11144477735", email="q@casa.example")
    bling.edit_note(kept, contato=bling.notes[note]["contato"])
    assert (await account.pipeline.reconcile(repair=True)).status == "success"
    assert (await account.pipeline.run()).status == "success"
    async with account.engine.begin() as connection:
        for statement in (
            "INSERT INTO pendencias (recurso, recurso_id, erro, desde, tentada_em) "
            "VALUES ('nfe', '1', 'recusada: CPF 529.982.247-25', now(), now())",
            "INSERT INTO execucao_log (run_id, quando, nivel, mensagem) VALUES (1, now(), 'info', 'de 52998224725')",
        ):
            await connection.execute(text(statement))
    person = await load_person(account.engine, contact_id)
    assert not {note, kept} & set(person.notas)
    exported = await export_person(account.engine, contact_id, account.clock.now())
    assert {each["registro_id"] for each in exported["passagens"]} == {note, kept, card}
    assert "Zybelina" in str(exported["passagens"])
    assert "Quirino" not in str(exported["passagens"])

    done = await erase_person(account.engine, contact_id, account.clock.now())
    dump = await _everything(account.engine)
    assert done.restam == []
    assert _found([*texts, "z@casa.example", "529.982.247-25"], dump) == []
    assert "Quirino Herdeiro" in dump
    async with account.engine.connect() as connection:
        found = await connection.execute(text("SELECT nfe_id FROM nfe_busca WHERE documento = '52998224725'"))
        assert found.all() == []
        names = await connection.execute(
            text("SELECT contato_nome FROM nfe_cabecalho WHERE id = ANY(:ids)"), {"ids": [note, kept]}
        )
        assert set(names.scalars()) == {"Quirino Herdeiro"}


@pytest.mark.loaded(START, before=make_lonely)
async def test_the_others_stay_as_they_are(account: Account, bling: Bling, lonely: tuple[int, list[str]]) -> None:
    contact_id, _ = lonely
    others = "SELECT t::text FROM {} t WHERE NOT t.{} = ANY(:ids) ORDER BY t.id"
    person = await load_person(account.engine, contact_id)
    queries = [
        ("nfe_cabecalho", "id", person.notas),
        ("nfe_itens", "nfe_id", person.notas),
        ("contatos", "id", [contact_id]),
    ]

    async def rest() -> list[list[str]]:
        async with account.engine.connect() as connection:
            return [
                list((await connection.execute(text(others.format(table, column)), {"ids": ids})).scalars())
                for table, column, ids in queries
            ]

    before = await rest()
    assert all(before)
    await erase_person(account.engine, contact_id, account.clock.now())
    assert await rest() == before


@pytest.mark.slow
async def test_a_contact_that_only_notes_know(account: Account, bling: Bling, lonely: tuple[int, list[str]]) -> None:
    contact_id, texts = lonely
    bling.delete_contact(contact_id)
    await account.pipeline.run_full(START)
    await erase_person(account.engine, contact_id, account.clock.now())
    assert (await account.pipeline.run()).status == "success"
    assert (await account.pipeline.reprocess()).status == "success"
    assert _found(texts, await _everything(account.engine)) == []


async def test_an_unknown_contact(account: Account) -> None:
    for work in (erase_person, export_person):
        with pytest.raises(UnknownContatoError, match="não tem o contato 77"):
            await work(account.engine, 77, account.clock.now())
    assert (UnknownContatoError.exit_code, UnknownContatoError.http_status) == (2, 404)


@pytest.mark.slow
@pytest.mark.loaded(START, before=make_lonely)
async def test_a_database_that_comes_back_from_a_copy(
    account: Account, bling: Bling, lonely: tuple[int, list[str]]
) -> None:
    contact_id, texts = lonely
    places = [resource.personal for resource in RESOURCES if resource.personal is not None]
    await assert_equals_truth(account.engine, bling)
    async with account.engine.begin() as connection:
        for table in COPIED:
            await connection.execute(text(f"CREATE TABLE copia_{table} AS SELECT * FROM {table}"))
    await erase_person(account.engine, contact_id, account.clock.now())
    async with account.engine.begin() as connection:
        assert not await erasure.came_back(connection, places)
        for table, columns in COPIED.items():
            await connection.execute(
                text(f"UPDATE {table} t SET ({columns}) = (SELECT {columns} FROM copia_{table} c WHERE c.id = t.id)")
            )
            await connection.execute(text(f"DROP TABLE copia_{table}"))
    assert "Zybelina" in await _everything(account.engine)
    async with account.engine.connect() as connection:
        assert await erasure.came_back(connection, places)
    assert await erase_again(account.engine, account.clock.now()) == 1
    assert _found(texts, await _everything(account.engine)) == []
    async with account.engine.connect() as connection:
        assert not await erasure.came_back(connection, places)
