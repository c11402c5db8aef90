"""O que se busca acompanha a nota por todos os caminhos que a escrevem: coleta, mudança, exclusão, refazer e apagar."""

from datetime import date

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.noted import assert_search_is_fresh
from tests.support.proving import START, at, execute, outgoing, twin

from bling_collector.insight.notas.search import EXCLUIDA, Search, load_notas
from bling_collector.insight.notas.terms import Term, recognise
from bling_collector.privacy.titular import erase_person
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling


async def found(account: Account, search: Search) -> set[int]:
    return {nota.id for nota in (await load_notas(account.engine, search, per_page=1000)).notas}


@pytest.mark.slow
async def test_the_search_follows_collection_change_deletion_and_return(account: Account, bling: Bling) -> None:
    note = twin(bling, outgoing(bling, 6)[-1], emitted_at=at("2026-02-10 10:00:00"))
    await account.pipeline.run_full(START)
    await assert_search_is_fresh(account.engine)
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_busca") == len(outgoing(bling))
    bling.cancel_note(note)
    await account.pipeline.run()
    assert note in await found(account, Search(situacao=2))
    kept = bling.notes[note]
    bling.delete_note(note)
    await account.pipeline.run()
    assert await found(account, Search(situacao=EXCLUIDA)) == {note}
    assert note not in await found(account, Search(situacao=2))
    await assert_search_is_fresh(account.engine)
    bling.notebook.notes[note] = kept
    await account.pipeline.run()
    assert await found(account, Search(situacao=EXCLUIDA)) == set()
    assert note in await found(account, Search(situacao=2))
    await assert_search_is_fresh(account.engine)


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 6, 1))
async def test_each_nota_is_found_by_what_is_written_in_it(account: Account, bling: Bling) -> None:
    notes = [bling.notes[id_] for id_ in outgoing(bling) if bling.notes[id_]["dataEmissao"] >= "2025-06-01"]
    assert len(notes) > 5
    for note in notes:
        contact = note["contato"]
        for typed in (note["numero"], note["chaveAcesso"], contact["numeroDocumento"], contact["nome"]):
            if typed and any(map(str.isalnum, typed)):
                assert note["id"] in await found(account, Search(recognise(typed))), typed
        for line in note["itens"]:
            for typed in (line["codigo"], line["descricao"]):
                if typed and any(map(str.isalnum, typed)):
                    assert note["id"] in await found(account, Search(Term("produto", typed[:200]))), typed


@pytest.mark.loaded(date(2025, 6, 1))
@pytest.mark.slow
async def test_reprocessing_the_json_also_remakes_what_is_searched(account: Account, bling: Bling) -> None:
    expected = await rows(account.engine, "SELECT * FROM nfe_busca ORDER BY nfe_id")
    await execute(
        account.engine,
        "UPDATE nfe_cabecalho SET contato_nome = 'outro'",
        "UPDATE nfe_busca SET cliente = '', produtos = '', numero = 'x'",
    )
    await account.pipeline.reprocess()
    assert await rows(account.engine, "SELECT * FROM nfe_busca ORDER BY nfe_id") == expected


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 1, 1))
async def test_an_erased_person_is_not_found_by_nome_or_documento(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    (contato, nome, documento), *_ = await rows(
        account.engine,
        "SELECT contato_id, max(contato_nome), max(contato_documento) FROM nfe_cabecalho"
        " WHERE contato_id IS NOT NULL AND length(contato_documento) = 11 GROUP BY 1 ORDER BY 1",
    )
    by_name, by_document = Search(Term("cliente", nome)), Search(Term("documento", documento))
    mine = await found(account, by_document)
    assert mine
    assert mine <= await found(account, by_name)
    await execute(account.engine, "UPDATE nfe_cabecalho SET detalhe = NULL WHERE id = :id", id=min(mine))
    await erase_person(account.engine, contato, clock.now())
    assert not mine & await found(account, by_name)
    assert await found(account, by_document) == set()
    await assert_search_is_fresh(account.engine)
    await account.pipeline.run_full(date(2025, 1, 1))
    assert await found(account, by_document) == set(), "nem volta com a coleta"


@pytest.mark.slow
@pytest.mark.bling(scale=0.01)
async def test_a_huge_nota_is_saved_and_found(account: Account, bling: Bling) -> None:
    lines = [
        {"codigo": f"SKU{n}", "descricao": f"p{n} " * 400 + "fim", "quantidade": 1, "valor": 1} for n in range(990)
    ]
    note = twin(bling, outgoing(bling, 6)[-1])
    bling.notes[note]["itens"] = [bling.notes[note]["itens"][0] | line for line in lines]
    bling.notes[note]["contato"]["nome"] = "Comprido " * 2000
    assert (await account.pipeline.run()).status == "success"
    assert note in await found(account, Search(Term("cliente", "comprido")))
    assert await scalar(account.engine, "SELECT length(produtos) FROM nfe_busca WHERE nfe_id = :id", id=note) <= 5000
