"""As notas de serviço, sob cada leitura do que os documentos não sabem."""

from datetime import date
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.variants import one_now

from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.clock import local_now

START = date(2025, 1, 1)
DAY = 86_400.0
READINGS: list[dict[str, Any]] = [
    {"service_filter_starts_at_one": True, "service_default_hides_cancelled": True},
    {},
    {"service_default_hides_cancelled": True},
    {"service_filter_starts_at_one": True},
]
pytestmark = [pytest.mark.bling(scale=0.02), pytest.mark.collector(recursos=("nfse",))]


async def assert_equals_the_services(account: Account, bling: Bling) -> None:
    """Cada nota viva é a do Bling; e não há outra."""
    expected = {id_: each for id_, each in bling.services.items() if each["dataEmissao"] >= START.isoformat()}
    assert expected
    assert await rows(
        account.engine,
        "SELECT id, numero, situacao, data_emissao, valor, contato_id, link, codigo_verificacao "
        "FROM nfse WHERE excluida_em IS NULL ORDER BY id",
    ) == [
        (
            id_,
            each["numero"] or None,
            each["situacao"],
            date.fromisoformat(each["dataEmissao"]),
            each["valor"],
            each["contato"]["id"],
            each["link"] or None,
            each["codigoVerificacao"] or None,
        )
        for id_, each in sorted(expected.items())
    ]


@pytest.mark.slow
@pytest.mark.parametrize("reading", one_now(READINGS), ids=lambda reading: " ".join(reading) or "como se leu")
async def test_the_load_equals_bling_and_what_changes_is_seen(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    today = local_now(bling.clock).date()
    pending = bling.add_service(situacao=0)
    old = bling.add_service(emitted_on=date(today.year - 1, 6, 10))
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    await assert_equals_the_services(account, bling)
    refused = await scalar(account.engine, "SELECT count(*) FROM checkpoints WHERE recurso LIKE 'nfse.recusado.%'")
    assert refused == (0 if "service_filter_starts_at_one" in reading else 1)
    bling.edit_service(pending, situacao=1, numero="77")  # a prefeitura ainda não deu o link
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_services(account, bling)
    bling.edit_service(pending, link="https://nfse.vale.example/chegou")
    deleted = bling.add_service()
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_services(account, bling)
    bling.delete_service(deleted)
    bling.cancel_service(old)
    clock.advance(DAY)
    result = await account.pipeline.run()
    assert result.status == "success", result.message
    await assert_equals_the_services(account, bling)
    assert await scalar(account.engine, "SELECT excluida_em IS NOT NULL FROM nfse WHERE id = :id", id=deleted)
    assert (await account.pipeline.reconcile()).status == "success"
    assert not [path for path in bling.counters.requests if "configuracoes" in path]
