"""A API e a autorização juntas, como o coletor as monta: muitas leituras em voo e um token que deixa de valer."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import pytest
from tests.support.fakes import START, FakeClock, MemoryStateStore, MemoryTokenStore
from tests.support.sliding_log import SlidingLogLimiter

from bling_collector.api.bling_client import BlingClient, build_http
from bling_collector.api.transport import counting
from bling_collector.auth.oauth import OAuth
from bling_collector.auth.set_aside import SetAside
from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.auth.tokens import Token
from bling_collector.errors import ReauthorizeError


class Account:
    """Uma conta do Bling: um token de acesso vale, um refresh token vale, e cada renovação troca os dois."""

    def __init__(self) -> None:
        self.access, self.refresh, self.renewals, self.accepts = "a0", "r0", 0, True

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(0)
        if request.url.path.endswith("/oauth/token"):
            return self._renew(dict(parse_qsl(request.content.decode())))
        opaque = request.headers["authorization"] == f"Bearer {self.access}" and "enable-jwt" not in request.headers
        if not (opaque and self.accepts):
            return _error(401, "invalid_token", "The access token provided is invalid")
        return httpx2.Response(200, json={"data": {"id": int(request.url.path.rsplit("/", 1)[1])}})

    def _renew(self, form: dict[str, str]) -> httpx2.Response:
        if form != {"grant_type": "refresh_token", "refresh_token": self.refresh}:
            return _error(400, "invalid_grant", "Invalid refresh token")
        self.renewals += 1
        self.access, self.refresh = f"a{self.renewals}", f"r{self.renewals}"
        return httpx2.Response(200, json={"access_token": self.access, "refresh_token": self.refresh})


def _error(status: int, kind: str, description: str) -> httpx2.Response:
    return httpx2.Response(status, json={"error": {"type": kind, "message": kind, "description": description}})


def collector(account: Account, stored: Token) -> tuple[BlingClient, MemoryTokenStore]:
    clock, store = FakeClock(), MemoryTokenStore(stored)
    wire = httpx2.MockTransport(account)
    addresses: dict[str, Any] = {"token_url": "https://bling/oauth/token", "authorize_url": "https://bling/authorize"}
    addresses["aside"] = SetAside(Path("/dev/null/nenhuma"), TokenCipher())
    oauth = OAuth(
        store,
        MemoryStateStore(),
        httpx2.AsyncClient(transport=wire),
        clock,
        client_id="c",
        client_secret="s",
        **addresses,
    )
    limiter = SlidingLogLimiter(clock, spacing=0)
    http = build_http("https://bling/Api/v3", oauth, limiter, clock, wire=wire)
    return BlingClient(http), store


async def read_twenty(client: BlingClient) -> list[int]:
    return [detail["id"] for detail in await asyncio.gather(*(client.detail("/nfe", n) for n in range(20)))]


@pytest.mark.parametrize("left", [timedelta(hours=5), timedelta(minutes=5), -timedelta(hours=1)])
async def test_twenty_readings_and_a_token_that_is_gone_make_one_renewal(left: timedelta) -> None:
    account = Account()
    account.access = "revogado por outro"
    client, store = collector(account, Token("a0", "r0", START + left))

    with counting() as requests:
        assert await read_twenty(client) == list(range(20))
    assert account.renewals == 1
    assert store.token is not None
    assert (store.token.access_token, store.token.refresh_token) == ("a1", "r1")
    assert 20 <= requests.total <= 40


async def test_a_revoked_authorization_is_told_after_one_renewal() -> None:
    account = Account()
    account.accepts = False
    client, _ = collector(account, Token("a0", "r0", START + timedelta(hours=5)))

    with counting() as requests, pytest.raises(ReauthorizeError, match="revogada"):
        await client.detail("/nfe", 1)
    assert account.renewals == 1
    assert requests.total == 2


async def test_a_refused_renewal_is_told_as_it_is() -> None:
    account = Account()
    account.access = "revogado por outro"
    client, _ = collector(account, Token("a0", "gasto", START + timedelta(hours=5)))

    with counting() as requests, pytest.raises(ReauthorizeError, match="o refresh token já foi usado ou foi revogado"):
        await client.detail("/nfe", 1)
    assert requests.total == 1
