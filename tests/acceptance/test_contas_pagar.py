"""As contas a pagar, que se leem inteiras, sob cada leitura do que os documentos não sabem."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.proving import execute
from tests.support.variants import one_now

from bling_collector.clock import is_weekly_due
from bling_collector.payload import measured
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

START = date(2025, 6, 1)
DAY = 86_400.0
READINGS: list[dict[str, Any]] = [
    {},
    {"payable_filters_are_ignored": True},
    {"deleted_accounts_stay_cancelled": True},
    {"money_has_float_noise": True},
]
pytestmark = [pytest.mark.bling(scale=0.02), pytest.mark.collector(recursos=("contas_receber", "contas_pagar"))]
_COLUMNS = "id, situacao, vencimento, data_emissao, valor, saldo, contato_id, categoria_id"


async def assert_equals_the_accounts(account: Account, bling: Bling) -> None:
    """Cada conta viva, de qualquer data, com os seus borderôs, é a do Bling; e não há outra."""
    found = await rows(account.engine, f"SELECT {_COLUMNS} FROM contas_pagar WHERE excluida_em IS NULL ORDER BY id")
    assert found == [
        (
            id_,
            each["situacao"],
            *(date.fromisoformat(each[name]) for name in ("vencimento", "dataEmissao")),
            *(measured(each[name]) for name in ("valor", "saldo")),
            *(each[name]["id"] or None for name in ("contato", "categoria")),
        )
        for id_, each in sorted(bling.payables.items())
    ]
    held = await rows(
        account.engine,
        "SELECT conta_id, array_agg(bordero_id ORDER BY bordero_id) FROM contas_borderos b "
        "JOIN contas_pagar c ON c.id = conta_id WHERE conta_tipo = 'pagar' AND excluida_em IS NULL "
        "GROUP BY 1 ORDER BY 1",
    )
    assert held == [(id_, sorted(each["borderos"])) for id_, each in sorted(bling.payables.items()) if each["borderos"]]


@pytest.mark.slow
@pytest.mark.parametrize("reading", one_now(READINGS), ids=lambda reading: next(iter(reading), "como se leu"))
async def test_the_load_equals_bling_and_what_changes_is_seen(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    first, second, third = (bling.add_account("pagar", valor=Decimal(100 + n)) for n in range(3))
    old = min(bling.payables)
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    await assert_equals_the_accounts(account, bling)
    clock.advance(DAY)
    bling.settle_accounts("pagar", first, amount=Decimal(40))
    bling.edit_account("pagar", old, valor=Decimal("9.99"))
    bling.delete_account("pagar", third)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)
    gone = await scalar(account.engine, "SELECT excluida_em IS NOT NULL FROM contas_pagar WHERE id = :id", id=third)
    assert gone is not bling.settings.deleted_accounts_stay_cancelled
    clock.advance(DAY)
    bling.settle_accounts("pagar", first, amount=Decimal(20))  # a listagem continua a mostrar o mesmo
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)
    bling.edit_account("pagar", second, categoria={"id": 14_700_003})  # a listagem não o mostra
    clock.advance(7 * DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)
    assert (await account.pipeline.reconcile()).status == "success"


async def test_the_vencimento_of_the_listing_and_of_the_detail_are_both_kept(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    bling.configure(payable_due_differs=True)
    conta = bling.add_account("pagar", vencimento="2026-03-05", vencimentoOriginal="2026-03-01")
    both = "SELECT vencimento, vencimento_lista FROM contas_pagar WHERE id = :id"
    for read in (partial(account.pipeline.run_full, START), partial(account.pipeline.sync, "conta_pagar", conta)):
        await read()
        assert await rows(account.engine, both, id=conta) == [(date(2026, 3, 5), date(2026, 3, 1))]
        bling.edit_account("pagar", conta, historico="Outro")


@pytest.mark.slow
async def test_what_did_not_change_is_not_asked_for_again(account: Account, bling: Bling, clock: FakeClock) -> None:
    await account.pipeline.run_full(START)
    clock.advance(DAY)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    asked = {int(path.split("/")[-1]) for path in bling.counters.details if path.startswith("/contas/pagar/")}
    in_flux = {id_ for id_, each in bling.payables.items() if each["situacao"] == 3}
    yesterday = clock.now() - timedelta(days=1)
    its_day = {id_ for id_ in bling.payables if is_weekly_due(yesterday, clock.now(), id_)}
    assert asked == in_flux | {id_ for id_ in its_day if bling.payables[id_]["situacao"] == 1}


@pytest.mark.slow
async def test_the_borderos_of_a_conta_receber_with_the_same_id_stay(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    await account.pipeline.run_full(START)
    held = "SELECT count(*) FROM contas_borderos WHERE conta_tipo = 'receber'"
    before = await scalar(account.engine, held)
    assert before
    paid = next(id_ for id_, each in bling.payables.items() if each["borderos"])
    async with account.engine.begin() as connection:
        await connection.exec_driver_sql(f"INSERT INTO contas_borderos VALUES ('receber', {paid}, 5)")
    clock.advance(DAY)
    bling.reopen_account("pagar", paid)
    assert (await account.pipeline.run()).status == "success"
    kept = "SELECT conta_tipo, bordero_id FROM contas_borderos WHERE conta_id = :id"
    assert await rows(account.engine, kept, id=paid) == [("receber", 5)]


@pytest.mark.slow
async def test_one_that_no_listing_shows_is_kept_refreshed_and_asked_for_once_a_week(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    conta = bling.add_account("pagar")
    await account.pipeline.run_full(START)
    bling.configure(returned_and_confirmed_accounts_are_unlisted=True)
    clock.advance(DAY)
    bling.edit_account("pagar", conta, situacao=7, saldo=Decimal(1))
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)
    bling.counters.reset()
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    assert bling.counters.details[f"/contas/pagar/{conta}"] == 0
    gone = (
        '{"error": {"type": "RESOURCE_NOT_FOUND", "message": "Não encontrado", "description": "O recurso não existe"}}'
    )
    glitch = bling.fail(f"^/contas/pagar/{conta}$", "body", status=404, body=gone)
    clock.advance(7 * DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)  # um 404 só pode ser um engano
    bling.faults.remove(glitch)
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)
    # O que se deu por excluído e responde está vivo.
    await execute(account.engine, f"UPDATE contas_pagar SET excluida_em = now() WHERE id = {conta}")
    clock.advance(DAY)
    assert (await account.pipeline.reconcile(repair=True)).status == "success"
    await assert_equals_the_accounts(account, bling)
    bling.delete_account("pagar", conta)
    for days in (7, 1):
        clock.advance(days * DAY)
        assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)


@pytest.mark.slow
async def test_many_that_disappear_wait_for_a_person_to_confirm(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    await account.pipeline.run_full(START)
    for each in list(bling.payables)[:30]:
        bling.delete_account("pagar", each)
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "partial"
    assert await scalar(account.engine, "SELECT count(*) FROM contas_pagar WHERE excluida_em IS NOT NULL") == 0
    assert (await account.pipeline.reconcile(repair=True, accept_deletions=True)).status == "success"
    await assert_equals_the_accounts(account, bling)
