"""O relógio por trás de um Protocol pequeno, para que nenhum teste espere."""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol
from zlib import crc32
from zoneinfo import ZoneInfo

DOUBT = timedelta(days=2)
"""Para quem só mostra, com um relógio que o Bling não confirmou: só o que está mais adiante que isto é do futuro."""
STOP_SECONDS: Final = 8.0
"""O que uma execução tem, do pedido de parada ao fim: o Cloud Run mata o processo 10 s depois do SIGTERM."""
WEEK: Final = timedelta(days=7)
BRASILIA = ZoneInfo("America/Sao_Paulo")
"""O fuso das datas que o Bling dá e recebe (medido: sem sufixo de fuso)."""


class Clock(Protocol):
    def now(self) -> datetime:
        """O instante presente, em UTC."""
        ...

    def monotonic(self) -> float:
        """Segundos que nunca voltam atrás; só a diferença entre dois tem sentido."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Espera `seconds` segundos."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        import asyncio  # aqui, porque as datas se escrevem também onde nada espera

        await asyncio.sleep(seconds)


def is_due(last: datetime | None, now: datetime, every: timedelta) -> bool:
    """Se é a hora de fazer outra vez o que se fez em `last` e se faz a cada `every`. Um marco do futuro, de um relógio
    que andou adiantado, não vale."""
    return last is None or not timedelta() <= now - last < every


def is_weekly_due(last: datetime | None, now: datetime, whose: object) -> bool:
    """Se, do que se faz uma vez por semana e se fez em `last`, já chegou o dia. Cada coisa, e cada registro, tem o seu
    dia da semana, tirado do nome ou do id (`whose`), para que não caia tudo no mesmo."""
    return is_due_on_its_day(last, now, place_in_the_week(whose))


def place_in_the_week(whose: object) -> int:
    """O lugar na semana que cabe a um nome ou a um id: conta o resto da divisão por sete."""
    return crc32(str(whose).encode())


def is_due_on_its_day(last: datetime | None, now: datetime, place: int) -> bool:
    """Como `is_weekly_due`, do que já se sabe que lugar tem na semana: dois lugares seguidos são dois dias seguidos."""
    day = brasilia_day(now)
    turn = day - timedelta(days=(day.toordinal() - place) % WEEK.days)
    return last is None or last > now or brasilia_day(last) < turn


def today(clock: Clock) -> date:
    """O dia de hoje em Brasília, que é o dia do Bling."""
    return brasilia_day(clock.now())


def brasilia_day(moment: datetime) -> date:
    """O dia em Brasília deste instante."""
    return moment.astimezone(BRASILIA).date()
