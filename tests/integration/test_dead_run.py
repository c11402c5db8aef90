"""Uma execução cujo processo morreu: ninguém a mostra em curso, mesmo antes que outra a marque."""

import asyncio
from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import scalar
from tests.support.fakes import FakeClock

from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.db import control
from bling_collector.db.run_lock import is_locked, run_lock
from bling_collector.errors import UsageError
from bling_collector.insight.live import load_live
from bling_collector.insight.status import load_run, load_runs, load_status
from bling_collector.runs.journal import stop

DAYS = {"inicio": date(2026, 1, 1), "fim": date(2026, 1, 31)}


async def test_the_lock_says_who_is_alive(engine: AsyncEngine, clock: FakeClock) -> None:
    async with engine.begin() as connection:
        run_id = await control.open_run(connection, tipo="run", **DAYS, now=clock.now())

    async with run_lock(engine):
        assert (await load_run(engine, run_id)).status == "running"
        last = (await load_status(engine, TokenCipher())).last_run
        assert last is not None
        assert last.status == "running"

    seen = [await load_run(engine, run_id), (await load_live(engine, run_id)).run, *await load_runs(engine)]
    last = (await load_status(engine, TokenCipher())).last_run
    assert [(run.status, run.mensagem) for run in seen] == [("error", control.DIED)] * 3
    assert last == seen[0]
    with pytest.raises(UsageError, match="não está em curso"):
        await stop(engine, run_id)
    assert await scalar(engine, "SELECT parar FROM etl_controle") is False


@pytest.mark.parametrize("turns", range(1, 9))
async def test_a_question_cut_at_any_turn_does_not_lose_the_lock(engine: AsyncEngine, turns: int) -> None:
    """A de uma janela, quando outra falha; as que ficam ainda hão de salvar o que lhes chegou."""
    async with run_lock(engine) as lock:
        asking = asyncio.create_task(lock.keep())
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await lock.keep()
        assert await is_locked(engine)
    assert not await is_locked(engine)
