"""Os borderôs: só se pedem pelo id, os que as contas citam, e o que muda deles só o detalhe o diz."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from sqlalchemy import text
from tests.support.collecting import rows, scalar
from tests.support.commands import Terminal, variables_for
from tests.support.fakes import FakeClock

from bling_collector.payload import measured
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.clock import local_now
from bling_simulator.server import RunningServer

START = date(2025, 6, 1)
DAY = 86_400.0
pytestmark = [
    pytest.mark.bling(scale=0.02),
    pytest.mark.collector(recursos=("contas_receber", "contas_pagar", "borderos")),
]
_GONE = "SELECT excluida_em IS NOT NULL FROM borderos WHERE id = :id"


async def cited(account: Account, bling: Bling) -> set[int]:
    """Os das contas que se coletaram: das a receber de antes do começo, só as que ainda estão em aberto."""
    held = await rows(account.engine, "SELECT id FROM contas_receber WHERE excluida_em IS NULL")
    accounts = [bling.receivables[id_] for (id_,) in held]
    return {each for conta in (*accounts, *bling.payables.values()) for each in conta["borderos"]}


async def assert_equals_the_borderos(account: Account, bling: Bling) -> None:
    """Cada borderô citado, com os seus pagamentos, é o do Bling; e não há outro."""
    expected = {id_: bling.borderos[id_] for id_ in sorted(await cited(account, bling))}
    found = await rows(
        account.engine,
        "SELECT b.id, data, historico, array_agg(valor_pago ORDER BY ordem), sum(juros), sum(tarifa) FROM borderos b "
        "JOIN borderos_pagamentos ON bordero_id = b.id WHERE excluida_em IS NULL GROUP BY 1 ORDER BY 1",
    )
    assert found == [
        (
            id_,
            date.fromisoformat(each["data"]),
            each["historico"],
            [measured(payment["valorPago"]) for payment in each["pagamentos"]],
            *(sum(payment[name] for payment in each["pagamentos"]) for name in ("juros", "tarifa")),
        )
        for id_, each in expected.items()
    ]


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.slow
async def test_the_cited_ones_and_those_cited_later_are_collected(
    account: Account, bling: Bling, clock: FakeClock, noise: bool
) -> None:
    bling.configure(money_has_float_noise=noise)
    receivable, payable = bling.add_account(), bling.add_account("pagar")
    assert (await account.pipeline.run_full(START)).status == "success"
    await assert_equals_the_borderos(account, bling)
    clock.advance(DAY)
    bling.settle_accounts("receber", receivable)
    bling.settle_accounts("pagar", payable, amount=Decimal(30))
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_borderos(account, bling)
    assert (await account.pipeline.reconcile()).status == "success"


@pytest.mark.slow
async def test_a_recent_one_that_changes_or_disappears_is_seen(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    today = local_now(bling.clock).date()
    accounts = [bling.add_account() for _ in range(4)]
    recent, gone, reversed_ = (bling.settle_accounts("receber", conta) for conta in accounts[:3])
    old = bling.settle_accounts("receber", accounts[3], on=today - timedelta(days=60))
    await account.pipeline.run_full(START)
    clock.advance(7 * DAY)
    bling.edit_bordero(recent, historico="Corrigido")
    bling.edit_bordero(old, historico="Corrigido tarde")
    bling.reopen_account("receber", accounts[2])
    bling.delete_bordero(gone)
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT count(*) FROM borderos WHERE excluida_em IS NOT NULL") == 0, "um 404 só"
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    said = "SELECT historico FROM borderos WHERE id = :id"
    assert await scalar(account.engine, said, id=recent) == "Corrigido"
    assert await scalar(account.engine, said, id=old) != "Corrigido tarde"
    assert [await scalar(account.engine, _GONE, id=each) for each in (recent, gone, reversed_)] == [False, True, True]
    noted = "SELECT count(*) FROM historico WHERE tabela = 'borderos' AND mudancas ? 'excluida_em'"
    assert await scalar(account.engine, noted) == 2
    clock.advance(DAY)
    assert (await account.pipeline.reconcile(repair=True)).status == "success"
    assert await scalar(account.engine, said, id=old) == "Corrigido tarde"


async def test_one_is_read_again_with_its_conta(account: Account, bling: Bling, clock: FakeClock) -> None:
    conta = bling.add_account()
    corrected = bling.settle_accounts("receber", conta, amount=Decimal(40))
    other = bling.settle_accounts("receber", bling.add_account())
    await account.pipeline.run_full(START)
    clock.advance(DAY)
    bling.edit_bordero(corrected, historico="Corrigido")
    bling.edit_account("receber", conta, saldo=bling.receivables[conta]["saldo"] - 1)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    said = "SELECT historico FROM borderos WHERE id = :id"
    assert await scalar(account.engine, said, id=corrected) == "Corrigido"
    assert bling.counters.details[f"/borderos/{other}"] == 0
    bling.counters.reset()
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    assert bling.counters.details[f"/borderos/{corrected}"] == 0


@pytest.mark.parametrize("lado", ["receber", "pagar"])
@pytest.mark.slow
async def test_a_payment_undone_and_made_again_is_the_new_one(
    account: Account, bling: Bling, clock: FakeClock, lado: Literal["receber", "pagar"]
) -> None:
    """Entre duas execuções: a linha da conta, paga antes e paga depois, é a mesma."""
    conta = bling.add_account(lado)
    undone = bling.settle_accounts(lado, conta)
    assert (await account.pipeline.run_full(START)).status == "success"
    bling.reopen_account(lado, conta)
    again = bling.settle_accounts(lado, conta)
    linked = "SELECT bordero_id FROM contas_borderos WHERE conta_id = :id"
    for days in (7, 1, 1):  # um 404 só não diz que já não há, e a conta lê-se na seguinte
        clock.advance(days * DAY)
        assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, linked, id=conta) == again != undone
    assert await scalar(account.engine, _GONE, id=undone)
    assert not await scalar(account.engine, _GONE, id=again)


@pytest.mark.parametrize("lado", ["receber", "pagar"])
@pytest.mark.parametrize("repairing", [False, True], ids=["na semana", "reparando"])
@pytest.mark.slow
async def test_an_old_payment_undone_and_made_today_is_the_new_one(
    account: Account, bling: Bling, clock: FakeClock, lado: Literal["receber", "pagar"], repairing: bool
) -> None:
    """O borderô antigo continua a existir, com o pagamento de outra conta, e já não se relê; a linha é a mesma."""
    conta, other = bling.add_account(lado), bling.add_account(lado)
    long_ago = bling.settle_accounts(lado, conta, other, on=local_now(bling.clock).date() - timedelta(days=90))
    assert (await account.pipeline.run_full(START)).status == "success"
    bling.reopen_account(lado, conta)
    again = bling.settle_accounts(lado, conta)
    clock.advance(DAY)
    if repairing:
        assert (await account.pipeline.reconcile(START, repair=True)).status == "success"
    else:
        clock.advance(6 * DAY)
        assert (await account.pipeline.run()).status == "success"
    linked = "SELECT bordero_id FROM contas_borderos WHERE conta_id = :id"
    assert await scalar(account.engine, linked, id=conta) == again != long_ago
    assert await scalar(account.engine, "SELECT data FROM borderos WHERE id = :id", id=again)


@pytest.mark.slow
async def test_one_that_answers_again_is_no_longer_deleted(account: Account, bling: Bling, clock: FakeClock) -> None:
    bordero = bling.settle_accounts("receber", bling.add_account())
    await account.pipeline.run_full(START)
    kept = bling.ledger.books.borderos.pop(bordero)
    clock.advance(7 * DAY)
    await account.pipeline.run()
    clock.advance(DAY)
    await account.pipeline.run()
    assert await scalar(account.engine, _GONE, id=bordero)
    bling.ledger.books.borderos[bordero] = kept
    assert await account.pipeline.sync("bordero", bordero) == "atualizado"
    assert not await scalar(account.engine, _GONE, id=bordero)


@pytest.mark.slow
async def test_a_404_that_is_contradicted_does_not_count(account: Account, bling: Bling, clock: FakeClock) -> None:
    bordero = bling.settle_accounts("receber", bling.add_account())
    await account.pipeline.run_full(START)
    kept = bling.ledger.books.borderos.pop(bordero)
    for there in (False, True, False):
        bling.ledger.books.borderos |= {bordero: kept} if there else {}
        clock.advance(7 * DAY)
        assert (await account.pipeline.run()).status == "success"
        assert not await scalar(account.engine, _GONE, id=bordero)
        bling.ledger.books.borderos.pop(bordero, None)


@pytest.mark.slow
async def test_an_old_one_no_conta_cites_may_already_be_gone(account: Account, bling: Bling, clock: FakeClock) -> None:
    accounts = [bling.add_account() for _ in range(2)]
    days_ago = local_now(bling.clock).date() - timedelta(days=60)
    reversed_, orphan = (bling.settle_accounts("receber", conta, on=days_ago) for conta in accounts)
    await account.pipeline.run_full(START)
    bling.reopen_account("receber", accounts[0])
    bling.delete_account("receber", accounts[1])
    bling.delete_bordero(orphan)
    for _ in range(3):
        clock.advance(DAY)
        assert (await account.pipeline.run()).status == "success"
    assert [await scalar(account.engine, _GONE, id=each) for each in (reversed_, orphan)] == [True, True]


@pytest.mark.slow
async def test_many_that_disappear_wait_for_a_person_to_confirm(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    borderos = [bling.settle_accounts("receber", bling.add_account()) for _ in range(40)]
    await account.pipeline.run_full(START)
    for bordero in borderos:
        bling.delete_bordero(bordero)
    clock.advance(7 * DAY)
    assert (await account.pipeline.run()).status == "success"
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "partial"
    assert await scalar(account.engine, "SELECT count(*) FROM borderos WHERE excluida_em IS NOT NULL") == 0


@pytest.mark.slow
async def test_a_cited_one_that_does_not_exist_is_asked_for_once_more_the_next_day(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    bordero = bling.settle_accounts("receber", bling.add_account())
    bling.delete_bordero(bordero)
    assert (await account.pipeline.run_full(START)).status == "success"
    assert await scalar(account.engine, "SELECT nao_encontrado_em IS NOT NULL FROM borderos WHERE id = :id", id=bordero)
    for wait, asked in ((0, 0), (DAY, 1), (0, 0)):
        clock.advance(wait)
        bling.counters.reset()
        assert (await account.pipeline.run()).status == "success"
        assert bling.counters.statuses[404] == asked


@pytest.mark.slow
@pytest.mark.collector(recursos=("contas_receber", "borderos"))
async def test_the_first_one_failing_is_not_the_resource_failing(account: Account, bling: Bling) -> None:
    """Sem nenhum borderô no banco, nem listagem que o diga, pergunta-se por um que ninguém tem."""
    only = bling.settle_accounts("receber", bling.add_account())
    bling.fail(rf"^/borderos/{only}$", "server_error")
    assert (await account.pipeline.run_full(local_now(bling.clock).date())).status == "partial"
    owed = "SELECT recurso, recurso_id FROM pendencias"
    assert await rows(account.engine, owed) == [("borderos", str(only))]
    bling.faults.clear()
    assert (await account.pipeline.retry()).status == "success"
    assert await scalar(account.engine, "SELECT detalhe IS NOT NULL FROM borderos WHERE id = :id", id=only)


@pytest.mark.slow
async def test_reprocessed_it_is_the_same(account: Account, bling: Bling) -> None:
    await account.pipeline.run_full(START)
    async with account.engine.begin() as connection:
        await connection.execute(text("UPDATE borderos SET historico = NULL"))
        await connection.execute(text("DELETE FROM borderos_pagamentos"))
    assert (await account.pipeline.reprocess()).status == "success"
    await assert_equals_the_borderos(account, bling)


@pytest.mark.slow
async def test_the_doctor_asks_for_no_listing_that_does_not_exist(
    account: Account, bling: Bling, server: RunningServer, tmp_path: Path
) -> None:
    bling.counters.reset()
    terminal = Terminal(tmp_path, variables_for(account.settings, server))
    done = await terminal.run("doctor", RECURSOS="contas_pagar,borderos")
    assert "deixa ler «Contas a pagar» e «Borderôs»" in done.out
    assert bling.counters.requests["/borderos"] == 0
    bling.configure(missing_scopes=frozenset({"/borderos"}))
    done = await terminal.run("doctor", RECURSOS="contas_pagar,borderos")
    assert "falta ao aplicativo a de ler «Borderôs»" in done.out
