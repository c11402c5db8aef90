"""As janelas de tempo: pedir, juntar, cortar. Tudo puro, em dias de Brasília, com as duas pontas incluídas."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from bling_collector.errors import UsageError
from bling_collector.words import day, period

MAX_DAYS = 365
"""O Bling recusa mais de um ano entre as datas de um filtro (referência: alterações da v306)."""
_DAY = timedelta(days=1)
EARLIEST = date(2000, 1, 1)
"""Antes disto não havia NF-e."""


@dataclass(frozen=True, order=True)
class Window:
    inicio: date
    fim: date

    def __str__(self) -> str:
        return period(self.inicio, self.fim)

    def holds(self, day: date) -> bool:
        return self.inicio <= day <= self.fim

    def contains(self, other: "Window") -> bool:
        return self.inicio <= other.inicio and other.fim <= self.fim

    def touches(self, other: "Window") -> bool:
        return self.inicio <= other.fim and other.inicio <= self.fim

    def params(self, names: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        """Os parâmetros do Bling, sempre com hora: a uma data sem hora ele soma a hora presente (medido)."""
        return ((names[0], f"{self.inicio} 00:00:00"), (names[1], f"{self.fim} 23:59:59"))


def parse_day(value: str, name: str) -> date:
    """O dia escrito como AAAA-MM-DD. UsageError para o que não for um dia que existe."""
    try:
        found = date.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or value != found.isoformat():
        raise UsageError(f"{name}={value!r} não é uma data. Escreva AAAA-MM-DD, como 2025-01-31.")
    return found


Flaw = Literal["future", "backwards", "old"]
"""O que impede um período: começa depois de hoje, termina antes de começar, ou começa antes de haver NF-e."""


def possible(asked: Window, today: date, said: Mapping[Flaw, str]) -> Window:
    """O período, até hoje no máximo. UsageError para o primeiro engano dele, na ordem e com as palavras de `said`."""
    flaws: dict[Flaw, bool] = {
        "future": asked.inicio > today,
        "backwards": asked.fim < asked.inicio,
        "old": asked.inicio < EARLIEST,
    }
    for flaw, message in said.items():
        if flaws[flaw]:
            raise UsageError(message)
    return Window(asked.inicio, min(asked.fim, today))


def asked_period(inicio: date | None, fim: date | None, *, default_inicio: date, today: date) -> Window:
    """O período que se pediu a uma execução, até hoje no máximo. UsageError se não é possível."""
    inicio, fim = inicio or min(default_inicio, fim or today), fim or today
    return possible(
        Window(inicio, fim),
        today,
        {
            "future": f"data_inicio ({day(inicio)}) está no futuro; hoje é {day(today)}.",
            "backwards": f"data_fim ({day(fim)}) vem antes de data_inicio ({day(inicio)}). Troque as datas.",
            "old": f"data_inicio ({day(inicio)}) é antes de {day(EARLIEST)}, quando ainda não havia NF-e.",
        },
    )


def incremental_start(bookmark: date | None, *, days_back: int, lookback_days: int, today: date) -> date:
    """Onde começa a execução diária: no último dia coberto (ou `days_back` dias atrás), alargado pela releitura."""
    start = min(bookmark, today) if bookmark is not None else today - timedelta(days=days_back)
    return max(start - timedelta(days=lookback_days), EARLIEST)


def merge(windows: Iterable[Window]) -> list[Window]:
    """As mesmas janelas sem sobreposição nem emenda, da mais antiga à mais nova."""
    merged: list[Window] = []
    for window in sorted(windows):
        if merged and window.inicio <= merged[-1].fim + _DAY:
            merged[-1] = Window(merged[-1].inicio, max(merged[-1].fim, window.fim))
        else:
            merged.append(window)
    return merged


def plan(windows: Iterable[Window]) -> list[Window]:
    """As janelas a percorrer: juntas, cortadas em no máximo um ano, da mais nova à mais antiga."""
    return [piece for window in reversed(merge(windows)) for piece in _cut(window)]


def _cut(window: Window) -> Iterator[Window]:
    """Cada corte cai num começo de mês, para que nenhum mês fique dividido entre duas janelas."""
    fim = window.fim
    while fim >= window.inicio:
        oldest = fim - timedelta(days=MAX_DAYS - 1)
        month = oldest if oldest.day == 1 else (oldest.replace(day=1) + timedelta(days=32)).replace(day=1)
        inicio = max(window.inicio, month)
        yield Window(inicio, fim)
        fim = inicio - _DAY


def apart(window: Window, cuts: Iterable[Window]) -> list[Window]:
    """A janela em pedaços, da mais nova à mais antiga: nenhum passa do começo ou do fim de um dos `cuts`."""
    starts = {window.inicio}
    for cut in cuts:
        starts |= {day for day in (cut.inicio, cut.fim + _DAY) if window.holds(day)}
    pieces: list[Window] = []
    fim = window.fim
    for start in sorted(starts, reverse=True):
        pieces.append(Window(start, fim))
        fim = start - _DAY
    return pieces


def shown_mark(bookmark: date | None, first_uncovered: date | None, scope: date | None) -> date | None:
    """O último dia coberto sem lacuna, como se mostra: nunca passa da dívida mais antiga.

    `scope` é o começo da coleta; se a dívida vem logo dali, não há dia nenhum coberto.
    """
    if bookmark is None:
        return None
    reached = bookmark if first_uncovered is None else min(bookmark, first_uncovered - _DAY)
    return reached if scope is None or reached >= scope else None


def reads_the_present(previous: date | None, covered: Window | None, owed: Iterable[Window], today: date) -> bool:
    """Se quem leu o período `covered` leu tudo o que o Bling tinha até hoje, e não só um pedaço.

    Vai até hoje, emenda no que já se tinha, e o dia de hoje não ficou entre as janelas que ainda se devem (`owed`).
    """
    if covered is None or covered.fim < today or any(window.fim >= today for window in owed):
        return False
    return previous is None or covered.inicio <= previous + _DAY


def next_bookmark(previous: date | None, covered: Window | None, first_uncovered: date | None) -> date | None:
    """O novo último dia coberto sem lacuna.

    `covered` é o período que a execução pediu; só o que começa até o dia seguinte a `previous` o leva adiante.
    `first_uncovered` é o dia mais antigo de uma nota ou janela ainda devida: o marco não passa dele, e nunca recua.
    """
    if covered is None or (previous is not None and covered.inicio > previous + _DAY):
        return previous
    reached = covered.fim if first_uncovered is None else min(covered.fim, first_uncovered - _DAY)
    if previous is None:
        return reached if reached >= covered.inicio else None
    return max(previous, reached)


def whole_months(window: Window, scope: date, today: date) -> list[Window]:
    """Os meses que a janela cobre por inteiro: desde o dia 1, ou desde o começo da coleta, até o fim, ou até hoje."""
    months = []
    first = window.inicio.replace(day=1)
    while first <= window.fim:
        following = (first + timedelta(days=32)).replace(day=1)
        inicio, fim = max(first, scope), min(following - _DAY, today)
        if window.inicio <= inicio <= fim <= window.fim:
            months.append(Window(inicio, fim))
        first = following
    return months
