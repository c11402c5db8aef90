"""Os limites do Bling: por segundo e por dia na conta; por dez segundos e por minuto no IP."""

from collections import Counter, defaultdict, deque
from datetime import date

from bling_simulator.answers import BlingError, too_many_requests
from bling_simulator.clock import Clock, local_now
from bling_simulator.settings import SimulatorSettings

_TEN_MINUTES = 600.0
_ONE_HOUR = 3600.0


class SlidingWindow:
    """Quantos acontecimentos cabem em qualquer intervalo de `seconds` segundos."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._times: deque[float] = deque()

    def count(self, now: float) -> int:
        while self._times and self._times[0] <= now - self._seconds:
            self._times.popleft()
        return len(self._times)

    def add(self, now: float) -> int:
        self._times.append(now)
        return self.count(now)


class AccountLimits:
    """A cota da conta. Uma requisição recusada não gasta cota."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._second = SlidingWindow(1.0)
        self._days: Counter[date] = Counter()

    def admit(self, settings: SimulatorSettings) -> BlingError | None:
        """O 429 devido, ou None depois de contar a requisição."""
        now, today = self._clock.monotonic(), local_now(self._clock).date()
        if settings.requests_per_day and self._days[today] >= settings.requests_per_day:
            return too_many_requests(settings.requests_per_day, "day")
        if settings.requests_per_second and self._second.count(now) >= settings.requests_per_second:
            return too_many_requests(settings.requests_per_second, "second")
        self._second.add(now)
        self._days[today] += 1
        return None


class IpLimits:
    """O bloqueio de endereços: quem insiste passa minutos recebendo uma página HTML."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._blocked_until: dict[str, float] = {}
        self._requests: dict[str, SlidingWindow] = defaultdict(lambda: SlidingWindow(10.0))
        self._errors: dict[str, SlidingWindow] = defaultdict(lambda: SlidingWindow(10.0))
        self._token_calls: dict[str, SlidingWindow] = defaultdict(lambda: SlidingWindow(60.0))

    def is_blocked(self, ip: str) -> bool:
        return self._clock.monotonic() < self._blocked_until.get(ip, 0.0)

    def admit(self, ip: str, settings: SimulatorSettings) -> bool:
        """Falso se o endereço está bloqueado ou se esta requisição o bloqueou."""
        if self.is_blocked(ip):
            return False
        if settings.requests_per_second and settings.requests_per_10s:
            self._judge(ip, self._requests[ip], settings.requests_per_10s, _TEN_MINUTES)
        return not self.is_blocked(ip)

    def admit_token_call(self, ip: str, settings: SimulatorSettings) -> bool:
        if settings.token_calls_per_minute:
            self._judge(ip, self._token_calls[ip], settings.token_calls_per_minute, _ONE_HOUR)
        return not self.is_blocked(ip)

    def answered(self, ip: str, status: int, settings: SimulatorSettings) -> None:
        if status >= 400 and settings.errors_per_10s:
            self._judge(ip, self._errors[ip], settings.errors_per_10s, _TEN_MINUTES)

    def forgive(self) -> None:
        """Desbloqueia todos e esquece o que fizeram."""
        for memory in (self._blocked_until, self._requests, self._errors, self._token_calls):
            memory.clear()

    def _judge(self, ip: str, window: SlidingWindow, most: int, penalty: float) -> None:
        now = self._clock.monotonic()
        if window.add(now) > most:
            self._blocked_until[ip] = now + penalty
