"""O histórico: o que mudou numa nota, num contato ou num produto, na transação da mudança, e nada onde nada mudou."""

import random
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from tests.support.collecting import rows
from tests.support.proving import START, at, count, outgoing, snapshot, twin

from bling_collector.db.upsert import upsert_statement
from bling_collector.etl.save import Item, save
from bling_collector.insight.notas.nota import UnknownNotaError, load_nota
from bling_collector.streams.cadastros.contatos import CONTATOS
from bling_collector.streams.notas.nfe import NFE
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.company.invoices.lines import line_of

HISTORY = "SELECT tabela, registro_id, run_id, mudancas FROM historico ORDER BY tabela, id"


async def history(account: Account) -> list[tuple[Any, ...]]:
    return await rows(account.engine, HISTORY)


@pytest.mark.loaded(START)
async def test_a_cancelled_nota_is_noted(account: Account, bling: Bling) -> None:
    note = outgoing(bling, 6)[3]
    bling.cancel_note(note)
    result = await account.pipeline.reconcile(repair=True)
    assert await history(account) == [("nfe_cabecalho", note, result.run_id, {"situacao": [6, 2]})]
    read = await load_nota(account.engine, note)
    assert [(change.run_id, change.mudancas) for change in read.historico] == [(result.run_id, {"situacao": [6, 2]})]


@pytest.mark.loaded(START)
@pytest.mark.slow
async def test_where_nothing_changed_nothing_is_noted(account: Account, bling: Bling) -> None:
    await account.pipeline.run_full(START)
    await account.pipeline.run()
    await account.pipeline.reconcile(repair=True)
    await account.pipeline.reprocess()
    for recurso, id_ in (
        ("nfe", outgoing(bling, 6)[0]),
        ("contato", (await rows(account.engine, "SELECT min(id) FROM contatos WHERE detalhe IS NOT NULL"))[0][0]),
        ("produto", (await rows(account.engine, "SELECT min(id) FROM produtos WHERE preferido"))[0][0]),
    ):
        assert await account.pipeline.sync(recurso, id_) == "igual"
    assert await history(account) == []


@pytest.mark.slow
async def test_edited_lines_and_parcelas_are_noted(account: Account, bling: Bling) -> None:
    note = bling.issue_note(situacao=1)
    await account.pipeline.run()
    before = bling.notes[note]
    itens, parcelas = before["itens"], before["parcelas"]
    line = line_of(codigo="NOVO", descricao="Peça", quantidade=2, valor=Decimal("5.25"))
    bling.edit_note(note, itens=[line], parcelas=[], valorNota=Decimal("10.50"))
    await account.pipeline.run()
    ((tabela, id_, _, changes),) = await history(account)
    assert (tabela, id_) == ("nfe_cabecalho", note)
    assert {"itens", "total_nota", "total_produtos"} <= changes.keys() <= {
        "itens", "parcelas", "total_nota", "total_produtos"
    }  # fmt: skip
    assert [i["codigo"] for i in changes["itens"][0]] == [i["codigo"] for i in itens]
    assert [i["codigo"] for i in changes["itens"][1]] == ["NOVO"]
    assert ("parcelas" in changes) == bool(parcelas)
    assert Decimal(changes["total_nota"][1]) == Decimal("10.50")


@pytest.mark.slow
async def test_the_email_of_a_contato_and_the_price_of_a_produto_are_noted(account: Account, bling: Bling) -> None:
    product = bling.add_product("CARO", preco=Decimal("10.00"))
    person = bling.add_contact(email="velho@exemplo.com.br")
    line = line_of(codigo="CARO", descricao="Peça", quantidade=1, valor=Decimal(5))
    bling.issue_note(contact_id=person, lines=[line])
    await account.pipeline.run()
    bling.edit_contact(person, email="novo@exemplo.com.br")
    bling.edit_product(product, preco=Decimal("12.34"))
    result = await account.pipeline.run()
    assert await history(account) == [
        ("contatos", person, result.run_id, {"email": ["velho@exemplo.com.br", "novo@exemplo.com.br"]}),
        ("produtos", product, result.run_id, {"preco_venda": [Decimal("10.0"), Decimal("12.34")]}),
    ]


