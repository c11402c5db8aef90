"""O que o Bling conta por IP: as requisições e os erros de todas as empresas, de todos os processos."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.fakes import FakeClock

from bling_collector.api.account_limits import IpLimits
from bling_collector.api.ip_share import IpShare
from bling_collector.api.pace import IP_ERRORS, IP_WINDOW
from bling_collector.config import Settings

NOW = datetime(2026, 2, 20, 9, tzinfo=UTC)
IP_REQUESTS = Settings().api_ip_limit


async def _yes() -> bool:
    return True


def share(engine: AsyncEngine, clock: FakeClock, requests: int = IP_REQUESTS) -> IpShare:
    return IpShare(IpLimits(engine, clock), clock, _yes, requests)


@pytest.mark.parametrize("processes", [1, 12])
async def test_no_ten_seconds_have_more_than_the_ip_may_ask(engine: AsyncEngine, processes: int) -> None:
    clock = FakeClock(NOW)
    shares, at = [share(engine, clock) for _ in range(processes)], list[float]()
    for turn in range(2000):
        await shares[turn % processes].turn()
        at.append(clock.monotonic())
    worst = max(sum(begin <= other < begin + IP_WINDOW for other in at) for begin in at[::7])
    assert worst <= IP_REQUESTS
    used = len(at) / (at[-1] - at[0]) / (IP_REQUESTS / IP_WINDOW)
    assert used >= 0.75 if processes == 1 else 0.4, "e aproveita-se o que há"


@pytest.mark.slow
async def test_an_error_of_one_company_counts_for_all_and_time_forgives_it(engine: AsyncEngine) -> None:
    clock = FakeClock(NOW)
    one, other = share(engine, clock), share(engine, clock)
    began = clock.monotonic()
    for _ in range(IP_ERRORS + 50):
        await one.erred()
    await other.turn()
    waited = clock.monotonic() - began
    assert IP_WINDOW * 50 / IP_ERRORS - 0.1 <= waited <= IP_WINDOW
    began = clock.monotonic()
    await asyncio.gather(*(other.turn() for _ in range(5)))
    assert clock.monotonic() - began < 1


async def test_who_has_one_company_or_counts_nothing_writes_nothing(engine: AsyncEngine) -> None:
    async def alone() -> bool:
        return False

    clock = FakeClock(NOW)
    for requests, several in ((IP_REQUESTS, alone), (0, _yes)):
        one = IpShare(IpLimits(engine, clock), clock, several, requests)
        await one.turn()
        await one.erred()
    async with engine.connect() as connection:
        counted = "SELECT count(*) FROM limites_bling WHERE ip_livre_em IS NOT NULL OR ip_erros_ate IS NOT NULL"
        assert await connection.scalar(text(counted)) == 0
