"""A conta do ritmo feita de outro jeito, na memória: o que o limitador do banco deve responder."""

from collections import deque

from bling_collector.api.pace import (
    HOLD,
    MARGIN,
    MARGIN_DECAY,
    MARGIN_MAX,
    MARGIN_STEP,
    PER_SECOND,
    PERIOD,
    RECOVERY,
    SLOWEST,
    SPACING,
)
from bling_collector.api.rate_limit import Turn
from bling_collector.clock import Clock


class SlidingLogLimiter:
    """Janela deslizante estrita, na memória de um processo. Tempos em segundos. Não conta o dia nem tem disjuntor.

    Uma requisição nunca começa antes de `period + margin` depois da que está `limit` posições atrás, nem antes de
    `spacing` depois da anterior. A margem existe porque o Bling conta as chegadas, e a rede as aproxima (medido).
    Um 429 corta o ritmo à metade, e as respostas aceitas o devolvem aos poucos. `spacing=0` desliga o ritmo; um 429
    segura as próximas mesmo assim.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        spacing: float = SPACING,
        limit: int = PER_SECOND,
        period: float = PERIOD,
        margin: float = MARGIN,
    ) -> None:
        self._clock = clock
        self._spacing = spacing
        self._period = period
        self._least_margin = margin
        self._margin = margin
        self._pace = 1.0
        self._starts: deque[float] = deque(maxlen=limit)
        self._held_until = float("-inf")

    @property
    def margin(self) -> float:
        """A margem de agora, em segundos."""
        return self._margin

    @property
    def pace(self) -> float:
        """A fração do ritmo inteiro que vale agora."""
        return self._pace

    async def reserve(self) -> Turn:
        now = self._clock.monotonic()
        start = max(now, self._held_until)
        if self._spacing > 0:
            if self._starts:
                start = max(start, self._starts[-1] + self._spacing / self._pace)
            if len(self._starts) == self._starts.maxlen:
                start = max(start, self._starts[0] + (self._period + self._margin) / self._pace)
            self._starts.append(start)
        return Turn(start - now)

    async def reserve_again(self) -> Turn:
        return await self.reserve()

    async def accepted(self, *, error: bool = False) -> None:
        self._margin = max(self._margin - MARGIN_DECAY, self._least_margin)
        self._pace = min(self._pace + RECOVERY, 1.0)

    async def throttled(self) -> None:
        now = self._clock.monotonic()
        self._margin = min(self._margin + MARGIN_STEP, max(MARGIN_MAX, self._least_margin))
        if now >= self._held_until:  # os 429 que chegam juntos são um tropeço só
            self._pace = max(self._pace / 2, SLOWEST)
        self._held_until = now + HOLD

    async def failed(self, *, blocked: bool = False, probe: bool = False, again: bool = False) -> None:
        """Quem tem um disjuntor é o limitador do banco."""

    async def exhausted(self) -> None:
        """Quem conta o dia é o limitador do banco."""
