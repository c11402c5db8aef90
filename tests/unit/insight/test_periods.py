"""Os períodos: os prontos, os escritos, os que não existem, e o mesmo período um ano antes."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bling_collector.errors import UsageError
from bling_collector.insight.sales.periods import PRESETS, ComparedPeriod, choose_period, month_end, parse_month

TODAY = date(2026, 2, 20)
FIRST = date(2021, 1, 4)


def choose(preset: str | None = None, de: str | None = None, ate: str | None = None) -> tuple[date, date]:
    found = choose_period(preset, de, ate, today=TODAY, first=FIRST, last=date(2026, 2, 19))
    return found.inicio, found.fim


@pytest.mark.parametrize(
    ("preset", "inicio", "fim"),
    [
        (None, date(2025, 3, 1), TODAY),
        ("12-meses", date(2025, 3, 1), TODAY),
        ("mes", date(2026, 2, 1), TODAY),
        ("mes-passado", date(2026, 1, 1), date(2026, 1, 31)),
        ("ano", date(2026, 1, 1), TODAY),
        ("ano-passado", date(2025, 1, 1), date(2025, 12, 31)),
        ("tudo", FIRST, TODAY),
    ],
)
def test_the_ready_made_periods(preset: str | None, inicio: date, fim: date) -> None:
    assert choose(preset) == (inicio, fim)


def test_every_ready_made_period_serves_an_empty_database() -> None:
    for preset in PRESETS:
        found = choose_period(preset, None, None, today=TODAY, first=None, last=None)
        assert found.inicio <= found.fim <= TODAY
        assert found.preset == preset


@pytest.mark.parametrize(
    ("de", "ate", "inicio", "fim"),
    [
        ("2025-01-10", "2025-01-20", date(2025, 1, 10), date(2025, 1, 20)),
        ("2025-01-10", None, date(2025, 1, 10), TODAY),
        (None, "2022-06-30", FIRST, date(2022, 6, 30)),
        (None, "2020-06-30", date(2020, 6, 30), date(2020, 6, 30)),
        ("2026-02-20", "2030-01-01", TODAY, TODAY),
    ],
)
def test_the_written_dates(de: str | None, ate: str | None, inicio: date, fim: date) -> None:
    assert choose(None, de, ate) == (inicio, fim)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"de": "2025-02-30"}, "inicial .“2025-02-30”. não é um dia"),
        ({"ate": "31/12/2025"}, "data final .“31/12/2025”. não é um dia"),
        ({"de": "2025-03-01", "ate": "2025-02-01"}, r"01/02/2025.* antes da inicial"),
        ({"de": "2026-02-21", "ate": "2026-03-01"}, "ainda não chegou"),
        ({"de": "2030-01-01"}, "O período começa em 01/01/2030, que ainda não chegou"),
        ({"de": "1999-12-31"}, "antes de 01/01/2000"),
        ({"preset": "semana"}, "período chamado “semana”"),
        ({"preset": "ano", "de": "2025-01-01"}, "se contradizem"),
        ({"de": "x" * 5000}, "não é um dia"),
    ],
)
def test_a_period_of_nonsense_is_said(asked: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        choose(**asked)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("inicio", "fim", "before"),
    [
        (date(2025, 3, 1), date(2026, 2, 20), (date(2024, 3, 1), date(2025, 2, 20))),
        (date(2025, 2, 1), date(2025, 2, 28), (date(2024, 2, 1), date(2024, 2, 29))),
        (date(2024, 2, 1), date(2024, 2, 29), (date(2023, 2, 1), date(2023, 2, 28))),
        (date(2024, 2, 29), date(2024, 3, 1), (date(2023, 2, 28), date(2023, 3, 1))),
        (date(2025, 1, 1), date(2025, 12, 31), (date(2024, 1, 1), date(2024, 12, 31))),
    ],
)
def test_one_year_before(inicio: date, fim: date, before: tuple[date, date]) -> None:
    found = ComparedPeriod(inicio, fim).year_before
    assert (found.inicio, found.fim) == before


@given(st.dates(date(2000, 1, 1), date(2030, 12, 31)), st.integers(0, 4000))
def test_one_year_before_is_always_a_period(inicio: date, days: int) -> None:
    fim = date.fromordinal(inicio.toordinal() + days)
    found = ComparedPeriod(inicio, fim).year_before
    assert found.inicio <= found.fim
    assert (found.inicio.month, found.fim.month) == (inicio.month, fim.month)
    assert (fim == month_end(fim)) == (found.fim == month_end(found.fim)) or fim.month == 2
    months = list(ComparedPeriod(inicio, fim).months)
    assert months == sorted(set(months))
    assert (months[0], months[-1]) == (inicio.replace(day=1), fim.replace(day=1))


def test_a_month_in_the_address() -> None:
    assert parse_month("2025-03") == date(2025, 3, 1)
    for wrong in ("2025-13", "2025-3", "25-03", "março", "", "2025-03-01", "1999-12", "9999-12", "２０２５-03", "<b>"):
        with pytest.raises(UsageError):
            parse_month(wrong)


def test_a_year_before_that_is_not_there_is_not_compared() -> None:
    """O que falta do ano anterior perdoa-se na proporção do período: de um mês, dois dias; de um ano, um mês."""
    month, year = (
        ComparedPeriod(date(2026, 1, 1), date(2026, 1, 31)),
        ComparedPeriod(date(2025, 3, 1), date(2026, 2, 28)),
    )
    assert month.compares(date(2025, 1, 3))
    assert not month.compares(date(2025, 1, 27))
    assert year.compares(date(2024, 3, 31))
    assert not year.compares(date(2024, 4, 2))
    assert not ComparedPeriod(date(2026, 1, 5), date(2026, 1, 5)).compares(date(2025, 1, 6))
    assert not month.compares(None)
