"""A demonstração viva: a empresa vende, a venda é coletada, e a página a mostra sem que ninguém peça."""

import re
from datetime import date

import pytest
from tests.acceptance.service_fixtures import serving
from tests.support.collecting import rows
from tests.support.fakes import FakeClock

from bling_collector.bootstrap import App
from bling_collector.cli.demo import sell_and_collect
from bling_simulator.bling import Bling

pytestmark = pytest.mark.bling(scale=0.01)


@pytest.mark.loaded(date(2026, 1, 1))
async def test_a_sale_is_collected_and_the_page_asks_for_it_by_itself(app: App, bling: Bling, clock: FakeClock) -> None:
    clock.advance(60)
    note = await sell_and_collect(app, bling)
    stored = await rows(app.engine, "SELECT numero, total_nota, situacao FROM nfe_cabecalho WHERE id = :id", id=note)
    sold = bling.notes[note]
    assert stored == [(sold["numero"], sold["valorNota"], sold["situacao"])]
    async with serving(app.settings, clock) as http:
        page = (await http.get("/", headers={"Accept": "text/html"})).text
    assert re.search(r'id="situacao" hx-get="/" hx-trigger="every 15s"', page)
