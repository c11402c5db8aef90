"""A rede: o transporte por baixo das camadas, para a API e para os tokens."""

import ssl
from collections.abc import AsyncIterator
from functools import cache
from typing import Final

import httpx2

_LIMITS: Final = httpx2.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=30)


MAX_BODY: Final = 16 * 1024 * 1024
"""Bytes de uma resposta, depois de aberta: uma página de cem linhas tem menos de 1 MB, e 400 KB de gzip dão 400 MB."""


class TooLargeError(httpx2.DecodingError):
    """A resposta passa do que se lê: quem a mandou não é o Bling de sempre."""


def network(wire: httpx2.AsyncBaseTransport | None = None) -> httpx2.AsyncBaseTransport:
    """Um transporte novo (sobre `wire`, se não é a rede), em que nenhuma resposta passa de MAX_BODY."""
    return _Bounded(wire or httpx2.AsyncHTTPTransport(verify=_trusted(), limits=_LIMITS))


class _Bounded(httpx2.AsyncBaseTransport):
    """Abre o corpo (gzip, deflate e o que mais o cliente souber) aos poucos, e para no primeiro pedaço a mais."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        headers = response.headers.copy()
        for name in ("content-encoding", "content-length", "transfer-encoding"):  # do corpo fechado, que fica para trás
            headers.pop(name, None)
        body = _Body(response)
        return httpx2.Response(response.status_code, headers=headers, stream=body, extensions=response.extensions)

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, response: httpx2.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for part in self._response.aiter_bytes():
            read += len(part)
            if read > MAX_BODY:
                await self._response.aclose()
                raise TooLargeError(f"mais de {MAX_BODY >> 20} MB")
            yield part

    async def aclose(self) -> None:
        await self._response.aclose()


@cache
def _trusted() -> ssl.SSLContext:
    """As autoridades em que se confia, as de SSL_CERT_FILE se ela é dada; lê-las custa 18 ms, e uma vez basta."""
    return httpx2.create_ssl_context()
