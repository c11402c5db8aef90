"""O resumo do dia: o que diz, a quem, quantas vezes, e que nunca atrapalha a coleta."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.support.collecting import authorise as authorise_account
from tests.support.fakes import FakeClock
from tests.support.inbox import Inbox, open_inbox
from tests.support.selling import sold

from bling_collector.clock import brasilia_day
from bling_collector.config import Secret, Settings
from bling_collector.words import money, plural
from bling_collector.workplace.account import open_account
from bling_simulator.bling import Bling

START = date(2025, 1, 1)
DAY = 86_400.0
VALID = (5, 6, 7)
pytestmark = [
    pytest.mark.bling(scale=0.05),
    pytest.mark.collector(recursos=("nfe", "contas_receber"), extraction_lookback_days=10),
]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with open_inbox() as opened:
        yield opened


def digests(inbox: Inbox) -> list[str]:
    return [each["message"] for each in inbox.received if "resumo" in each["title"]]


def sold_between(bling: Bling, first: date, last: date) -> str:
    found = [
        value
        for note in bling.notes.values()
        if note["tipo"] == 1 and note["situacao"] in VALID and (value := sold(note)) is not None
        if first.isoformat() <= note["dataEmissao"][:10] <= last.isoformat()
    ]
    return f"{plural(len(found), 'nota', 'notas')}, {money(sum(found, Decimal(0)))}"


@pytest.mark.slow
async def test_the_digest_says_what_was_sold_once_a_day_and_not_to_whom(
    settings: Settings, clock: FakeClock, bling: Bling, inbox: Inbox
) -> None:
    yesterday = brasilia_day(clock.now())
    bling.issue_note()
    asked = replace(settings, alert_urls=Secret(inbox.url), alert_digest=True)
    async with open_account(asked, clock=clock) as account:
        await authorise_account(account, bling)
        assert (await account.pipeline.run_full(START)).status == "success"
        assert digests(inbox) == [], "só a execução diária"
        clock.advance(DAY)
        inbox.status = 500
        assert (await account.pipeline.run()).status == "success"
        assert digests(inbox) == []
        inbox.status = 200
        for _ in range(2):
            assert (await account.pipeline.run()).status == "success"
        (said,) = digests(inbox)
        clock.advance(DAY)
        assert (await account.pipeline.run()).status == "success"
        assert len(digests(inbox)) == 2
    lines = said.splitlines()
    year_before = yesterday.replace(year=yesterday.year - 1)
    assert sold_between(bling, yesterday, yesterday) in lines[0]
    month = sold_between(bling, yesterday.replace(day=1), yesterday)
    assert month in lines[1]
    assert sold_between(bling, year_before.replace(day=1), year_before) in lines[1]
    today = (yesterday + timedelta(days=1)).isoformat()
    oldest = (yesterday - timedelta(days=5 * 363)).isoformat()  # o que a releitura semanal das vencidas alcança
    waiting = [each for each in bling.receivables.values() if each["situacao"] in (1, 3)]
    waiting = [each for each in waiting if each["vencimento"] >= oldest]
    overdue = [each for each in waiting if each["vencimento"] < today]
    total, late = (sum((Decimal(str(each["saldo"])) for each in some), Decimal(0)) for some in (waiting, overdue))
    assert lines[2] == f"A receber: {money(total)} em aberto, de que {money(late)} já venceram."
    assert any(line.startswith("- Contas a receber vencidas: ") and money(late) in line for line in lines)
    assert lines[-1].startswith("Os dados: ")
    for contact in bling.contacts.values():
        assert contact["nome"] not in said
        assert not contact["numeroDocumento"] or contact["numeroDocumento"] not in said


@pytest.mark.slow
async def test_no_digest_unless_asked_and_one_that_fails_does_not_fail_the_run(
    settings: Settings, clock: FakeClock, bling: Bling, inbox: Inbox
) -> None:
    async with open_account(replace(settings, alert_urls=Secret(inbox.url)), clock=clock) as account:
        await authorise_account(account, bling)
        await account.pipeline.run()
    assert digests(inbox) == []
    asked = replace(settings, alert_urls=Secret("json://127.0.0.1:1/x nada://y"), alert_digest=True)
    async with open_account(asked, clock=clock) as account:
        async with account.engine.begin() as connection:
            await connection.exec_driver_sql("DROP VIEW vw_contas_receber_idade, vw_contas CASCADE")
        assert (await account.pipeline.run()).status == "success"
