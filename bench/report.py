"""A tabela e o arquivo de uma medida."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.contestants import CONTESTANTS
from bench.measuring import Cost
from bench.scenarios import Scenario
from bench.truth import Found

BASE = "nosso"
HEAD = "| coletor | tempo | razão | CPU por mil notas | razão | memória | razão | requisições | razão | notas certas |"
RULE = "| --- |" + " ---: |" * 9


@dataclass(frozen=True)
class Measure:
    """Uma carga, de um coletor."""

    turn: int
    """Em que volta: dentro de uma, um foi medido logo depois do outro."""
    who: str
    cost: Cost
    paths: dict[str, int]
    """Requisições por caminho."""
    refused: int
    """Respostas 429."""
    found: Found
    simulator_cpu: float
    postgres_cpu: float

    @property
    def right(self) -> bool:
        return self.cost.code == 0 and self.found.complete


Figure = Callable[[Measure], float]


def seconds(measure: Measure) -> float:
    return measure.cost.seconds


def cpu(measure: Measure) -> float:
    """Por mil notas."""
    return measure.cost.cpu * 1000 / measure.found.of_notes


def memory(measure: Measure) -> float:
    """Em MB."""
    return measure.cost.memory / 1e6


def requests(measure: Measure) -> float:
    return sum(measure.paths.values())


def median(measures: Sequence[Measure], who: str, figure: Figure) -> float:
    return statistics.median(figure(one) for one in measures if one.who == who)


def ratio(measures: Sequence[Measure], who: str, figure: Figure) -> float:
    """Quantas vezes o nosso: a mediana das razões de cada volta."""
    ours = {one.turn: figure(one) for one in measures if one.who == BASE}
    return statistics.median(figure(one) / ours[one.turn] for one in measures if one.who == who)


def table(scenario: Scenario, measures: Sequence[Measure]) -> str:
    """O cenário em Markdown."""
    shown: tuple[tuple[Figure, int, str], ...] = (
        (seconds, 1, " s"),
        (cpu, 2, " s"),
        (memory, 0, " MB"),
        (requests, 0, ""),
    )
    notes = number(measures[0].found.of_notes, 0)
    lines = [f"**{scenario.title(notes)}** ({_times(scenario.times)})", "", HEAD, RULE]
    for who in scenario.who:
        cells = [CONTESTANTS[who].title]
        for figure, places, unit in shown:
            cells += [
                number(median(measures, who, figure), places) + unit,
                number(ratio(measures, who, figure), 2),
            ]
        cells.append(_found(next(one.found for one in measures if one.who == who)))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", _around(scenario, measures)])


def number(value: float, places: int) -> str:
    """À brasileira."""
    return f"{value:,.{places}f}".translate(str.maketrans(",.", ".,"))


def _times(times: int) -> str:
    return "uma vez" if times == 1 else f"mediana de {times} voltas"


def _found(found: Found) -> str:
    return f"{number(found.notes, 0)} de {number(found.of_notes, 0)}"


def _around(scenario: Scenario, measures: Sequence[Measure]) -> str:
    """O que a carga de cada um custou aos outros processos, e o que lhe foi recusado."""
    parts = []
    for who in scenario.who:
        simulator = median(measures, who, lambda one: one.simulator_cpu)
        postgres = median(measures, who, lambda one: one.postgres_cpu)
        refused = median(measures, who, lambda one: one.refused)
        parts.append(
            f"{CONTESTANTS[who].title}: {number(simulator, 1)} s do simulador, {number(postgres, 1)} s do PostgreSQL"
            + (f", {number(refused, 0)} respostas 429" if refused else "")
        )
    return f"CPU dos outros processos durante a carga — {'; '.join(parts)}."


def as_json(scenario: Scenario, measures: Sequence[Measure]) -> dict[str, Any]:
    return {"cenario": asdict(scenario), "medidas": [asdict(one) for one in measures]}
