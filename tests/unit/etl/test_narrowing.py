"""O corte dos períodos: as metades cobrem o todo, em dias inteiros enquanto há mais de um."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bling_collector.windows import SHORTEST, Period, Window, apart

SECOND = timedelta(seconds=1)
moments = st.datetimes(datetime.fromisoformat("2021-01-01"), datetime.fromisoformat("2026-12-31")).map(
    lambda moment: moment.replace(microsecond=0)
)
days = st.dates(date(2021, 1, 1), date(2021, 3, 31))
windows = st.builds(lambda a, b: Window(min(a, b), max(a, b)), days, days)


@given(moments, moments)
def test_the_halves_cover_the_period_without_overlapping(one: datetime, other: datetime) -> None:
    period = Period(min(one, other), max(one, other))
    halves = period.halves()
    if not halves:
        assert period.fim - period.inicio < SHORTEST
        return
    newer, older = halves
    assert (older.inicio, newer.fim) == (period.inicio, period.fim)
    assert older.fim + SECOND == newer.inicio
    assert older.inicio <= older.fim
    assert newer.inicio <= newer.fim
    if not period.is_within_a_day:
        assert f"{older.fim:%H:%M:%S}" == "23:59:59"


@given(moments, moments)
def test_cutting_comes_to_an_end(one: datetime, other: datetime) -> None:
    period, cuts = Period(min(one, other), max(one, other)), 0
    while halves := period.halves():
        period, cuts = max(halves, key=lambda half: half.fim - half.inicio), cuts + 1
    assert cuts < 25


@given(windows, st.lists(windows, max_size=5))
def test_what_is_read_apart_and_the_rest_cover_the_window_once(window: Window, cuts: list[Window]) -> None:
    pieces = apart(window, cuts)
    covered = sorted(piece.inicio + timedelta(days=n) for piece in pieces for n in range(_days(piece)))
    assert covered == [window.inicio + timedelta(days=n) for n in range(_days(window))]
    assert pieces == sorted(pieces, reverse=True)


def test_a_bad_day_splits_the_window_in_three() -> None:
    bad = Window(date(2021, 1, 10), date(2021, 1, 10))
    assert apart(Window(date(2021, 1, 1), date(2021, 1, 31)), [bad]) == [
        Window(date(2021, 1, 11), date(2021, 1, 31)),
        bad,
        Window(date(2021, 1, 1), date(2021, 1, 9)),
    ]


@pytest.mark.parametrize(
    "cut", [Window(date(2020, 1, 1), date(2020, 1, 2)), Window(date(2022, 1, 1), date(2022, 1, 2))]
)
def test_what_is_outside_the_window_does_not_cut_it(cut: Window) -> None:
    window = Window(date(2021, 1, 1), date(2021, 1, 31))
    assert apart(window, [cut]) == [window]


def _days(window: Window) -> int:
    return (window.fim - window.inicio).days + 1
