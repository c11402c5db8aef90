"""A olhada: o que há de novo, em poucas requisições, sem que nenhum marco ande."""

from datetime import date

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock

from bling_collector.db.run_lock import run_lock
from bling_collector.errors import RunInProgressError
from bling_collector.plan.daily import load_costed, look_cost
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

MARKS = "SELECT recurso, posicao FROM checkpoints WHERE recurso <> 'olhada' ORDER BY 1"


@pytest.mark.loaded(date(2025, 12, 1))
async def test_a_look_brings_what_is_new_and_moves_no_mark(account: Account, bling: Bling, clock: FakeClock) -> None:
    marks, runs = await rows(account.engine, MARKS), await scalar(account.engine, "SELECT count(*) FROM etl_controle")
    await account.pipeline.look()
    clock.advance(3600)
    note = bling.sell()

    asked = await account.pipeline.look()

    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho WHERE id = :id", id=note) == 1
    assert asked is not None
    assert asked <= 12
    clock.advance(3600)
    costed = await load_costed(account.engine, account.settings, clock.now())
    quiet = await account.pipeline.look()
    assert quiet in {look_cost(costed), look_cost(costed) + 1}  # o que se diz que custa; a venda ainda não é final
    assert await rows(account.engine, MARKS) == marks
    assert await scalar(account.engine, "SELECT count(*) FROM etl_controle") == runs


async def test_before_any_run_a_look_asks_nothing(account: Account) -> None:
    assert await account.pipeline.look() is None


@pytest.mark.loaded(date(2025, 12, 1))
async def test_a_look_waits_for_whoever_has_the_lock(account: Account) -> None:
    async with run_lock(account.engine):
        with pytest.raises(RunInProgressError):
            await account.pipeline.look()


@pytest.mark.slow
@pytest.mark.collector(recursos=("todos",))
@pytest.mark.loaded(date(2025, 12, 1))
async def test_of_everything_a_look_asks_little(account: Account, clock: FakeClock) -> None:
    await account.pipeline.look()
    clock.advance(3600)
    quiet = await account.pipeline.look()
    assert quiet is not None
    costed = await load_costed(account.engine, account.settings, clock.now())
    assert abs(quiet - look_cost(costed)) <= 2
    assert 96 * quiet < 5_000  # das 100.000 que o coletor pode fazer por dia
