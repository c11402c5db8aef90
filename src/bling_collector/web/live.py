"""O andamento da execução em curso, lido uma vez por segundo por mais páginas que a acompanhem."""

import asyncio
from typing import Final

from bling_collector.db.connection.database import explained
from bling_collector.insight.live import LiveRun, Pace, load_live
from bling_collector.workplace.account import Account

EVERY: Final = 1.0
"""Segundos entre duas olhadas a uma execução em curso."""
_ALMOST: Final = 0.95


class Live:
    """A última olhada e o ritmo que se tira delas. De uma empresa só corre uma execução de cada vez, e só dela se
    guardam."""

    def __init__(self) -> None:
        self._run_id = 0
        self._pace = Pace()
        self._looked_at = 0.0
        self._looking: asyncio.Task[LiveRun] | None = None

    async def look(self, account: Account, run_id: int) -> tuple[LiveRun, Pace]:
        """A execução como `load_live` a dá, com até um segundo de idade, e o ritmo dela."""
        now = asyncio.get_running_loop().time()
        if run_id != self._run_id:
            self._run_id, self._pace, self._looking = run_id, Pace(), None
        if self._looking is None or (self._looking.done() and now - self._looked_at >= EVERY * _ALMOST):
            self._looked_at = now
            self._looking = asyncio.create_task(_look(account, run_id, self._pace))
            self._looking.add_done_callback(lambda done: done.cancelled() or done.exception())  # quem espera o recebe
        pace = self._pace
        return await asyncio.shield(self._looking), pace


async def _look(account: Account, run_id: int, pace: Pace) -> LiveRun:
    async with explained(account.engine.url):
        live = await load_live(account.engine, run_id)
    pace.add(asyncio.get_running_loop().time(), live.run.requisicoes)
    return live
