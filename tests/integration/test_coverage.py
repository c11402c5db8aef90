"""A cobertura: o estado de cada mês é o que a conferência, as dívidas e a coleta dizem, e mais nada."""

from collections import Counter
from datetime import date, datetime
from decimal import Decimal

import pytest
from tests.support.proving import START, at, by_month, execute, outgoing, twin

from bling_collector.insight.proof.coverage import MonthCoverage, load_coverage, load_month_coverage, load_month_gaps
from bling_collector.insight.proof.reconciliation import load_reconciliation
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

TODAY = date(2026, 2, 20)
JULY = date(2024, 7, 1)


async def cells(account: Account) -> dict[date, MonthCoverage]:
    found = await load_coverage(account.engine, TODAY)
    return {month.mes: month for year in found.anos for month in year.meses}


@pytest.mark.loaded(START)
@pytest.mark.bling(scale=0.05)
async def test_in_a_whole_history_each_month_is_equal_or_empty(account: Account, bling: Bling) -> None:
    found = await load_coverage(account.engine, TODAY)
    assert [year.ano for year in found.anos] == [2026, 2025, 2024, 2023, 2022, 2021]
    assert all([month.mes.month for month in year.meses] == list(range(1, 13)) for year in found.anos)
    there = {date.fromisoformat(f"{month}-01"): sum(counts.values()) for month, counts in by_month(bling).items()}
    for mes, month in (await cells(account)).items():
        expected = "futuro" if mes > TODAY else "igual" if there.get(mes) else "vazio"
        assert (month.state, month.agora) == (expected, there.get(mes, 0)), mes
        if expected != "futuro":
            assert (month.no_bling, month.no_banco) == (there.get(mes, 0), there.get(mes, 0))
            assert month.held == Decimal(1)
    assert found.igual
    assert (found.no_bling, found.no_banco) == (sum(there.values()), sum(there.values()))
    assert found.states == Counter(month.state for month in (await cells(account)).values())
    proven = await load_reconciliation(account.engine)
    assert (found.completo_em, found.no_bling) == (proven.completo_em, proven.no_bling)


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_what_differs_in_a_month_is_told_and_repaired(account: Account, bling: Bling) -> None:
    doomed = twin(bling, outgoing(bling, 6)[-1], emitted_at=at("2024-07-20 10:00:00"))
    gone = twin(bling, outgoing(bling, 6)[-1], emitted_at=at("2024-07-21 10:00:00"))
    changed = twin(bling, outgoing(bling, 6)[-1], emitted_at=at("2024-07-22 10:00:00"))
    await account.pipeline.reconcile(JULY, date(2024, 7, 31), repair=True)
    bling.delete_note(gone)
    await account.pipeline.reconcile(JULY, date(2024, 7, 31), repair=True)
    issued = bling.issue_note(emitted_at=at("2024-07-31 23:59:59"))
    bling.delete_note(doomed)
    bling.cancel_note(changed)
    await account.pipeline.reconcile(JULY, date(2024, 7, 31))
    month = (await cells(account))[JULY]
    there = sum(bling.notes[i]["dataEmissao"].startswith("2024-07") for i in outgoing(bling))
    assert (month.state, month.no_bling, month.no_banco) == ("difere", there, there)
    assert month.held is not None
    assert month.held < 1
    found = await load_month_coverage(account.engine, JULY, TODAY)
    assert found.month == month
    assert month.checked is not None
    assert month.checked.differences == {"faltam": [issued], "sobram": [doomed], "diferem": [changed]}
    assert found.known.keys() == {doomed, changed}
    assert found.known[changed].numero == bling.notes[changed]["numero"]
    assert [note.id for note in found.excluidas] == [gone]
    assert found.excluidas_de == 1
    rows = {row.situacao: (row.no_bling, row.no_banco, row.agora) for row in found.situacoes}
    truth = by_month(bling)["2024-07"]
    assert {code: row[0] for code, row in rows.items() if row[0]} == truth
    assert sum(row[1] for row in rows.values()) == month.no_banco
    assert sum(row[2] for row in rows.values()) == month.agora == there
    assert list(rows) == sorted(rows, key=int)
    await account.pipeline.reconcile(JULY, date(2024, 7, 31), repair=True)
    assert (await cells(account))[JULY].state == "igual"
    repaired = await load_month_coverage(account.engine, JULY, TODAY)
    assert repaired.month.checked is not None
    assert repaired.month.checked.igual
    assert {note.id for note in repaired.excluidas} == {gone, doomed}


