"""A conferência pura: o que falta, o que mudou, o que sobra; que meses uma janela cobre; quais é a vez de reler."""

from collections import Counter
from datetime import date

import pytest

from bling_collector.db.proof import Held
from bling_collector.etl.check import Listed, compare, months_of
from bling_collector.etl.context import Found
from bling_collector.etl.due import due_windows
from bling_collector.windows import Window, whole_months

JAN, FEB, MAR = date(2024, 1, 10), date(2024, 2, 29), date(2024, 3, 1)


def listed(resumo: str, day: date = JAN, group: str = "6") -> Listed:
    return Listed(resumo, day, group)


def test_compare_tells_the_missing_the_changed_and_the_extra_apart() -> None:
    there = {1: listed("a"), 2: listed("b"), 3: listed("c"), 4: listed("d")}
    here = {2: Held("b", JAN), 3: Held("outro", JAN), 4: Held(None, JAN), 5: Held("e", JAN)}
    found = compare(there, here)
    assert (found.faltam, found.diferem, found.sobram) == ([1], [3, 4], [5])


def test_compare_does_not_call_missing_one_stored_under_another_date() -> None:
    found = compare({1: listed("a"), 2: listed("b")}, {}, elsewhere=[1, 9])
    assert (found.faltam, found.diferem, found.sobram) == ([2], [1], [])


@pytest.mark.parametrize(
    ("window", "scope", "today", "expected"),
    [
        ((date(2024, 1, 1), date(2024, 2, 29)), date(2024, 1, 1), MAR, ["01-01/01-31", "02-01/02-29"]),
        ((date(2024, 1, 2), date(2024, 2, 29)), date(2023, 1, 1), MAR, ["02-01/02-29"]),
        ((date(2024, 1, 2), date(2024, 2, 28)), date(2023, 1, 1), MAR, []),
        ((date(2024, 1, 2), date(2024, 1, 31)), date(2024, 1, 2), MAR, ["01-02/01-31"]),
        ((date(2024, 2, 1), date(2024, 3, 1)), date(2023, 1, 1), MAR, ["02-01/02-29", "03-01/03-01"]),
        ((date(2023, 12, 1), date(2023, 12, 31)), date(2024, 1, 1), MAR, []),
    ],
)  # fmt: skip
def test_whole_months(window: tuple[date, date], scope: date, today: date, expected: list[str]) -> None:
    found = whole_months(Window(*window), scope, today)
    assert [f"{month.inicio:%m-%d}/{month.fim:%m-%d}" for month in found] == expected


def test_months_of_counts_both_sides_by_month_and_only_the_repaired_as_such() -> None:
    months = [Window(date(2024, 1, 1), date(2024, 1, 31)), Window(date(2024, 2, 1), FEB)]
    there = {1: listed("a"), 2: listed("b", FEB, "2"), 3: listed("c", FEB), 4: listed("d", MAR)}
    here = {1: Held("a", JAN), 2: Held("velho", FEB), 9: Held("z", JAN)}
    counts = {date(2024, 1, 1): Counter({"6": 2}), date(2024, 2, 1): Counter({"6": 1})}
    before = {1: JAN, 2: FEB, 3: FEB, 4: MAR, 9: JAN}
    january, february = months_of(months, there, here, counts, before)
    assert (january.no_bling, january.no_banco) == (Counter({"6": 1}), Counter({"6": 2}))
    assert (january.faltam, january.diferem, january.sobram, january.reparadas) == ([], [], [9], 1)
    assert (february.no_bling, february.no_banco) == (Counter({"6": 1, "2": 1}), Counter({"6": 1}))
    assert (february.faltam, february.diferem, february.sobram, february.reparadas) == ([3], [2], [], 0)


def test_due_windows_are_the_months_no_recent_check_covers_whole() -> None:
    scope, today = date(2023, 12, 15), date(2024, 3, 10)
    checked: dict[date, tuple[date, object]] = {
        date(2023, 12, 1): (date(2023, 12, 20), 0),  # só desde o dia 20: a coleta passou a começar antes
        date(2024, 1, 1): (date(2024, 1, 1), 0),
        date(2024, 3, 1): (date(2024, 3, 1), 0),  # antiga
    }
    due = due_windows(scope, today, checked, fresh=[date(2023, 12, 1), date(2024, 1, 1)])
    assert due == [
        Window(date(2023, 12, 15), date(2023, 12, 31)),
        Window(date(2024, 2, 1), FEB),
        Window(date(2024, 3, 1), today),
    ]


def test_each_nota_found_counts_in_one_way_only() -> None:
    found = Found("nfe")
    found.add("nfe", sumiram=[1, 2, 3])
    found.add("nfe", mudaram=[2], faltavam=[3, 4])
    found.add("nfe", sumiram=[2, 4, 5])
    assert found.ids == {"faltavam": [3, 4], "mudaram": [2], "sumiram": [1, 5]}
    assert str(found) == "2 faltam aqui, 1 mudaram lá, 2 só existem aqui"
    assert found.as_json(most=1) == {
        "contagens": {"faltavam": 2, "mudaram": 1, "sumiram": 2},
        "ids": {"faltavam": [3], "mudaram": [2], "sumiram": [1]},
    }
    assert not Found().counts
