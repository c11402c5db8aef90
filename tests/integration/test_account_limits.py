"""Os limites da conta no banco: o ritmo dividido, a cota do dia, o disjuntor e os pedidos de token."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.fakes import FakeClock
from tests.support.sliding_log import SlidingLogLimiter

from bling_collector.api import pace
from bling_collector.api.account_limits import LEASE, LEASE_LIFE, IpLimits, PgRateLimiter
from bling_collector.api.rate_limit import RateLimiter, Turn
from bling_collector.clock import SystemClock
from bling_collector.errors import BlingPausedError, DailyLimitError

NOON = datetime(2026, 2, 20, 15, 0, tzinfo=UTC)
"""Meio-dia em Brasília."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


async def row(engine: AsyncEngine) -> dict[str, object]:
    async with engine.connect() as connection:
        return dict((await connection.execute(text("SELECT * FROM limites_bling"))).mappings().one())


async def times(count: int, work: Callable[[], Awaitable[object]]) -> None:
    for _ in range(count):
        await work()


# --- o ritmo -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
async def test_it_answers_as_the_one_in_memory_does(engine: AsyncEngine, seed: int) -> None:
    """A aritmética está escrita duas vezes, em Python e em SQL; uma confere a outra."""
    dice = random.Random(seed)
    here, there = FakeClock(NOON), FakeClock(NOON)
    spacing, limit = dice.choice([0.0, 0.01, 0.35, 0.5]), dice.choice([1, 3, 5])
    memory: RateLimiter = SlidingLogLimiter(here, spacing=spacing, limit=limit)
    database: RateLimiter = PgRateLimiter(engine, there, spacing=spacing, limit=limit)
    for _ in range(60):
        event = dice.choice(["reserve", "reserve", "reserve", "accepted", "accepted", "throttled", "reserve_again"])
        expected, found = await getattr(memory, event)(), await getattr(database, event)()
        if event == "reserve" or (event == "reserve_again" and spacing):
            assert found.wait == pytest.approx(expected.wait, abs=1e-5)
        step = dice.choice([0.0, 0.0, dice.uniform(0, 2)])
        here.advance(step)
        there.advance(step)
    if spacing:
        state = await row(engine)
        assert isinstance(memory, SlidingLogLimiter)
        assert (state["ritmo"], state["margem"]) == (pytest.approx(memory.pace), pytest.approx(memory.margin))


async def test_three_processes_take_turns(engine: AsyncEngine, clock: FakeClock) -> None:
    limiters = [PgRateLimiter(engine, clock) for _ in range(3)]
    waits = [(await limiter.reserve()).wait for limiter in limiters * 2]
    assert waits == pytest.approx([0.0, 0.35, 0.70, 1.05, 1.40, 1.75])


