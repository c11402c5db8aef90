"""As contas a pagar de uma empresa que as tem em muitas páginas: nos outros dias, só o que está em aberto."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.acceptance.test_contas_pagar import DAY, START, assert_equals_the_accounts
from tests.support.collecting import scalar
from tests.support.fakes import FakeClock

from bling_collector.plan.daily import load_costed
from bling_collector.streams.financeiro.contas_pagar import CONTAS_PAGAR
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.clock import local_now

pytestmark = [
    pytest.mark.bling(scale=0.1),
    pytest.mark.collector(recursos=("contas_pagar",), api_page_size=10),
]
LISTED = "/contas/pagar"


def pages(bling: Bling) -> int:
    """As da listagem inteira."""
    return -(-len(bling.payables) // 10)


async def the_next_day(account: Account, bling: Bling, clock: FakeClock) -> int:
    """A execução do dia seguinte, ao fim da qual os dois lados são iguais; quantas páginas pediu."""
    clock.advance(DAY)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)
    return bling.counters.requests[LISTED]


async def the_week(account: Account, bling: Bling, clock: FakeClock) -> int:
    """Em quantos dos sete dias seguintes se pediu a listagem inteira, ao fim dos quais os dois lados são iguais."""
    asked = []
    for _ in range(7):
        clock.advance(DAY)
        bling.counters.reset()
        assert (await account.pipeline.run()).status == "success"
        asked.append(bling.counters.requests[LISTED])
    await assert_equals_the_accounts(account, bling)
    return sum(each >= pages(bling) for each in asked)


@pytest.mark.slow
async def test_what_is_settled_deleted_or_new_is_seen_by_the_next_run(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    clock.advance_to_its_day(CONTAS_PAGAR.permission)
    today = local_now(bling.clock).date()
    late, twice, gone, other = (
        bling.add_account("pagar", vencimento=f"{today - timedelta(days=400)}", valor=Decimal(100 + n))
        for n in range(4)
    )
    bling.settle_accounts("pagar", twice, amount=Decimal(40))
    await account.pipeline.run_full(START)
    assert await the_next_day(account, bling, clock) < pages(bling) * 2 / 3
    details = sum(path.startswith(LISTED) for path in bling.counters.details)
    open_ones = sum(each["situacao"] == 1 for each in bling.payables.values())
    assert details < 4 + open_ones / 3, "as pagas em parte neste mês e, das em aberto, as que se releem neste dia"
    bling.settle_accounts("pagar", late, on=today - timedelta(days=90))  # a data do pagamento não a mostra
    bling.settle_accounts("pagar", twice, amount=Decimal(20))  # a linha continua a mesma
    bling.add_account("pagar", vencimento=f"{today + timedelta(days=800)}")
    paid = bling.add_account("pagar")
    bling.settle_accounts("pagar", paid)
    bling.edit_account("pagar", other, situacao=5)
    assert await the_next_day(account, bling, clock) < pages(bling) * 2 / 3
    bling.delete_account("pagar", gone)
    assert await the_next_day(account, bling, clock) >= pages(bling), "se foi excluída, diz-o a listagem inteira"
    assert await scalar(account.engine, "SELECT excluida_em IS NOT NULL FROM contas_pagar WHERE id = :id", id=gone)
    settled = max(id_ for id_, each in bling.payables.items() if each["situacao"] == 2 and id_ != paid)
    bling.reopen_account("pagar", settled)
    assert await the_next_day(account, bling, clock) < pages(bling) * 2 / 3
    old = min(id_ for id_, each in bling.payables.items() if each["situacao"] == 2)
    bling.edit_account("pagar", old, valor=Decimal("9.99"))
    whole = [await the_week(account, bling, clock) for _ in range(2)]
    assert whole == [1, 1], "tudo, uma vez por semana"
    assert (await account.pipeline.reconcile()).status == "success"


@pytest.mark.slow
@pytest.mark.parametrize(
    "reading", [{"payable_filters_are_ignored": True}, {"deleted_accounts_stay_cancelled": True}], ids=str
)
async def test_whatever_the_filters_do_what_changed_is_seen(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    first, second = (bling.add_account("pagar", valor=Decimal(100)) for _ in range(2))
    bling.settle_accounts("pagar", first, amount=Decimal(40))
    await account.pipeline.run_full(START)
    bling.settle_accounts("pagar", first, amount=Decimal(20))
    bling.delete_account("pagar", second)
    await the_next_day(account, bling, clock)


@pytest.mark.slow
async def test_the_plan_says_what_a_day_asks(account: Account, bling: Bling, clock: FakeClock) -> None:
    await account.pipeline.run_full(START)
    clock.advance(DAY)
    costed = await load_costed(account.engine, account.settings, clock.now())
    told = next(each.requisicoes_por_dia for each in costed if each.recurso == "contas_pagar")
    asked = []
    for _ in range(7):
        bling.counters.reset()
        assert (await account.pipeline.run()).status == "success"
        asked.append(sum(n for path, n in bling.counters.requests.items() if path.startswith(LISTED)))
        clock.advance(DAY)
    assert abs(told - sum(asked) / 7) <= 3, (told, asked)
