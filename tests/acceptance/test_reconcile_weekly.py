"""A história inteira, relida a cada semana, uma parte por execução diária."""

from datetime import date, datetime, timedelta

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.proving import (
    DAY,
    START,
    assert_equals_the_living,
    at,
    conferencias,
    execute,
    outgoing,
    twin,
)

from bling_collector.insight.proof.reconciliation import load_reconciliation
from bling_collector.streams.notas.nota import AWAITING
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling


async def oldest_check(account: Account, clock: FakeClock) -> timedelta:
    """Há quanto tempo se conferiu o mês que mais espera."""
    when: datetime = await scalar(account.engine, "SELECT min(conferida_em) FROM conferencias")
    return clock.now() - when


@pytest.mark.slow
async def test_the_history_is_read_again_each_week_and_only_then(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    for note in [n for n in bling.notes.values() if n["situacao"] in AWAITING]:
        bling.edit_note(note["id"], situacao=6)  # uma que espera seria relida todo dia
    model = outgoing(bling, 6)[-1]
    doomed = {twin(bling, model, emitted_at=at(f"{year}-06-15 10:00:00")) for year in range(2021, 2026)}
    await account.pipeline.run_full(START)
    for wait, most in ((0, 5), (DAY, 12)):  # no mesmo dia, nada da história; no seguinte, a parte dele
        clock.advance(wait)
        bling.counters.reset()
        assert (await account.pipeline.run()).status == "success"
        assert bling.counters.requests["/nfe"] <= most, dict(bling.counters.requests)
    for id_ in doomed:
        year = bling.notes[id_]["dataEmissao"][:4]
        bling.delete_note(id_)
        bling.issue_note(emitted_at=at(f"{year}-08-31 23:59:59"))
    found: list[int | str] = []
    for _ in range(7):
        clock.advance(DAY)
        bling.counters.reset()
        result = await account.pipeline.run()
        assert result.status == "success"
        assert bling.counters.requests["/nfe"] <= 12, "a janela do dia e uma parte da história"
        found += [id_ for ids in result.found.ids.values() for id_ in ids]
    assert len(found) == 2 * len(doomed), "cada uma é achada uma vez"
    assert await oldest_check(account, clock) <= timedelta(days=7)
    assert (await load_reconciliation(account.engine)).igual
    await assert_equals_the_living(account.engine, bling, deleted=doomed)


@pytest.mark.loaded(START)
@pytest.mark.slow
async def test_in_steady_use_no_month_waits_more_than_a_week(account: Account, clock: FakeClock) -> None:
    for day in range(35):
        clock.advance(DAY - 1 if day % 2 else DAY + 1)  # a execução diária não começa sempre no mesmo segundo
        assert (await account.pipeline.run()).status == "success"
        if day >= 14:
            assert await oldest_check(account, clock) <= timedelta(days=7, minutes=1)


@pytest.mark.loaded(START)
@pytest.mark.slow
async def test_a_window_that_never_completes_does_not_hold_the_others(
    account: Account, bling: Bling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O Bling responde em círculos a um ano só; os outros continuam a ser conferidos a cada semana."""
    clock.advance(7 * DAY)
    stuck = outgoing(bling)[0]
    day = bling.notes[stuck]["dataEmissao"]
    before = await conferencias(account.engine)
    circling = 0
    for _ in range(7):
        # A primeira parte é sempre a que mais espera: a que não se completa.
        bling.fail("^/nfe$", "body", status=200, body=f'{{"data": [{_row(stuck, day)}]}}', after=2, times=8)
        result = await account.pipeline.run()
        circling += "sem fim" in str(result.message) or "não tem fim" in str(result.message)
        bling.faults.clear()
        clock.advance(DAY)
    after = await conferencias(account.engine)
    assert circling >= 6
    stale = [month for month in after if after[month]["conferida_em"] == before[month]["conferida_em"]]
    assert stale, "uma parte nunca se completou"
    assert len(stale) <= 12, "e só ela"


def _row(id_: int, day: str) -> str:
    return f'{{"id": {id_}, "tipo": 1, "situacao": 6, "dataEmissao": "{day}"}}'


@pytest.mark.slow
async def test_the_database_of_the_first_collector_heals_in_a_week(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """Faltam-lhe as canceladas e as das bordas, e do resto ele só tem o cabeçalho."""
    first = bling.issue_note(emitted_at=at("2021-01-01 00:00:00"))
    await account.pipeline.run_full(START)
    await execute(
        account.engine,
        """DELETE FROM nfe_itens WHERE nfe_id IN
           (SELECT id FROM nfe_cabecalho WHERE situacao = 2 OR data_emissao::time = '23:59:59' OR id = :first)""",
        """DELETE FROM nfe_pagamentos WHERE nfe_id IN
           (SELECT id FROM nfe_cabecalho WHERE situacao = 2 OR data_emissao::time = '23:59:59' OR id = :first)""",
        "DELETE FROM nfe_cabecalho WHERE situacao = 2 OR data_emissao::time = '23:59:59' OR id = :first",
        """UPDATE nfe_cabecalho SET detalhe = NULL, resumo_lista = NULL, tipo = NULL, serie = NULL,
                                    chave_acesso = NULL, total_nota = total_nota + 0.01""",
        "UPDATE contatos SET detalhe = NULL",
        "UPDATE produtos SET detalhe = NULL, categoria_vista_em = NULL",
        "DELETE FROM conferencias",
        "DELETE FROM checkpoints",
        "UPDATE etl_controle SET tipo = NULL, data_inicio = NULL, data_fim = NULL",
        first=first,
    )
    for day in range(7):
        assert (await account.pipeline.run()).status == "success"
        situation = await load_reconciliation(account.engine)
        if day == 0:
            assert situation.por_conferir, "não se afirma do todo o que só se sabe de uma parte"
            assert (situation.completo_em, situation.igual) == (None, False)
        clock.advance(DAY)
    assert situation.igual
    assert situation.completo_em is not None
    assert situation.no_banco == len(outgoing(bling))
    assert await rows(account.engine, "SELECT 1 FROM historico WHERE tabela = 'nfe_cabecalho'") == [], (
        "o primeiro detalhe de uma linha herdada não é uma mudança"
    )
    await assert_equals_the_living(account.engine, bling)


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 1, 1))
async def test_an_old_nota_fetched_by_hand_does_not_widen_the_history(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    old = outgoing(bling, 6)[0]
    await account.pipeline.sync("nfe", old)
    clock.advance(7 * DAY)
    for _ in range(3):
        await account.pipeline.run()
        clock.advance(DAY)
    before_2025 = await rows(account.engine, "SELECT id FROM nfe_cabecalho WHERE data_emissao < '2025-01-01'")
    assert before_2025 == [(old,)]
