"""Uma execução inteira diante de um Bling que cai, que limita e que bloquearia o IP."""

import logging
import socket
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.support.collecting import authorise
from tests.support.fakes import FakeClock
from tests.support.truth import assert_equals_truth
from tests.support.variants import one_now

from bling_collector.config import Settings
from bling_collector.workplace.account import Account, open_account
from bling_simulator.bling import Bling

START = date(2021, 1, 1)


class _Healer(logging.Handler):
    """O Bling volta assim que o coletor diz que vai deixá-lo em paz."""

    def __init__(self, bling: Bling) -> None:
        super().__init__(logging.ERROR)
        self._bling = bling
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
        self._bling.faults.clear()


@pytest.mark.slow
@pytest.mark.bling(scale=0.1)
async def test_a_bling_that_falls_for_a_while_is_left_in_peace_and_then_asked_again(
    account: Account, bling: Bling
) -> None:
    bling.fail(r"^/nfe/\d+$", "bad_gateway", after=20)
    healer = _Healer(bling)
    logger = logging.getLogger("bling_collector.api.account_limits")
    logger.addHandler(healer)
    try:
        result = await account.pipeline.run_full(START)
    finally:
        logger.removeHandler(healer)
    assert (result.status, result.message) == ("success", None)
    assert len(healer.said) == 1
    assert "nada mais lhe é pedido até" in healer.said[0]
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.bling(scale=0.1)
async def test_a_bling_that_stays_down_ends_the_run_and_the_next_one_completes(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    bling.fail(r"^/nfe/\d+$", "bad_gateway", after=20)
    result = await account.pipeline.run_full(START)
    assert result.status == "partial"
    assert result.message is not None
    assert "nada mais lhe é pedido" in result.message
    assert bling.counters.faults < 200, "insistiu com um Bling que caiu"
    bling.faults.clear()
    result = await account.pipeline.run()
    assert (result.status, result.message) == ("success", None)
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.bling(requests_per_second=3, errors_per_10s=300)
@pytest.mark.parametrize("delay", one_now([0.0, 0.35]))
async def test_no_block_even_by_whoever_turned_the_pace_off(
    settings: Settings, bling: Bling, clock: FakeClock, delay: float
) -> None:
    unhurried = replace(settings, api_rate_limit_delay=delay)
    async with open_account(unhurried, clock=clock) as account:
        await authorise(account, bling)
        await account.pipeline.run_full(START)
        assert bling.counters.blocked == 0
        assert bling.counters.too_many_requests < 5 if delay else bling.counters.too_many_requests > 50


@pytest.mark.slow
@pytest.mark.bling(requests_per_second=3, errors_per_10s=300)
async def test_the_pace_of_bling_itself_is_not_turned_off(
    settings: Settings, bling: Bling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo

    def as_if_it_were_bling(host: Any, *others: Any, **more: Any) -> Any:
        return resolve("127.0.0.1" if host == "api.bling.com.br" else host, *others, **more)

    monkeypatch.setattr(socket, "getaddrinfo", as_if_it_were_bling)
    there = f"http://api.bling.com.br:{urlsplit(settings.bling_api_base_url).port}/Api/v3"
    assert settings.api_rate_limit_delay == 0
    async with open_account(replace(settings, bling_api_base_url=there), clock=clock) as account:
        await authorise(account, bling)
        result = await account.pipeline.run_full(START)
    assert (result.status, result.message) == ("success", None)
    assert bling.counters.requests["/nfe/{id}"] > 20
    assert bling.counters.too_many_requests < 5
