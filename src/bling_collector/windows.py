"""As janelas de tempo: pedir, juntar, cortar. Tudo puro, em dias de Brasília, com as duas pontas incluídas."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal

from bling_collector.errors import UsageError
from bling_collector.words import day, period

MAX_DAYS = 365
"""O Bling recusa mais de um ano entre as datas de um filtro (referência: alterações da v306)."""
_DAY = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_LAST: Final = time(23, 59, 59)
LOOK_OVERLAP: Final = timedelta(minutes=15)
"""Quanto uma olhada volta atrás da anterior: o que mudou, o filtro pode demorar a mostrar."""
LOOK_LONGEST: Final = timedelta(days=1)
"""Uma olhada não vai além disto: o mais antigo é da execução."""
SHORTEST: Final = timedelta(minutes=1)
"""Um período mais curto não se corta."""
EARLIEST = date(2000, 1, 1)
"""Antes disto não havia NF-e."""


@dataclass(frozen=True, order=True)
class Window:
    inicio: date
    fim: date

    def __str__(self) -> str:
        return period(self.inicio, self.fim)

    def holds(self, day: date) -> bool:
        """Se o dia é dela."""
        return self.inicio <= day <= self.fim

    def contains(self, other: "Window") -> bool:
        """Se a outra cabe nela."""
        return self.inicio <= other.inicio and other.fim <= self.fim

    def touches(self, other: "Window") -> bool:
        """Se têm algum dia em comum."""
        return self.inicio <= other.fim and other.inicio <= self.fim


@dataclass(frozen=True)
class Period:
    """Do primeiro ao último segundo, na hora de Brasília."""

    inicio: datetime
    fim: datetime

    @classmethod
    def of(cls, window: Window) -> "Period":
        """O dos dias inteiros da janela."""
        return cls(datetime.combine(window.inicio, time()), datetime.combine(window.fim, _LAST))

    @property
    def window(self) -> Window:
        """Os dias que toca."""
        return Window(self.inicio.date(), self.fim.date())

    @property
    def is_within_a_day(self) -> bool:
        """Se começa e acaba no mesmo dia."""
        return self.inicio.date() == self.fim.date()

    @property
    def last_day(self) -> "Period":
        """O que dele é do último dia."""
        return Period(max(self.inicio, datetime.combine(self.fim.date(), time())), self.fim)

    def halves(self) -> "tuple[Period, ...]":
        """A metade mais nova e a mais velha, em dias inteiros enquanto há mais de um; nenhuma se já é curto demais."""
        if not self.is_within_a_day:
            middle = self.inicio.date() + (self.fim.date() - self.inicio.date() - timedelta(days=1)) // 2
            cut = datetime.combine(middle, _LAST)
        elif self.fim - self.inicio >= SHORTEST:
            cut = self.inicio + (self.fim - self.inicio) // 2
            cut = cut.replace(microsecond=0)
        else:
            return ()
        return Period(cut + _SECOND, self.fim), Period(self.inicio, cut)


@dataclass(frozen=True)
class Between:
    """Um filtro do Bling por período. Vão sempre as duas pontas: uma só é ignorada (medido)."""

    inicio: str
    fim: str
    hours: bool = True
    """False se o filtro é de dias: pede-se um dia a mais de cada lado, que o Bling às vezes deixa de fora o último
    (suposto), e o que vem a mais é de quem o lê deixar de lado."""
    of: tuple[tuple[str, str], ...] = ()
    """Os parâmetros que dizem de que data é o período, onde o mesmo filtro serve a várias."""
    loose: bool = False
    """True se talvez seja por outra data que a da linha: o que ele mostra a mais também é do que se procura."""
    most: int = MAX_DAYS
    """Quantos dias se pedem de uma vez, onde convém que sejam menos."""

    @property
    def max_days(self) -> int:
        """Quantos dias cabem numa janela."""
        return min(self.most, MAX_DAYS if self.hours else MAX_DAYS - 2)

    def params(self, period: Period) -> tuple[tuple[str, str], ...]:
        """Os parâmetros do Bling, se têm hora sempre com ela: a uma data sem hora ele soma a hora presente (medido)."""
        if self.hours:
            start, end = f"{period.inicio:%Y-%m-%d %H:%M:%S}", f"{period.fim:%Y-%m-%d %H:%M:%S}"
        else:
            start, end = f"{period.inicio.date() - _DAY}", f"{period.fim.date() + _DAY}"
        return (*self.of, (self.inicio, start), (self.fim, end))

    def halves(self, period: Period) -> tuple[Period, ...]:
        """As metades que o filtro distingue."""
        return period.halves() if self.hours or not period.is_within_a_day else ()


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


def asked_period(
    inicio: date | None, fim: date | None, *, default_inicio: date, today: date, doubt: timedelta = timedelta()
) -> Window:
    """O período que se pediu a uma execução, até hoje no máximo. UsageError se não é possível.

    Com `doubt`, que é quanto o relógio desta máquina pode estar atrasado, os dias próximos ainda passam.
    """
    last = today + doubt
    inicio, fim = inicio or min(default_inicio, fim or last), fim or last
    return possible(
        Window(inicio, fim),
        last,
        {
            "future": f"data_inicio ({day(inicio)}) está no futuro; hoje é {day(today)}.",
            "backwards": f"data_fim ({day(fim)}) vem antes de data_inicio ({day(inicio)}). Troque as datas.",
            "old": f"data_inicio ({day(inicio)}) é antes de {day(EARLIEST)}, quando ainda não havia NF-e.",
        },
    )


def incremental_start(
    bookmark: date | None, *, days_back: int, lookback_days: int, today: date, scope: date | None = None
) -> date:
    """Onde começa a execução diária: no último dia coberto (ou `days_back` dias atrás), alargado pela releitura; ou, se
    há história por ler, onde ela começa (`scope`)."""
    if scope is not None:
        return scope
    start = min(bookmark, today) if bookmark is not None else today - timedelta(days=days_back)
    return max(start - timedelta(days=lookback_days), EARLIEST)


def look_starts(before: datetime | None, now: datetime) -> datetime:
    """Desde quando uma olhada olha, se a anterior foi em `before`."""
    earliest = now - LOOK_LONGEST
    return (max(before, earliest) if before is not None and before <= now else earliest) - LOOK_OVERLAP


def merge(windows: Iterable[Window]) -> list[Window]:
    """As mesmas janelas sem sobreposição nem emenda, da mais antiga à mais nova."""
    merged: list[Window] = []
    for window in sorted(windows):
        if merged and window.inicio <= merged[-1].fim + _DAY:
            merged[-1] = Window(merged[-1].inicio, max(merged[-1].fim, window.fim))
        else:
            merged.append(window)
    return merged


def cut(windows: Iterable[Window], max_days: int = MAX_DAYS) -> list[Window]:
    """As janelas a percorrer: juntas, cortadas em no máximo `max_days`, da mais nova à mais antiga."""
    return [piece for window in reversed(merge(windows)) for piece in _parts(window, max_days)]


def pieces(window: Window, max_days: int) -> list[Window]:
    """A janela em quantos pedaços for preciso, da mais nova à mais antiga, sem cuidar dos meses."""
    found = [window]
    while (found[-1].fim - found[-1].inicio).days >= max_days:
        last = found.pop()
        cut = last.fim - timedelta(days=max_days - 1)
        found += [Window(cut, last.fim), Window(last.inicio, cut - _DAY)]
    return found


def _parts(window: Window, max_days: int) -> Iterator[Window]:
    """Cada corte cai num começo de mês, para que nenhum mês fique dividido entre duas janelas, se nelas cabe um."""
    fim = window.fim
    while (fim - window.inicio).days >= max_days:
        oldest = fim - timedelta(days=max_days - 1)
        month = oldest if oldest.day == 1 else (oldest.replace(day=1) + timedelta(days=32)).replace(day=1)
        inicio = month if month <= fim else oldest
        yield Window(inicio, fim)
        fim = inicio - _DAY
    if fim >= window.inicio:
        yield Window(window.inicio, fim)


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
