"""O ritmo: nunca mais de três começos num segundo, nem mais devagar que o preciso."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import DefaultClause
from tests.support.fakes import FakeClock
from tests.support.sliding_log import SlidingLogLimiter

from bling_collector.api import pace
from bling_collector.api.pace import HOLD, MARGIN, MARGIN_DECAY, MARGIN_MAX, MARGIN_STEP, RECOVERY, SLOWEST
from bling_collector.db.models import limites_bling

pauses = st.floats(0, 2.5, allow_nan=False)


async def starts_of(limiter: SlidingLogLimiter, clock: FakeClock, pauses: list[float]) -> list[float]:
    """Os começos de quem espera a sua vez e, entre uma requisição e outra, faz outra coisa por um tempo."""
    starts = []
    for pause in pauses:
        clock.advance((await limiter.reserve()).wait)
        starts.append(clock.monotonic())
        clock.advance(pause)
    return starts


@given(st.lists(pauses, min_size=4, max_size=60), st.sampled_from([0.001, 0.1, 0.35, 0.5]))
async def test_never_more_than_three_starts_in_a_sliding_second(pauses: list[float], spacing: float) -> None:
    clock = FakeClock()
    starts = await starts_of(SlidingLogLimiter(clock, spacing=spacing), clock, pauses)

    assert all(later - earlier > 1.0 for earlier, later in zip(starts, starts[3:], strict=False))
    assert all(later - earlier >= spacing - 1e-9 for earlier, later in pairwise(starts))


@given(st.lists(st.sampled_from(["reserve", "throttled", "accepted"]), max_size=120), pauses)
async def test_the_window_holds_whatever_the_answers(events: list[str], pause: float) -> None:
    clock, starts, held_until = FakeClock(), [], 0.0
    limiter = SlidingLogLimiter(clock)
    for event in events:
        if event == "throttled":
            await limiter.throttled()
            held_until = clock.monotonic() + 1.0
        elif event == "accepted":
            await limiter.accepted()
        else:
            starts.append(clock.monotonic() + (await limiter.reserve()).wait)
            assert starts[-1] >= held_until
            clock.advance(pause)

    assert all(later - earlier > 1.0 for earlier, later in zip(starts, starts[3:], strict=False))


@pytest.mark.parametrize(("spacing", "apart"), [(0.35, 0.35), (0.4, 0.4), (0.01, 1.05 / 3)])
async def test_the_pace_is_as_fast_as_the_limits_allow(spacing: float, apart: float) -> None:
    clock = FakeClock()
    starts = await starts_of(SlidingLogLimiter(clock, spacing=spacing), clock, [0.0] * 301)

    assert (starts[-1] - starts[0]) / 300 == pytest.approx(apart)


async def test_reservations_made_at_once_line_up() -> None:
    limiter = SlidingLogLimiter(FakeClock())

    assert [(await limiter.reserve()).wait for _ in range(4)] == pytest.approx([0.0, 0.35, 0.70, 1.05])


async def test_work_between_requests_is_not_added_to_the_pace() -> None:
    clock = FakeClock()

    assert await starts_of(SlidingLogLimiter(clock), clock, [0.4] * 5) == pytest.approx([0, 0.4, 0.8, 1.2, 1.6])


async def test_a_429_widens_the_margin_and_answers_narrow_it_slowly() -> None:
    limiter = SlidingLogLimiter(FakeClock())
    await limiter.throttled()
    await limiter.throttled()
    assert limiter.margin == pytest.approx(MARGIN + 2 * MARGIN_STEP)

    await limiter.accepted()
    assert limiter.margin == pytest.approx(MARGIN + 2 * MARGIN_STEP - MARGIN_DECAY)

    for _ in range(1000):
        await limiter.accepted()
    assert limiter.margin == MARGIN

    for _ in range(100):
        await limiter.throttled()
    assert limiter.margin == MARGIN_MAX


async def test_a_429_holds_back_what_was_not_reserved_yet() -> None:
    clock = FakeClock()
    limiter = SlidingLogLimiter(clock)
    clock.advance((await limiter.reserve()).wait)
    await limiter.throttled()

    assert (await limiter.reserve()).wait == pytest.approx(HOLD)
    assert (await limiter.reserve()).wait == pytest.approx(HOLD + 2 * 0.35)


async def test_a_429_halves_the_pace_and_the_answers_give_it_back() -> None:
    clock = FakeClock()
    limiter = SlidingLogLimiter(clock)
    await limiter.throttled()
    await limiter.throttled()  # chegou com o outro: é o mesmo tropeço
    assert limiter.pace == 0.5

    clock.advance(HOLD)
    assert (await starts_of(limiter, clock, [0.0] * 31))[-1] - HOLD == pytest.approx(30 * 2 * 0.35, rel=0.05)
    for _ in range(round(0.5 / RECOVERY)):
        await limiter.accepted()
    assert limiter.pace == pytest.approx(1.0)

    for _ in range(10):
        await limiter.throttled()
        clock.advance(HOLD)
    assert limiter.pace == SLOWEST


async def test_without_spacing_there_is_no_pace_but_a_429_still_holds() -> None:
    clock = FakeClock()
    limiter = SlidingLogLimiter(clock, spacing=0)
    assert [(await limiter.reserve()).wait for _ in range(50)] == [0.0] * 50

    await limiter.throttled()
    assert [(await limiter.reserve()).wait for _ in range(2)] == pytest.approx([HOLD, HOLD])

    clock.advance(HOLD)
    assert (await limiter.reserve()).wait == 0.0


def test_a_new_account_begins_with_the_margin_of_the_pace() -> None:
    default = limites_bling.c.margem.server_default
    assert isinstance(default, DefaultClause)
    assert str(default.arg) == str(pace.MARGIN)
