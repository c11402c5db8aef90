"""O que está por trás de cada passo de um período."""

from datetime import date

from bling_collector.insight.sales.periods import ComparedPeriod, firsts
from bling_collector.web.panel.tables.revenue import opened


def found(inicio: date, fim: date, step: str, today: date) -> list[str | None]:
    period = ComparedPeriod(inicio, fim)
    return opened(firsts(period, step), step, period, today, "/faturamento")


def test_a_month_opens_only_its_days_inside_the_period() -> None:
    assert found(date(2026, 1, 20), date(2026, 3, 5), "mes", date(2026, 3, 5)) == [
        "/faturamento?de=2026-01-20&ate=2026-01-31",
        "/faturamento?de=2026-02-01&ate=2026-02-28",
        "/faturamento?de=2026-03-01&ate=2026-03-05",
    ]


def test_what_has_not_come_does_not_open() -> None:
    assert found(date(2026, 1, 1), date(2026, 2, 28), "mes", date(2026, 1, 31))[1] is None


def test_a_day_that_is_the_whole_period_does_not_link_to_itself() -> None:
    assert found(date(2026, 1, 1), date(2026, 1, 1), "dia", date(2026, 1, 1)) == [None]
