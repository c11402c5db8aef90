"""O serviço num soquete de verdade, diante de quem abre conexões e não diz o que quer."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from tests.acceptance.test_access import free_port, settings_with

from bling_collector import logs
from bling_collector.main import create_app
from bling_collector.serving import build_server
from bling_collector.web.door import limits
from bling_collector.web.door.connections import Connection, most_connections

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


SILENCES = [
    b"",
    b"GET / HT",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: b",
    b"POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n",
    HEALTH,
]
"""O que se diz antes de se calar: nada, meio pedido, um pedido sem o corpo, um pedido a que se respondeu."""


class Door:
    """O serviço atendendo, e as conexões que o teste abriu."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.opened: list[Pair] = []

    async def open(self, *said: bytes) -> Pair:
        pair = await asyncio.open_connection("127.0.0.1", self.port)
        self.opened.append(pair)
        pair[1].writelines(said)
        return pair

    async def ask(self, request: bytes) -> bytes:
        reader, _ = await self.open(request)
        async with asyncio.timeout(30):
            return await reader.read(100_000)


@pytest.fixture
async def door(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    monkeypatch.setattr(Connection, "most", 20)
    server = build_server(create_app(settings_with()), "127.0.0.1", port := int(free_port()))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(30):
        while not server.started:  # noqa: ASYNC110 — é o uvicorn que o diz
            await asyncio.sleep(0.01)
    door = Door(port)
    try:
        yield door
    finally:
        for _, writer in door.opened:
            writer.close()
        server.should_exit = True
        await serving


async def closed(reader: asyncio.StreamReader) -> bool:
    """Espera que o outro lado feche."""
    async with asyncio.timeout(30):
        try:
            while await reader.read(65536):
                pass
        except ConnectionError:
            pass
    return True


async def test_silent_callers_do_not_silence_the_others(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    noisy = ("asyncio", "bling_collector.web.door.connections", "uvicorn.error")
    for name in noisy:
        logging.getLogger(name).addFilter(logs.OnceAMinute())
    caplog.set_level(logging.INFO)
    for said in SILENCES * 50:
        await door.open(said)
    assert b"HTTP/1.1 200" in await door.ask(HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert await closed(door.opened[0][0])  # a primeira deu lugar às outras
    # O banco, que aqui não há, também é dito, e quando calha.
    warned = [record for record in caplog.records if record.levelno >= logging.WARNING and record.name in noisy]
    assert [record.message for record in warned] == [
        "São conexões demais (21): fecha-se a que há mais tempo não diz nada."
    ]


@pytest.mark.parametrize("said", SILENCES[:3])
async def test_a_request_that_does_not_come_is_not_waited_for(
    door: Door, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "header_seconds", 0.1)
    reader, _ = await door.open(said)
    assert await closed(reader)


async def test_a_body_that_does_not_come_is_not_waited_for(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.1)
    request = b"POST /run HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 9\r\n\r\n"
    assert b"HTTP/1.1 408" in await door.ask(request)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 100_000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"eyJ-" * 9_000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"414"),
        (b"isto nao e HTTP\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: http://[\r\nConnection: close\r\n\r\n", b"400"),
    ],
)
async def test_what_is_no_request_gets_a_whole_answer(door: Door, request_: bytes, status: bytes) -> None:
    answer = await door.ask(request_)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"application/problem+json" in answer
    assert b"nosniff" in answer


def test_connections_leave_files_for_everything_else() -> None:
    assert 8 <= most_connections() <= 256
