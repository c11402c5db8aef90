"""A célula de um mês: o que se lê, o que se vê, e o que ela não afirma sem conferência."""

from collections import Counter
from datetime import UTC, date, datetime

from bling_collector.insight.proof.coverage import MonthCoverage
from bling_collector.insight.proof.reconciliation import MonthCheck, Side
from bling_collector.web.panel.pages.cobertura import _sentence
from bling_collector.web.panel.tables.coverage import cell
from bling_collector.words import lower_first, upper_first

MONTH = date(2026, 1, 1)


def checked(there: int, here: int, missing: int = 0) -> MonthCheck:
    return MonthCheck(
        MONTH,
        MONTH,
        date(2026, 1, 31),
        datetime(2026, 2, 1, tzinfo=UTC),
        1,
        Side(there, {}),
        Side(here, {}),
        list(range(missing)),
        [],
        [],
        0,
        igual=not missing,
    )


def test_what_is_read_is_in_portuguese() -> None:
    assert cell(MonthCoverage(MONTH, "devido", agora=86)).said == "há o que buscar, 86 notas aqui"
    assert cell(MonthCoverage(MONTH, "nunca", agora=1)).said == "ainda não conferido, 1 nota aqui"
    equal = cell(MonthCoverage(MONTH, "igual", 10, checked(10, 10)))
    assert equal.said == "igual ao Bling, 100%, 10 de 10 notas", "o nome próprio fica como é"


def test_what_the_present_run_has_yet_to_fetch_is_no_failure() -> None:
    owed = MonthCoverage(MONTH, "devido")
    assert (cell(owed).state, cell(owed, running=True).state, cell(owed, running=True).heat) == ("devido", "curso", 0)
    lost = MonthCoverage(MONTH, "devido", 9, checked(10, 9, 1))
    assert cell(lost, running=True).state == "devido", "o que já se conferiu e falta continua a faltar"
    assert _sentence(Counter(curso=71)) == ("running", "Carga em curso: 71 meses ainda por buscar.")
    assert _sentence(Counter(devido=2, difere=1))[1] == "2 meses têm o que buscar ainda; 1 mês difere do Bling."


def test_only_the_first_letter_changes() -> None:
    assert lower_first("O Bling falhou") == "o Bling falhou"
    assert upper_first("nota do Bling") == "Nota do Bling"
    assert upper_first("") == lower_first("") == ""
