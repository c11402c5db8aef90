"""Como as pessoas leem números, dinheiro, datas, durações e contagens."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bling_collector import words
from bling_collector.clock import BRASILIA

NOW = datetime(2026, 11, 24, 21, 58, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.number(2926), "2.926"),
        (words.number(0.5, 1), "0,5"),
        (words.number(-1234.5, 1), "−1.234,5"),
        (words.number(Decimal("-0.4")), "0"),
        (words.number(None), "—"),
        (words.money(Decimal("1234.56")), "R$ 1.234,56"),
        (words.money(Decimal("-0.1")), "−R$ 0,10"),
        (words.money(None), "—"),
        (words.compact(Decimal(1234567)), "1,2 mi"),
        (words.compact(Decimal(950)), "950"),
        (words.percent(0.1234), "12,3%"),
        (words.day(date(2026, 11, 24)), "24/11/2026"),
        (words.day(datetime(2026, 11, 25, 1, tzinfo=UTC)), "24/11/2026"),
        (words.month(date(2026, 11, 1)), "nov/2026"),
        (words.moment(NOW), "24/11/2026 18:58"),
        (words.moment(NOW.astimezone(BRASILIA).replace(tzinfo=None)), "24/11/2026 18:58"),
        (words.moment(None), "—"),
        (words.clock_time(NOW), "18:58:07"),
        (words.duration(45.2), "45 s"),
        (words.duration(200), "3 min 20 s"),
        (words.duration(3900), "1 h 05 min"),
        (words.duration(86400 * 3), "3 dias"),
        (words.duration(None), "—"),
        (words.plural(1, "nota", "notas"), "1 nota"),
        (words.plural(2926, "nota", "notas"), "2.926 notas"),
        (words.share(2926, 2928, "nota", "notas"), "2.926 de 2.928 notas"),
        (words.share(1, 1, "nota", "notas"), "1 de 1 nota"),
        (words.share(2929, 2928, "nota", "notas"), "2.929 notas aqui e 2.928 no Bling"),
        (words.several(["1 nota", "2 contatos", "3 produtos"]), "1 nota, 2 contatos e 3 produtos"),
        (words.several(["1 nota"]), "1 nota"),
        (words.period(date(2026, 11, 1), date(2026, 11, 30)), "01/11/2026 a 30/11/2026"),
        (words.period(date(2026, 11, 26), date(2026, 11, 26)), "26/11/2026"),
        (words.iso(date(2026, 11, 24)), "2026-11-24"),
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
    assert words.ago(NOW - before, NOW) == expected
    assert words.ago((NOW - before).astimezone(BRASILIA).replace(tzinfo=None), NOW) == expected, (
        "sem fuso, é de Brasília"
    )


_ELSEWHERE = re.compile(r"%d/|strftime\(\"|R\$ ?\{|[\"'] if [^\n:]{1,60} == 1 else f?[\"']")
"""Uma data, um valor ou um plural que alguém diz por si."""
_ADDRESS = 'month.mes.strftime("%Y-%m")'


def test_dates_money_and_plurals_come_from_words_alone() -> None:
    package = Path(words.__file__).parent
    found = [
        f"{path.relative_to(package)}: {match[0]}"
        for path in sorted([*package.rglob("*.py"), *package.rglob("*.html")])
        if path.name != "words.py" or path.parent != package
        for match in _ELSEWHERE.finditer(path.read_text("utf-8").replace(_ADDRESS, ""))
    ]
    assert found == []
