"""O ritmo de uma execução vista de fora."""

from typing import Any

from bling_collector.etl.live import SPAN, Pace


def seen(fase: str, done: int, requests: int) -> dict[str, Any]:
    return {"andamento": {"fase": fase, "feitos": done}, "requisicoes": requests}


def test_one_look_says_nothing() -> None:
    pace = Pace()
    pace.add(0, seen("a", 5, 10))
    assert pace.per_second is None
    assert pace.left(100) is None


def test_the_pace_and_the_time_left() -> None:
    pace = Pace()
    pace.add(0, seen("a", 0, 10))
    pace.add(10, seen("a", 20, 40))
    assert pace.per_second == 3
    assert pace.left(100) == 40
    assert pace.left(0) is None


def test_a_new_phase_starts_again() -> None:
    pace = Pace()
    pace.add(0, seen("a", 90, 10))
    pace.add(10, seen("b", 0, 40))
    assert pace.per_second == 3
    assert pace.left(100) is None
    pace.add(12, seen("b", 10, 46))
    assert pace.left(100) == 18


def test_only_the_last_half_minute_counts() -> None:
    pace = Pace()
    pace.add(0, seen("a", 0, 0))
    pace.add(100, seen("a", 0, 1000))
    pace.add(100 + SPAN / 2, seen("a", 0, 1045))
    assert pace.per_second == 3
    assert pace.left(10) is None, "nada anda"
