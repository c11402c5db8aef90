"""O que se faz uma vez por semana, cada coisa no seu dia."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bling_collector.clock import BRASILIA, brasilia_day, is_weekly_due

MONDAY = datetime(2026, 2, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@given(whose=st.one_of(st.text(), st.integers()), days=st.integers(0, 20), gap=st.integers(1, 40))
def test_whoever_waited_a_week_is_due_and_once_done_is_not_due_again_that_day(
    whose: object, days: int, gap: int
) -> None:
    now = MONDAY + days * DAY
    assert is_weekly_due(now - timedelta(days=7), now, whose)
    assert is_weekly_due(None, now, whose)
    assert is_weekly_due(now + timedelta(days=gap), now, whose), "um marco do futuro não vale"
    assert not is_weekly_due(now, now, whose)
    assert not is_weekly_due(now.astimezone(BRASILIA).replace(hour=0, minute=0), now, whose)


@given(whose=st.one_of(st.text(), st.integers()), late=st.integers(0, 6))
def test_each_has_one_day_of_the_week_and_whoever_runs_daily_does_it_then(whose: object, late: int) -> None:
    last, done = MONDAY + late * DAY, list[datetime]()
    for day in range(1, 29):
        now = MONDAY + (late + day) * DAY
        if is_weekly_due(done[-1] if done else last, now, whose):
            done.append(now)
    assert len(done) == 4
    assert len({brasilia_day(each).weekday() for each in done}) == 1
    assert done[0] - last <= timedelta(days=7)


def test_the_days_are_shared_out() -> None:
    by_day = Counter(
        next(day for day in range(1, 8) if is_weekly_due(MONDAY, MONDAY + day * DAY, id_)) for id_ in range(7000)
    )
    assert set(by_day) == set(range(1, 8))
    assert max(by_day.values()) < 1.15 * min(by_day.values())


def test_it_is_due_once_however_often_one_looks() -> None:
    last, done = MONDAY, 0
    for day in range(1, 21):
        for hour in range(0, 24, 6):
            now = MONDAY + day * DAY + timedelta(hours=hour)
            if is_weekly_due(last, now, "contas_pagar"):
                last, done = now, done + 1
    assert done == 3
