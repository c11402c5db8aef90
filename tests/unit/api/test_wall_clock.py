"""O ritmo de verdade: relógio do sistema, TCP, um servidor uvicorn que demora."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import uvicorn
from tests.support.sliding_log import SlidingLogLimiter

from bling_collector.api.bling_client import BlingClient, build_http
from bling_collector.api.transport import Requests, counting
from bling_collector.auth.tokens import Token
from bling_collector.clock import SystemClock

pytestmark = pytest.mark.slow
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
    async def account(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        arrivals.append(time.monotonic())
        await asyncio.sleep(LATENCY)
        body = json.dumps({"data": {"id": int(scope["path"].rsplit("/", 1)[1])}}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    server = uvicorn.Server(uvicorn.Config(account, lifespan="off", log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Noutra thread: quem prende o laço de quem pede não atrasa a hora que o servidor anota.
        serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        serving.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/Api/v3"
        finally:
            server.should_exit = True
            await asyncio.to_thread(serving.join)


async def ask_for(base_url: str, count: int, host: str = "127.0.0.1") -> Requests:
    """Pede `count` notas de uma vez, pelo cliente de verdade, no ritmo do Bling."""
    clock = SystemClock()
    url = base_url.replace("127.0.0.1", host)
    async with build_http(url, OneToken(), SlidingLogLimiter(clock), clock) as http:
        client = BlingClient(http)
        with counting() as requests:
            details = await asyncio.gather(*(client.detail("/nfe", id_) for id_ in range(1, count + 1)))
    assert [detail["id"] for detail in details] == list(range(1, count + 1))
    return requests


def most_in_a_second(arrivals: list[float]) -> int:
    # Numa máquina ocupada uma chegada atrasa alguns milissegundos; a margem de 20 ms é da rede, não deste teste.
    return max(sum(start <= other < start + 0.98 for other in arrivals) for start in arrivals)


async def test_three_a_second_whatever_the_latency() -> None:
    arrivals: list[float] = []
    async with slow_server(arrivals) as base_url:
        requests = await ask_for(base_url, 8)
    assert requests.total == len(arrivals) == 8
    # Saem a 0,35 s uma da outra, sem esperar as respostas; as primeiras perdem uma vez cada, ao abrir a conexão.
    assert arrivals[-1] - arrivals[0] < 11 * 0.35
    assert most_in_a_second(arrivals) <= 3


async def test_opening_a_connection_does_not_let_the_next_ones_catch_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cada conexão nova leva mais que a folga de três vezes: a que a abre sai na hora certa, e não atrasada."""
    loop, arrivals = asyncio.get_running_loop(), list[float]()
    resolve, waits = loop.getaddrinfo, iter([0.3, 0.25, 0.3, 0.2])

    async def far_away(*arguments: Any, **options: Any) -> Any:
        await asyncio.sleep(next(waits, 0.3))
        return await resolve(*arguments, **options)

    async with slow_server(arrivals) as base_url:
        monkeypatch.setattr(loop, "getaddrinfo", far_away)
        requests = await ask_for(base_url, 9, host="localhost")
    assert requests.total == len(arrivals) == 9
    assert most_in_a_second(arrivals) <= 3


async def test_a_busy_machine_does_not_bunch_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """O laço de eventos preso por um instante, no meio de cada segundo: quem perdeu a vez toma outra."""
    arrivals: list[float] = []

    async def busy() -> None:
        while True:
            await asyncio.sleep(0.31)
            time.sleep(0.12)  # noqa: ASYNC251 — é o que se quer: uma máquina que não larga o processador

    async with slow_server(arrivals) as base_url:
        hog = asyncio.create_task(busy())
        await ask_for(base_url, 9)
        hog.cancel()
    assert most_in_a_second(arrivals) <= 3
