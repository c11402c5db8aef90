"""O que some de uma vez, acima do limite, não é dado por excluído: fica devido, soa, e espera uma pessoa."""

from datetime import date

import pytest
from tests.support.collecting import scalar
from tests.support.fakes import FakeClock
from tests.support.proving import DAY, START, at, count, gone, outgoing, twin
from tests.support.variants import one_now

from bling_collector.etl.settle import is_most, limit
from bling_collector.insight.alarms import load_alarms
from bling_collector.insight.failures import load_failures
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

pytestmark = pytest.mark.bling(scale=0.005)

OWED = "SELECT count(*) FROM janelas_devidas WHERE erro LIKE '%improvável%'"


@pytest.mark.parametrize(("held", "most"), [(0, 3), (3, 3), (4, 4), (44, 12), (100, 20), (1000, 62)])
def test_the_limit_grows_with_the_square_root(held: int, most: int) -> None:
    assert limit(held) == most


def test_of_few_records_most_is_more_than_half_and_never_a_lone_one() -> None:
    assert [is_most(gone, held) for gone, held in ((1, 1), (2, 2), (2, 3), (2, 4), (3, 4))] == [
        False, True, True, False, True,
    ]  # fmt: skip


async def sounding(account: Account) -> bool:
    return any(alarm.nome == "exclusoes" and alarm.estado == "erro" for alarm in await load_alarms(account.engine))


@pytest.mark.loaded(START)
async def test_many_notas_that_disappear_wait_for_a_person_to_confirm(account: Account, bling: Bling) -> None:
    lost = set(outgoing(bling)[:-1])
    for note in lost:
        bling.delete_note(note)
    new = bling.issue_note()
    asked = bling.counters.total
    for result in (await account.pipeline.reconcile(repair=True), await account.pipeline.run()):
        assert (result.status, result.exit_code) == ("partial", 1)
        assert "--aceitar-exclusoes" in str(result.message)
        assert await gone(account.engine) == set()
        assert await sounding(account)
        assert await scalar(account.engine, OWED) > 0
        for window in (await load_failures(account.engine)).janelas:
            assert window.descricao.startswith("Notas de ")
            assert str(window.motivo).startswith("De "), "do que se fala diz-se uma vez"
    assert bling.counters.total - asked < 150, "as que sumiram não são perguntadas todas, a cada execução"
    assert await count(account.engine, "nfe_cabecalho") == len(lost) + 2, "o resto da execução segue"
    assert (await account.pipeline.reconcile(repair=True, accept_deletions=True)).status == "success"
    assert await gone(account.engine) == lost
    assert new not in lost
    assert not await sounding(account)
    assert await scalar(account.engine, OWED) == 0


@pytest.mark.slow
async def test_few_deleted_notas_wait_for_nobody(account: Account, bling: Bling) -> None:
    notes = [
        twin(bling, outgoing(bling, 6)[-1], emitted_at=at(f"2026-02-{day:02} 10:00:00")) for day in (9, 10, 11, 12)
    ]
    await account.pipeline.run_full(START)
    for note in notes[:2]:
        bling.delete_note(note)
    assert (await account.pipeline.run()).status == "success"
    assert await gone(account.engine) == set(notes[:2])
    assert not await sounding(account)


@pytest.mark.slow
@pytest.mark.loaded(START)
@pytest.mark.bling(scale=0.015)
@pytest.mark.parametrize("resource", one_now(["contatos", "produtos"]))
async def test_a_register_said_to_be_almost_all_deleted_is_not_believed(
    account: Account, bling: Bling, clock: FakeClock, resource: str
) -> None:
    """Como se o Bling deixasse de ler o filtro dos excluídos, e mostrasse todos."""
    clock.advance(8 * DAY)
    assert (await account.pipeline.run()).status == "success"
    before = await gone(account.engine, resource)
    register = bling.company.contacts if resource == "contatos" else bling.company.products
    alive = [entry for entry in register.entries.values() if not entry.deleted]
    for entry in alive:
        entry.deleted = True
    result = await account.pipeline.reconcile(repair=True)
    assert (result.status, result.exit_code) == ("partial", 1)
    assert "dá por excluídos" in str(result.message)
    assert await gone(account.engine, resource) == before
    assert await sounding(account)
    for entry in alive:
        entry.deleted = False
    clock.advance(8 * DAY)
    assert (await account.pipeline.run()).status == "success"
    assert await gone(account.engine, resource) == before
    assert not await sounding(account)


@pytest.mark.slow
@pytest.mark.bling(scale=0.015)
async def test_when_no_contato_answers_none_is_taken_for_unknown(account: Account, bling: Bling) -> None:
    """Um caminho que responde 404 a todos não faz ninguém desconhecido para sempre."""
    missing = '{"error": {"type": "RESOURCE_NOT_FOUND", "message": "Não encontrado", "description": "Não encontrado"}}'
    bling.fail(r"^/contatos/\d+$", "body", status=404, body=missing)
    result = await account.pipeline.run_full(date(2025, 1, 1))
    assert (result.status, result.exit_code) == ("partial", 1)
    assert await scalar(account.engine, "SELECT count(*) FROM contatos WHERE nao_encontrado_em IS NOT NULL") == 0
    bling.faults.clear()
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT count(*) FROM contatos WHERE detalhe IS NOT NULL") > 5


@pytest.mark.slow
async def test_a_lone_nota_that_disappears_with_all_the_others_is_not_deleted(account: Account, bling: Bling) -> None:
    """De uma janela com uma nota só, quem diz é uma testemunha: o Bling tem de responder por outra."""
    note = twin(bling, outgoing(bling, 6)[-1], emitted_at=at("2026-02-10 10:00:00"))
    await account.pipeline.run_full(START)
    kept = dict(bling.notes)
    bling.notebook.notes.clear()
    result = await account.pipeline.run(date(2026, 2, 10), date(2026, 2, 10))
    assert result.status == "partial"
    assert "não responde pela maior parte" in str(result.message)
    assert await gone(account.engine) == set()
    bling.notebook.notes.update({id_: detail for id_, detail in kept.items() if id_ != note})
    assert (await account.pipeline.run(date(2026, 2, 10), date(2026, 2, 10))).status == "success"
    assert await gone(account.engine) == {note}
