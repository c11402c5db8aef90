"""Os lotes dos produtos: que produtos os têm, os lotes, o saldo e os lançamentos de cada um, uma vez por semana."""

from datetime import date
from typing import Any

import pytest
from tests.support.collecting import rows
from tests.support.fakes import FakeClock

from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

START = date(2026, 2, 1)
DAY = 86_400.0
LOTS, LAUNCHES = "/produtos/lotes", "/produtos/lotes/{lote_id}/lancamentos"
BALANCES = "/produtos/{produto_id}/lotes/depositos/{deposito_id}/saldo"
RECURSOS = ("produtos_lojas", "produtos_lotes", "produtos_lotes_saldos", "produtos_lotes_lancamentos")
pytestmark = [pytest.mark.bling(scale=0.02), pytest.mark.collector(recursos=RECURSOS)]


async def assert_equals(account: Account, bling: Bling) -> None:
    lots, balances, launches = (
        [entry.detail for entry in bling.dimensions[path].entries.values()] for path in (LOTS, BALANCES, LAUNCHES)
    )
    assert lots
    held = "SELECT id, produto_id, codigo, situacao FROM produtos_lotes WHERE excluida_em IS NULL ORDER BY 1"
    assert await rows(account.engine, held) == [
        (each["idLote"], each["produto"]["id"], each["codigoLote"], " AI"[each["status"]]) for each in lots
    ]
    held = "SELECT id, saldo FROM produtos_lotes_saldos WHERE excluida_em IS NULL ORDER BY 1"
    assert await rows(account.engine, held) == [(each["idLote"], each["saldoAtual"]) for each in balances]
    held = "SELECT id, lote_id, tipo, quantidade FROM produtos_lotes_lancamentos WHERE excluida_em IS NULL ORDER BY 1"
    assert await rows(account.engine, held) == [
        (each["id"], each["idLote"], each["tipoLancamento"], each["quantidade"]) for each in launches
    ]


@pytest.mark.parametrize(
    "reading",
    [{"most_array_values": 3}, {"status_filters_are_ignored": True}],
    ids=lambda reading: next(iter(reading)),
)
@pytest.mark.slow
async def test_the_lots_are_read_whole_once_a_week(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    assert (await account.pipeline.run_full(START)).status == "success"
    await assert_equals(account, bling)
    asked = []
    for _ in range(7):
        bling.counters.reset()
        clock.advance(DAY)
        assert (await account.pipeline.run()).status == "success"
        asked.append(len([path for path in bling.counters.requests if "lotes" in path]))
    *usual, weekly = sorted(asked)
    assert usual == [0] * 6, "um dia comum não pede lotes"
    assert weekly == 4, "todos no mesmo dia"
    lots = bling.dimensions[LOTS].entries
    sold, thrown = min(lots), max(lots)
    bling.edit_dimension(BALANCES, sold, saldoAtual=1)
    bling.edit_dimension(LOTS, sold, status=2)
    for path, id_ in ((LOTS, thrown), (BALANCES, thrown)):
        bling.delete_dimension(path, id_)
    for id_ in [id_ for id_, each in bling.dimensions[LAUNCHES].entries.items() if each.detail["idLote"] == thrown]:
        bling.delete_dimension(LAUNCHES, id_)
    clock.advance(7 * DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals(account, bling)
