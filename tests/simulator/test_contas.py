"""`/contas/receber` e `/contas/pagar`: o que as listas mostram, e as armadilhas dos períodos."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from bling_simulator import Bling, ManualClock
from bling_simulator.clock import local_now
from bling_simulator.payload import Json

RECEIVABLES, PAYABLES = "/contas/receber", "/contas/pagar"


async def ids(client: httpx2.AsyncClient, path: str, **params: Any) -> set[int]:
    found: list[Json] = []
    while page := (await client.get(path, params={**params, "pagina": 1 + len(found) // 100})).json()["data"]:
        found.extend(page)
        if len(page) < 100:
            break
    return {row["id"] for row in found}


def days(bling: Bling) -> tuple[date, date]:
    today = local_now(bling.clock).date()
    return today - timedelta(days=365), today


def test_the_books_close(bling: Bling) -> None:
    """O que se pagou por borderôs, menos os juros, é o que falta ao saldo; todo borderô tem lançamento."""
    settled: Counter[str] = Counter()
    for bordero in bling.borderos.values():
        for each in bordero["pagamentos"]:
            settled[each["numeroDocumento"]] += each["valorPago"] - each["juros"]
    numbers = Counter(each["numeroDocumento"] for each in bling.receivables.values())
    for account in bling.receivables.values():
        if account["borderos"] and numbers[account["numeroDocumento"]] == 1:
            assert account["valor"] - account["saldo"] == settled[account["numeroDocumento"]]
        assert (account["situacao"] == 2) <= (account["saldo"] == 0)
    accounts = (*bling.receivables.values(), *bling.payables.values())
    assert {each for account in accounts for each in account["borderos"]} == bling.borderos.keys()
    assert {account["situacao"] for account in accounts} == set(range(1, 8))
    assert any(len(bordero["pagamentos"]) > 1 for bordero in bling.borderos.values())
    assert any(len(account["borderos"]) > 1 for account in accounts)
    entries = [each for each in bling.cash_entries.values() if each["origem"]["tipo"] == "bordero"]
    assert [each["origem"]["id"] for each in entries] == list(bling.borderos)


async def test_the_default_is_the_last_year_by_emission(client: httpx2.AsyncClient, bling: Bling) -> None:
    first, last = days(bling)
    future = bling.add_account(emitted_on=last + timedelta(days=2))
    recent = {i for i, each in bling.receivables.items() if f"{first}" <= each["dataEmissao"] <= f"{last}"}
    assert await ids(client, RECEIVABLES) == recent
    assert recent < bling.receivables.keys() - {future}
    assert future in await ids(client, RECEIVABLES, dataInicial=f"{last}", dataFinal=f"{last + timedelta(days=9)}")
    assert await ids(client, RECEIVABLES, dataInicial=f"{last}") == recent


async def test_three_dates(client: httpx2.AsyncClient, bling: Bling) -> None:
    day = date(2025, 3, 3)
    account = bling.add_account(emitted_on=day, due_on=day + timedelta(days=30))
    bling.settle_accounts("receber", account, on=day + timedelta(days=60))
    for axis, after in (("E", 0), ("V", 30), ("R", 60)):
        for offset in (0, 30, 60):
            span = {"dataInicial": f"{day + timedelta(days=offset)}", "dataFinal": f"{day + timedelta(days=offset)}"}
            found = await ids(client, RECEIVABLES, tipoFiltroData=axis, **span)
            assert (account in found) is (after == offset)
    assert (await client.get(RECEIVABLES, params={"tipoFiltroData": "X"})).status_code == 400


async def test_the_filter_of_situations_knows_five(client: httpx2.AsyncClient, bling: Bling) -> None:
    _, last = days(bling)
    span = {"dataInicial": f"{last - timedelta(days=300)}", "dataFinal": f"{last}"}
    whole = await ids(client, RECEIVABLES, **span)
    by_status = [await ids(client, RECEIVABLES, **span, **{"situacoes[]": n}) for n in range(1, 6)]
    assert whole - set().union(*by_status) == {i for i in whole if bling.receivables[i]["situacao"] in {6, 7}}
    assert await ids(client, RECEIVABLES, **span, situacao=1) == whole
    assert (await client.get(RECEIVABLES, params={"situacoes[]": 6})).status_code == 400


async def test_both_readings_of_the_periods(client: httpx2.AsyncClient, bling: Bling) -> None:
    span = {"dataInicial": "2025-03-01", "dataFinal": "2025-03-02"}
    assert len(await ids(client, RECEIVABLES, **span)) < len(bling.receivables)
    bling.configure(receivable_filters_are_ignored=True)
    assert await ids(client, RECEIVABLES, **span) == bling.receivables.keys()
    due = {"dataVencimentoInicial": "2025-03-01", "dataVencimentoFinal": "2025-03-31"}
    inside = {i for i, each in bling.payables.items() if "2025-03-01" <= each["vencimento"] <= "2025-03-31"}
    assert await ids(client, PAYABLES, **due) == inside
    bling.configure(payable_filters_are_ignored=True)
    assert await ids(client, PAYABLES, **due) == bling.payables.keys()


async def test_payables_are_all_there(client: httpx2.AsyncClient, bling: Bling) -> None:
    assert await ids(client, PAYABLES) == bling.payables.keys()
    row = (await client.get(PAYABLES)).json()["data"][0]
    assert row.keys() == {"id", "situacao", "vencimento", "valor", "contato", "formaPagamento"}
    paid = {i for i, each in bling.payables.items() if each["situacao"] == 2}
    assert await ids(client, PAYABLES, situacao=2) == paid
    assert (await client.get(PAYABLES, params={"situacao": 6})).status_code == 400


async def test_a_reversal_takes_the_bordero_away(client: httpx2.AsyncClient, bling: Bling) -> None:
    one, two = bling.add_account(), bling.add_account()
    shared = bling.settle_accounts("receber", one, two)
    alone = bling.settle_accounts("receber", bling.add_account(), amount=Decimal(30))
    assert bling.receivables[one] | {"saldo": 0, "situacao": 2, "borderos": [shared]} == bling.receivables[one]
    bling.reopen_account("receber", one)
    assert (bling.receivables[one]["borderos"], bling.receivables[one]["situacao"]) == ([], 1)
    assert shared in bling.borderos
    bling.reopen_account("receber", two)
    assert shared not in bling.borderos
    partly = next(i for i, each in bling.receivables.items() if each["borderos"] == [alone])
    assert (bling.receivables[partly]["situacao"], bling.receivables[partly]["saldo"]) == (3, 70)


@pytest.mark.parametrize("stays", [False, True])
async def test_both_readings_of_a_deleted_one(client: httpx2.AsyncClient, bling: Bling, stays: bool) -> None:
    bling.configure(deleted_accounts_stay_cancelled=stays)
    account = bling.add_account("pagar")
    bling.delete_account("pagar", account)
    assert (account in await ids(client, PAYABLES)) is stays
    assert (await client.get(f"{PAYABLES}/{account}")).status_code == (200 if stays else 404)


def test_what_is_sold_later_is_received_later(bling: Bling, clock: ManualClock) -> None:
    before = set(bling.receivables)
    note = bling.sell()
    new = [bling.receivables[each] for each in bling.receivables.keys() - before]
    if bling.notes[note]["situacao"] != 2 and bling.notes[note]["contato"]["id"]:
        assert sum(each["valor"] for each in new) == bling.notes[note]["valorNota"]
        assert {each["origem"]["id"] for each in new} == {note}


def test_another_account_has_other_ids(bling: Bling) -> None:
    before = {*bling.receivables, *bling.borderos}
    bling.become_another()
    assert bling.receivables
    assert not before & {*bling.receivables, *bling.borderos}
    assert {each for one in bling.receivables.values() for each in one["borderos"]} <= bling.borderos.keys()


async def test_a_bordero_is_only_given_by_its_id(client: httpx2.AsyncClient, bling: Bling) -> None:
    bordero = bling.settle_accounts("pagar", bling.add_account("pagar"))
    assert (await client.get(f"/borderos/{bordero}")).json()["data"]["pagamentos"][0]["valorPago"] == 100
    assert (await client.get("/borderos")).status_code == 404
    bling.delete_bordero(bordero)
    assert (await client.get(f"/borderos/{bordero}")).status_code == 404
