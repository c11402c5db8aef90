"""Quanto falta à execução inteira, do plano do começo e do que ela vai encontrando."""

from collections.abc import Collection, Mapping
from datetime import date
from math import ceil

from bling_collector.etl.progress import Outlook, time_left
from bling_collector.windows import Window

NEW = ("nfe", Window(date(2025, 1, 1), date(2025, 12, 31)))
OLD = ("nfe", Window(date(2024, 1, 1), date(2024, 12, 30)))
OTHER = ("pedidos_venda", Window(date(2025, 1, 1), date(2025, 12, 31)))
STEPS = 10


def pages(recurso: str, records: float) -> float:
    return ceil(records / 100) + 2


def contacts(found: Mapping[str, float], begun: Collection[str]) -> float:
    """Meio contato por nota, e os passos que há sempre."""
    return 0 if "contatos" in begun else found.get("nfe", 0) / 2 + STEPS


def outlook(ahead: dict[tuple[str, Window], int | None], *, fetches: bool = True) -> Outlook:
    return Outlook(ahead, pages, contacts, fetches=fetches)


def test_before_the_first_window_is_read_nothing_is_said() -> None:
    assert outlook({NEW: None, OLD: None}).left() is None
    assert outlook({NEW: 100, OLD: None}).left() is None
    assert outlook({}).left() == STEPS, "só o que está pendente"


def test_the_windows_to_come_are_like_the_ones_read() -> None:
    plan = outlook({NEW: None, OLD: None})
    plan.listed(*NEW, 730)
    assert plan.left() == 730 + 8 + 2 + 730 + STEPS, "as notas, as páginas e os cadastros"
    plan.listed(*OLD, 10)
    plan.listed(*OLD, 10)
    assert plan.left() == 370 + STEPS
    plan.begin("nfe")
    assert plan.left() == 370 + STEPS, "as notas acabaram, e os contatos ainda não começaram"
    plan.begin("contatos")
    assert plan.left() == 0


def test_of_a_resource_not_yet_read_what_others_showed_is_expected() -> None:
    plan = outlook({NEW: None, OLD: 0, OTHER: None})
    plan.listed(*NEW, 730)
    assert plan.left() == 2 + 730 + 8 + 2 + 365 + STEPS
    plan.listed(*OLD, 0)
    plan.listed(*OTHER, 20)
    assert plan.left() == 365 + STEPS, "um pedido não traz contatos nesta conta"


def test_what_was_checked_is_known_and_a_check_fetches_nothing() -> None:
    assert outlook({NEW: 200, OLD: 100}).left() == 300 + 3 + 4 + 150 + STEPS
    assert outlook({NEW: 200, OLD: 100}, fetches=False).left() == 3 + 4


def test_the_time_left_is_of_the_whole_run() -> None:
    assert time_left(100, 300, 50.0) == 150
    assert time_left(0, 300, 50.0) is None
    assert time_left(100, None, 50.0) is None
