"""Quanto falta à execução inteira, do plano do começo e do que ela vai encontrando."""

from datetime import date

from bling_collector.etl.progress import STEPS, Outlook, time_left
from bling_collector.windows import Window

NEW = ("nfe", Window(date(2025, 1, 1), date(2025, 12, 31)))
OLD = ("nfe", Window(date(2024, 1, 1), date(2024, 12, 30)))


def test_before_the_first_window_is_read_nothing_is_said() -> None:
    assert Outlook({NEW: None, OLD: None}).left() is None
    assert Outlook({NEW: 100, OLD: None}).left() is None
    assert Outlook().left() == STEPS, "só o que está pendente"


def test_the_windows_to_come_are_like_the_ones_read() -> None:
    outlook = Outlook({NEW: None, OLD: None}, contacts=0.5)
    outlook.listed(*NEW, 730)
    assert outlook.left() == 730 + 8 + 3 + 730 + STEPS, "as notas, as páginas e os cadastros"
    outlook.listed(*OLD, 10)
    outlook.listed(*OLD, 10)
    assert outlook.left() == 370 + STEPS
    outlook.registers()
    assert outlook.left() == 0


def test_what_was_checked_is_known_and_a_check_fetches_nothing() -> None:
    assert Outlook({NEW: 200, OLD: 100}, contacts=0.0).left() == 300 + 3 + 6 + STEPS
    assert Outlook({NEW: 200, OLD: 100}, fetches=False).left() == 3 + 6


def test_the_time_left_is_of_the_whole_run() -> None:
    assert time_left(100, 300, 50.0) == 150
    assert time_left(0, 300, 50.0) is None
    assert time_left(100, None, 50.0) is None
