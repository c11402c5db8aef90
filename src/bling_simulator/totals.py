"""A verdade em números: quantas notas, em que situação e quanto somam, por ano."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from bling_simulator.payload import Json

_CANCELLED = 2


@dataclass
class YearTotals:
    """As notas de saída de um ano."""

    count: Counter[int] = field(default_factory=Counter)
    """Situação → quantas."""
    value: defaultdict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """Situação → soma de `valorNota`."""

    @property
    def notes(self) -> int:
        return sum(self.count.values())

    @property
    def cancelled(self) -> int:
        return self.count[_CANCELLED]

    def as_json(self) -> Json:
        return {
            "notes": self.notes,
            "cancelled": self.cancelled,
            "value": sum(self.value.values(), Decimal(0)),
            "by_situacao": {
                str(situacao): {"count": count, "value": self.value[situacao]}
                for situacao, count in sorted(self.count.items())
            },
        }


def totals_by_year(notes: Iterable[Json], tipo: int = 1) -> dict[int, YearTotals]:
    """Ano de emissão → totais das notas do `tipo` dado."""
    totals: defaultdict[int, YearTotals] = defaultdict(YearTotals)
    for note in notes:
        if note["tipo"] == tipo:
            year = totals[int(note["dataEmissao"][:4])]
            year.count[note["situacao"]] += 1
            year.value[note["situacao"]] += Decimal(note["valorNota"])
    return dict(sorted(totals.items()))
