"""As camadas: quem repete, quem espera, quem renova."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.support.fakes import START, FakeClock
from tests.support.sliding_log import SlidingLogLimiter

from bling_collector.api.bling_client import BlingClient, build_http
from bling_collector.api.pace import MARGIN, MARGIN_STEP
from bling_collector.api.transport import (
    ATTEMPTS,
    LONGEST_WAIT,
    PacedTransport,
    Requests,
    RetryTransport,
    counting,
    pause,
)
from bling_collector.auth.tokens import Token
from bling_collector.errors import (
    BlingAuthError,
    BlingBodyError,
    BlingError,
    BlingNotFoundError,
    BlingRejectedError,
    BlingScopeError,
    BlingThrottledError,
    BlingUnavailableError,
    DailyLimitError,
    ReauthorizeError,
)

GOOD = httpx2.Response(200, json={"data": {"id": 7}})
SECOND = httpx2.Response(429, json={"error": {"type": "TOO_MANY_REQUESTS", "limit": 3, "period": "second"}})
DAY = httpx2.Response(429, json={"error": {"type": "TOO_MANY_REQUESTS", "limit": 120000, "period": "day"}})
MISSING = httpx2.Response(404, json={"error": {"type": "RESOURCE_NOT_FOUND", "description": "Não há."}})
DENIED = httpx2.Response(401, json={"error": {"type": "invalid_token", "description": "Token inválido."}})
BAD_GATEWAY = httpx2.Response(502, html="<html>Bad Gateway</html>")
TIMEOUT = httpx2.ReadTimeout("")
JWT = "aaa.bbb.ccc"

Answer = httpx2.Response | Exception


def token(access: str) -> Token:
    return Token(access_token=access, refresh_token="r", expires_at=START + timedelta(hours=6))


def copy_of(answer: httpx2.Response) -> httpx2.Response:
    """Uma resposta lida não se lê de novo; cada pedido ganha a sua."""
    return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)


class OneAfterAnother:
    """Um fio que dá as respostas na ordem; a última se repete."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx2.Request] = []
        self.tokens: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        self.tokens.append(request.headers.get("authorization", ""))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return copy_of(answer)


class Tokens:
    """Dá «velho» até que ele seja recusado; depois, o que vier na lista."""

    def __init__(self, *renewed: Token, first: Token | None = None) -> None:
        self._renewed = list(renewed)
        self.current = first or token("velho")
        self.rejected: list[str] = []
        self.refused = ""

    async def get_valid_access_token(self) -> Token:
        return self.current

    async def refuse(self, rejected: Token) -> None:
        self.refused = rejected.access_token

    async def renew_after_401(self, rejected: Token) -> Token:
        self.rejected.append(rejected.access_token)
        if self.current.access_token == rejected.access_token:
            self.current = self._renewed.pop(0)
        return self.current


class Bench:
    """O cliente de verdade, com o relógio e o fio do teste."""

    def __init__(self, wire: Callable[[httpx2.Request], Any], *renewed: Token, first: Token | None = None) -> None:
        self.clock = FakeClock()
        self.limiter = SlidingLogLimiter(self.clock, spacing=0)
        self.tokens = Tokens(*renewed, first=first)
        self.http = build_http(
            "https://api.bling.com.br/Api/v3",
            self.tokens,
            self.limiter,
            self.clock,
            wire=httpx2.MockTransport(wire),
        )
        self.client = BlingClient(self.http)


