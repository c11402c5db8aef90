"""Por onde se sai: o proxy que o ambiente manda usar, e só ele."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from bling_collector.api.answers import unanswered
from bling_collector.api.network import network, proxy_for
from bling_collector.errors import ConfigurationError

BLING = httpx2.URL("https://api.bling.com.br/Api/v3/nfe")
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method")


@pytest.fixture(autouse=True)
def no_ambient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert proxy_for(BLING) is None
    monkeypatch.setenv(name, "proxy.empresa:3128")
    assert proxy_for(BLING) == "http://proxy.empresa:3128"


def test_each_scheme_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://um:1")
    assert proxy_for(BLING) is None
    monkeypatch.setenv("ALL_PROXY", "http://dois:2")
    assert proxy_for(BLING) == "http://dois:2"
    assert proxy_for(httpx2.URL("http://exemplo")) == "http://um:1"


@pytest.mark.parametrize(
    "no_proxy",
    [
        *("api.bling.com.br", "bling.com.br", ".bling.com.br", "*.bling.com.br", "BLING.com.br", "*", "a, *"),
        *("a.example,bling.com.br:443", "a.example bling.com.br"),
    ],
)
def test_no_proxy_leaves_it_out(monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert proxy_for(BLING) is None


@pytest.mark.parametrize("no_proxy", ["ling.com.br", "bling.com.br:8443", "example", "10.0.0.0/8", "", ",", "com.br.x"])
def test_no_proxy_of_another_place_does_not(monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert proxy_for(BLING) == "http://proxy:1"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8099", "http://localhost:1", "http://[::1]:1", "http://127.9.9.9", "http://a.localhost"]
)
def test_this_machine_is_never_reached_through_it(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:1")
    monkeypatch.setenv("ALL_PROXY", "http://proxy:1")
    assert proxy_for(httpx2.URL(url)) is None


def test_a_range_of_addresses_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy:1")
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8,fd00::/8")
    assert proxy_for(httpx2.URL("http://10.1.2.3:8099")) is None
    assert proxy_for(httpx2.URL("http://[fd00::1]")) is None
    assert proxy_for(httpx2.URL("http://11.1.2.3")) == "http://proxy:1"


@asynccontextmanager
async def proxy(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Um proxy que responde sempre o mesmo, e o que lhe pediram."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://gente:senha@127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def test_the_request_goes_through_it_and_its_refusal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        proxy(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n") as (address, asked),
        httpx2.AsyncClient(transport=network(), trust_env=False, timeout=60) as http,
    ):
        monkeypatch.setenv("HTTPS_PROXY", address)
        with pytest.raises(httpx2.ProxyError, match="407"):
            await http.get(BLING, headers={"Authorization": "Bearer token-secreto"})
    assert asked[0].startswith(b"CONNECT api.bling.com.br:443 ")
    assert b"token-secreto" not in asked[0]


async def test_a_proxy_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxy(b"") as (address, _):
        pass
    monkeypatch.setenv("HTTPS_PROXY", address)
    async with httpx2.AsyncClient(transport=network(), trust_env=False, timeout=60) as http:
        with pytest.raises(httpx2.ProxyError) as caught:
            await http.get(BLING)
    assert "confira HTTPS_PROXY" in str(unanswered(caught.value.request, caught.value))
    assert "senha" not in str(caught.value)


@pytest.mark.parametrize("address", ["ftp://gente:senha@proxy:1", "http://proxy:porta", "socks5://proxy:1"])
async def test_a_proxy_that_cannot_be_used_is_a_sentence(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    async with httpx2.AsyncClient(transport=network(), trust_env=False, timeout=60) as http:
        with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
            await http.get(BLING)
    assert "senha" not in str(caught.value)