@pytest.mark.slow
async def test_a_nota_that_changes_twice_tells_both(account: Account, bling: Bling) -> None:
    note = bling.issue_note(situacao=1)
    await account.pipeline.run()
    for situacao in (5, 6):
        bling.edit_note(note, situacao=situacao)
        await account.pipeline.run()
    changes = [c for *_, c in await history(account)]
    assert [c["situacao"] for c in changes] == [[1, 5], [5, 6]]
    assert changes[0]["chave_acesso"][0] is None
    assert "link_xml" not in changes[0], "os links mudam de uma resposta a outra: não são dados da nota"


@pytest.mark.slow
async def test_the_change_and_its_record_go_together_or_not_at_all(account: Account, bling: Bling) -> None:
    """Uma queda entre uma e outra desfaz as duas; uma transação confirmada tem as duas."""
    note = bling.issue_note()
    await account.pipeline.run()
    before = await snapshot(account.engine)
    changed = {**(await stored(account, note)), "situacao": 2}
    async with account.engine.connect() as connection:
        await save(connection, NFE, [Item(changed)], account.clock.now(), 1)
        assert (await connection.execute(text("SELECT count(*) FROM historico"))).scalar() == 1
        await connection.rollback()  # como a conexão que cai
    assert await snapshot(account.engine) == before
    statement = upsert_statement(NFE.table, ["id", "situacao", "extraido_em"], history=())
    assert "INSERT INTO historico" in statement.text, "é o próprio upsert que anota"
    assert statement.text.count(";") == 0, "num comando só"


async def stored(account: Account, note: int) -> dict[str, Any]:
    ((document,),) = await rows(account.engine, "SELECT detalhe FROM nfe_cabecalho WHERE id = :id", id=note)
    return dict(document)


@pytest.mark.slow
async def test_a_batch_with_a_refused_row_notes_only_the_others(account: Account, bling: Bling) -> None:
    good, bad = bling.issue_note(), bling.issue_note()
    await account.pipeline.run()
    documents = [
        {**await stored(account, good), "situacao": 2},
        {**await stored(account, bad), "numero": random.Random(1).randbytes(9000).hex()},
    ]
    async with account.engine.begin() as connection:
        outcome = await save(connection, NFE, [Item(d) for d in documents], account.clock.now(), None)
    assert [item.document["id"] for item, _ in outcome.refused] == [bad]
    assert [(id_, changes) for _, id_, _, changes in await history(account)] == [(good, {"situacao": [6, 2]})]


@pytest.mark.slow
async def test_the_first_detail_of_a_contato_is_no_change(account: Account, bling: Bling) -> None:
    """A nota trouxe o contato; o cadastro, que sabe mais, vem depois."""
    person = bling.add_contact(email="cadastro@exemplo.com.br")
    bling.issue_note(contact_id=person)
    await account.pipeline.run()
    async with account.engine.begin() as connection:
        await connection.execute(
            text("UPDATE contatos SET detalhe = NULL, nome = 'Outro' WHERE id = :p"), {"p": person}
        )
        document = {**bling.contacts[person], "nome": "Do cadastro"}
        await save(connection, CONTATOS, [Item(document)], account.clock.now(), 1)
    assert await rows(account.engine, "SELECT nome FROM contatos WHERE id = :p", p=person) == [("Do cadastro",)]
    assert await count(account.engine, "historico") == 0


@pytest.mark.slow
async def test_the_whole_nota(account: Account, bling: Bling) -> None:
    note = twin(bling, outgoing(bling, 6)[-1], emitted_at=at("2026-02-15 09:30:00"))
    await account.pipeline.run()
    truth = bling.notes[note]
    read = await load_nota(account.engine, note)
    assert read.cabecalho["total_nota"] == truth["valorNota"]
    assert read.cabecalho["data_emissao"] == at("2026-02-15 09:30:00")
    assert "detalhe" not in read.cabecalho
    assert [(line["codigo_produto"], line["valor_total"]) for line in read.linhas] == [
        (line["codigo"] or None, line["valorTotal"]) for line in truth["itens"]
    ]
    assert sum(item["valor_total"] for item in read.itens) == sum(line["valorTotal"] for line in truth["itens"])
    assert [payment["valor"] for payment in read.pagamentos] == [p["valor"] for p in truth["parcelas"]]
    assert read.contato is not None
    assert read.contato["id"] == truth["contato"]["id"]
    assert read.historico == []
    with pytest.raises(UnknownNotaError, match="sync nfe/5"):
        await load_nota(account.engine, 5)
