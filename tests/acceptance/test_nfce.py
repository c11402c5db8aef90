"""As notas de consumidor, sob cada leitura do que os documentos não sabem."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.variants import one_now

from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

START = date(2025, 1, 1)
DAY = 86_400.0
READINGS: list[dict[str, Any]] = [
    {"coupon_filter_12_answers_400": True},
    {},
    {"coupon_default_hides_cancelled": False},
    {"coupon_default_hides_contingency": True},
]
pytestmark = [pytest.mark.bling(scale=0.02), pytest.mark.collector(recursos=("nfe", "nfce", "formas_pagamento"))]


async def assert_equals_the_coupons(account: Account, bling: Bling) -> None:
    """Cada nota viva, com os seus itens e parcelas, é a do Bling; e não há outra."""
    expected = {id_: each for id_, each in bling.coupons.items() if each["dataEmissao"] >= START.isoformat()}
    assert await rows(
        account.engine, "SELECT id, situacao, total_nota FROM nfce_cabecalho WHERE excluida_em IS NULL ORDER BY id"
    ) == [(id_, each["situacao"], each["valorNota"]) for id_, each in sorted(expected.items())]
    for table, value, part, field in (
        ("nfce_itens", "valor_total", "itens", "valorTotal"),
        ("nfce_pagamentos", "valor", "parcelas", "valor"),
    ):
        assert await rows(
            account.engine,
            f"SELECT nfe_id, sum({value}) FROM {table} JOIN nfce_cabecalho c ON c.id = nfe_id "
            "WHERE excluida_em IS NULL GROUP BY 1 ORDER BY 1",
        ) == [(id_, sum(line[field] for line in each[part])) for id_, each in sorted(expected.items())]


@pytest.mark.slow
@pytest.mark.parametrize("reading", one_now(READINGS), ids=lambda reading: next(iter(reading), "como se leu"))
async def test_the_load_equals_bling_and_what_changes_is_seen(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    new = bling.issue_coupon()
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    await assert_equals_the_coupons(account, bling)
    assert await scalar(account.engine, "SELECT count(*) FROM nfce_pagamentos WHERE tipo_pagamento IS NULL") == 0
    before = bling.issue_coupon(emitted_at=_days_ago(clock, 2), situacao=5)
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_coupons(account, bling)
    bling.cancel_coupon(before)
    bling.delete_coupon(new)
    clock.advance(DAY)
    result = await account.pipeline.run()
    assert result.status == "success", result.message
    await assert_equals_the_coupons(account, bling)
    assert await scalar(account.engine, "SELECT excluida_em IS NOT NULL FROM nfce_cabecalho WHERE id = :id", id=new)
    assert (await account.pipeline.reconcile()).status == "success"


def _days_ago(clock: FakeClock, days: int) -> datetime:
    return (clock.now() - timedelta(days=days)).replace(tzinfo=None, microsecond=0)
