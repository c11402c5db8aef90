"""O ritmo de uma execução vista de fora."""

from typing import Any

from bling_collector.insight.live import SPAN, Pace


def seen(requests: int) -> dict[str, Any]:
    return {"requisicoes": requests}


def test_one_look_says_nothing() -> None:
    pace = Pace()
    pace.add(0, seen(10))
    assert pace.per_second is None


def test_the_pace() -> None:
    pace = Pace()
    pace.add(0, seen(10))
    pace.add(10, seen(40))
    assert pace.per_second == 3


def test_only_the_last_half_minute_counts() -> None:
    pace = Pace()
    pace.add(0, seen(0))
    pace.add(100, seen(1000))
    pace.add(100 + SPAN / 2, seen(1045))
    assert pace.per_second == 3
