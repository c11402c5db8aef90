"""As tabelas do dinheiro, da conta já feita."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO
from types import SimpleNamespace
from typing import Any

from bling_collector.insight.finance.money import ZERO, Flow, FlowStep, Money, Outstanding
from bling_collector.insight.sales.periods import ComparedPeriod, firsts, step_of
from bling_collector.web.panel.tables.finance import money_table
from bling_collector.web.panel.tables.revenue import change
from bling_collector.web.panel.tables.table import csv_lines, write_xlsx

TODAY = date(2026, 2, 20)


def found(inicio: date, fim: date, **changes: Any) -> Money:
    """O dinheiro de um período em que nada entrou nem saiu, e o que de mais se diz dele."""
    period = ComparedPeriod(inicio, fim)
    steps = [FlowStep(each, Flow(), Flow()) for each in firsts(period, step_of(period))]
    receber, pagar = (Outstanding(lado, [], ZERO) for lado in ("receber", "pagar"))
    whole = Money(period, step_of(period), TODAY, receber, pagar, steps, [], [], [], [], [], date(2024, 1, 1), [])
    return replace(whole, **changes)


def aco(valor: int) -> Any:
    """O que se vendeu de aço num mês."""
    return SimpleNamespace(natureza="receita", grupo=None, categoria_id=1, categoria="Aço", valor=Decimal(valor))


def test_the_fluxo_of_many_years_is_by_year() -> None:
    table = money_table("fluxo", found(date(2015, 1, 1), TODAY))
    csv = b"".join(csv_lines(table)).decode().splitlines()
    assert [line.split(";")[0] for line in csv[1:3]] == ["2015", "2016"]
    file = BytesIO()
    write_xlsx(file, [table], ["Sobre"])
    assert file.getvalue()


def test_the_categorias_compare_only_whole_months_that_ended() -> None:
    def compared(inicio: date, fim: date, first: date = date(2024, 1, 1)) -> tuple[Any, ...]:
        money = found(inicio, fim, dre=[aco(50)], dre_before=[aco(100)], first=first)
        (row,) = money_table("categorias", money).rows
        return tuple(row[3:])

    january = (Decimal(50), Decimal(100), Decimal("-0.5"), "jan/2026")
    assert compared(date(2026, 1, 1), date(2026, 1, 31)) == january
    assert compared(date(2026, 1, 10), date(2026, 1, 10)) == january, "o mês inteiro, que se diz qual é"
    assert compared(date(2026, 2, 1), TODAY) == (Decimal(50), None, None, "fev/2026"), "fevereiro não acabou"
    assert compared(date(2026, 1, 20), TODAY) == (Decimal(50), None, None, "jan/2026 a fev/2026")
    assert compared(date(2026, 1, 1), date(2026, 1, 31), date(2025, 1, 27)) == (Decimal(50), None, None, "jan/2026")


def test_from_a_negative_there_is_no_change_to_tell() -> None:
    assert change(Decimal(100), Decimal(-100)) is None
    assert change(Decimal(0), Decimal(0)) is None
    assert change(Decimal(-50), Decimal(100)) == Decimal("-1.5")