@pytest.mark.loaded(START)
async def test_what_is_owed_counts_more_than_the_reconciliation(account: Account) -> None:
    await execute(
        account.engine,
        "INSERT INTO pendencias (recurso, recurso_id, data_emissao, erro)"
        " VALUES ('nfe', '1', '2023-09-30', 'Não veio.'), ('contatos', '2', NULL, 'Sem data.')",
        "INSERT INTO janelas_devidas (recurso, data_inicio, data_fim) VALUES ('nfe', '2022-01-31', '2022-03-01')",
    )
    found = await cells(account)
    owed = {mes for mes, month in found.items() if month.state == "devido"}
    assert owed == {date(2023, 9, 1), date(2022, 1, 1), date(2022, 2, 1), date(2022, 3, 1)}
    month = await load_month_coverage(account.engine, date(2023, 9, 1), TODAY)
    assert [row.nome for row in month.pendencias] == ["nfe/1"]
    assert month.janelas == []
    assert len((await load_month_coverage(account.engine, date(2022, 2, 1), TODAY)).janelas) == 1


@pytest.mark.loaded(START)
@pytest.mark.bling(scale=0.05)
async def test_what_was_never_checked_and_what_was_not_collected(account: Account) -> None:
    await execute(
        account.engine,
        "DELETE FROM conferencias WHERE mes = '2022-05-01' OR mes < '2022-01-01' OR mes > '2025-12-31'",
        "UPDATE conferencias SET data_inicio = '2022-08-10' WHERE mes = '2022-08-01'",
        "UPDATE etl_controle SET data_inicio = '2021-03-15'",
    )
    found = await cells(account)
    assert {mes for mes, month in found.items() if month.state == "fora"} == {date(2021, 1, 1), date(2021, 2, 1)}
    never = {mes for mes, month in found.items() if month.state == "nunca"}
    expected = {date(2021, m, 1) for m in range(3, 13)} | {date(2022, 5, 1), date(2022, 8, 1)}
    assert never == expected | {date(2026, 1, 1), date(2026, 2, 1)}
    assert found[date(2022, 5, 1)].held is None
    assert found[date(2022, 5, 1)].agora > 0
    assert not (await load_coverage(account.engine, TODAY)).igual


async def test_before_anything_is_read(account: Account) -> None:
    found = await load_coverage(account.engine, TODAY)
    assert (found.scope, found.anos, found.igual) == (None, [], False)
    month = await load_month_coverage(account.engine, JULY, TODAY)
    assert (month.month.state, month.situacoes, month.excluidas_de) == ("fora", [], 0)
    assert await load_month_gaps(account.engine, JULY) == []


@pytest.mark.slow
async def test_the_lacunas_that_touch_the_month(account: Account, bling: Bling) -> None:
    first = bling.issue_note(serie=7, emitted_at=at("2024-06-30 10:00:00"))
    bling.notebook._numbers[7] += 2
    second = bling.issue_note(serie=7, emitted_at=at("2024-07-31 23:00:00"))
    bling.notebook._numbers[7] += 1
    third = bling.issue_note(serie=7, emitted_at=at("2024-09-01 00:00:00"))
    await account.pipeline.run_full(START)

    async def gaps(month: date) -> list[tuple[int, int, int, int, int]]:
        found = await load_month_gaps(account.engine, month)
        return [(serie, gap.de, gap.ate, gap.antes.id, gap.depois.id) for serie, gap in found]

    assert await gaps(date(2024, 6, 1)) == [(7, 2, 3, first, second)]
    assert await gaps(JULY) == [(7, 2, 3, first, second), (7, 5, 5, second, third)]
    assert await gaps(date(2024, 8, 1)) == []
    assert await gaps(date(2024, 9, 1)) == [(7, 5, 5, second, third)]
    assert datetime.fromisoformat(bling.notes[second]["dataEmissao"]).month == 7
