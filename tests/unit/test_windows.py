"""As janelas: o período pedido, juntar, cortar em até um ano, e o marco que nunca passa de uma dívida."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bling_collector.errors import UsageError
from bling_collector.windows import (
    EARLIEST,
    MAX_DAYS,
    Between,
    Period,
    Window,
    asked_period,
    cut,
    incremental_start,
    merge,
    next_bookmark,
    parse_day,
    pieces,
    reads_the_present,
    shown_mark,
)

DAY = timedelta(days=1)
TODAY = date(2026, 2, 20)

days = st.dates(date(2000, 1, 1), date(2030, 12, 31))
windows = st.tuples(days, days).map(lambda pair: Window(min(pair), max(pair)))


def all_days(pieces: list[Window]) -> list[date]:
    return [piece.inicio + i * DAY for piece in pieces for i in range((piece.fim - piece.inicio).days + 1)]


def test_the_parameters_always_carry_the_hour() -> None:
    period = Period.of(Window(date(2025, 1, 1), date(2025, 12, 31)))
    params = Between("dataEmissaoInicial", "dataEmissaoFinal").params(period)
    assert params == (("dataEmissaoInicial", "2025-01-01 00:00:00"), ("dataEmissaoFinal", "2025-12-31 23:59:59"))


def test_a_filter_that_serves_several_dates_says_which() -> None:
    due = Between("dataInicial", "dataFinal", hours=False, of=(("tipoFiltroData", "V"),))
    params = due.params(Period.of(Window(date(2025, 1, 1), date(2025, 1, 31))))
    assert params == (("tipoFiltroData", "V"), ("dataInicial", "2024-12-31"), ("dataFinal", "2025-02-01"))


def test_what_is_asked_at_once_may_be_less_than_a_year() -> None:
    assert [Between("i", "f", hours=hours).max_days for hours in (True, False)] == [365, 363]
    month = Between("i", "f", hours=False, most=31)
    assert cut([Window(date(2025, 1, 1), date(2025, 3, 12))], month.max_days) == [
        Window(date(2025, 3, 1), date(2025, 3, 12)),
        Window(date(2025, 2, 1), date(2025, 2, 28)),
        Window(date(2025, 1, 1), date(2025, 1, 31)),
    ]


@settings(deadline=None)
@given(st.lists(windows, max_size=6), st.integers(1, MAX_DAYS))
def test_the_plan_covers_each_day_once_within_what_fits(asked: list[Window], most: int) -> None:
    pieces = cut(asked, most)
    covered = all_days(pieces)
    assert len(covered) == len(set(covered)), "um dia duas vezes"
    assert set(covered) == set(all_days(asked))
    for piece in pieces:
        start = datetime.combine(piece.inicio, datetime.min.time())
        end = datetime.combine(piece.fim, datetime.max.time())
        assert end - start < timedelta(days=most)
    assert pieces == sorted(pieces, reverse=True), "da mais nova à mais antiga"


@given(st.lists(windows, max_size=6))
def test_merging_twice_is_merging_once(asked: list[Window]) -> None:
    once = merge(asked)
    assert merge(once) == once
    assert all(earlier.fim + DAY < later.inicio for earlier, later in pairwise(once))


def test_a_whole_leap_year_gives_two_windows() -> None:
    assert cut([Window(date(2024, 1, 1), date(2024, 12, 31))]) == [
        Window(date(2024, 2, 1), date(2024, 12, 31)),
        Window(date(2024, 1, 1), date(2024, 1, 31)),
    ]
    assert cut([Window(date(2023, 1, 1), date(2023, 12, 31))]) == [Window(date(2023, 1, 1), date(2023, 12, 31))]
    history = cut([Window(date(2021, 1, 1), TODAY)])
    assert len(history) == 6
    assert all(piece.inicio.day == 1 for piece in history), "nenhum mês fica dividido"


def test_the_first_day_there_is_has_none_before_it() -> None:
    first, last = date(1, 1, 1), date(1, 3, 1)
    assert cut([Window(first, last)]) == [Window(first, last)]
    assert cut([Window(first, last)], 20)[-1].inicio == first


def test_adjacent_windows_merge_and_separate_ones_do_not() -> None:
    first, second = Window(date(2025, 1, 1), date(2025, 1, 10)), Window(date(2025, 1, 11), date(2025, 1, 20))
    assert merge([second, first]) == [Window(first.inicio, second.fim)]
    apart = Window(date(2025, 1, 22), date(2025, 1, 22))
    assert merge([apart, second]) == [second, apart]


BAD_DAYS = ["2025-02-30", "2025-1-1", "20250101", "01/01/2025", "hoje", "2025-01-01T00:00", "2025-W01-1"]


@pytest.mark.parametrize("value", [*BAD_DAYS, "", " 2025-01-01"])
def test_a_day_that_does_not_exist_or_is_badly_written_is_named(value: str) -> None:
    with pytest.raises(UsageError, match=r"data_inicio=.*AAAA-MM-DD"):
        parse_day(value, "data_inicio")


def test_a_well_written_day() -> None:
    assert parse_day("2024-02-29", "data_fim") == date(2024, 2, 29)


@pytest.mark.parametrize(
    ("inicio", "fim", "expected"),
    [
        (None, None, Window(date(2026, 1, 20), TODAY)),
        (date(2025, 5, 1), None, Window(date(2025, 5, 1), TODAY)),
        (date(2025, 5, 1), date(2025, 5, 1), Window(date(2025, 5, 1), date(2025, 5, 1))),
        (TODAY, date(2030, 1, 1), Window(TODAY, TODAY)),
        (None, date(2026, 2, 1), Window(date(2026, 1, 20), date(2026, 2, 1))),
        (None, date(2025, 2, 1), Window(date(2025, 2, 1), date(2025, 2, 1))),
    ],
)
def test_the_period_asked_for(inicio: date | None, fim: date | None, expected: Window) -> None:
    assert asked_period(inicio, fim, default_inicio=date(2026, 1, 20), today=TODAY) == expected


@pytest.mark.parametrize(
    ("inicio", "fim", "words"),
    [
        (TODAY + DAY, None, "futuro"),
        (date(2025, 5, 2), date(2025, 5, 1), "Troque as datas"),
        (date(1999, 12, 31), None, "antes de 01/01/2000"),
    ],
)
def test_an_impossible_period_says_why(inicio: date, fim: date | None, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        asked_period(inicio, fim, default_inicio=TODAY, today=TODAY)


@pytest.mark.parametrize(
    ("bookmark", "days_back", "lookback", "expected"),
    [
        (None, 1, 30, TODAY - 31 * DAY),
        (None, 0, 0, TODAY),
        (TODAY - 5 * DAY, 1, 30, TODAY - 35 * DAY),
        (TODAY, 9, 0, TODAY),
        (TODAY + 9 * DAY, 1, 30, TODAY - 30 * DAY),
        (date(1999, 12, 31), 1, 30, EARLIEST),
        (date(2000, 1, 15), 1, 3650, EARLIEST),
    ],
)
def test_where_the_daily_run_begins(bookmark: date | None, days_back: int, lookback: int, expected: date) -> None:
    assert incremental_start(bookmark, days_back=days_back, lookback_days=lookback, today=TODAY) == expected


@given(bookmark=st.none() | days, days_back=st.integers(0, 3650), lookback=st.integers(0, 3650))
def test_the_start_of_the_daily_run_is_always_a_possible_request(
    bookmark: date | None, days_back: int, lookback: int
) -> None:
    start = incremental_start(bookmark, days_back=days_back, lookback_days=lookback, today=TODAY)
    assert asked_period(None, None, default_inicio=start, today=TODAY) == Window(start, TODAY)


FIRST = date(2026, 1, 1)
COVERED = Window(FIRST, TODAY)


@pytest.mark.parametrize(
    ("previous", "covered", "first_uncovered", "expected"),
    [
        (None, COVERED, None, TODAY),
        (None, COVERED, date(2026, 2, 1), date(2026, 1, 31)),
        (None, COVERED, FIRST + DAY, FIRST),
        (None, COVERED, FIRST, None),
        (None, COVERED, FIRST - DAY, None),
        (None, None, None, None),
        (FIRST, None, None, FIRST),
        (FIRST, COVERED, None, TODAY),
        (FIRST - DAY, COVERED, None, TODAY),
        (FIRST - 2 * DAY, COVERED, None, FIRST - 2 * DAY),
        (FIRST, COVERED, date(2026, 2, 1), date(2026, 1, 31)),
        (date(2026, 2, 10), COVERED, date(2026, 2, 1), date(2026, 2, 10)),
        (TODAY, Window(date(2023, 1, 1), date(2023, 12, 31)), None, TODAY),
        (TODAY, Window(date(2023, 1, 1), date(2023, 12, 31)), date(2023, 1, 1), TODAY),
        (date(2023, 6, 1), Window(date(2023, 1, 1), date(2023, 12, 31)), None, date(2023, 12, 31)),
    ],
)
def test_the_mark(
    previous: date | None, covered: Window | None, first_uncovered: date | None, expected: date | None
) -> None:
    assert next_bookmark(previous, covered, first_uncovered) == expected


@given(previous=st.none() | days, covered=st.none() | windows, first_uncovered=st.none() | days)
def test_the_mark_never_goes_back_nor_passes_what_is_covered_or_owed(
    previous: date | None, covered: Window | None, first_uncovered: date | None
) -> None:
    reached = next_bookmark(previous, covered, first_uncovered)
    if previous is not None:
        assert reached is not None
        assert reached >= previous
    if reached is not None and reached != previous:
        assert covered is not None
        assert reached <= covered.fim
        assert first_uncovered is None or reached < first_uncovered
        assert previous is None or covered.inicio <= previous + DAY


@pytest.mark.parametrize(
    ("bookmark", "first_uncovered", "scope", "expected"),
    [
        (None, None, None, None),
        (TODAY, None, date(2021, 1, 1), TODAY),
        (TODAY, date(2026, 2, 10), date(2021, 1, 1), date(2026, 2, 9)),
        (date(2026, 2, 1), date(2026, 2, 10), date(2021, 1, 1), date(2026, 2, 1)),
        (TODAY, date(2021, 1, 1), date(2021, 1, 1), None),
    ],
)
def test_the_mark_that_is_shown_never_passes_the_oldest_debt(
    bookmark: date | None, first_uncovered: date | None, scope: date | None, expected: date | None
) -> None:
    assert shown_mark(bookmark, first_uncovered, scope) == expected


@pytest.mark.parametrize(
    ("previous", "covered", "owed", "expected"),
    [
        (None, Window(TODAY, TODAY), [], True),
        (TODAY - DAY, Window(TODAY, TODAY), [], True),
        (TODAY - 5 * DAY, Window(TODAY, TODAY), [], False),
        (TODAY - 5 * DAY, Window(TODAY - 9 * DAY, TODAY), [], True),
        (TODAY, Window(date(2023, 1, 1), date(2023, 1, 31)), [], False),
        (TODAY, None, [], False),
        (TODAY, Window(TODAY - DAY, TODAY), [Window(TODAY - DAY, TODAY - DAY)], True),
        (TODAY, Window(TODAY - DAY, TODAY), [Window(TODAY - DAY, TODAY)], False),
    ],
)
def test_only_who_reaches_today_skipping_no_day_reads_the_present(
    previous: date | None, covered: Window | None, owed: list[Window], expected: bool
) -> None:
    assert reads_the_present(previous, covered, owed, TODAY) is expected


def test_how_many_requests_a_period_not_checked_by_month_takes() -> None:
    day = date(2026, 2, 22)
    assert pieces(Window(day, day), 363) == [Window(day, day)]
    two = pieces(Window(day - timedelta(days=363), day + timedelta(days=362)), 363)
    assert two == [Window(day, day + timedelta(days=362)), Window(day - timedelta(days=363), day - timedelta(days=1))]
    assert all((each.fim - each.inicio).days < 10 for each in pieces(Window(date(2025, 1, 1), day), 10))


def test_the_days_a_late_clock_may_not_know_pass_and_the_sentence_says_today() -> None:
    doubt = 2 * DAY
    soon = TODAY + DAY
    assert asked_period(soon, None, default_inicio=TODAY, today=TODAY, doubt=doubt) == Window(soon, TODAY + doubt)
    with pytest.raises(UsageError, match=r"23/02/2026\) está no futuro; hoje é 20/02/2026"):
        asked_period(TODAY + 3 * DAY, None, default_inicio=TODAY, today=TODAY, doubt=doubt)
