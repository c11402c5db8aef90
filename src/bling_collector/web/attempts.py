"""Quantos tokens errados se tentaram: quem os adivinha espera."""

import logging
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from bling_collector.clock import Clock

log = logging.getLogger(__name__)

MOST: Final = 10
"""Tokens errados num minuto, de todos os que chamam."""
PERIOD: Final = timedelta(minutes=1)


class Attempts:
    """Conta os erros do minuto que o primeiro deles começou; lembra só dois valores, venham de quantos vierem."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began: datetime | None = None
        self._count = 0

    def wait(self) -> int:
        """Quantos segundos faltam para se poder tentar; zero se já se pode."""
        if self._began is None or self._count < MOST:
            return 0
        return max(ceil((self._began + PERIOD - self._clock.now()).total_seconds()), 0)

    def failed(self) -> None:
        """Um token não conferiu."""
        now = self._clock.now()
        if self._began is None or now >= self._began + PERIOD:
            self._began, self._count = now, 0
        self._count += 1
        if self._count == MOST:
            log.warning("%d tokens errados em /entrar em menos de um minuto: até ele acabar, ninguém entra.", MOST)
