"""Os tokens que abrem o serviço: API_TOKEN, que abre tudo, e o de cada empresa, que só abre o que é dela."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.types import Scope

from bling_collector.clock import Clock
from bling_collector.config import Secret
from bling_collector.config.companies import is_company
from bling_collector.db.companies.access import company_of, digest
from bling_collector.web.door import session
from bling_collector.web.door.ended import EndedSessions

ALL = None
"""O que abre quem traz API_TOKEN."""


@dataclass(frozen=True)
class Opened:
    """O que um token abre: uma empresa só (`only`), ou todas."""

    only: str | None


class Keys:
    def __init__(
        self,
        token: Secret | None,
        clock: Clock,
        ended: EndedSessions,
        known: Callable[[str], Awaitable[str | None]],
    ) -> None:
        """`known` é a impressão do token da empresa desse nome; None se ela não tem, ou não existe."""
        self._token = token
        self._clock = clock
        self._ended = ended
        self._known = known

    async def opens(self, given: str) -> Opened | None:
        """O que este token abre; None se não é nenhum."""
        # Pelas impressões, que têm o mesmo tamanho: o tempo da comparação não diz nada do token.
        if self._token is not None and _same(digest(given), digest(self._token.get_secret_value())):
            return Opened(ALL)
        name = company_of(given)
        known = await self._digest(name) if name else None
        return Opened(name) if known is not None and _same(digest(given), known) else None

    async def session(self, scope: Scope) -> Opened | None:
        """O que abre a sessão que o pedido traz; None se não traz uma, ou se ela já acabou."""
        value = session.given(scope)
        if value is None or not await self._is_ours(value) or await self._ended.has(value):
            return None
        return Opened(session.only_company(value))

    def begin(self, given: str, opened: Opened) -> str:
        """O cookie de uma sessão nova, de quem trouxe este token, que abre isso."""
        key = given if opened.only is ALL else digest(given)
        return session.issue(key, self._clock.now(), opened.only)

    async def end(self, scope: Scope) -> None:
        """Acaba com a sessão que o pedido traz."""
        value = session.given(scope)
        if value is not None and await self._is_ours(value):
            await self._ended.add(value, session.ends_at(value))

    async def _is_ours(self, value: str) -> bool:
        only = session.only_company(value)
        own = self._token.get_secret_value() if self._token is not None else None
        key = own if only is ALL else await self._digest(only)
        return key is not None and session.is_valid(key, value, self._clock.now())

    async def _digest(self, name: str) -> str | None:
        return await self._known(name) if is_company(name) else None


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
