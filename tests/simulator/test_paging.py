import pytest

from bling_simulator import SimulatorSettings
from bling_simulator.api.paging import cut_page

PLAIN = SimulatorSettings(repeat_previous_row=False, uneven_pages=False)
UNEVEN = SimulatorSettings(repeat_previous_row=False)
QUIRKY = SimulatorSettings()


def pages(count: int, limite: int, settings: SimulatorSettings) -> list[list[int]]:
    """Todas as páginas não vazias, lidas até a primeira vazia."""
    found: list[list[int]] = []
    while page := cut_page(range(count), len(found) + 1, limite, settings):
        found.append(page)
    return found


def test_without_quirks_pages_are_even() -> None:
    assert [len(page) for page in pages(250, 100, PLAIN)] == [100, 100, 50]


@pytest.mark.parametrize("count", [0, 1, 97, 98, 99, 100, 101, 200, 203, 399, 400, 1000])
@pytest.mark.parametrize("limite", [1, 7, 8, 50, 100])
@pytest.mark.parametrize("settings", [PLAIN, UNEVEN, QUIRKY])
def test_no_row_is_ever_lost(count: int, limite: int, settings: SimulatorSettings) -> None:
    rows = [row for page in pages(count, limite, settings) for row in page]
    assert sorted(set(rows)) == list(range(count))
    if not settings.repeat_previous_row:
        assert rows == list(range(count))


def test_the_first_page_is_short_and_the_second_long() -> None:
    assert [len(page) for page in pages(500, 100, UNEVEN)] == [98, 105, 97, 100, 98, 2]


def test_even_pages_repeat_the_last_row_of_the_page_before() -> None:
    first, second, third, *_ = pages(500, 100, QUIRKY)
    assert second[0] == first[-1]
    assert third[0] == second[-1] + 1


def test_past_the_end_is_empty() -> None:
    assert cut_page(range(10), 2, 100, QUIRKY) == []
