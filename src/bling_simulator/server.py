"""O simulador num soquete de verdade: à frente (`serve`) ou ao lado de quem o usa (`running`)."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette

from bling_simulator.app import create_app
from bling_simulator.bling import Bling
from bling_simulator.clock import Clock
from bling_simulator.gate import PREFIX, DroppedConnectionError
from bling_simulator.settings import SimulatorSettings


@dataclass(frozen=True)
class RunningServer:
    url: str
    """A raiz do servidor, sem barra no fim: `http://127.0.0.1:porta`."""
    bling: Bling

    @property
    def api_url(self) -> str:
        """A base da API, o que se põe no lugar de `https://api.bling.com.br/Api/v3`."""
        return self.url + PREFIX


def serve(host: str = "127.0.0.1", port: int = 8099, settings: SimulatorSettings | None = None) -> None:
    """Atende até ser interrompido."""
    config = _config(create_app(settings), host=host, port=port, log_level="error")
    _silence_drops()
    uvicorn.Server(config).run()


@asynccontextmanager
async def running(
    settings: SimulatorSettings | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Clock | None = None,
) -> AsyncIterator[RunningServer]:
    """Atende em segundo plano no laço de eventos presente; a porta 0 escolhe uma livre."""
    app = create_app(settings, clock=clock)
    _silence_drops()
    # Com o protocolo dito por extenso o asyncio liga TCP_NODELAY; sem ele cada resposta espera 40 ms (medido).
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
        config = _config(app, host=host, port=port, log_config=None, log_level="warning")
        server = _BackgroundServer(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:
                if task.done():
                    await task  # propaga o que impediu a partida
                await asyncio.sleep(0.001)
            yield RunningServer(f"http://{host}:{listener.getsockname()[1]}", app.state.bling)
        finally:
            server.stop()
            await task


class _BackgroundServer(uvicorn.Server):
    """Não toma os sinais do processo, que são do dono do laço de eventos, e para na hora em que se pede: o uvicorn olha
    a cada décimo de segundo se é hora de parar, e espera outro tanto depois."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        self._stopping.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        while not self._stopping.is_set():
            await self.on_tick(0)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 1.0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if answering := list(self.server_state.tasks):
            _, late = await asyncio.wait(answering, timeout=self.config.timeout_graceful_shutdown)
            for task in late:
                task.cancel()
        for server in self.servers:
            await server.wait_closed()


def _config(app: Starlette, **options: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
        server_header=False,
        date_header=False,  # quem o põe é o porteiro, que sabe que horas são no simulador
        **options,
    )


def _silence_drops() -> None:
    """Uma conexão derrubada de propósito não é erro do servidor e não vai para o log."""
    logging.getLogger("uvicorn.error").addFilter(_is_not_a_drop)


def _is_not_a_drop(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], DroppedConnectionError))
