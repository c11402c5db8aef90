"""Números, dinheiro, datas, durações e contagens como as pessoas os dizem, no terminal, no painel e nas mensagens;
as listas, e os comandos ditos de uma empresa.

As horas são do relógio de Brasília.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from bling_collector.clock import BRASILIA

NOTHING: Final = "—"
_READABLE: Final = 21
"""Dígitos inteiros de um número que ainda se lê."""
_SWAP: Final = str.maketrans(",.", ".,")
_COMMAND: Final = re.compile(r"(`|<code>)bling-collector (?!--empresa\b)(?!empresas\b)")
_MONTHS: Final = ("jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez")
_SCALES: Final = ((Decimal(10**9), "bi"), (Decimal(10**6), "mi"), (Decimal(10**3), "mil"))


def number(value: float | Decimal | None, places: int = 0) -> str:
    """2926 → 2.926; com casas, 0.5 → 0,5; −3, com o sinal de menos, e não um hífen. O que nem cabe ler, só a ordem de
    grandeza: 1,00e+400."""
    if value is None:
        return NOTHING
    huge = isinstance(value, Decimal) and value.is_finite() and value.adjusted() >= _READABLE
    said = f"{value:.2e}".replace(".", ",") if huge else f"{value:z,.{places}f}".translate(_SWAP)
    return said.replace("-", "−")


def money(value: Decimal | int | None) -> str:
    """1234.5 → R$ 1.234,50."""
    if value is None:
        return NOTHING
    return f"{'−' if value < 0 else ''}R$ {number(abs(Decimal(value)), 2)}"


def compact(value: Decimal | int | None) -> str:
    """1234567 → 1,2 mi, para onde o valor inteiro não cabe."""
    if value is None:
        return NOTHING
    value = Decimal(value)
    for scale, name in _SCALES:
        if abs(value) >= scale:
            return f"{number(value / scale, 1)} {name}"
    return number(value)


def percent(value: float | Decimal | None, places: int = 1) -> str:
    """0.123 → 12,3%."""
    return NOTHING if value is None else f"{number(Decimal(str(value)) * 100, places)}%"


def day(value: date | datetime | None) -> str:
    """2026-11-24 → 24/11/2026. Uma data com fuso vai antes para Brasília."""
    if value is None:
        return NOTHING
    if isinstance(value, datetime):
        value = _local(value)
    return f"{value.day:02}/{value.month:02}/{value.year:04}"


def period(inicio: date, fim: date) -> str:
    """01/11/2026 a 30/11/2026; de um dia só, 01/11/2026."""
    first, last = day(inicio), day(fim)
    return first if first == last else f"{first} a {last}"


def month(value: date | None) -> str:
    """2026-11-24 → nov/2026."""
    return NOTHING if value is None else f"{_MONTHS[value.month - 1]}/{value.year}"


def moment(value: datetime | None) -> str:
    """A hora de Brasília: 24/11/2026 18:58. Uma sem fuso já é de Brasília."""
    return NOTHING if value is None else f"{_local(value):%d/%m/%Y %H:%M}"


def clock_time(value: datetime | None) -> str:
    """Só a hora de Brasília, com os segundos: 18:58:07."""
    return NOTHING if value is None else f"{_local(value):%H:%M:%S}"


def iso(value: datetime | date | None) -> str:
    """O atributo `datetime` de <time>."""
    return "" if value is None else value.isoformat()


def duration(seconds: float | None) -> str:
    """O tempo como as pessoas o dizem: 45 s, 3 min 20 s, 1 h 05 min, 3 dias."""
    if seconds is None:
        return NOTHING
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    minutes, whole = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {whole:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24} dias"


def ago(value: datetime | None, now: datetime) -> str:
    """Há quanto tempo, sem miudezas: há 3 h; um instante que ainda vem diz daqui a quanto."""
    if value is None:
        return NOTHING
    if value.tzinfo is None:
        value = value.replace(tzinfo=BRASILIA)
    seconds = (now - value).total_seconds()
    if abs(seconds) < 60:
        return "agora mesmo"
    return f"{'há' if seconds > 0 else 'daqui a'} {_roughly(abs(seconds))}"


def _roughly(seconds: float) -> str:
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    if seconds < 48 * 3600:
        return f"{int(seconds // 3600)} h"
    return f"{int(seconds // 86400)} dias"


def agreed(count: float | Decimal, one: str, many: str) -> str:
    """Só a palavra, no singular ou no plural: falta, faltam."""
    return one if count == 1 else many


def plural(count: int, one: str, many: str) -> str:
    """1 nota, 2.926 notas."""
    return f"{number(count)} {agreed(count, one, many)}"


def share(here: int, there: int, one: str = "", many: str = "") -> str:
    """2.926 de 2.928 notas; se aqui há mais do que lá, uma parte não é: 2.929 notas aqui e 2.928 no Bling."""
    noun = agreed(there, one, many)
    if here > there:
        return plural(here, one, many).rstrip() + f" aqui e {number(there)} no Bling"
    return f"{number(here)} de {number(there)} {noun}".rstrip()


def several(parts: Sequence[str]) -> str:
    """1 nota, 2 contatos e 3 produtos."""
    return " e ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def named_months(months: Sequence[date], most: int = 6) -> str:
    """jan/2026, fev/2026 e mais 3 meses."""
    left = len(months) - most
    return several([*map(month, months[:most]), *([f"mais {plural(left, 'mês', 'meses')}"] if left > 0 else [])])


def ended(sentence: str) -> str:
    """A frase com o seu ponto final."""
    return sentence if not sentence or sentence.endswith((".", "!", "?", "…")) else f"{sentence}."


def upper_first(value: str) -> str:
    """a nota do Bling → A nota do Bling; o resto fica como é."""
    return value[:1].upper() + value[1:]


def lower_first(value: str) -> str:
    """Igual ao Bling → igual ao Bling; o resto fica como é."""
    return value[:1].lower() + value[1:]


def _local(value: datetime) -> datetime:
    return value if value.tzinfo is None else value.astimezone(BRASILIA)


def of_company(text: str, empresa: str) -> str:
    """O texto, com os comandos que ele manda digitar ditos dessa empresa: `bling-collector --empresa filial auth`."""
    return _COMMAND.sub(rf"\1bling-collector --empresa {empresa} ", text)
