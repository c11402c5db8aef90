"""A próxima execução que se espera, pela hora de costume."""

from datetime import UTC, datetime, time, timedelta

import pytest

from bling_collector.clock import BRASILIA
from bling_collector.insight.situation import next_run, usual_time


def daily(hour: int, minute: int = 0, *, days: int = 7) -> list[datetime]:
    """Uma por dia até 20/02/2026, à mesma hora de Brasília, em UTC."""
    first = datetime(2026, 2, 20, hour, minute, tzinfo=BRASILIA)
    return [(first - timedelta(days=day)).astimezone(UTC) for day in range(days)]


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 2, day, hour, minute, tzinfo=BRASILIA)


def test_the_usual_time_is_of_brasilia() -> None:
    assert usual_time(daily(6)) == time(6, 0)
    assert usual_time(daily(23, 30)) == time(23, 30)


def test_a_second_run_by_hand_and_a_missed_day_do_not_matter() -> None:
    starts = [*daily(6, 2)[1:], local(20, 15).astimezone(UTC), local(19, 11).astimezone(UTC)]
    assert usual_time(starts) == time(6, 0)


@pytest.mark.parametrize("starts", [[], daily(6, days=2), [local(20 - n, (5 * n) % 24) for n in range(7)]])
def test_no_habit(starts: list[datetime]) -> None:
    assert usual_time(starts) is None
    assert next_run(starts, local(20, 12)) is None


def test_when_it_is_expected() -> None:
    assert next_run(daily(6), local(20, 12)) == local(21, 6)
    assert next_run(daily(6)[1:], local(20, 5)) == local(20, 6)
    assert next_run(daily(6)[1:], local(20, 6, 30)) == local(20, 6), "está por pouco atrasada"
    assert next_run(daily(6)[1:], local(20, 9)) == local(21, 6), "a de hoje não veio"
    assert next_run(daily(6), local(20, 6, 30)) == local(21, 6), "a de hoje já foi"
