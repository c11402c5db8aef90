"""O corte das páginas: por deslocamento sobre o conjunto vivo, com as irregularidades medidas."""

from collections.abc import Sequence
from typing import TypeVar

from bling_simulator.settings import SimulatorSettings

Row = TypeVar("Row")

_SHIFTS = (0, -2, 3, 0)
"""Quanto anda a fronteira ao fim de cada página, em ciclo: a 1ª sai curta, a 2ª comprida."""


def cut_page(rows: Sequence[Row], pagina: int, limite: int, settings: SimulatorSettings) -> list[Row]:
    """As linhas da página. Nenhuma se perde entre páginas; uma pode se repetir na seguinte."""
    uneven = settings.uneven_pages
    start, end = _boundary(pagina - 1, limite, uneven=uneven), _boundary(pagina, limite, uneven=uneven)
    page = list(rows[start:end])
    if settings.repeat_previous_row and page and pagina % 2 == 0:
        page.insert(0, rows[start - 1])
    return page


def _boundary(pages: int, limite: int, *, uneven: bool) -> int:
    """Quantas linhas vêm nas primeiras `pages` páginas. Em páginas muito pequenas nada se mexe."""
    shift = _SHIFTS[pages % len(_SHIFTS)] if uneven and limite >= 8 and pages else 0
    return pages * limite + shift
