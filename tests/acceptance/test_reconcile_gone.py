"""O que sumiu: só uma varredura completa dá por excluído, e nunca o que ainda existe."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.support.collecting import at_request, rows, scalar
from tests.support.fakes import FakeClock
from tests.support.proving import DAY, START, assert_equals_the_living, at, gone, outgoing, twin
from tests.support.truth import assert_equals_truth

from bling_collector.runs.request import INTERRUPTED
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.company.invoices.lines import line_of
from bling_simulator.payload import dump

HISTORY = "SELECT mudancas, run_id FROM historico WHERE tabela = :tabela AND registro_id = :id ORDER BY id"


async def history(account: Account, tabela: str, id_: int) -> list[tuple[dict[str, list[Any]], int]]:
    return [(m, r) for m, r in await rows(account.engine, HISTORY, tabela=tabela, id=id_)]


async def issued_and_deleted(
    account: Account, bling: Bling, moment: str = "2026-02-10 10:00:00", **changes: Any
) -> int:
    """Uma nota coletada e depois excluída no Bling; outra igual fica."""
    note = twin(bling, outgoing(bling, 6)[-1], emitted_at=at(moment), **changes)
    assert (await account.pipeline.run(date(2026, 2, 1))).status == "success"
    bling.delete_note(note)
    return note


@pytest.mark.slow
async def test_it_disappears_and_then_reappears(account: Account, bling: Bling, clock: FakeClock) -> None:
    note = twin(bling, outgoing(bling, 6)[-1], emitted_at=at("2026-02-10 10:00:00"))
    await account.pipeline.run()
    kept = bling.notes[note]
    bling.delete_note(note)
    first = await account.pipeline.run()
    assert (first.status, first.found.ids) == ("success", {"sumiram": [note]})
    assert await gone(account.engine) == {note}
    stamp = await scalar(account.engine, "SELECT excluida_em FROM nfe_cabecalho WHERE id = :id", id=note)
    assert (await account.pipeline.run()).found.ids == {}, "o que já se sabe excluído não é achado de novo"
    bling.notebook.notes[note] = kept
    back = await account.pipeline.run()
    assert back.found.ids == {"faltavam": [note]}
    assert await gone(account.engine) == set()
    noted = await history(account, "nfe_cabecalho", note)
    assert [run for _, run in noted] == [first.run_id, back.run_id]
    assert [list(changes) for changes, _ in noted] == [["excluida_em"], ["excluida_em"]]
    assert noted[0][0]["excluida_em"][0] is None
    assert noted[1][0]["excluida_em"][1] is None
    assert at(str(noted[1][0]["excluida_em"][0])) == stamp


@pytest.mark.slow
async def test_a_nota_deleted_while_pending_is_marked(account: Account, bling: Bling) -> None:
    note = await issued_and_deleted(account, bling, situacao=1)
    assert (await account.pipeline.run()).status == "success"
    assert await gone(account.engine) == {note}


@pytest.mark.slow
@pytest.mark.parametrize("page", [2, 4], ids=["na-segunda-pagina", "na-listagem-das-canceladas"])
@pytest.mark.collector(api_page_size=10)
async def test_a_sweep_that_was_cut_takes_nothing_for_deleted(account: Account, bling: Bling, page: int) -> None:
    for day in range(1, 13):
        twin(bling, outgoing(bling, 6)[-1], emitted_at=at(f"2026-02-{day:02} 09:00:00"))
    note = await issued_and_deleted(account, bling)
    bling.fail("^/nfe$", after=page - 1)
    result = await account.pipeline.run(date(2026, 2, 1))
    assert result.exit_code == 1
    assert await gone(account.engine) == set()
    bling.faults.clear()
    assert (await account.pipeline.run()).status == "success"
    assert await gone(account.engine) == {note}


@pytest.mark.slow
async def test_a_stop_midway_takes_nothing_for_deleted(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = await issued_and_deleted(account, bling)
    for number, pattern in ((2, "^/nfe$"), (1, rf"^/nfe/{note}$")):
        stop = asyncio.Event()
        with monkeypatch.context() as patch:
            at_request(bling, patch, pattern, number, stop.set)
            result = await account.pipeline.run(stop=stop)
        assert (result.status, str(result.message).startswith(INTERRUPTED.rstrip("."))) == ("partial", True)
        assert await gone(account.engine) == set()
    await account.pipeline.run()
    assert await gone(account.engine) == {note}


@pytest.mark.slow
async def test_a_listing_in_circles_takes_nothing_for_deleted(account: Account, bling: Bling) -> None:
    note = await issued_and_deleted(account, bling)
    row = {"id": outgoing(bling)[-1], "tipo": 1, "situacao": 6, "dataEmissao": "2026-02-10 10:00:00"}
    body = dump({"data": [row]}).decode()
    bling.fail("^/nfe$", "body", status=200, body=body)
    assert (await account.pipeline.run(date(2026, 2, 1))).exit_code == 1
    bling.faults.clear()
    assert note not in await gone(account.engine)


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_a_page_empty_by_mistake_takes_nothing_for_deleted(account: Account, bling: Bling) -> None:
    """A listagem acaba antes da hora; as notas que não mostrou respondem pelo id, e o dia delas as mostra."""
    bling.fail("^/nfe$", "body", status=200, body='{"data": []}', times=2)
    result = await account.pipeline.run()
    assert (result.status, result.message) == ("success", None)
    assert await gone(account.engine) == set()
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.collector(api_page_size=10)
@pytest.mark.bling(uneven_pages=False, repeat_previous_row=False)
async def test_a_nota_deleted_during_the_reading_does_not_take_another(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A exclusão puxa as notas uma posição para trás: a que passa de uma página à outra não é vista, e existe."""
    model = outgoing(bling, 6)[-1]
    notes = [twin(bling, model, emitted_at=at(f"2026-02-{day:02} 09:00:00")) for day in range(1, 20)]
    await account.pipeline.run_full(START)
    read = notes[-1]
    at_request(bling, monkeypatch, "^/nfe$", 2, lambda: bling.delete_note(read))
    result = await account.pipeline.run()
    assert (result.status, result.message) == ("success", None)
    assert await gone(account.engine) <= {read}
    await account.pipeline.run()
    await assert_equals_the_living(account.engine, bling, deleted={read})


