"""O ritmo de uma execução vista de fora."""

from bling_collector.insight.live import SPAN, Pace


def test_one_look_says_nothing() -> None:
    pace = Pace()
    pace.add(0, 10)
    assert pace.per_second is None


def test_the_pace() -> None:
    pace = Pace()
    pace.add(0, 10)
    pace.add(10, 40)
    assert pace.per_second == 3


def test_only_the_last_half_minute_counts() -> None:
    pace = Pace()
    pace.add(0, 0)
    pace.add(100, 1000)
    pace.add(100 + SPAN / 2, 1045)
    assert pace.per_second == 3
