"""O que está por trás de cada passo de um período."""

from datetime import date

from bling_collector.insight.sales.periods import SalesPeriod, firsts
from bling_collector.web.panel.tables.revenue import opened


def found(inicio: date, fim: date, step: str, today: date) -> list[str | None]:
    period = SalesPeriod(inicio, fim)
    return opened(firsts(period, step), step, period, today, "/faturamento")


def test_um_mes_abre_so_os_dias_dele_que_sao_do_periodo() -> None:
    assert found(date(2026, 1, 20), date(2026, 3, 5), "mes", date(2026, 3, 5)) == [
        "/faturamento?de=2026-01-20&ate=2026-01-31",
        "/faturamento?de=2026-02-01&ate=2026-02-28",
        "/faturamento?de=2026-03-01&ate=2026-03-05",
    ]


def test_o_que_nao_chegou_nao_se_abre() -> None:
    assert found(date(2026, 1, 1), date(2026, 2, 28), "mes", date(2026, 1, 31))[1] is None


def test_um_dia_que_e_o_periodo_todo_nao_leva_a_si_mesmo() -> None:
    assert found(date(2026, 1, 1), date(2026, 1, 1), "dia", date(2026, 1, 1)) == [None]
