"""A memória não cresce com o período: doze mil notas cabem onde cabem mil e duzentas."""

import sys

import pytest
from tests.support.one_run import OneRun

from bling_collector.db.connection.database import close
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer

_peaks: dict[int, int] = {}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="o pico é lido em /proc")
@pytest.mark.parametrize(
    "count",
    [
        pytest.param(1_200, marks=pytest.mark.bling(volumes={2025: (1_200, 30)})),
        pytest.param(12_000, marks=pytest.mark.bling(volumes={2025: (12_000, 300)})),
    ],
)
async def test_twelve_thousand_notas_fit_in_the_memory_of_twelve_hundred(
    server: RunningServer, bling: Bling, account: Account, database_url: str, count: int
) -> None:
    """O processo que coleta é outro que não o do simulador: o que se mede é o pico dele, em KB."""
    await close(account.engine)
    run = await OneRun.start(server, database_url, "2025-01-01")
    await run.ready()
    answer = await run.finish()
    assert answer["status"] == "success"
    _peaks[count] = int(answer["peak"])
    if len(_peaks) == 2:
        growth = _peaks[12_000] - _peaks[1_200]
        assert growth < 16_384, f"{growth} KB a mais para 10.800 notas: {_peaks}"
