"""Os contratos, sob cada leitura do que os documentos não sabem."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.variants import one_now

from bling_collector.payload import measured
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.company.papers.contracts import ACTIVE, SETTLED, UNDER_REVIEW
from bling_simulator.payload import Json

START = date(2026, 2, 1)
DAY = 86_400.0
PATH = "/contratos"
READINGS: list[dict[str, Any]] = [
    {},
    {"contracts_are_all_shown_by_default": True},
    {"money_has_float_noise": True},
]
pytestmark = [pytest.mark.bling(scale=0.02), pytest.mark.collector(recursos=("contratos", "contatos"))]


def contracts(bling: Bling, status: int | None = None) -> dict[int, Json]:
    entries = bling.kept(PATH).entries.items()
    return {id_: entry.detail for id_, entry in entries if status in {None, entry.detail["situacao"]}}


async def assert_equals_the_contracts(account: Account, bling: Bling) -> None:
    """Cada contrato vivo, de qualquer data, é o do Bling; e não há outro."""
    found = await rows(
        account.engine,
        "SELECT id, numero, data, data_fim, situacao, valor, contato_id, cobranca_contato_id, periodicidade, desconto "
        "FROM contratos WHERE excluida_em IS NULL ORDER BY id",
    )
    assert found == [
        (
            id_,
            each["numero"],
            date.fromisoformat(each["data"]),
            None if each["dataFim"] == "0000-00" else each["dataFim"],
            each["situacao"],
            measured(each["valor"]),
            each["contato"]["id"],
            each["cobranca"]["contato"]["id"] or None,
            each["cobranca"]["vencimento"]["periodicidade"],
            measured(each["desconto"]["valor"]),
        )
        for id_, each in sorted(contracts(bling).items())
    ]


@pytest.mark.parametrize("reading", one_now(READINGS), ids=lambda reading: next(iter(reading), "como se leu"))
async def test_the_load_equals_bling_and_what_changes_is_seen(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    await assert_equals_the_contracts(account, bling)
    citing = "SELECT contato_id FROM contratos UNION SELECT cobranca_contato_id FROM contratos"
    lacking = f"SELECT * FROM ({citing}) AS c (id) WHERE id IS NOT NULL EXCEPT SELECT id FROM contatos"
    assert await rows(account.engine, lacking) == []
    clock.advance(DAY)
    first, reviewed, lost = list(contracts(bling, ACTIVE))[:3]
    bling.edit_dimension(PATH, min(contracts(bling, SETTLED)), valor=Decimal("9.99"))
    bling.edit_dimension(PATH, reviewed, situacao=UNDER_REVIEW)
    bling.delete_dimension(PATH, lost)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_contracts(account, bling)
    gone = "SELECT excluida_em IS NOT NULL FROM contratos WHERE id = :id"
    assert [await scalar(account.engine, gone, id=id_) for id_ in (reviewed, lost)] == [False, True]
    clock.advance(DAY)
    bling.edit_dimension(PATH, reviewed, situacao=ACTIVE)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_contracts(account, bling)
    assert bling.counters.requests[f"{PATH}/{{id}}"] == 1, "só o que a listagem mostra mudado"
    bling.edit_dimension(PATH, first, desconto={"valor": Decimal("7.77"), "dataFim": "2026-12"})  # a lista não o mostra
    clock.advance(7 * DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_contracts(account, bling)


@pytest.mark.slow
async def test_one_no_longer_listed_is_deleted_once_its_detail_could_be_read(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    await account.pipeline.run_full(START)
    chosen = max(contracts(bling, ACTIVE))
    bling.unlisted.add((PATH, chosen))
    bling.fail(rf"^{PATH}/{chosen}$", "server_error")
    clock.advance(DAY)
    gone = "SELECT excluida_em IS NOT NULL FROM contratos WHERE id = :id"
    assert (await account.pipeline.run()).status == "partial"
    assert await scalar(account.engine, gone, id=chosen) is False, "não se sabe: o detalhe não se leu"
    bling.faults.clear()
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, gone, id=chosen)


@pytest.mark.slow
async def test_many_that_disappear_wait_for_a_person_and_are_not_all_asked_for(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    model = {name: value for name, value in contracts(bling)[max(contracts(bling))].items() if name != "id"}
    for _ in range(60):
        bling.add_dimension(PATH, **model)
    await account.pipeline.run_full(START)
    for id_ in list(contracts(bling))[:50]:
        bling.delete_dimension(PATH, id_)
    clock.advance(DAY)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "partial"
    assert await scalar(account.engine, "SELECT count(*) FROM contratos WHERE excluida_em IS NOT NULL") == 0
    assert bling.counters.requests[f"{PATH}/{{id}}"] < 50
    assert (await account.pipeline.reconcile(repair=True, accept_deletions=True)).status == "success"
    await assert_equals_the_contracts(account, bling)
