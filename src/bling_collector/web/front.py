"""Diante da aplicação enquanto ela se carrega: a porta já está aberta, e um pedido que chega antes espera por ela.

Carregá-la é a maior parte do tempo que o serviço leva a começar. Só `/health`, que nada sabe nem guarda, se responde
logo: quem pôs o processo no ar fica sabendo que ele vive.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bling_collector.web.door.head import Head
from bling_collector.web.door.headers import SecurityHeaders

log = logging.getLogger(__name__)

_HEALTH: Final = "/health"


class Front:
    """Uma aplicação ASGI que passa tudo à de `load`, assim que ela vier; `load` roda noutra thread.

    Se ela não vem, `error` diz por quê e `on_failure` é chamada: quem a pôs no ar deve parar.
    """

    def __init__(self, load: Callable[[], ASGIApp]) -> None:
        self._load = load
        self._app: ASGIApp | None = None
        self._ready = asyncio.Event()
        self.error: Exception | None = None
        self.on_failure: Callable[[], None] = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        if not self._ready.is_set() and scope["path"] == _HEALTH and scope["method"] in ("GET", "HEAD"):
            await _ALIVE(scope, receive, send)
            return
        await self._ready.wait()
        if self._app is None:
            raise RuntimeError("O serviço não chegou a começar.") from self.error
        await self._app(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A vida da aplicação, dentro da do servidor: ela começa depois dele, e acaba quando ele acaba."""
        first: Message | None = await receive()
        await send({"type": "lifespan.startup.complete"})

        async def told() -> Message:
            nonlocal first
            message, first = first, None
            return message or await receive()

        async def said(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._app = app
                self._ready.set()
            elif message["type"] == "lifespan.startup.failed":
                raise RuntimeError(message.get("message") or "A aplicação não começou.")
            else:
                await send(message)

        try:
            app = await asyncio.to_thread(self._load)
            await app(scope, told, said)
        except Exception as error:
            if self._ready.is_set():
                raise
            log.error("O serviço não começou: %s", error)
            self.error = error
            self._ready.set()
            self.on_failure()
            await receive()
            await send({"type": "lifespan.shutdown.complete"})


async def _health(scope: Scope, receive: Receive, send: Send) -> None:
    alive = {"status": "ok", "timestamp": datetime.now(UTC).isoformat()}
    await JSONResponse(alive)(scope, receive, send)


_ALIVE: Final = SecurityHeaders(Head(_health))
