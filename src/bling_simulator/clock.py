"""O relógio do simulador: o do sistema, ou um que só anda quando o teste manda."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

BRASILIA = ZoneInfo("America/Sao_Paulo")


class Clock(Protocol):
    def now(self) -> datetime:
        """O instante presente, em UTC."""
        ...

    def monotonic(self) -> float:
        """Segundos que nunca voltam atrás."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """Um relógio parado; `advance` o faz andar."""

    def __init__(self, now: datetime = datetime(2026, 2, 20, 15, 30, tzinfo=UTC)) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds


def local_now(clock: Clock) -> datetime:
    """O instante presente como o Bling o escreve: Brasília, sem fuso, sem fração de segundo."""
    return clock.now().astimezone(BRASILIA).replace(tzinfo=None, microsecond=0)
