"""A célula de um mês no calendário: o número, o sinal e a cor; a cor nunca diz nada sozinha."""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from bling_collector.insight.proof.coverage import MonthCoverage
from bling_collector.words import lower_first, number, plural, share

STATES: Final = {
    "igual": "Igual ao Bling",
    "vazio": "Sem notas, dos dois lados",
    "difere": "Difere do Bling",
    "devido": "Há o que buscar",
    "nunca": "Ainda não conferido",
    "fora": "Antes do começo da coleta",
    "futuro": "Ainda não chegou",
    "curso": "Por buscar, na execução em curso",
}
_SIGNS: Final = {
    "igual": "✓",
    "vazio": "–",
    "difere": "≠",
    "devido": "!",
    "nunca": "?",
    "fora": "",
    "futuro": "",
    "curso": "…",
}
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


def cell(month: MonthCoverage, *, running: bool = False) -> Cell:
    """A célula do mês. A porcentagem é truncada: só está em 100% quem tem todas.

    Com uma execução em curso (`running`), o mês que ela ainda vai buscar não é falha: o seu estado é `curso`.
    """
    state = "curso" if running and month.state == "devido" and month.checked is None else month.state
    percent = _percent(month.held) if state in ("igual", "difere", "devido") else ""
    count, notes = "", ""
    if month.checked is not None and state not in ("fora", "futuro", "vazio"):
        count = share(month.no_banco or 0, month.no_bling or 0)
        notes = share(month.no_banco or 0, month.no_bling or 0, "nota", "notas")
    elif month.agora:
        count = f"{number(month.agora)} aqui"
        notes = f"{plural(month.agora, 'nota', 'notas')} aqui"
    said = ", ".join(filter(None, (lower_first(STATES[state]), percent, notes)))
    return Cell(state, _SIGNS[state], 0 if state == "curso" else _heat(month), percent, count, said)


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
