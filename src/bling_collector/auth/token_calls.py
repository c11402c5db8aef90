"""Os pedidos de token são contados antes de sair: com 20 num minuto o Bling bloqueia o IP por uma hora (/limites)."""

from typing import Protocol

import httpx2


class TokenCalls(Protocol):
    async def token_call(self) -> None:
        """Conta mais um. BlingPausedError se já foram demais: este não deve ser enviado."""
        ...


class CountedTokenCalls(httpx2.AsyncBaseTransport):
    """A camada do cliente que só fala com o OAuth do Bling."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, calls: TokenCalls) -> None:
        self._inner = inner
        self._calls = calls

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await self._calls.token_call()
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
