"""O fio direto: HTTP/1.1 sobre as conexões do asyncio, que ficam abertas de um pedido para o outro.

É o que o cliente HTTP faria por baixo do seu transporte, com um terço do processador: a conexão que serve é a última
que ficou livre, sem procurar entre todas. O formato das mensagens é da h11, que recusa as malfeitas.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address
from typing import Any, Final, cast

import h11
import httpx2

IDLE: Final = 30.0
"""Segundos que uma conexão livre fica aberta."""
_UNREAD: Final = 256 * 1024
"""Bytes que chegaram e ninguém leu; passando disto não se recebe mais."""
_HEAD: Final = 100 * 1024
"""O maior começo de uma resposta."""
_SECOND_ADDRESS: Final = 0.25
"""Segundos até que se tente outro endereço do mesmo nome: o primeiro pode ser de IPv6, numa rede que não o leva."""

Place = tuple[str, str, int]


class Wire(httpx2.AsyncBaseTransport):
    """Um pedido, uma conexão: a que ficou livre há menos tempo, ou outra."""

    def __init__(self, trusted: Callable[[], ssl.SSLContext]) -> None:
        """`trusted` diz em quem se confia; só se pergunta ao abrir um https."""
        self._trusted = trusted
        self._free: dict[Place, deque[_Connection]] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        content = await request.aread()
        timeouts = request.extensions.get("timeout", {})
        connection = await self._connection(request.url, timeouts.get("connect"))
        try:
            if trace := request.extensions.get("trace"):
                await trace("http11.send_request_headers.started", {})
                if not connection.is_open:  # fechou-se enquanto esperava a vez
                    connection = await self._connection(request.url, timeouts.get("connect"))
            connection.send(request, content)
            if trace:
                await trace("http11.send_request_headers.complete", {})
            head = await connection.head(timeouts.get("read"))
        except BaseException:  # também o cancelamento: no meio de uma resposta a conexão não serve a outra
            connection.close()
            raise
        body = _Body(connection, timeouts.get("read"))
        return httpx2.Response(head.status_code, headers=head.headers.raw_items(), stream=body)

    async def aclose(self) -> None:
        for free in self._free.values():
            for connection in free:
                connection.close()
        self._free.clear()
        await asyncio.sleep(0)  # o asyncio fecha os soquetes na volta seguinte do laço

    async def _connection(self, url: httpx2.URL, patience: float | None) -> "_Connection":
        place = url.scheme, url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        free = self._free.setdefault(place, deque())
        loop = asyncio.get_running_loop()
        while free and (not free[0].is_open or loop.time() - free[0].since > IDLE):
            free.popleft().close()
        while free:
            connection = free.pop()
            try:
                for _ in range(2):  # o laço entrega o que já chegou: uma despedida vê-se antes de se escrever nela
                    await asyncio.sleep(0)
            except asyncio.CancelledError:
                connection.close()
                raise
            if connection.is_open:
                return connection
        scheme, host, port = place
        how: dict[str, Any] = {"ssl": self._trusted(), "server_hostname": host} if scheme == "https" else {}
        if not _is_address(host):  # de um endereço não há segundo; e o asyncio, cancelado nisto, deixa o soquete aberto
            how["happy_eyeballs_delay"] = _SECOND_ADDRESS
        try:
            async with asyncio.timeout(patience):
                _, opened = await loop.create_connection(lambda: _Connection(free.append), host, port, **how)
        except TimeoutError as error:
            raise httpx2.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpx2.ConnectError(str(error)) from error
        return opened


class _Connection(asyncio.Protocol):
    """Uma conexão, que leva um pedido de cada vez; `free` a recebe de volta quando a resposta acaba."""

    def __init__(self, free: "Callable[[_Connection], None]") -> None:
        self._free = free
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD)
        self._transport: asyncio.Transport | None = None
        self._lost: Exception | None = None
        self._arrival: asyncio.Future[None] | None = None
        self._unread = 0
        self.since = 0.0
        """Desde quando está livre, na hora do laço."""

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # O que o asyncio chama.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._http.our_state is h11.IDLE:  # ninguém pediu nada: é uma despedida, e não a resposta do próximo
            self.close()
            return
        self._http.receive_data(data)
        self._unread += len(data)
        if self._unread > _UNREAD and self._transport is not None:
            self._transport.pause_reading()
        self._arrived()

    def eof_received(self) -> None:
        if self._http.our_state is not h11.IDLE:
            self._http.receive_data(b"")
        self._arrived()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._lost = error or ConnectionResetError("a conexão caiu")
        self._arrived()

    def _arrived(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    # O que o fio chama.

    def send(self, request: httpx2.Request, content: bytes) -> None:
        events: list[h11.Event] = [
            h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw),
            *([h11.Data(data=content)] if content else []),
            h11.EndOfMessage(),
        ]
        try:
            message = b"".join(self._http.send(event) or b"" for event in events)
        except h11.LocalProtocolError as error:
            raise httpx2.LocalProtocolError(str(error)) from error
        if self._transport is None:
            raise httpx2.WriteError(str(self._lost))
        self._transport.write(message)

    async def head(self, patience: float | None) -> h11.Response:
        """O começo da resposta, até o fim dos cabeçalhos."""
        while not isinstance(event := await self._event(patience), h11.Response):
            pass  # um 100, de quem ainda vai responder
        return event

    async def part(self, patience: float | None) -> bytes | None:
        """Um pedaço do corpo; None no fim dele, e então a conexão já está livre."""
        event = await self._event(patience)
        if isinstance(event, h11.Data):
            return bytes(event.data)
        http, loop = self._http, asyncio.get_running_loop()
        if http.our_state is h11.DONE and http.their_state is h11.DONE and not http.trailing_data[0] and self.is_open:
            http.start_next_cycle()
            self.since = loop.time()
            self._free(self)
        else:
            self.close()
        return None

    async def _event(self, patience: float | None) -> object:
        """O que a resposta traz a seguir; `patience` são os segundos de silêncio que se aceitam."""
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                await self._more(patience)
        except h11.RemoteProtocolError as error:
            raise httpx2.RemoteProtocolError(str(error)) from error
        return event

    async def _more(self, patience: float | None) -> None:
        if self._transport is None:
            raise httpx2.ReadError(str(self._lost))
        if self._unread > _UNREAD:
            self._transport.resume_reading()
        self._unread = 0
        self._arrival = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(patience):
                await self._arrival
        except TimeoutError as error:
            raise httpx2.ReadTimeout(str(error)) from error
        finally:
            self._arrival = None


class _Body(httpx2.AsyncByteStream):
    def __init__(self, connection: _Connection, patience: float | None) -> None:
        self._connection: _Connection | None = connection
        self._patience = patience

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._connection is not None:
            part = await self._connection.part(self._patience)
            if part is None:
                self._connection = None
                return
            yield part

    async def aclose(self) -> None:
        if self._connection is not None:  # ficou por ler
            self._connection.close()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
