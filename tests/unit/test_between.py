"""O filtro de um período: as duas pontas sempre, com hora ou em dias com folga, e no que cabe entre elas."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bling_collector.windows import MAX_DAYS, Between, Period, Window, cut

days = st.dates(date(2015, 1, 1), date(2026, 12, 31))
windows = st.builds(lambda a, b: Window(min(a, b), max(a, b)), days, days)
HOURS, DAYS = Between("de", "ate"), Between("de", "ate", hours=False)


def test_with_hours_the_first_and_the_last_second_go() -> None:
    period = Period.of(Window(date(2026, 2, 1), date(2026, 2, 28)))
    assert HOURS.params(period) == (("de", "2026-02-01 00:00:00"), ("ate", "2026-02-28 23:59:59"))


def test_in_days_one_more_goes_on_each_side() -> None:
    period = Period.of(Window(date(2026, 3, 1), date(2026, 3, 31)))
    assert DAYS.params(period) == (("de", "2026-02-28"), ("ate", "2026-04-01"))


@given(windows)
def test_no_planned_window_asks_for_more_than_a_year(window: Window) -> None:
    for between in (HOURS, DAYS):
        for piece in cut([window], between.max_days):
            start, end = (datetime.fromisoformat(value) for _, value in between.params(Period.of(piece)))
            assert end - start <= timedelta(days=MAX_DAYS)


@given(windows)
def test_the_halves_of_a_filter_by_days_are_whole_days_down_to_one(window: Window) -> None:
    periods, cuts = [Period.of(window)], 0
    while periods:
        halves = DAYS.halves(periods.pop())
        assert all(half.inicio.time() == datetime.min.time() for half in halves)
        if halves and cuts < 20:
            periods, cuts = [halves[0]], cuts + 1
    assert DAYS.halves(Period.of(Window(window.inicio, window.inicio))) == ()
    assert HOURS.halves(Period.of(Window(window.inicio, window.inicio))) != ()


@pytest.mark.parametrize("between", [HOURS, DAYS])
def test_the_last_day_of_a_period(between: Between) -> None:
    period = Period(datetime(2026, 2, 1, 8), datetime(2026, 2, 3, 9))  # noqa: DTZ001 - hora de Brasília
    assert period.last_day == Period(datetime(2026, 2, 3), datetime(2026, 2, 3, 9))  # noqa: DTZ001 - idem
    within = Period(datetime(2026, 2, 3, 8), datetime(2026, 2, 3, 9))  # noqa: DTZ001 - idem
    assert within.last_day == within
    assert between.params(period)[0][0] == "de"
