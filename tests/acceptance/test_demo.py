"""A demonstração viva: a empresa vende, a venda é coletada, e a página a mostra sem que ninguém peça."""

import re
from datetime import date

import pytest
from tests.acceptance.service_fixtures import serving
from tests.acceptance.test_webhooks import read_what_came
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock

from bling_collector.cli.demo import collect_the_rest, sell_and_announce
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.webhooks import posting_to

pytestmark = pytest.mark.bling(scale=0.01)


@pytest.mark.loaded(date(2026, 1, 1))
async def test_a_sale_is_collected_and_the_page_asks_for_it_by_itself(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    bling.webhooks.pending()
    async with serving(account.settings, clock) as http:
        note = await sell_and_announce(bling, posting_to(http, "/webhooks/bling"))
        await read_what_came(account, clock)
        stored = await rows(
            account.engine, "SELECT numero, total_nota, situacao FROM nfe_cabecalho WHERE id = :id", id=note
        )
        sold = bling.notes[note]
        assert stored == [(sold["numero"], sold["valorNota"], sold["situacao"])]
        page = (await http.get("/", headers={"Accept": "text/html"})).text
    assert re.search(r'id="situacao" hx-get="/" hx-trigger="every 15s"', page)


@pytest.mark.loaded(date(2026, 1, 1))
@pytest.mark.slow
async def test_the_rest_of_the_company_comes_after_the_notes(account: Account, bling: Bling, clock: FakeClock) -> None:
    clock.advance(60)
    await collect_the_rest(account)
    there = sum(order["data"] >= "2026-01-01" for order in bling.orders.values())
    assert await scalar(account.engine, "SELECT count(*) FROM pedidos_venda WHERE detalhe IS NOT NULL") == there
    assert await scalar(account.engine, "SELECT count(DISTINCT lido_em) FROM estoque_totais") == 1
    assert await scalar(account.engine, "SELECT status FROM etl_controle ORDER BY id DESC LIMIT 1") == "success"
