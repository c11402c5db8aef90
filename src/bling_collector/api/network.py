"""A rede: o transporte por baixo das camadas, para a API, para os tokens e para o diagnóstico.

Atrás de um proxy da empresa não há outro caminho: as variáveis de sempre (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`,
`NO_PROXY`, ou o que o sistema diz) valem para tudo. Esta máquina nunca é alcançada por ele.
"""

import ssl
from collections.abc import AsyncIterator
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.request import getproxies, proxy_bypass

import httpx2

from bling_collector.api.wire import IDLE, Wire
from bling_collector.errors import ConfigurationError

_LIMITS: Final = httpx2.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=IDLE)
"""As conexões que passam por um proxy."""

MAX_BODY: Final = 16 * 1024 * 1024
"""Bytes de uma resposta, depois de aberta: uma página de cem linhas tem menos de 1 MB, e 400 KB de gzip dão 400 MB."""


class TooLargeError(httpx2.DecodingError):
    """A resposta passa do que se lê: quem a mandou não é o Bling de sempre."""


def network(wire: httpx2.AsyncBaseTransport | None = None) -> httpx2.AsyncBaseTransport:
    """Um transporte novo (sobre `wire`, se não é a rede), em que nenhuma resposta passa de MAX_BODY."""
    return _Bounded(wire or routes())


def routes() -> httpx2.AsyncBaseTransport:
    """A rede sem medida, para quem se põe entre ela e `network`; quem a recebe a fecha."""
    return _Network()


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


class _Network(httpx2.AsyncBaseTransport):
    """Cada pedido por onde o ambiente manda; as conexões de cada caminho são guardadas."""

    def __init__(self) -> None:
        self._ways: dict[str | None, httpx2.AsyncBaseTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        proxy = proxy_for(request.url)
        if proxy not in self._ways:
            self._ways[proxy] = _way(proxy)
        try:
            return await self._ways[proxy].handle_async_request(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            if proxy is None:
                raise
            # Quem não atendeu foi o proxy, ou o Bling por trás dele: é por ele que se começa a procurar.
            raise httpx2.ProxyError(str(error) or type(error).__name__, request=request) from error

    async def aclose(self) -> None:
        for way in self._ways.values():
            await way.aclose()


def proxy_for(url: httpx2.URL) -> str | None:
    """O proxy por onde se chega a `url`, ou None se é direto."""
    if _is_local(url.host):
        return None
    found = getproxies()
    proxy = found.get(url.scheme) or found.get("all")
    if not proxy or _is_excluded(url, found.get("no", "")) or proxy_bypass(url.host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


@cache
def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_excluded(url: httpx2.URL, no_proxy: str) -> bool:
    """`NO_PROXY` como o curl o lê: um nome vale também para o que está abaixo dele; e faixas de endereços."""
    port = url.port or {"https": 443, "http": 80}.get(url.scheme)
    for entry in no_proxy.replace(",", " ").casefold().split():
        if entry == "*" or _is_in(url.host, entry):
            return True
        name, colon, its_port = entry.rpartition(":")
        if not colon or "]" in its_port or not its_port.isdecimal():
            name, its_port = entry, ""
        name = name.removeprefix("*").lstrip(".").strip("[]")
        if its_port in ("", str(port)) and name and (url.host == name or url.host.endswith(f".{name}")):
            return True
    return False


def _is_in(host: str, addresses: str) -> bool:
    try:
        return ip_address(host) in ip_network(addresses, strict=False)
    except ValueError:
        return False


def _way(proxy: str | None) -> httpx2.AsyncBaseTransport:
    if proxy is None:
        return Wire(_trusted)
    try:
        return httpx2.AsyncHTTPTransport(verify=_trusted(), limits=_LIMITS, proxy=proxy)
    except (ValueError, ImportError, httpx2.InvalidURL):
        # O endereço não se repete: costuma trazer usuário e senha.
        raise ConfigurationError(
            "O proxy que o ambiente manda usar (HTTPS_PROXY, HTTP_PROXY ou ALL_PROXY) não serve: só se usa um proxy "
            "HTTP, escrito como http://servidor:porta. Corrija a variável, ou ponha em NO_PROXY o endereço do Bling."
        ) from None


@cache
def _trusted() -> ssl.SSLContext:
    """As autoridades em que se confia, as de SSL_CERT_FILE se ela é dada; lê-las custa 18 ms, e uma vez basta."""
    context = httpx2.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
