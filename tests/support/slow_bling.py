"""Um Bling que demora, num relógio que só anda quando todos esperam: o ritmo mede-se sem depender da máquina."""

import asyncio
from heapq import heappop, heappush
from itertools import count
from typing import Final

import httpx2
from tests.support.fakes import FakeClock

from bling_collector.api.network import routes
from bling_collector.db.connection.core import AsyncEngine

_QUIET: Final = 25
"""Voltas seguidas do laço sem que nada se mova: o que estava por correr já correu."""


class VirtualClock(FakeClock):
    """Vai até quem acorda primeiro, quando o banco e a rede já nada devem a ninguém."""

    engine: AsyncEngine | None = None
    on_the_wire = 0
    _turn: asyncio.Task[None] | None = None

    def begin(self, engine: AsyncEngine) -> None:
        """Daqui em diante dormir é esperar pelos outros; antes, a hora anda na hora."""
        self.engine, self._sleepers, self._order = engine, list[tuple[float, int, asyncio.Event]](), count()

    async def sleep(self, seconds: float) -> None:
        if self.engine is None or seconds <= 0:
            return await super().sleep(seconds)
        woken = asyncio.Event()
        heappush(self._sleepers, (self.elapsed + seconds, next(self._order), woken))
        if self._turn is None or self._turn.done():
            self._turn = asyncio.ensure_future(self._go_on())
        await woken.wait()
        return None

    async def _go_on(self) -> None:
        while self._sleepers:
            quiet = 0
            while quiet < _QUIET:
                quiet = quiet + 1 if self._is_quiet() else 0
                await asyncio.sleep(0 if quiet else 0.0005)
            wake, _, woken = heappop(self._sleepers)
            self.elapsed = max(self.elapsed, wake)
            woken.set()

    def _is_quiet(self) -> bool:
        assert self.engine is not None
        pool = self.engine.sync_engine.pool
        return self.on_the_wire == 0 and pool.checkedout() <= 1  # type: ignore[attr-defined] # a da tranca


class SlowWire(httpx2.AsyncBaseTransport):
    """A rede, com a demora que se pede em cada resposta; anota quando cada requisição saiu, e quantas havia em voo."""

    def __init__(self, clock: VirtualClock, latency: float) -> None:
        self._clock = clock
        self._latency = latency
        self._network = routes()
        self._flying = 0
        self.sent: list[tuple[float, httpx2.URL]] = []
        self.most_flying = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self._clock.engine is None:
            return await self._network.handle_async_request(request)
        self.sent.append((self._clock.monotonic(), request.url))
        self._flying += 1
        self.most_flying = max(self.most_flying, self._flying)
        self._clock.on_the_wire += 1
        try:
            response = await self._network.handle_async_request(request)
            await response.aread()
        finally:
            self._clock.on_the_wire -= 1
        try:
            await self._clock.sleep(self._latency)
        finally:
            self._flying -= 1
        return response

    async def aclose(self) -> None:
        await self._network.aclose()

    def pace(self, delay: float) -> float:
        """Do que `delay` permite, quanto saiu, entre a primeira requisição e a última."""
        (began, _), (ended, _) = self.sent[0], self.sent[-1]
        return len(self.sent) / ((ended - began) / delay + 1)
