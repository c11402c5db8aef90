"""As contas a receber, sob cada leitura do que os documentos não sabem."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.variants import one_now

from bling_collector.etl.strategies import again
from bling_collector.payload import measured
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.clock import local_now

START = date(2025, 6, 1)
DAY = 86_400.0
READINGS: list[dict[str, Any]] = [
    {},
    {"receivable_filters_are_ignored": True},
    {"payment_links_are_signed": True},
    {"deleted_accounts_stay_cancelled": True},
    {"money_has_float_noise": True},
]
pytestmark = [pytest.mark.bling(scale=0.02), pytest.mark.collector(recursos=("contas_receber",))]
_COLUMNS = "id, situacao, data_emissao, valor, saldo, contato_id, vendedor_id, origem_id, categoria_id"


async def assert_equals_the_accounts(account: Account, bling: Bling, *, since: date = START) -> None:
    """Cada conta viva desde `since`, com os seus borderôs, é a do Bling; e não há outra emitida depois disso."""
    expected = {id_: each for id_, each in bling.receivables.items() if each["dataEmissao"] >= since.isoformat()}
    found = await rows(
        account.engine,
        f"SELECT {_COLUMNS} FROM contas_receber WHERE excluida_em IS NULL AND data_emissao >= :since ORDER BY id",
        since=since,
    )
    assert found == [
        (
            id_,
            each["situacao"],
            date.fromisoformat(each["dataEmissao"]),
            measured(each["valor"]),
            measured(each["saldo"]),
            *(each[name]["id"] or None for name in ("contato", "vendedor", "origem", "categoria")),
        )
        for id_, each in sorted(expected.items())
    ]
    held = await rows(
        account.engine,
        "SELECT conta_id, array_agg(bordero_id ORDER BY bordero_id) FROM contas_borderos "
        "WHERE conta_tipo = 'receber' AND conta_id = ANY(:ids) GROUP BY 1 ORDER BY 1",
        ids=list(expected),
    )
    assert held == [(id_, sorted(each["borderos"])) for id_, each in sorted(expected.items()) if each["borderos"]]


@pytest.mark.parametrize("reading", one_now(READINGS), ids=lambda reading: next(iter(reading), "como se leu"))
async def test_the_load_equals_bling_and_what_changes_is_seen(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    first, second, third, fourth = (bling.add_account(valor=Decimal(100 + n)) for n in range(4))
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    await assert_equals_the_accounts(account, bling)
    clock.advance(DAY)
    bling.settle_accounts("receber", first, second)
    bling.settle_accounts("receber", third, amount=Decimal(40))
    bling.delete_account("receber", fourth)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)
    gone = "SELECT excluida_em IS NOT NULL, situacao FROM contas_receber WHERE id = :id"
    stays = bling.settings.deleted_accounts_stay_cancelled
    assert await rows(account.engine, gone, id=fourth) == [(False, 5) if stays else (True, 1)]
    clock.advance(DAY)
    bling.settle_accounts("receber", third, amount=Decimal(20))  # a listagem continua a mostrar o mesmo
    bling.reopen_account("receber", first)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)
    assert await rows(account.engine, "SELECT bordero_id FROM contas_borderos WHERE conta_id = :id", id=first) == []
    bling.edit_account("receber", first, categoria={"id": 14_700_003})  # a listagem não o mostra
    clock.advance(7 * DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)
    bling.edit_account("receber", first, categoria={"id": 14_700_001})
    assert (await account.pipeline.reconcile(repair=True)).status == "success"
    await assert_equals_the_accounts(account, bling)


@pytest.mark.slow
async def test_of_many_open_ones_each_run_rereads_some_the_oldest_first(
    account: Account, bling: Bling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again, "MOST_OPEN", 2)
    for _ in range(5):
        bling.add_account()
    silent = bling.add_account()  # na listagem, e sem detalhe
    await account.pipeline.run_full(START)
    opened = [id_ for (id_,) in await rows(account.engine, "SELECT id FROM contas_receber WHERE situacao = 1")]
    for id_ in opened:
        bling.edit_account("receber", id_, categoria={"id": 14_700_003})
    gone = '{"error": {"type": "RESOURCE_NOT_FOUND"}}'
    bling.fail(f"^/contas/receber/{silent}$", "body", status=404, body=gone)
    clock.advance(7 * DAY)
    for _ in range(len(opened) // 2 + 1):
        bling.counters.reset()
        assert (await account.pipeline.run()).status in ("success", "partial")
        asked = {path for path in bling.counters.details if path.startswith("/contas/receber/")}
        assert len(asked & {f"/contas/receber/{id_}" for id_ in opened}) <= 4  # de cada listagem pelo vencimento, duas
    clock.advance(7 * DAY)  # das vencidas há mais de um ano, em cada semana duas
    assert (await account.pipeline.run()).status in ("success", "partial")
    kept = "SELECT count(*) FROM contas_receber WHERE situacao = 1 AND categoria_id = 14700003"
    assert await scalar(account.engine, kept) == len(opened) - 1


@pytest.mark.slow
@pytest.mark.collector(extraction_lookback_days=2)
async def test_one_issued_long_ago_is_seen_by_its_due_and_receipt_dates(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    today = local_now(bling.clock).date()
    long_ago = today - timedelta(days=200)
    due = bling.add_account(emitted_on=long_ago, due_on=today + timedelta(days=5))
    late = bling.add_account(emitted_on=long_ago, due_on=today - timedelta(days=120))
    await account.pipeline.run_full(START)
    clock.advance(DAY)
    bling.edit_account("receber", due, vencimento=(today + timedelta(days=9)).isoformat())
    bling.settle_accounts("receber", late)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)


@pytest.mark.slow
async def test_a_future_issue_and_a_debt_older_than_the_collection_are_kept(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    today = local_now(bling.clock).date()
    before = START - timedelta(days=400)
    overdue = bling.add_account(emitted_on=before, due_on=before + timedelta(days=30))
    await account.pipeline.run_full(START)
    assert await scalar(account.engine, "SELECT count(*) FROM contas_receber WHERE id = :id", id=overdue) == 1
    bling.add_account(emitted_on=today + timedelta(days=30), due_on=today + timedelta(days=500))
    clock.advance(7 * DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)
    bling.settle_accounts("receber", overdue)
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT saldo FROM contas_receber WHERE id = :id", id=overdue) == 0


@pytest.mark.slow
async def test_a_link_that_changes_in_every_answer_asks_for_no_conta(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    bling.configure(payment_links_are_signed=True)
    paid = bling.add_account()
    bling.settle_accounts("receber", paid)
    await account.pipeline.run_full(START)
    clock.advance(DAY)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    assert bling.counters.details[f"/contas/receber/{paid}"] == 0
    assert (await account.pipeline.reconcile()).found.ids == {}


@pytest.mark.slow
@pytest.mark.collector(extraction_lookback_days=2)
async def test_of_open_ones_issued_long_ago_only_the_changed_are_asked_for(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """A listagem por vencimento mostra as que continuam em aberto; a que ela deixou de mostrar é que se pede."""
    today = local_now(bling.clock).date()
    long_ago, ahead = today - timedelta(days=200), today + timedelta(days=200)
    same, deleted, cancelled = (bling.add_account(emitted_on=long_ago, due_on=ahead) for _ in range(3))
    await account.pipeline.run_full(START)
    bling.counters.reset()
    bling.edit_account("receber", cancelled, situacao=5)
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    assert [bling.counters.details[f"/contas/receber/{id_}"] for id_ in (same, deleted)] == [0, 0]
    bling.delete_account("receber", deleted)
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT excluida_em IS NOT NULL FROM contas_receber WHERE id = :id", id=deleted)
    await assert_equals_the_accounts(account, bling)


@pytest.mark.slow
@pytest.mark.collector(extraction_lookback_days=2)
async def test_an_incomplete_listing_by_another_date_makes_the_run_partial(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    await account.pipeline.run_full(START)
    clock.advance(DAY)
    rule = bling.fail(r"^/contas/receber$", query="tipoFiltroData=V")
    assert (await account.pipeline.run()).status == "partial"
    bling.faults.remove(rule)
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)


@pytest.mark.slow
async def test_the_same_conta_is_not_asked_for_once_per_date(account: Account, bling: Bling, clock: FakeClock) -> None:
    conta = bling.add_account()
    bling.settle_accounts("receber", conta, amount=Decimal(1))
    await account.pipeline.run_full(START)
    clock.advance(DAY)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    assert bling.counters.details[f"/contas/receber/{conta}"] == 1
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0


@pytest.mark.parametrize("situacao", one_now([7, 6]))
@pytest.mark.slow
async def test_one_that_no_listing_shows_is_kept_and_refreshed(
    account: Account, bling: Bling, clock: FakeClock, situacao: int
) -> None:
    conta = bling.add_account()
    await account.pipeline.run_full(START)
    bling.configure(returned_and_confirmed_accounts_are_unlisted=True)
    clock.advance(DAY)
    bling.edit_account("receber", conta, situacao=situacao, saldo=Decimal(1))
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)
    checked = await account.pipeline.reconcile(local_now(bling.clock).date() - timedelta(days=5))
    assert checked.found.ids == {}
    bling.counters.reset()
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    assert bling.counters.details[f"/contas/receber/{conta}"] == 0
    clock.advance(7 * DAY)
    bling.edit_account("receber", conta, historico="Outro")
    assert (await account.pipeline.run()).status == "success"
    noted = "SELECT detalhe ->> 'historico' FROM contas_receber WHERE id = :id"
    assert await scalar(account.engine, noted, id=conta) == "Outro"
    bling.edit_account("receber", conta, situacao=1)
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)
    bling.edit_account("receber", conta, situacao=situacao)
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    bling.delete_account("receber", conta)
    for days in (8, 1):
        clock.advance(days * DAY)
        assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_accounts(account, bling)


async def test_one_conta_alone_is_created_and_updated(account: Account, bling: Bling) -> None:
    conta = bling.add_account()
    assert await account.pipeline.sync("conta_receber", conta) == "criado"
    bling.settle_accounts("receber", conta)
    assert await account.pipeline.sync("conta_receber", conta) == "atualizado"
    assert await scalar(account.engine, "SELECT saldo FROM contas_receber WHERE id = :id", id=conta) == 0
