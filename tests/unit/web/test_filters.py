"""Como o painel escreve."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from bling_collector.web.panel import filters

NOW = datetime(2026, 11, 24, 21, 58, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (filters.number(2926), "2.926"),
        (filters.number(0.5, 1), "0,5"),
        (filters.number(None), "—"),
        (filters.money(Decimal("1234.56")), "R$ 1.234,56"),
        (filters.money(Decimal("-0.1")), "−R$ 0,10"),
        (filters.money(None), "—"),
        (filters.compact(Decimal(1234567)), "1,2 mi"),
        (filters.compact(Decimal(950)), "950"),
        (filters.percent(0.1234), "12,3%"),
        (filters.day(date(2026, 11, 24)), "24/11/2026"),
        (filters.day("2026-11-24"), "24/11/2026"),
        (filters.day("2026-11-25T01:00:00+00:00"), "24/11/2026"),
        (filters.month("2026-11"), "nov/2026"),
        (filters.moment(NOW), "24/11/2026 18:58"),
        (filters.moment("2026-11-24T18:58:00"), "24/11/2026 18:58"),
        (filters.moment(None), "—"),
        (filters.clock_time(NOW), "18:58:07"),
        (filters.duration(45.2), "45 s"),
        (filters.duration(200), "3 min 20 s"),
        (filters.duration(3900), "1 h 05 min"),
        (filters.duration(86400 * 3), "3 dias"),
        (filters.duration(None), "—"),
        (filters.plural(1, "nota", "notas"), "1 nota"),
        (filters.plural(2926, "nota", "notas"), "2.926 notas"),
        (filters.iso(date(2026, 11, 24)), "2026-11-24"),
    ],
)
def test_in_portuguese(said: str, expected: str) -> None:
    assert said == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (timedelta(seconds=20), "agora mesmo"),
        (timedelta(minutes=5), "há 5 min"),
        (timedelta(hours=3, minutes=50), "há 3 h"),
        (timedelta(days=5), "há 5 dias"),
        (timedelta(hours=-2), "daqui a 2 h"),
    ],
)
def test_how_long_ago(before: timedelta, expected: str) -> None:
    assert filters.ago(NOW - before, NOW) == expected
    assert filters.ago((NOW - before).isoformat(), NOW) == expected
