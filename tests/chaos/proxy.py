"""Um intermediário TCP de poucas linhas, entre o coletor e quem ele usa: deixa passar, corta, ou cala."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class Proxy:
    """Leva os bytes de um lado a outro enquanto ninguém manda o contrário."""

    def __init__(self, connect: Connect) -> None:
        self.port = 0
        self._connect = connect
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Derruba, com RST, todas as conexões que passam por aqui."""
        for writer in list(self._open):
            writer.transport.abort()

    async def hang(self, seconds: float) -> None:
        """Por tantos segundos nada passa, e ninguém é avisado."""
        self._flowing.clear()
        await asyncio.sleep(seconds)
        self._flowing.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        upstream = None
        try:
            with suppress(OSError):
                there, upstream = await self._connect()
                self._open.add(upstream)
                await asyncio.gather(self._pump(reader, upstream), self._pump(there, writer))
        finally:
            for end in (writer, upstream):
                if end is not None:
                    self._open.discard(end)
                    end.transport.abort()
            self._tasks.discard(task)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            await self._flowing.wait()
            target.write(data)
            await target.drain()
        target.transport.abort()  # um lado fechou: o outro fecha também

    async def close(self) -> None:
        self._flowing.set()
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)


@asynccontextmanager
async def proxy(connect: Connect) -> AsyncIterator[Proxy]:
    """Um intermediário em 127.0.0.1, numa porta livre."""
    middle = Proxy(connect)
    server = await asyncio.start_server(middle.serve, "127.0.0.1", 0)
    middle.port = server.sockets[0].getsockname()[1]
    try:
        yield middle
    finally:
        server.close()
        await middle.close()
