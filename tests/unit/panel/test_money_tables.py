"""As tabelas do dinheiro, da conta já feita."""

from datetime import date
from decimal import Decimal
from io import BytesIO

from bling_collector.insight.finance.money import ZERO, Flow, FlowStep, Money, Side
from bling_collector.insight.sales.periods import ComparedPeriod, firsts, step_of
from bling_collector.web.panel.tables.finance import money_table
from bling_collector.web.panel.tables.revenue import change
from bling_collector.web.panel.tables.table import csv_lines, write_xlsx

TODAY = date(2026, 2, 20)


def found(inicio: date, fim: date) -> Money:
    """O dinheiro de um período em que nada entrou nem saiu."""
    period = ComparedPeriod(inicio, fim)
    steps = [FlowStep(each, Flow(), Flow()) for each in firsts(period, step_of(period))]
    receber, pagar = (Side(lado, [], ZERO) for lado in ("receber", "pagar"))
    return Money(period, step_of(period), TODAY, receber, pagar, steps, [], [], [], [], [], None, [])


def test_the_fluxo_of_many_years_is_by_year() -> None:
    table = money_table("fluxo", found(date(2015, 1, 1), TODAY))
    csv = b"".join(csv_lines(table)).decode().splitlines()
    assert [line.split(";")[0] for line in csv[1:3]] == ["2015", "2016"]
    file = BytesIO()
    write_xlsx(file, [table], ["Sobre"])
    assert file.getvalue()


def test_from_a_negative_there_is_no_change_to_tell() -> None:
    assert change(Decimal(100), Decimal(-100)) is None
    assert change(Decimal(0), Decimal(0)) is None
    assert change(Decimal(-50), Decimal(100)) == Decimal("-1.5")
