"""O período que se olha: um dos prontos, ou as datas que a pessoa escreveu. Tudo puro, em dias de Brasília."""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Protocol, Self, TypeVar

from bling_collector import words
from bling_collector.errors import UsageError
from bling_collector.windows import EARLIEST, Window, possible

PRESETS: Final = {
    "12-meses": "Últimos 12 meses",
    "mes": "Este mês",
    "mes-passado": "Mês passado",
    "ano": "Este ano",
    "ano-passado": "Ano passado",
    "tudo": "Tudo",
}
DEFAULT: Final = "12-meses"
BY_DAY_UP_TO: Final = 31
BY_MONTH_UP_TO: Final = 84
"""Meses: sete anos deles ainda cabem lado a lado; mais que isso se mostra por ano."""
_DAY = timedelta(days=1)
_LAST_YEAR = 2199


@dataclass(frozen=True)
class ComparedPeriod:
    """As duas pontas incluídas; `preset` é o nome em PRESETS, ou vazio se as datas foram escritas."""

    inicio: date
    fim: date
    preset: str = ""

    @property
    def year_before(self) -> "ComparedPeriod":
        """Os mesmos dias do ano anterior; um período que termina com o mês termina lá com o mês também."""
        ends = monthrange(self.fim.year, self.fim.month)[1] == self.fim.day
        return ComparedPeriod(_a_year_before(self.inicio), _a_year_before(self.fim, month_end=ends))

    def compares(self, first: date | None) -> bool:
        """Se o que se conta desde `first` já se contava em todo o ano anterior; senão, comparar nada diria.

        Nem todo dia tem o que contar: perdoam-se os primeiros, na proporção do período.
        """
        forgiven = timedelta(days=min(31, (self.fim - self.inicio).days // 12))
        return first is not None and first <= self.year_before.inicio + forgiven

    @property
    def months(self) -> Iterator[date]:
        """O primeiro dia de cada mês que o período toca."""
        first = self.inicio.replace(day=1)
        while first <= self.fim:
            yield first
            first = next_month(first)


def next_month(day: date) -> date:
    """O primeiro dia do mês seguinte."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_end(day: date) -> date:
    """O último dia do mês."""
    return next_month(day) - _DAY


def parse_month(value: str) -> date:
    """O primeiro dia de um mês escrito AAAA-MM. UsageError se não é um mês que possa ter notas."""
    try:
        month = date.fromisoformat(f"{value}-01")
    except ValueError:
        month = None
    if month is None or value != f"{month:%Y-%m}":
        raise UsageError(f"“{value[:40]}” não é um mês. O endereço traz o ano e o mês, como 2025-03.")
    if month < EARLIEST or month.year > _LAST_YEAR:
        raise UsageError(f"{month:%m/%Y} não é um mês que tenha NF-e: elas começaram em {EARLIEST.year}.")
    return month


def choose_period(
    preset: str | None, de: str | None, ate: str | None, *, today: date, first: date | None, last: date | None
) -> ComparedPeriod:
    """O período pedido; sem nada, DEFAULT. `first` e `last` são os dias que o banco tem, para o que ficou em aberto.

    UsageError, numa frase para quem escreveu as datas, se elas não fazem um período.
    """
    if de or ate:
        if preset:
            raise UsageError("Escolha um período pronto ou escreva as datas: os dois juntos se contradizem.")
        return _between(_written(de, "inicial"), _written(ate, "final"), today=today, first=first)
    name = preset or DEFAULT
    if name not in PRESETS:
        raise UsageError(f"Não há um período chamado “{name[:40]}”. Escolha um dos que estão na página.")
    return _ready(name, today=today, first=first, last=last)


def _between(inicio: date | None, fim: date | None, *, today: date, first: date | None) -> ComparedPeriod:
    fim = fim or max(today, inicio or today)
    inicio = inicio or min(first or fim, fim)
    found = possible(
        Window(inicio, fim),
        today,
        {
            "backwards": f"A data final ({words.day(fim)}) vem antes da inicial ({words.day(inicio)}). "
            "Troque as datas.",
            "future": f"O período começa em {words.day(inicio)}, que ainda não chegou; hoje é {words.day(today)}.",
            "old": f"O período começa antes de {words.day(EARLIEST)}, quando ainda não havia NF-e.",
        },
    )
    return ComparedPeriod(found.inicio, found.fim)


def _written(value: str | None, which: str) -> date | None:
    if not value:
        return None
    try:
        return date.fromisoformat(value.strip())
    except ValueError:
        raise UsageError(
            f"A data {which} (“{value[:40]}”) não é um dia que exista. Escreva-a como 2025-01-31."
        ) from None


def _ready(name: str, *, today: date, first: date | None, last: date | None) -> ComparedPeriod:
    month = today.replace(day=1)
    match name:
        case "mes":
            inicio, fim = month, today
        case "mes-passado":
            inicio, fim = (month - _DAY).replace(day=1), month - _DAY
        case "ano":
            inicio, fim = today.replace(month=1, day=1), today
        case "ano-passado":
            inicio, fim = date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)
        case "tudo":
            inicio, fim = min(first or month, today), max(last or today, today)
        case _:
            inicio, fim = next_month(_a_year_before(month)), today
    return ComparedPeriod(inicio, fim, name)


def _a_year_before(day: date, *, month_end: bool = False) -> date:
    days = monthrange(day.year - 1, day.month)[1]
    return day.replace(year=day.year - 1, day=days if month_end else min(day.day, days))


class Summable(Protocol):
    def __add__(self, other: Self, /) -> Self: ...


T = TypeVar("T", bound=Summable)


def step_of(period: ComparedPeriod) -> str:
    """O passo que deixa o período legível: `dia`, `mes` ou `ano`."""
    if (period.fim - period.inicio).days < BY_DAY_UP_TO:
        return "dia"
    return "mes" if len(list(period.months)) <= BY_MONTH_UP_TO else "ano"


def firsts(period: ComparedPeriod, step: str) -> list[date]:
    """O primeiro dia de cada passo do período."""
    if step == "dia":
        return [period.inicio + timedelta(days=n) for n in range((period.fim - period.inicio).days + 1)]
    if step == "mes":
        return list(period.months)
    return [date(year, 1, 1) for year in range(period.inicio.year, period.fim.year + 1)]


def _grouped(days: Iterable[tuple[date, T]], step: str) -> dict[date, T]:
    """Primeiro dia do passo → a soma dos dias dele."""
    sums: dict[date, T] = {}
    for day, amount in days:
        first = {"dia": day, "mes": day.replace(day=1), "ano": day.replace(month=1, day=1)}[step]
        sums[first] = sums[first] + amount if first in sums else amount
    return sums


def in_steps(period: ComparedPeriod, days: Sequence[tuple[date, T]], step: str, none: T) -> list[tuple[date, T, T]]:
    """(primeiro dia, a soma, a do ano anterior) de cada passo do período, também dos vazios (`none`); cada dia do ano
    anterior cai no passo em que cairia um ano depois."""
    earlier = period.year_before
    now = _grouped(((day, each) for day, each in days if period.inicio <= day <= period.fim), step)
    before = _grouped(
        ((_a_year_later(day, period.fim), each) for day, each in days if earlier.inicio <= day <= earlier.fim), step
    )
    return [(first, now.get(first, none), before.get(first, none)) for first in firsts(period, step)]


def _a_year_later(day: date, last: date) -> date:
    """29 de fevereiro cai em 28; nada cai depois do fim do período."""
    try:
        later = day.replace(year=day.year + 1)
    except ValueError:
        later = day.replace(year=day.year + 1, day=28)
    return min(later, last)