async def test_a_429_of_one_halves_the_pace_of_all_and_answers_give_it_back(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    one, other = PgRateLimiter(engine, clock), PgRateLimiter(engine, clock)
    await one.reserve()
    await one.throttled()
    waits = [(await other.reserve()).wait for _ in range(3)]
    assert waits == pytest.approx([pace.HOLD, pace.HOLD + 0.7, pace.HOLD + 1.4])

    await times(round(max(0.5 / pace.RECOVERY, pace.MARGIN_STEP / pace.MARGIN_DECAY)), other.accepted)
    clock.advance(60)
    assert [(await one.reserve()).wait for _ in range(3)] == pytest.approx([0.0, 0.35, 0.70])
    assert (await row(engine))["margem"] == pytest.approx(pace.MARGIN)


async def test_answers_cost_nothing_when_there_is_nothing_to_recover_from(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    limiter = PgRateLimiter(engine, clock)
    await limiter.reserve()
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM limites_bling"))
    await limiter.accepted()
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM limites_bling")) == 0
    assert (await limiter.reserve()).wait == 0.0  # e a linha que falta é refeita


async def test_a_clock_that_went_back_does_not_stop_the_collection(engine: AsyncEngine, clock: FakeClock) -> None:
    limiter = PgRateLimiter(engine, clock)
    await times(4, limiter.reserve)
    await limiter.throttled()
    past = PgRateLimiter(engine, FakeClock(NOON - timedelta(days=3)))
    assert (await past.reserve()).wait == 0.0
    assert (await past.reserve()).wait == pytest.approx(0.7)


async def test_the_hour_is_the_one_of_the_database(engine: AsyncEngine) -> None:
    limiters = [PgRateLimiter(engine, SystemClock()) for _ in range(2)]
    waits = [(await limiter.reserve()).wait for limiter in limiters * 2]
    assert waits == [0.0, *(pytest.approx(0.35 * n, abs=0.2) for n in (1, 2, 3))]


# --- o dia ---------------------------------------------------------------------------------------------------------


async def test_the_day_ends_before_the_request_is_sent(engine: AsyncEngine, clock: FakeClock) -> None:
    one, other = (PgRateLimiter(engine, clock, per_day=10, reserve=4) for _ in range(2))
    await times(3, one.reserve)
    await times(3, other.reserve)
    for limiter in (one, other):
        with pytest.raises(DailyLimitError, match=r"já fez hoje 6 das 10 .* deixa 4 .*API_DAILY_RESERVE"):
            await limiter.reserve()
    assert (await row(engine))["usadas"] == 6

    clock.advance(11 * 3600 + 3599)  # 23:59:59 em Brasília
    with pytest.raises(DailyLimitError):
        await one.reserve()
    clock.advance(1)
    assert (await one.reserve()).wait == 0.0
    state = await row(engine)
    assert (state["dia"], state["usadas"]) == (date(2026, 2, 21), 1)


async def test_a_daily_429_is_remembered_by_all_until_the_day_turns(engine: AsyncEngine, clock: FakeClock) -> None:
    one, other = PgRateLimiter(engine, clock), PgRateLimiter(engine, clock, spacing=0)
    await one.reserve()
    await one.exhausted()
    for limiter in (one, other):
        with pytest.raises(DailyLimitError, match=r"O Bling disse .* meia-noite"):
            await limiter.reserve()
    assert (await row(engine))["usadas"] == 1
    clock.advance(12 * 3600)
    assert (await other.reserve()).wait == 0.0


async def test_a_turn_in_place_of_a_lost_one_is_not_a_request(engine: AsyncEngine, clock: FakeClock) -> None:
    limiter = PgRateLimiter(engine, clock)
    await limiter.reserve()
    assert (await limiter.reserve_again()).wait == pytest.approx(0.35)
    assert (await limiter.reserve()).wait == pytest.approx(0.70)
    assert (await row(engine))["usadas"] == 2


@pytest.mark.parametrize("hours", [30, 24 * 400])
async def test_a_clock_that_jumped_ahead_and_back_loses_no_day(
    engine: AsyncEngine, clock: FakeClock, hours: int
) -> None:
    await PgRateLimiter(engine, FakeClock(NOON + timedelta(hours=hours)), per_day=1).reserve()
    limiter = PgRateLimiter(engine, clock, per_day=1)
    if hours < 48:  # o dia guardado ainda se entende: vale o mais adiantado
        with pytest.raises(DailyLimitError):
            await limiter.reserve()
    else:
        assert (await limiter.reserve()).wait == 0.0


# --- sem ritmo -----------------------------------------------------------------------------------------------------


async def test_without_spacing_the_day_is_counted_in_lots(engine: AsyncEngine, clock: FakeClock) -> None:
    limiter = PgRateLimiter(engine, clock, spacing=0)
    await times(LEASE + 30, limiter.reserve)
    assert (await row(engine))["usadas"] == 2 * LEASE
    clock.advance(LEASE_LIFE)
    assert (await limiter.reserve()).wait == 0.0  # o lote velho é devolvido e outro é tomado
    assert (await row(engine))["usadas"] == LEASE + 30 + LEASE
    await limiter.aclose()
    assert (await row(engine))["usadas"] == LEASE + 31


async def test_without_spacing_the_budget_is_exact(engine: AsyncEngine, clock: FakeClock) -> None:
    limiter = PgRateLimiter(engine, clock, spacing=0, per_day=250, reserve=20)
    await times(230, limiter.reserve)
    with pytest.raises(DailyLimitError, match="230 das 250"):
        await limiter.reserve()


async def test_without_spacing_a_429_still_holds(engine: AsyncEngine, clock: FakeClock) -> None:
    limiter = PgRateLimiter(engine, clock, spacing=0)
    await limiter.reserve()
    await limiter.throttled()
    assert [(await limiter.reserve()).wait for _ in range(2)] == pytest.approx([pace.HOLD, pace.HOLD])
    clock.advance(pace.HOLD)
    assert (await limiter.reserve()).wait == 0.0
    assert (await limiter.reserve()).wait == 0.0


# --- o disjuntor ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_failures_in_a_row_open_the_breaker_for_all(
    engine: AsyncEngine, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "bling_collector")
    one, other = PgRateLimiter(engine, clock), PgRateLimiter(engine, clock, spacing=0)
    await other.reserve()
    await times(pace.FAILURES_IN_A_ROW - 1, one.failed)
    clock.advance(pace.ERRORS_WINDOW)
    await other.reserve()
    await other.accepted(error=True)  # um 404 também é o Bling a responder
    await times(pace.FAILURES_IN_A_ROW - 2, one.failed)
    clock.advance(pace.ERRORS_WINDOW)
    for _ in range(5):
        await one.failed(again=True)  # o mesmo recurso outra vez não diz nada de novo
    await one.failed()
    await one.reserve()
    assert not caplog.messages
    clock.advance(pace.ERRORS_WINDOW)
    await one.failed()
    assert len(caplog.messages) == 1
    clock.advance(LEASE_LIFE)
    for limiter in (one, other):
        with pytest.raises(BlingPausedError, match=r"falhou muitas vezes .* até as 12:01:00 de Brasília") as raised:
            await limiter.reserve()
        assert raised.value.wait == pytest.approx(pace.FIRST_PAUSE - LEASE_LIFE)


@pytest.mark.parametrize("spacing", [0.0, 0.35])
async def test_after_the_pause_one_request_goes_alone(engine: AsyncEngine, clock: FakeClock, spacing: float) -> None:
    one, other = (PgRateLimiter(engine, clock, spacing=spacing) for _ in range(2))
    await times(pace.FAILURES_IN_A_ROW, one.failed)
    clock.advance(pace.FIRST_PAUSE)
    assert await one.reserve() == Turn(0.0, alone=True)
    with pytest.raises(BlingPausedError):
        await other.reserve()

    await one.accepted()
    assert not (await other.reserve()).alone
    assert not (await one.reserve()).alone
    assert (await row(engine))["pausada_ate"] is None


@pytest.mark.slow
async def test_each_failed_probe_doubles_the_pause_up_to_a_limit(engine: AsyncEngine, clock: FakeClock) -> None:
    limiter = PgRateLimiter(engine, clock)
    await times(pace.FAILURES_IN_A_ROW, limiter.failed)
    waits = []
    for _ in range(4):
        with pytest.raises(BlingPausedError) as raised:
            await limiter.reserve()
        waits.append(raised.value.wait)
        clock.advance(raised.value.wait)
        await limiter.reserve()
        await limiter.failed()  # a que já tinha saído antes da pausa não diz nada de novo
        await limiter.failed(probe=True)
    assert waits == pytest.approx([30, 60, 120, 120])
    clock.advance(pace.LONGEST_PAUSE)
    await limiter.reserve()
    await limiter.accepted()
    await times(pace.FAILURES_IN_A_ROW, limiter.failed)
    with pytest.raises(BlingPausedError) as raised:
        await limiter.reserve()
    assert raised.value.wait == pytest.approx(pace.FIRST_PAUSE)


async def test_a_probe_that_never_answers_lets_another_try(engine: AsyncEngine, clock: FakeClock) -> None:
    one, other = PgRateLimiter(engine, clock), PgRateLimiter(engine, clock)
    await times(pace.FAILURES_IN_A_ROW, one.failed)
    clock.advance(pace.FIRST_PAUSE)
    await one.reserve()
    clock.advance(pace.PROBE)
    assert await other.reserve() == Turn(0.0, alone=True)


async def test_pages_instead_of_answers_pause_for_as_long_as_a_block(engine: AsyncEngine, clock: FakeClock) -> None:
    limiter = PgRateLimiter(engine, clock)
    for _ in range(3):
        await limiter.reserve()
        await limiter.failed(blocked=True)
    with pytest.raises(BlingPausedError, match="IP bloqueado") as raised:
        await limiter.reserve()
    assert raised.value.wait == pytest.approx(pace.BLOCK_PAUSE)


@pytest.mark.slow
async def test_too_many_errors_in_ten_seconds_pause_even_between_good_answers(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    limiter = PgRateLimiter(engine, clock, spacing=0)
    for _ in range(3):
        await times(pace.MOST_ERRORS - 1, lambda: limiter.accepted(error=True))
        await limiter.reserve()
        clock.advance(pace.ERRORS_WINDOW)
    for _ in range(pace.MOST_ERRORS):
        await limiter.throttled()
    with pytest.raises(BlingPausedError, match="erros demais"):
        await limiter.reserve()


# --- os tokens -----------------------------------------------------------------------------------------------------


async def test_token_calls_stop_well_before_the_block(engine: AsyncEngine, clock: FakeClock) -> None:
    one, other = IpLimits(engine, clock), IpLimits(engine, clock)
    for _ in range(pace.MOST_TOKEN_CALLS):
        await one.token_call()
        clock.advance(1)
    with pytest.raises(BlingPausedError, match="pedidos de token") as raised:
        await other.token_call()
    assert raised.value.wait == pytest.approx(pace.TOKEN_WINDOW - pace.MOST_TOKEN_CALLS)
    clock.advance(raised.value.wait + 0.001)
    await other.token_call()
    with pytest.raises(BlingPausedError):
        await one.token_call()


@pytest.mark.slow
async def test_many_tasks_at_once_share_one_connection(engine: AsyncEngine) -> None:
    limiter = PgRateLimiter(engine, SystemClock(), spacing=0.0001, limit=1000)
    await asyncio.gather(*(limiter.reserve() for _ in range(300)))
    assert (await row(engine))["usadas"] == 300


async def test_an_answer_read_late_is_not_a_turn(engine: AsyncEngine) -> None:
    """A espera conta-se da hora do banco: se a máquina se ocupa com a resposta já chegada, a vez é outra."""
    limiter = PgRateLimiter(engine, SystemClock())
    for _ in range(3):
        await limiter.reserve()

    def busy(*_: object) -> None:
        time.sleep(0.2)

    event.listen(engine.sync_engine, "after_cursor_execute", busy, once=True)
    wait = (await limiter.reserve()).wait
    ours = time.monotonic() + wait
    async with engine.connect() as connection:
        left = await connection.scalar(
            text("SELECT extract(epoch FROM inicios[cardinality(inicios)] - clock_timestamp()) FROM limites_bling")
        )
    assert ours - time.monotonic() <= float(left) + 0.05, "a demora da resposta somou-se à espera"
