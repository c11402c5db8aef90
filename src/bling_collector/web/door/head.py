"""HEAD, em tudo o que responde a GET: os mesmos cabeçalhos, sem o corpo."""

import asyncio

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """Middleware: atende um HEAD como o GET que ele descreve, e acaba assim que há cabeçalhos."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_head, answered, asked = scope["method"] == "HEAD", asyncio.Event(), False

        async def headless(message: Message) -> None:
            if message["type"] == "http.response.start":
                _allow_head(message)
                await send(message)
                answered.set()
            elif not is_head:
                await send(message)

        async def once() -> Message:
            nonlocal asked
            if asked:  # quem responde aos poucos, como o andamento de uma execução, não tem mais a quem
                await answered.wait()
                return {"type": "http.disconnect"}
            asked = True
            return await receive()

        if not is_head:
            await self._app(scope, receive, headless)
            return
        await self._app({**scope, "method": "GET"}, once, headless)
        await send({"type": "http.response.body", "body": b""})


def _allow_head(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    allowed = {method.strip() for method in headers.get("allow", "").split(",")}
    if "GET" in allowed:
        headers["allow"] = ", ".join(sorted(allowed | {"HEAD"}))