@pytest.mark.parametrize(
    "flaws",
    [
        [TIMEOUT],
        [httpx2.ConnectError("recusada"), httpx2.ConnectTimeout("")],
        [httpx2.RemoteProtocolError("caiu")],
        [BAD_GATEWAY],
        [httpx2.Response(200, content=b"")],
        [httpx2.Response(200, content=b'{"data": {"id": 7')],
        [httpx2.Response(200, content=b"null")],
        [httpx2.Response(200, content=b'{"data": {"id": 8}}')],
        [httpx2.DecodingError("gzip")],
        [SECOND],
        [TIMEOUT, SECOND, BAD_GATEWAY, httpx2.Response(500, json={"error": {"type": "SERVER_ERROR"}})],
    ],
)
async def test_what_passes_is_asked_again(flaws: list[Answer]) -> None:
    wire = OneAfterAnother(*flaws, GOOD)
    bench = Bench(wire)

    with counting() as requests:
        assert await bench.client.detail("/nfe", 7) == {"id": 7}
    assert requests.total == len(wire.requests) == len(flaws) + 1


@pytest.mark.parametrize(
    ("flaw", "expected"),
    [(TIMEOUT, BlingUnavailableError), (BAD_GATEWAY, BlingUnavailableError), (SECOND, BlingThrottledError)],
)
async def test_it_gives_up_after_five_attempts(flaw: Answer, expected: type[Exception]) -> None:
    bench = Bench(OneAfterAnother(flaw))

    with counting() as requests, pytest.raises(expected):
        await bench.client.detail("/nfe", 7)
    assert requests.total == ATTEMPTS == 5


@pytest.mark.parametrize(("answer", "expected"), [(DAY, DailyLimitError), (MISSING, BlingNotFoundError)])
async def test_what_does_not_pass_is_asked_once(answer: Answer, expected: type[Exception]) -> None:
    bench = Bench(OneAfterAnother(answer))

    with counting() as requests, pytest.raises(expected):
        await bench.client.detail("/nfe", 7)
    assert requests == Requests(total=1, throttled=0)
    assert bench.clock.slept == []
    assert bench.limiter.margin == MARGIN


