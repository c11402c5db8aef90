"""Os limites que o Bling conta por IP: 600 requisições e 300 erros em dez segundos, de todas as contas que dali saem
(developer.bling.com.br/limites). Uma conta só não os alcança; as de vinte empresas ao mesmo tempo, sim.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from bling_collector.api import pace
from bling_collector.api.account_limits import IpLimits
from bling_collector.api.rate_limit import RateLimiter, Turn
from bling_collector.clock import Clock

_LEASE_LIFE: Final = 1.0
"""Segundos por que valem as requisições que se tomaram."""
_LARGEST: Final = 20
_LOOK_EVERY: Final = 60.0
"""Segundos entre duas olhadas a se há mais de uma empresa."""


class IpShare:
    """A parte que este processo toma do que o IP pode pedir, aos lotes; a conta está no banco, que todos dividem.

    Onde só há uma empresa não se conta nada.
    """

    def __init__(self, limits: IpLimits, clock: Clock, several: Callable[[], Awaitable[bool]], requests: int) -> None:
        """`requests` é o limite, em `pace.IP_WINDOW` segundos; zero o desliga."""
        self._limits = limits
        self._clock = clock
        self._ask_several = several
        self._each = pace.IP_WINDOW * pace.IP_SLACK / requests if requests else 0.0
        self._several, self._looked_at = False, float("-inf")
        self._turn = asyncio.Lock()
        self._left, self._wanted = 0, 1
        self._until = self._held_until = float("-inf")

    async def counts(self) -> bool:
        """Se há o que contar."""
        now = self._clock.monotonic()
        if self._each and now - self._looked_at >= _LOOK_EVERY:
            self._looked_at = now
            self._several = await self._ask_several()
        return self._several

    async def turn(self) -> None:
        """Espera que o IP possa fazer mais uma requisição."""
        if not await self.counts():
            return
        async with self._turn:
            now = self._clock.monotonic()
            if not self._left or now >= self._until:
                # Tanto quanto se usou do lote anterior: um processo sem pressa não tira a vez aos outros.
                self._wanted = min(2 * self._wanted, _LARGEST) if not self._left else max(self._wanted - self._left, 1)
                wait = await self._limits.lease(self._wanted, self._each)
                self._left = self._wanted
                self._held_until = self._clock.monotonic() + wait
                self._until = self._held_until + _LEASE_LIFE
            self._left -= 1
            wait = self._held_until - self._clock.monotonic()
        if wait > 0:
            await self._clock.sleep(wait)

    async def erred(self) -> None:
        if await self.counts():
            await self._limits.erred()


class SharedByIp:
    """O limitador de uma conta, com a vez do IP antes da dela."""

    def __init__(self, account: RateLimiter, share: IpShare) -> None:
        self._account = account
        self._share = share

    async def reserve(self) -> Turn:
        await self._share.turn()
        return await self._account.reserve()

    async def reserve_again(self) -> Turn:
        return await self._account.reserve_again()

    async def accepted(self, *, error: bool = False) -> None:
        if error:
            await self._share.erred()
        await self._account.accepted(error=error)

    async def throttled(self) -> None:
        await self._share.erred()
        await self._account.throttled()

    async def failed(self, *, blocked: bool = False, probe: bool = False, again: bool = False) -> None:
        await self._share.erred()
        await self._account.failed(blocked=blocked, probe=probe, again=again)

    async def exhausted(self) -> None:
        await self._share.erred()
        await self._account.exhausted()
