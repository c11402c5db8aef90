"""Um instantâneo escrito em JSON."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from bling_collector.insight.snapshots import MONTH, as_json


@dataclass(frozen=True)
class Inner:
    mes: date = field(metadata=MONTH)
    dia: date


@dataclass(frozen=True)
class Outer:
    quando: datetime
    valor: Decimal
    dentro: list[Inner]
    meses: list[date] = field(metadata=MONTH)
    nada: None = None

    @property
    def derived(self) -> int:
        return 1


def test_only_dates_become_text() -> None:
    day = date(2026, 2, 1)
    outer = Outer(datetime(2026, 2, 20, 21, 0, 0, 5000, UTC), Decimal("1.50"), [Inner(day, day)], [day])
    assert as_json({"x": (outer,)}) == {
        "x": [
            {
                "quando": "2026-02-20T21:00:00.005000+00:00",
                "valor": Decimal("1.50"),
                "dentro": [{"mes": "2026-02", "dia": "2026-02-01"}],
                "meses": ["2026-02"],
                "nada": None,
            }
        ]
    }