class Cut(httpx2.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'{"data": '
        raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")


@pytest.mark.parametrize("status", [200, 429, 500])
async def test_a_response_cut_in_the_middle_is_asked_again(status: int) -> None:
    answers = iter([httpx2.Response(status, stream=Cut()), copy_of(GOOD)])
    bench = Bench(lambda _: next(answers))

    assert await bench.client.detail("/nfe", 7) == {"id": 7}


async def test_only_a_get_is_repeated() -> None:
    bench = Bench(OneAfterAnother(BAD_GATEWAY))

    with counting() as requests, pytest.raises(BlingUnavailableError):
        await bench.http.post("/nfe", json={})
    assert requests.total == 1


@pytest.mark.parametrize(
    ("flaw", "first", "jitter"), [(BAD_GATEWAY, 2.0, 1.0), (TIMEOUT, 2.0, 1.0), (SECOND, 1.0, 0.5)]
)
async def test_the_waits_double(flaw: Answer, first: float, jitter: float) -> None:
    clock = FakeClock()
    transport = RetryTransport(httpx2.MockTransport(OneAfterAnother(flaw)), clock)

    with pytest.raises(BlingError):
        await transport.handle_async_request(httpx2.Request("GET", "https://api/nfe"))
    assert len(clock.slept) == ATTEMPTS - 1
    assert all(first * 2**n <= wait <= first * 2**n + jitter for n, wait in enumerate(clock.slept))


async def test_retry_after_is_honoured_up_to_a_bound() -> None:
    clock = FakeClock()
    answers = OneAfterAnother(
        httpx2.Response(503, headers={"Retry-After": "20"}),
        httpx2.Response(503, headers={"Retry-After": "86400"}),
        GOOD,
    )
    await RetryTransport(httpx2.MockTransport(answers), clock).handle_async_request(
        httpx2.Request("GET", "https://a/b")
    )

    assert clock.slept == [20.0, LONGEST_WAIT]


def test_no_wait_is_longer_than_the_bound() -> None:
    assert pause(BlingUnavailableError(""), 50) == LONGEST_WAIT


async def test_a_retry_is_told_in_the_log_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(OneAfterAnother(BAD_GATEWAY, GOOD))
    with caplog.at_level(logging.WARNING):
        await bench.client.get("/contatos", [("numeroDocumento", "30188025000121")])

    assert "GET /Api/v3/contatos (HTTP 502)" in caplog.text
    assert "Tentativa 2 de 5" in caplog.text
    assert "30188025000121" not in caplog.text
    assert "velho" not in caplog.text


async def test_every_attempt_pays_a_slot() -> None:
    bench = Bench(OneAfterAnother(SECOND, SECOND, GOOD))
    with counting() as requests:
        await bench.client.get("/nfe")

    assert requests == Requests(total=3, throttled=2)
    assert MARGIN + 2 * MARGIN_STEP - 0.001 < bench.limiter.margin <= MARGIN + 2 * MARGIN_STEP


async def test_a_check_refuses_what_was_not_asked() -> None:
    bench = Bench(OneAfterAnother(GOOD))

    def nothing_serves(body: dict[str, Any]) -> None:
        raise BlingBodyError("não serve")

    with counting() as requests, pytest.raises(BlingBodyError, match="não serve"):
        await bench.client.get("/nfe", check=nothing_serves)
    assert requests.total == ATTEMPTS


# Autorização


async def test_an_opaque_token_goes_without_enable_jwt() -> None:
    wire = OneAfterAnother(GOOD)
    await Bench(wire).client.get("/nfe")

    assert wire.requests[0].headers["authorization"] == "Bearer velho"
    assert "enable-jwt" not in wire.requests[0].headers


async def test_a_jwt_goes_with_enable_jwt() -> None:
    wire = OneAfterAnother(GOOD)
    await Bench(wire, first=token(JWT)).client.get("/nfe")

    assert wire.requests[0].headers["enable-jwt"] == "1"


async def test_from_a_jwt_to_an_opaque_token_the_header_leaves() -> None:
    headers = []

    def wire(request: httpx2.Request) -> httpx2.Response:
        headers.append((request.headers["authorization"], request.headers.get("enable-jwt")))
        return copy_of(DENIED if len(headers) == 1 else GOOD)

    await Bench(wire, token("novo"), first=token(JWT)).client.get("/nfe")

    assert headers == [(f"Bearer {JWT}", "1"), ("Bearer novo", None)]


async def test_a_401_is_renewed_and_repeated_once() -> None:
    wire = OneAfterAnother(DENIED, GOOD)
    bench = Bench(wire, token("novo"))

    assert await bench.client.detail("/nfe", 7) == {"id": 7}
    assert wire.tokens == ["Bearer velho", "Bearer novo"]
    assert bench.tokens.rejected == ["velho"]
    assert bench.clock.slept == []


async def test_a_second_401_asks_for_a_new_authorization() -> None:
    wire = OneAfterAnother(DENIED)
    bench = Bench(wire, token("novo"))

    with pytest.raises(ReauthorizeError, match=r"bling-collector auth.*Token inválido") as caught:
        await bench.client.get("/nfe")
    assert len(wire.requests) == 2
    assert isinstance(caught.value.__cause__, BlingAuthError)
    assert bench.tokens.refused == "novo"


async def test_a_401_of_one_record_does_not_cost_the_authorization() -> None:
    def wire(request: httpx2.Request) -> httpx2.Response:
        return copy_of(DENIED if request.url.path.endswith("/nfe/8") else GOOD)

    bench = Bench(wire, token("novo"))
    await bench.client.detail("/nfe", 7)
    with pytest.raises(BlingRejectedError, match="só este"):
        await bench.client.detail("/nfe", 8)
    assert await bench.client.detail("/nfe", 7) == {"id": 7}
    assert (bench.tokens.rejected, bench.tokens.refused) == ([], "")


async def test_a_token_that_ends_after_it_served_is_renewed() -> None:
    wire = OneAfterAnother(GOOD, DENIED, DENIED, GOOD)
    bench = Bench(wire, token("novo"))
    for _ in range(2):
        assert await bench.client.detail("/nfe", 7) == {"id": 7}
    assert bench.tokens.rejected == ["velho"]


BLOCKED = httpx2.Response(403, html="<html>negado</html>")


async def test_a_page_instead_of_a_403_is_of_that_request_alone_if_the_others_are_served() -> None:
    asked: list[str] = []

    def wire(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path.rpartition("/")[2])
        return copy_of(BLOCKED if asked[-1] == "8" else GOOD)

    bench = Bench(wire)
    await bench.client.detail("/nfe", 7)
    with pytest.raises(BlingRejectedError, match="só este"):
        await bench.client.detail("/nfe", 8)
    assert asked == ["7", "8", "7"]


async def test_a_page_instead_of_a_403_to_all_may_be_a_blocked_ip() -> None:
    bench = Bench(OneAfterAnother(BLOCKED))
    with pytest.raises(BlingUnavailableError, match="pode estar bloqueado"):
        await bench.client.detail("/nfe", 8)


async def test_a_missing_scope_does_not_spend_a_renewal() -> None:
    bench = Bench(OneAfterAnother(httpx2.Response(403, json={"error": {"type": "insufficient_scope"}})))

    with pytest.raises(BlingScopeError, match=r"GET /Api/v3/produtos \(HTTP 403\).*escopo"):
        await bench.client.get("/produtos")
    assert bench.tokens.rejected == []


async def test_after_the_renewal_what_passes_is_still_asked_again() -> None:
    wire = OneAfterAnother(BAD_GATEWAY, DENIED, TIMEOUT, GOOD)
    await Bench(wire, token("novo")).client.get("/nfe")

    assert wire.tokens == ["Bearer velho", "Bearer velho", "Bearer novo", "Bearer novo"]


# Ritmo


class Wire(httpx2.AsyncBaseTransport):
    """Um fio com latência; anota a hora de cada começo."""

    def __init__(self, clock: FakeClock, latency: float = 0.0, answers: Iterable[httpx2.Response] = ()) -> None:
        self._clock = clock
        self._latency = latency
        self._answers = list(answers)
        self.starts: list[float] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.starts.append(self._clock.monotonic())
        await self._clock.sleep(self._latency)
        return copy_of(self._answers.pop(0) if self._answers else GOOD)


def paced(wire: Wire, clock: FakeClock) -> PacedTransport:
    return PacedTransport(wire, SlidingLogLimiter(clock), clock)


async def many(transport: httpx2.AsyncBaseTransport, n: int) -> None:
    request = httpx2.Request("GET", "https://api/nfe")
    await asyncio.gather(*(transport.handle_async_request(request) for _ in range(n)))


async def test_the_requests_keep_the_pace() -> None:
    clock = FakeClock()
    wire = Wire(clock)
    with counting() as requests:
        await many(paced(wire, clock), 5)

    assert wire.starts == pytest.approx([0.0, 0.35, 0.70, 1.05, 1.40])
    assert requests == Requests(total=5, throttled=0)


async def test_a_429_holds_back_all_that_did_not_start() -> None:
    clock = FakeClock()
    wire = Wire(clock, answers=[GOOD, GOOD, SECOND])
    with counting() as requests:
        await many(paced(wire, clock), 8)

    assert wire.starts[:3] == pytest.approx([0.0, 0.35, 0.70])
    assert sum(0.70 < start < 0.70 + 1.0 for start in wire.starts) <= 1  # a que já esperava a vez
    assert requests.throttled == 1


async def test_a_cancelled_wait_does_not_hold_the_turn() -> None:
    clock = FakeClock()
    wire = Wire(clock)
    transport = paced(wire, clock)
    request = httpx2.Request("GET", "https://api/nfe")
    await transport.handle_async_request(request)
    waiting = [asyncio.create_task(transport.handle_async_request(request)) for _ in range(3)]
    await asyncio.sleep(0)
    for task in waiting[:2]:
        task.cancel()
    await asyncio.wait(waiting)

    assert [task.cancelled() for task in waiting] == [True, True, False]
    assert len(wire.starts) == 2
