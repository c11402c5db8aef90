"""O código fiscal das parcelas não depende de a execução chegar ao fim."""

from datetime import date

import pytest
from tests.support.fakes import FakeClock
from tests.support.truth import assert_equals_truth
from tests.support.variants import one_now

from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling


@pytest.mark.parametrize("after", one_now([1, 0]))
async def test_the_quota_ends_while_the_payment_methods_are_read(
    account: Account, bling: Bling, clock: FakeClock, after: int
) -> None:
    body = '{"error": {"type": "TOO_MANY_REQUESTS", "description": "limite por dia", "limit": 1, "period": "day"}}'
    rule = bling.fail("^/formas-pagamentos", "body", status=429, body=body, after=after)
    assert (await account.pipeline.run_full(date(2021, 1, 1))).status == "partial"
    bling.faults.remove(rule)
    clock.advance(86_400)  # a cota volta no dia seguinte
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)
