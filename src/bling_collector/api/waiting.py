"""O que se espera do Bling enquanto ele se cala: em que tentativa se está, e daqui a quanto vem a seguinte."""

from dataclasses import dataclass
from typing import Final

from bling_collector.words import duration

SILENCE: Final = 5.0
"""Segundos sem resposta nenhuma que ainda não se estranham."""


@dataclass(frozen=True)
class _Wait:
    attempt: int
    of: int
    began: float
    until: float | None
    """Quando a tentativa sai; None se já saiu."""
    paused: bool


class Waiting:
    """As requisições que ainda não tiveram resposta. Os instantes são os de `Clock.monotonic`."""

    def __init__(self) -> None:
        self._waits: dict[int, _Wait] = {}
        self._answered_at = float("-inf")

    def sent(self, request: object, attempt: int, of: int, now: float) -> None:
        """A tentativa saiu, ou está na fila do ritmo."""
        self._waits[id(request)] = _Wait(attempt, of, now, None, paused=False)

    def holds(self, request: object, attempt: int, of: int, now: float, wait: float, *, paused: bool = False) -> None:
        """A tentativa só sai daqui a `wait` segundos; com `paused`, porque nada se pede ao Bling por um tempo."""
        self._waits[id(request)] = _Wait(attempt, of, now, now + wait, paused)

    def ended(self, request: object, now: float, *, answered: bool) -> None:
        """Não se espera mais por ela; `answered` se teve a resposta que se queria."""
        self._waits.pop(id(request), None)
        if answered:
            self._answered_at = now

    def said(self, now: float) -> str | None:
        """Por que nada anda, numa frase; None se o Bling tem respondido a outras."""
        silent = [wait for wait in self._waits.values() if wait.began >= self._answered_at]
        if not silent:
            return None
        wait = max(silent, key=lambda each: (each.attempt, -(each.until or 0)))
        number = f"tentativa {wait.attempt} de {wait.of}"
        if wait.until is not None:
            left = duration(max(wait.until - now, 0))
            if wait.paused:
                return f"o Bling está em pausa, depois de muitos erros; {number}, daqui a {left}"
            return f"o Bling não respondeu; {number}, daqui a {left}"
        if wait.attempt > 1:
            return f"o Bling não respondeu; {number}, à espera da resposta"
        quiet = now - max(self._answered_at, min(each.began for each in silent))
        return f"o Bling não responde há {duration(quiet)}" if quiet >= SILENCE else None
