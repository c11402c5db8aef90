"""O que os testes põem no lugar do relógio e do banco."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bling_collector.auth.tokens import Token
from bling_collector.clock import is_weekly_due

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class FakeClock:
    """Um relógio que só anda quando alguém dorme, e então anda na hora."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self.elapsed = 0.0
        self.slept: list[float] = []
        """As esperas pedidas, em segundos; as nulas não contam."""

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        """Duas esperas ao mesmo tempo correm juntas: o relógio vai até o fim da mais longa."""
        wake = self.elapsed + seconds
        if seconds > 0:
            self.slept.append(seconds)
        await asyncio.sleep(0)
        self.elapsed = max(self.elapsed, wake)

    def advance(self, seconds: float) -> None:
        self.elapsed += seconds

    def advance_to_its_day(self, whose: object) -> None:
        """Até o dia da semana de `whose`, hoje ou depois: os seis seguintes são dos outros."""
        while not is_weekly_due(self.now() - timedelta(days=1), self.now(), whose):
            self.advance(86_400.0)


class TickingClock(FakeClock):
    """Um relógio que anda um milissegundo a cada vez que é lido, e de repente quando alguém dorme."""

    def now(self) -> datetime:
        self.advance(0.001)
        return super().now()


class MemoryTokenStore:
    """O TokenStore na memória, com a tranca de um processo só."""

    def __init__(self, token: Token | None = None) -> None:
        self.token = token
        self.proposal: Token | None = None
        self.saved: list[Token] = []
        self._lock = asyncio.Lock()

    async def read(self) -> Token | None:
        return self.token

    async def check_writable(self) -> None:
        await asyncio.sleep(0)

    async def save(self, token: Token) -> None:
        await asyncio.sleep(0)
        self.token, self.proposal = token, None
        self.saved.append(token)

    async def refuse(self, at: datetime) -> None:
        await asyncio.sleep(0)
        if self.token:
            self.token = replace(self.token, refused_at=at)

    async def propose(self, token: Token) -> None:
        await asyncio.sleep(0)
        self.proposal = token

    async def proposed(self) -> Token | None:
        return self.proposal

    async def has_proposed(self) -> bool:
        return self.proposal is not None

    async def forget_proposed(self) -> None:
        self.proposal = None

    @asynccontextmanager
    async def locked(self) -> AsyncIterator["MemoryTokenStore"]:
        async with self._lock:
            yield self


class MemoryStateStore:
    def __init__(self) -> None:
        self._spent: set[str] = set()

    async def spend(self, value: str, ends_at: datetime, now: datetime) -> bool:
        is_new = value not in self._spent
        self._spent.add(value)
        return is_new

    async def is_spent(self, value: str) -> bool:
        return value in self._spent
