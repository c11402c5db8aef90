"""Um intermediário que, como o PgBouncer em modo de transação, dá a cada transação a sessão que estiver livre."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

_SSL, _GSS, _CANCEL = 80877103, 80877104, 80877102


class _Session:
    """Uma sessão com o servidor, já autenticada."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: bytes, pid: int) -> None:
        self.reader, self.writer, self.greeting, self.pid = reader, writer, greeting, pid


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    kind = await reader.readexactly(1)
    (size,) = struct.unpack("!i", await reader.readexactly(4))
    return kind, kind + struct.pack("!i", size) + await reader.readexactly(size - 4)


async def _open(user: str, database: str, host: str, port: int) -> _Session:
    reader, writer = (
        await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        if host.startswith("/")
        else await asyncio.open_connection(host, port)
    )
    body = struct.pack("!i", 196608) + b"\0".join([b"user", user.encode(), b"database", database.encode(), b"", b""])
    writer.write(struct.pack("!i", len(body) + 4) + body)
    greeting, pid = b"", 0
    while True:
        kind, message = await _message(reader)
        assert kind != b"E", message
        if kind == b"K":
            (pid,) = struct.unpack("!i", message[5:9])
        if kind == b"S":
            greeting += message
        if kind == b"Z":
            return _Session(reader, writer, greeting, pid)


class _Pooler:
    def __init__(self, sessions: list[_Session], *, own_pid: bool) -> None:
        self._free = list(sessions)
        self._known = sessions
        self._own_pid = own_pid
        self._released = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            if await self._greet(reader, writer):
                while True:
                    await self._transaction(reader, writer)
        writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        while True:
            (size,) = struct.unpack("!i", await reader.readexactly(4))
            (code,) = struct.unpack("!i", (await reader.readexactly(size - 4))[:4])
            if code == _CANCEL:
                return False
            if code not in (_SSL, _GSS):
                break
            writer.write(b"N")
        pid = 4242 if self._own_pid else self._known[-1].pid
        writer.write(b"R" + struct.pack("!ii", 8, 0) + self._known[0].greeting)
        writer.write(b"K" + struct.pack("!iii", 12, pid, 7) + b"Z" + struct.pack("!i", 5) + b"I")
        return True

    async def _transaction(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kind, message = await _message(reader)
        if kind == b"X":
            raise ConnectionResetError
        async with self._released:
            await self._released.wait_for(lambda: bool(self._free))
            session = self._free.pop()  # a que ficou livre por último, como faz o PgBouncer
        try:
            while True:
                session.writer.write(message)
                if kind in (b"Q", b"S"):
                    state = await self._answer(session, writer)
                    if state == b"I":
                        return
                kind, message = await _message(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            session.writer.write(b"Q" + struct.pack("!i", 13) + b"ROLLBACK\0")
            while (await _message(session.reader))[0] != b"Z":
                pass
            raise
        finally:
            async with self._released:
                self._free.append(session)
                self._released.notify_all()

    async def _answer(self, session: _Session, writer: asyncio.StreamWriter) -> bytes:
        while True:
            kind, message = await _message(session.reader)
            writer.write(message)
            if kind == b"Z":
                return message[5:6]


@asynccontextmanager
async def pooler(url: str, *, sessions: int, own_pid: bool) -> AsyncIterator[str]:
    """O endereço do intermediário diante do banco de `url`; sem `own_pid`, diz a quem chega o número de uma sessão."""
    given = conninfo_to_dict(url)
    user, database = str(given["user"]), str(given["dbname"])
    host, port = str(given.get("host", "127.0.0.1")), int(str(given.get("port", 5432)))
    opened = [await _open(user, database, host, port) for _ in range(sessions)]
    middle = _Pooler(opened, own_pid=own_pid)
    server = await asyncio.start_server(middle.serve, "127.0.0.1", 0)
    try:
        yield f"postgresql://{quote(user)}@127.0.0.1:{server.sockets[0].getsockname()[1]}/{database}"
    finally:
        server.close()
        for session in opened:
            session.writer.close()
            with suppress(ConnectionError, psycopg.Error):
                await session.writer.wait_closed()
