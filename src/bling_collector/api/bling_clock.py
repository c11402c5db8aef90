"""A hora do Bling, pelo cabeçalho `Date` das respostas dele: o relógio desta máquina pode estar errado.

O que se pede depois (até quando ler, desde quando houve alterações, o que já se conferiu) decide-se por ela; um marco
posto no futuro por um relógio adiantado esconderia para sempre o que mudasse até lá.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2

from bling_collector.clock import Clock

log = logging.getLogger(__name__)

AGREE: Final = timedelta(seconds=2)
"""Até aqui os dois relógios concordam, e vale o nosso: o cabeçalho não traz frações de segundo."""
SAME: Final = timedelta(seconds=60)
"""O mais que duas respostas da mesma hora diferem: entre uma e outra há máquinas e a rede."""
FRESH: Final = timedelta(minutes=10)
"""Quanto serve o que se ouviu, sem ouvir de novo."""
FIRST: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""Antes disto não havia a API v3: é um relógio parado, ou um cabeçalho que não se deve crer."""
MOST: Final = timedelta(days=3653)
"""Uma hora mais adiante que isto da nossa é um cabeçalho absurdo, a não ser que a nossa o seja."""


@dataclass(frozen=True)
class _Heard:
    theirs: datetime
    own: datetime
    monotonic: float


class BlingClock:
    """Um Clock que dá a hora do Bling assim que a ouve, e até lá a de `own`.

    A primeira resposta vale na hora; uma que a desminta só vale quando a seguinte a confirma. Entre uma e outra o tempo
    é contado pelo relógio que não volta atrás: acertar o da máquina no meio de uma execução não a engana.
    """

    def __init__(self, own: Clock) -> None:
        self.own = own
        self._heard: _Heard | None = None
        self._doubt: _Heard | None = None
        self._confirmed = False
        self._told = False

    def now(self) -> datetime:
        own = self.own.now()
        if self._heard is None:
            return own
        theirs = self._since(self._heard)
        return own if abs(own - theirs) <= AGREE else theirs

    def monotonic(self) -> float:
        return self.own.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self.own.sleep(seconds)

    @property
    def sure(self) -> bool:
        """Se o que se ouviu ainda serve: é de há pouco, dois o dizem, e a máquina não dormiu nem foi acertada."""
        heard = self._heard
        if heard is None or not self._confirmed:
            return False
        passed = timedelta(seconds=self.own.monotonic() - heard.monotonic)
        return passed <= FRESH and abs(self.own.now() - heard.own - passed) <= SAME

    def hear(self, header: str) -> None:
        """Anota o `Date` de uma resposta que acaba de chegar; o que não se lê, ou é absurdo, não conta."""
        own = self.own.now()
        theirs = _read(header)
        if theirs is None or theirs < FIRST or (theirs - own > MOST and own >= FIRST):
            return
        new = _Heard(theirs, own, self.own.monotonic())
        if self._heard is None:
            self._heard, self._confirmed = new, abs(theirs - own) <= SAME
        elif abs(theirs - self._since(self._heard)) <= SAME:
            self._confirmed, self._doubt = True, None
            # Uma resposta que se demorou diz menos que a hora: das que concordam vale a que vai adiante.
            if theirs >= self._since(self._heard) or self._age(self._heard) > FRESH:
                self._heard = new
        elif self._doubt is not None and abs(theirs - self._since(self._doubt)) <= SAME:
            self._heard, self._doubt, self._confirmed = new, None, True
        else:
            self._doubt = new
        self._tell()

    def _since(self, heard: _Heard) -> datetime:
        return heard.theirs + self._age(heard)

    def _age(self, heard: _Heard) -> timedelta:
        return timedelta(seconds=self.own.monotonic() - heard.monotonic)

    def _tell(self) -> None:
        if self._heard is None or not self._confirmed or self._told:
            return
        ahead = self._heard.own - self._heard.theirs
        if abs(ahead) > SAME:
            self._told = True
            log.warning(
                "O relógio desta máquina está %s %s em relação ao do Bling. Vale a hora do Bling; acerte o relógio.",
                in_words(ahead),
                "adiantado" if ahead > timedelta() else "atrasado",
            )


class HeardTransport(httpx2.AsyncBaseTransport):
    """Mostra a `hear` o `Date` de cada resposta que é da API: nem um redirecionamento, nem uma página de outro."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, hear: Callable[[str], None]) -> None:
        self._inner = inner
        self._hear = hear

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        date, kind = response.headers.get("date"), response.headers.get("content-type", "")
        if date and "html" not in kind.casefold() and not 300 <= response.status_code < 400:
            self._hear(date)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def in_words(difference: timedelta) -> str:
    """Quanto, sem o sinal: 45 s, 2 min, 3 h, 370 dias."""
    seconds = round(abs(difference).total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 48 * 3600 else f"{seconds // 86400} dias"


def _read(header: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
