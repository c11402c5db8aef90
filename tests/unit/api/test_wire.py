"""O fio direto: o que se lê de um soquete de verdade, e que conexões servem outra vez."""

import asyncio
import gc
import socket
import ssl
import threading
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bling_collector.api.network import MAX_BODY, TooLargeError, network
from bling_collector.api.wire import Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
LONG = b"x" * 300_000
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass
class Server:
    """Responde a cada pedido o que vem a seguir na lista, com as conexões que recebeu."""

    answers: list[bytes]
    closes: bool = False
    url: str = ""
    connections: int = 0
    asked: list[bytes] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
                self.asked.append(head + await reader.readexactly(length))
                writer.write(self.answers.pop(0))
                await writer.drain()
                if self.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


@asynccontextmanager
async def against(*answers: bytes, closes: bool = False) -> AsyncIterator[tuple[Server, httpx2.AsyncClient]]:
    server = Server(list(answers), closes)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with (
        listening,
        httpx2.AsyncClient(transport=network(), base_url=url, timeout=5, trust_env=False) as http,
    ):
        yield server, http
        for writer in server.writers:
            writer.close()


async def test_one_connection_serves_one_request_after_another() -> None:
    async with against(OK, OK, OK) as (server, http):
        for _ in range(3):
            assert (await http.get("/a", params={"q": "ç"})).content == b"{}"
    assert server.connections == 1
    assert server.asked[0].startswith(b"GET /a?q=%C3%A7 HTTP/1.1\r\nHost: 127.0.0.1:")


async def test_as_many_connections_as_requests_at_once() -> None:
    async with against(*[OK] * 8) as (server, http):
        for _ in range(2):
            await asyncio.gather(*(http.get("/") for _ in range(4)))
    assert server.connections == 4


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"{}"),
        (CHUNKS + b"1\r\n{\r\n1;a=b\r\n}\r\n0\r\nX: y\r\n\r\n", b"{}"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(LONG), LONG), LONG),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
async def test_every_manner_of_body_leaves_the_connection_ready(answer: bytes, body: bytes) -> None:
    async with against(answer, OK) as (server, http):
        assert (await http.get("/")).content == body
        assert (await http.get("/")).content == b"{}"
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\noutra",
    ],
)
async def test_what_ends_with_the_connection_is_read_and_the_next_opens_another(answer: bytes) -> None:
    async with against(answer, OK, closes=True) as (server, http):
        assert (await http.get("/")).content == b"{}"
        assert (await http.get("/")).content == b"{}"
    assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
        CHUNKS + b"5\r\n{}",
        CHUNKS + b"zz\r\n{}",
        b"isto n\xe3o \xe9 HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n{}",
    ],
)
async def test_what_is_cut_or_is_not_http_is_an_error_and_the_connection_is_not_used_again(answer: bytes) -> None:
    async with against(answer, OK, closes=True) as (server, http):
        with pytest.raises(httpx2.RemoteProtocolError):
            await http.get("/")
        assert (await http.get("/")).content == b"{}"
    assert server.connections == 2


async def test_a_farewell_to_an_idle_connection_is_not_the_next_answer() -> None:
    farewell = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with against(OK, OK) as (server, http):
        await http.get("/")
        server.writers[0].write(farewell)
        await _until(server.writers[0].transport.is_closing, server.writers[0].drain)
        assert (await http.get("/")).status_code == 200
    assert server.connections == 2


async def test_a_closed_idle_connection_is_not_used_again() -> None:
    async with against(OK, OK) as (server, http):
        await http.get("/")
        server.writers[0].close()
        await server.writers[0].wait_closed()
        await asyncio.sleep(0)
        assert (await http.get("/")).status_code == 200
    assert server.connections == 2


async def test_a_form_goes_with_its_length() -> None:
    async with against(OK) as (server, http):
        await http.post("/oauth/token", data={"grant_type": "refresh_token"})
    assert server.asked[0].endswith(b"\r\n\r\ngrant_type=refresh_token")
    assert b"Content-Length: 24\r\n" in server.asked[0]


