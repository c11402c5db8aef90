"""A conferência que para no meio: o que não se completou fica devido, e só isso é refeito."""

import asyncio
from datetime import date

import pytest
from tests.support.collecting import rows, until
from tests.support.fakes import FakeClock
from tests.support.proving import (
    API,
    START,
    assert_equals_the_living,
    at,
    conferencias,
    newest_period_is_done,
    oldest_period_held,
    outgoing,
    owed_periods,
    twin,
)

from bling_collector.errors import DailyLimitError
from bling_collector.insight.proof.reconciliation import load_reconciliation
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

DAILY = '{"error": {"type": "TOO_MANY_REQUESTS", "message": "Limite", "limit": 120000, "period": "day"}}'


@pytest.fixture
async def doomed(account: Account, bling: Bling) -> set[int]:
    """A história carregada, e depois uma nota excluída (devolve quais) e uma emitida em cada ano."""
    model = outgoing(bling, 6)[-1]
    ids = {twin(bling, model, emitted_at=at(f"{year}-06-15 10:00:00")) for year in range(2021, 2026)}
    assert (await account.pipeline.run_full(START)).status == "success"
    for id_ in ids:
        year = bling.notes[id_]["dataEmissao"][:4]
        bling.delete_note(id_)
        bling.issue_note(emitted_at=at(f"{year}-08-31 23:59:59"))
    bling.counters.reset()
    return ids


async def assert_only_the_rest_is_redone(account: Account, bling: Bling, doomed: set[int]) -> None:
    """A execução diária seguinte percorre a sua janela e as devidas, e mais nada; então tudo é igual."""
    left = await owed_periods(account.engine)
    assert 0 < len(left) < 6
    assert left[-1][0] == START, "a mais velha não se completou"
    assert left[0][1] < date(2025, 3, 1), "a mais nova já se completou"
    bling.faults.clear()
    result = await account.pipeline.run()
    assert (result.status, result.message) == ("success", None)
    assert await owed_periods(account.engine) == []
    redone = {
        date.fromisoformat(f"{month}-01")
        for month, row in (await conferencias(account.engine)).items()
        if row["run_id"] == result.run_id
    }
    assert redone == {date(2026, 2, 1)} | {day for day in redone if any(i <= day <= f for i, f in left)}
    assert date(2021, 1, 1) in redone
    assert (await load_reconciliation(account.engine)).igual
    assert (await account.pipeline.reconcile()).found.ids == {}
    await assert_equals_the_living(account.engine, bling, deleted=doomed)


@pytest.mark.slow
async def test_stopped_on_request_only_the_rest_is_redone(account: Account, bling: Bling, doomed: set[int]) -> None:
    stop = asyncio.Event()
    reconciling = asyncio.create_task(account.pipeline.reconcile(repair=True, stop=stop))
    with oldest_period_held(bling):
        await until(lambda: newest_period_is_done(account.engine))
        stop.set()
    result = await reconciling
    assert (result.status, result.exit_code) == ("partial", 1)
    await assert_only_the_rest_is_redone(account, bling, doomed)


@pytest.mark.slow
async def test_killed_midway_only_the_rest_is_redone(account: Account, bling: Bling, doomed: set[int]) -> None:
    reconciling = asyncio.create_task(account.pipeline.reconcile(repair=True))
    with oldest_period_held(bling):
        await until(lambda: newest_period_is_done(account.engine))
        reconciling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reconciling
    assert await rows(account.engine, "SELECT status FROM etl_controle ORDER BY id DESC LIMIT 1") == [("error",)]
    await assert_only_the_rest_is_redone(account, bling, doomed)


@pytest.mark.slow
async def test_when_the_daily_quota_ends_midway_only_the_rest_is_redone(
    account: Account, bling: Bling, clock: FakeClock, doomed: set[int]
) -> None:
    reconciling = asyncio.create_task(account.pipeline.reconcile(repair=True))
    with oldest_period_held(bling):
        await until(lambda: newest_period_is_done(account.engine))
        bling.fail(API, "body", status=429, body=DAILY)
    result = await reconciling
    assert (result.exit_code, type(result.error)) == (1, DailyLimitError)
    assert bling.counters.statuses[429] <= 3, "só as que já estavam em voo; não insiste"
    clock.advance(6 * 3600)
    await assert_only_the_rest_is_redone(account, bling, doomed)
