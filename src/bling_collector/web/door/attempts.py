"""Quantos tokens errados, ou assinaturas, se tentaram, e de onde: quem os adivinha espera, e os outros não esperam por
ele."""

import logging
from collections import Counter
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Final

from bling_collector.clock import Clock
from bling_collector.words import plural

log = logging.getLogger(__name__)

MOST: Final = 10
"""Tokens errados num minuto, de um endereço."""
PERIOD: Final = timedelta(minutes=1)
DRAWERS: Final = 1024
"""Os endereços se repartem por tantas contas: por muitos que sejam, a memória não cresce e o total tem teto."""


class Attempts:
    """Conta os erros do minuto que o primeiro deles começou, por endereço de quem chama.

    O endereço é o da conexão ou, atrás de um proxy em que FORWARDED_ALLOW_IPS confia, o que ele diz (o uvicorn os
    confere): um X-Forwarded-For que outro mandasse não muda nada.
    """

    def __init__(self, clock: Clock, what: str = "tokens errados") -> None:
        """`what` é como o log chama os erros."""
        self._clock = clock
        self._what = what
        self._began: datetime | None = None
        self._counts: Counter[int] = Counter()

    def wait(self, address: str) -> int:
        """Quantos segundos faltam para que se possa tentar deste endereço; zero se já se pode."""
        if self._began is None or self._counts[_drawer(address)] < MOST:
            return 0
        return max(ceil((self._began + PERIOD - self._clock.now()).total_seconds()), 0)

    def failed(self, address: str) -> None:
        """Um não conferiu."""
        now = self._clock.now()
        if self._began is None or now >= self._began + PERIOD:
            self._began, self._counts = now, Counter()
        self._counts[_drawer(address)] += 1
        if max(self._counts.values()) == MOST == self._counts[_drawer(address)]:
            log.warning("%d %s em menos de um minuto: até ele acabar, dali ninguém entra.", MOST, self._what)


def too_many(wait: int) -> str:
    """O que se diz a quem precisa esperar."""
    return f"Foram muitos tokens errados. Espere {plural(wait, 'segundo', 'segundos')} e tente de novo."


def _drawer(address: str) -> int:
    try:
        if ip_address(address).version == 6:  # quem tem um destes tem a rede /64 inteira
            address = str(ip_network(f"{address}/64", strict=False))
    except ValueError:  # um soquete Unix não tem endereço
        pass
    return hash(address) % DRAWERS  # a de um texto muda a cada processo: ninguém escolhe cair na conta de outro
