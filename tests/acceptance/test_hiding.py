"""O que se viu que as listagens escondem: pergunta-se de novo, e esquece-se se já não é assim."""

from datetime import date

import pytest
from tests.support.collecting import scalar
from tests.support.fakes import FakeClock
from tests.support.proving import execute

from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.company.sales.statuses import CANCELLED

START = date(2025, 6, 1)
DAY = 86_400.0
pytestmark = [pytest.mark.bling(scale=0.02)]


async def hides(account: Account, recurso: str) -> bool:
    return bool(
        await scalar(account.engine, f"SELECT count(*) FROM checkpoints WHERE recurso = '{recurso}.escondidas'")
    )


@pytest.mark.collector(recursos=("pedidos_venda",))
@pytest.mark.slow
async def test_a_listing_that_no_longer_hides_is_asked_as_before(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    bling.configure(default_hides_cancelled_orders=True)
    order = bling.add_order(situacao=CANCELLED)
    await account.pipeline.run_full(START)
    assert await hides(account, "pedidos_venda")
    clock.advance(DAY)
    await account.pipeline.reconcile(repair=True)
    assert await hides(account, "pedidos_venda"), "ainda esconde"
    bling.configure(default_hides_cancelled_orders=False)
    clock.advance(DAY)
    await account.pipeline.reconcile(START, date(2025, 12, 31), repair=True)
    assert await hides(account, "pedidos_venda"), "não se leu tudo"
    await account.pipeline.reconcile(repair=True)
    assert not await hides(account, "pedidos_venda")
    bling.configure(default_hides_cancelled_orders=True)
    bling.edit_order(order, total=1)
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    assert await hides(account, "pedidos_venda"), "a sonda viu-o outra vez"
    assert await scalar(account.engine, "SELECT total FROM pedidos_venda WHERE id = :id", id=order) == 1


@pytest.mark.slow
@pytest.mark.parametrize("still", [False, True])
@pytest.mark.collector(recursos=("pedidos_venda",))
async def test_of_a_month_without_a_sign_it_is_forgotten(
    account: Account, bling: Bling, clock: FakeClock, still: bool
) -> None:
    bling.configure(default_hides_cancelled_orders=True)
    bling.add_order(situacao=CANCELLED)
    await account.pipeline.run_full(START)
    bling.configure(default_hides_cancelled_orders=still)
    for _ in range(36):
        clock.advance(DAY)
        assert (await account.pipeline.run()).status == "success"
    assert await hides(account, "pedidos_venda") is still


@pytest.mark.parametrize("still", [False, True])
@pytest.mark.slow
async def test_of_the_keys_a_repairing_reconciliation_asks_again(
    account: Account, bling: Bling, clock: FakeClock, still: bool
) -> None:
    bling.configure(default_hides_zero_stock=still)
    await account.pipeline.run_full(START)
    await execute(
        account.engine,
        "INSERT INTO checkpoints (recurso, posicao) SELECT 'produtos.' || n, now() - interval '1 day' "
        "FROM unnest(ARRAY['escondidas', 'escondidas.relidas']) n ON CONFLICT DO NOTHING",
    )
    clock.advance(DAY)
    await account.pipeline.run()
    assert await hides(account, "produtos")
    await account.pipeline.reconcile(repair=True)
    assert await hides(account, "produtos") is still
    assert bool(await scalar(account.engine, "SELECT count(*) FROM checkpoints WHERE recurso LIKE '%relidas'")) is still
