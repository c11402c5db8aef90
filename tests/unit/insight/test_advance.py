"""Se a coleta avança, pelas últimas execuções que pararam no limite."""

from datetime import UTC, datetime

import pytest

from bling_collector.insight.advance import Cut, advances

NOW = datetime(2026, 2, 20, tzinfo=UTC)


def cuts(*left: int, saved: int = 10) -> list[Cut]:
    return [Cut(NOW, each, saved) for each in left]


@pytest.mark.parametrize(
    ("found", "goes_on"),
    [
        (cuts(), False),
        (cuts(500), True),
        (cuts(500, saved=0), True),
        (cuts(400, 500, 600), True),
        (cuts(900, 500, 600), True),
        (cuts(500, 500), True),
        (cuts(500, 500, saved=0), False),
        (cuts(500, 500, 500), False),
        (cuts(700, 600, 500), False),
        (cuts(650, 700, 500), True),
    ],
)
def test_one_estimate_that_grows_is_not_a_load_that_stands_still(found: list[Cut], goes_on: bool) -> None:
    assert advances(found) is goes_on