async def test_a_cancelled_request_takes_its_connection_with_it() -> None:
    async with against(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", OK) as (server, http):
        request = asyncio.ensure_future(http.get("/"))
        await _until(lambda: bool(server.asked))
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert (await http.get("/")).content == b"{}"
    assert server.connections == 2


async def test_a_silent_server_is_a_timeout_and_a_closed_door_a_connection_that_did_not_open() -> None:
    async with against(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{") as (_, http):
        with pytest.raises(httpx2.ReadTimeout):
            await http.get("/", timeout=0.05)
        url = http.base_url
    async with httpx2.AsyncClient(transport=network(), trust_env=False, timeout=60) as http:
        with pytest.raises(httpx2.ConnectError):
            await http.get(url)


async def test_a_body_without_end_stops_at_the_measure() -> None:
    endless = CHUNKS + b"".join(b"%x\r\n%s\r\n" % (len(LONG), LONG) for _ in range(MAX_BODY // len(LONG) + 2))
    async with against(endless) as (_, http):
        with pytest.raises(TooLargeError):
            await http.get("/")


async def test_a_connection_lost_while_waiting_its_turn_is_replaced() -> None:
    async with against(OK, OK) as (server, http):
        await http.get("/")
        steps: list[str] = []

        async def trace(step: str, _: object) -> None:
            steps.append(step)
            if step.endswith(".started"):
                server.writers[0].close()
                await server.writers[0].wait_closed()
                await asyncio.sleep(0)

        assert (await http.get("/", extensions={"trace": trace})).content == b"{}"
    assert server.connections == 2
    assert steps == ["http11.send_request_headers.started", "http11.send_request_headers.complete"]


async def _until(arrived: Callable[[], bool], step: Callable[[], Awaitable[object]] = lambda: asyncio.sleep(0)) -> None:
    async with asyncio.timeout(5):
        while not arrived():
            await step()
            await asyncio.sleep(0)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A chave e o certificado de `localhost`, que ninguém mais conhece, num arquivo só."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (file := tmp_path / "localhost.pem").write_bytes(secret + made.public_bytes(Encoding.PEM))
    return file


@pytest.mark.parametrize(
    ("host", "trusts", "answers"), [("localhost", True, True), ("127.0.0.1", True, False), ("localhost", False, False)]
)
async def test_over_tls_only_to_the_name_and_authority_that_are_trusted(
    certificate: Path, host: str, trusts: bool, answers: bool
) -> None:
    presented = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    presented.load_cert_chain(certificate)
    trusted = ssl.create_default_context(cafile=certificate if trusts else None)
    server = Server([OK, OK])
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=presented) as listening:
        url = f"https://{host}:{listening.sockets[0].getsockname()[1]}"
        async with httpx2.AsyncClient(transport=Wire(lambda: trusted), base_url=url, timeout=5) as http:
            if answers:
                assert [(await http.get("/")).content for _ in range(2)] == [b"{}", b"{}"]
            else:
                with pytest.raises(httpx2.ConnectError, match="certificate verify failed"):
                    await http.get("/")
        for writer in server.writers:
            writer.close()
    assert (len(server.asked), server.connections) == ((2, 1) if answers else (0, 0))


async def test_a_farewell_nobody_had_time_to_hear_is_heard_before_writing() -> None:
    """O servidor fechou enquanto este processo fazia outra coisa: o pedido seguinte, que vai uma vez só, chega."""
    listener = socket.create_server(("127.0.0.1", 0))
    closed = threading.Event()

    def serve() -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(OK)
            closed.set()

    thread = threading.Thread(target=serve)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with httpx2.AsyncClient(transport=network(), base_url=url, timeout=5, trust_env=False) as http:
        for _ in range(2):
            assert (await http.post("/", content=b"uma vez")).content == b"{}"
            assert closed.wait(10)  # com o laço parado
            closed.clear()
    thread.join()
    listener.close()


@pytest.mark.parametrize("turns", range(14))
async def test_cancelled_at_any_turn_no_socket_is_left_open(turns: int) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        async with against(*[OK] * 3) as (_, http):
            asked = [asyncio.create_task(http.get("/")) for _ in range(3)]
            for _ in range(turns):
                await asyncio.sleep(0)
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        gc.collect()
    assert [str(each.message) for each in warned if "unclosed" in str(each.message)] == []
