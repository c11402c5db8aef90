"""O código fiscal das parcelas não depende de a execução chegar ao fim."""

from datetime import date

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.truth import assert_equals_truth
from tests.support.variants import one_now

from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling


@pytest.mark.slow
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


@pytest.mark.bling(scale=0.02)
@pytest.mark.slow
async def test_what_nobody_cites_and_what_is_renamed_are_seen_within_a_week(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """Também as formas inativas, que o padrão pode esconder, e a descrição da categoria nos produtos."""
    bling.configure(methods_hide_inactive=True)
    assert (await account.pipeline.run_full(date(2025, 6, 1))).status == "success"
    methods = bling.company.payment_methods
    stored = await rows(account.engine, "SELECT id, descricao FROM formas_pagamento ORDER BY id")
    assert stored == [(id_, each["descricao"]) for id_, each in sorted(methods.items())]
    inactive = next(id_ for id_, each in methods.items() if not each["situacao"])
    methods[inactive]["descricao"] = "Outra"
    categoria = await scalar(account.engine, "SELECT max(categoria_id) FROM produtos")
    bling.company.categories[categoria]["descricao"] = "Outra categoria"
    clock.advance(86_400)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    assert (bling.counters.requests["/formas-pagamentos"], bling.counters.requests["/categorias/produtos"]) == (0, 0)
    clock.advance(7 * 86_400)
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT descricao FROM formas_pagamento WHERE id = :id", id=inactive) == "Outra"
    named = "SELECT DISTINCT categoria_descricao FROM produtos WHERE categoria_id = :id"
    assert await rows(account.engine, named, id=categoria) == [("Outra categoria",)]
    asked = bling.counters.requests["/formas-pagamentos"] + bling.counters.requests["/categorias/produtos"]
    assert asked <= 8
