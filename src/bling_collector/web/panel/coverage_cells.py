"""A célula de um mês no calendário: o número, o sinal e a cor; a cor nunca diz nada sozinha."""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from bling_collector.etl.coverage import MonthCoverage
from bling_collector.web.panel.filters import number

STATES: Final = {
    "igual": "Igual ao Bling",
    "vazio": "Sem notas, dos dois lados",
    "difere": "Difere do Bling",
    "devido": "Há o que buscar",
    "nunca": "Ainda não conferido",
    "fora": "Antes do começo da coleta",
    "futuro": "Ainda não chegou",
}
_SIGNS: Final = {"igual": "✓", "vazio": "–", "difere": "≠", "devido": "!", "nunca": "?", "fora": "", "futuro": ""}
_MUCH: Final = Decimal("0.9")


@dataclass(frozen=True)
class Cell:
    state: str
    sign: str
    heat: int
    percent: str
    count: str
    said: str
    """O que um leitor de tela diz dela, sem o nome do mês."""


def cell(month: MonthCoverage) -> Cell:
    """A célula do mês. A porcentagem é truncada: só está em 100% quem tem todas."""
    percent = _percent(month.held) if month.state in ("igual", "difere", "devido") else ""
    count = ""
    if month.checked is not None and month.state not in ("fora", "futuro", "vazio"):
        count = f"{number(month.no_banco)} de {number(month.no_bling)}"
    elif month.agora:
        count = f"{number(month.agora)} aqui"
    said = ", ".join(filter(None, (STATES[month.state].lower(), percent, f"{count} notas" if count else "")))
    return Cell(month.state, _SIGNS[month.state], _heat(month), percent, count, said)


def _heat(month: MonthCoverage) -> int:
    """O degrau da escala de cor: 4 tem tudo, 3 não tem nada a ter, 2 e 1 falta, 0 não se sabe."""
    match month.state:
        case "igual":
            return 4
        case "vazio":
            return 3
        case "difere" | "devido":
            return 2 if month.held is None or month.held >= _MUCH else 1
    return 0


def _percent(held: Decimal | None) -> str:
    if held is None:
        return ""
    floored = (held * 1000).to_integral_value(ROUND_FLOOR) / 10
    return f"{number(floored, 0 if floored == floored.to_integral_value() else 1)}%"
