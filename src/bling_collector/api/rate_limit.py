"""O ritmo das requisições: 3 por segundo na conta inteira (developer.bling.com.br/limites).

O limitador responde quantos segundos esperar e já reservou a vez; ele nunca dorme. A mesma assinatura serve a
um processo, aqui na memória, e a vários, numa linha do banco.
"""

from collections import deque
from typing import Protocol

from bling_collector.clock import Clock

MARGIN_STEP = 0.02
"""Segundos que a margem ganha a cada 429."""
MARGIN_MAX = 1.0
MARGIN_DECAY = 0.0002
"""Segundos que a margem perde a cada resposta aceita: cem delas desfazem um 429."""
HOLD = 1.25
"""Segundos sem começar nada depois de um 429 (medido: de 1 a 1,5 s bastam)."""


class RateLimiter(Protocol):
    async def reserve(self) -> float:
        """Segundos até a vez que acaba de ser reservada; 0.0 se é já."""
        ...

    async def throttled(self) -> None:
        """Chegou um 429 por segundo: alarga a margem e segura as próximas reservas por um momento."""
        ...

    async def accepted(self) -> None:
        """Chegou outra resposta qualquer: a margem encolhe um pouco."""
        ...


class SlidingLogLimiter:
    """Janela deslizante estrita, na memória de um processo. Tempos em segundos.

    Uma requisição nunca começa antes de `period + margin` depois da que está `limit` posições atrás, nem antes de
    `spacing` depois da anterior. A margem existe porque o Bling conta as chegadas, e a rede as aproxima (medido).
    `spacing=0` desliga o ritmo; um 429 segura as próximas mesmo assim.
    """

    def __init__(
        self, clock: Clock, *, spacing: float = 0.35, limit: int = 3, period: float = 1.0, margin: float = 0.02
    ) -> None:
        self._clock = clock
        self._spacing = spacing
        self._period = period
        self._least_margin = margin
        self._margin = margin
        self._starts: deque[float] = deque(maxlen=limit)
        self._held_until = float("-inf")

    @property
    def margin(self) -> float:
        """A margem de agora, em segundos."""
        return self._margin

    async def reserve(self) -> float:
        now = self._clock.monotonic()
        start = max(now, self._held_until)
        if self._spacing > 0:
            if self._starts:
                start = max(start, self._starts[-1] + self._spacing)
            if len(self._starts) == self._starts.maxlen:
                start = max(start, self._starts[0] + self._period + self._margin)
            self._starts.append(start)
        return start - now

    async def throttled(self) -> None:
        self._margin = min(self._margin + MARGIN_STEP, max(MARGIN_MAX, self._least_margin))
        self._held_until = self._clock.monotonic() + HOLD

    async def accepted(self) -> None:
        self._margin = max(self._margin - MARGIN_DECAY, self._least_margin)
