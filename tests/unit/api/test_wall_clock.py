"""O ritmo de verdade: relógio do sistema, TCP, um servidor uvicorn que demora."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn

from bling_collector.api.bling_client import BlingClient, build_http
from bling_collector.api.rate_limit import SlidingLogLimiter
from bling_collector.api.transport import Requests
from bling_collector.clock import SystemClock
from bling_collector.tokens import Token

LATENCY = 0.4
Message = MutableMapping[str, Any]


class OneToken:
    async def get_valid_access_token(self) -> Token:
        return Token(access_token="t", refresh_token="r", expires_at=datetime.now(UTC) + timedelta(hours=6))

    async def renew_after_401(self, rejected: Token) -> Token:
        raise AssertionError("não houve 401")

    async def refuse(self, rejected: Token) -> None:
        raise AssertionError("não houve 401")


@asynccontextmanager
async def slow_server(arrivals: list[float]) -> AsyncIterator[str]:
    async def app(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        arrivals.append(time.monotonic())
        await asyncio.sleep(LATENCY)
        body = json.dumps({"data": {"id": int(scope["path"].rsplit("/", 1)[1])}}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/Api/v3"
        finally:
            server.should_exit = True
            await serving


async def test_three_a_second_whatever_the_latency() -> None:
    arrivals: list[float] = []
    clock, requests = SystemClock(), Requests()
    async with slow_server(arrivals) as base_url:
        limiter = SlidingLogLimiter(clock)
        async with build_http(base_url, OneToken(), limiter, clock, requests) as http:
            client = BlingClient(http)
            details = await asyncio.gather(*(client.detail("/nfe", id_) for id_ in range(1, 9)))

    assert [detail["id"] for detail in details] == list(range(1, 9))
    assert requests.total == len(arrivals) == 8
    # A primeira vai sozinha e ocupa duas vezes; as outras sete saem a 0,35 s uma da outra, sem esperar as respostas.
    assert arrivals[-1] - arrivals[1] < 6 * 0.35 + 0.3
    # Numa máquina ocupada uma chegada atrasa alguns milissegundos; a margem de 20 ms é da rede, não deste teste.
    assert all(later - earlier > 0.98 for earlier, later in zip(arrivals, arrivals[3:], strict=False))