@pytest.mark.slow
async def test_a_deleted_nota_whose_detail_still_answers_is_marked(account: Account, bling: Bling) -> None:
    note = twin(bling, outgoing(bling, 6)[-1], emitted_at=at("2026-02-10 10:00:00"))
    await account.pipeline.run()
    bling.fail(rf"^/nfe/{note}$", "body", status=200, body=dump({"data": bling.notes[note]}).decode())
    bling.delete_note(note)
    result = await account.pipeline.run()
    assert (result.status, result.found.ids) == ("success", {"sumiram": [note]})
    assert await gone(account.engine) == {note}
    assert await account.pipeline.sync("nfe", note) == "igual"
    assert await gone(account.engine) == {note}, "responder pelo id não é existir: é a listagem que mostra quem existe"


@pytest.mark.slow
async def test_a_nota_that_moved_to_another_window_did_not_disappear(account: Account, bling: Bling) -> None:
    note = twin(bling, outgoing(bling, 6)[-1], emitted_at=at("2026-02-10 10:00:00"))
    await account.pipeline.run()
    bling.edit_note(note, dataEmissao="2024-02-10 10:00:00")
    result = await account.pipeline.run()
    assert (result.status, result.found.ids) == ("success", {"mudaram": [note]})
    assert await gone(account.engine) == set()
    assert await rows(account.engine, "SELECT data_emissao::text FROM nfe_cabecalho WHERE id = :id", id=note) == [
        ("2024-02-10 10:00:00",)
    ]


@pytest.mark.slow
async def test_a_nota_of_unknown_fate_is_said_and_not_marked(account: Account, bling: Bling) -> None:
    note = await issued_and_deleted(account, bling)
    rule = bling.fail(rf"^/nfe/{note}$")
    result = await account.pipeline.run()
    assert (result.status, result.exit_code) == ("partial", 1)
    assert f"nfe {note} saiu da listagem" in str(result.message)
    assert await gone(account.engine) == set()
    bling.faults.remove(rule)
    assert (await account.pipeline.run()).status == "success"
    assert await gone(account.engine) == {note}


@pytest.mark.slow
async def test_deleted_contatos_and_produtos_are_marked(account: Account, bling: Bling, clock: FakeClock) -> None:
    """Um SKU com dois produtos: excluído o preferido, o outro toma o lugar dele."""
    older = bling.add_product("GÊMEO", nome="Mais velho")
    newer = bling.add_product("GÊMEO", nome="Mais novo")
    person = bling.add_contact()
    line = line_of(codigo="GÊMEO", descricao="Peça", quantidade=1, valor=Decimal(5))
    bling.issue_note(contact_id=person, lines=[line])
    await account.pipeline.run_full(START)
    preferred = "SELECT id FROM produtos WHERE codigo = 'GÊMEO' AND preferido"
    assert await scalar(account.engine, preferred) == newer
    assert await rows(account.engine, "SELECT 1 FROM historico") == [], "uma carga não muda nada"
    bling.delete_product(newer)
    bling.delete_contact(person)
    clock.advance(DAY)
    await account.pipeline.run()
    assert newer not in await gone(account.engine, "produtos"), "os excluídos são relidos uma vez por semana"
    bling.fail("^/contatos$", after=1)
    clock.advance(7 * DAY)
    third = await account.pipeline.run()
    assert {newer} <= await gone(account.engine, "produtos"), "os produtos não dependem dos contatos"
    assert person not in await gone(account.engine, "contatos"), "a leitura dos excluídos não se completou"
    bling.faults.clear()
    result = await account.pipeline.run()
    assert result.status == "success"
    assert person in await gone(account.engine, "contatos")
    assert older not in await gone(account.engine, "produtos")
    assert await scalar(account.engine, preferred) == older
    ((changes, run),) = await history(account, "produtos", newer)
    assert (list(changes), run) == (["excluida_em"], third.run_id)
    bling.company.products.entries[newer].deleted = False
    bling.company.contacts.entries[person].deleted = False
    bling.edit_contact(person, situacao="A")
    result = await account.pipeline.reconcile(repair=True)
    assert result.status == "success"
    assert person not in await gone(account.engine, "contatos")
    assert newer not in await gone(account.engine, "produtos")
    assert await scalar(account.engine, preferred) == newer
    assert [list(changes) for changes, _ in await history(account, "produtos", newer)] == [["excluida_em"]] * 2
    await assert_equals_truth(account.engine, bling)
