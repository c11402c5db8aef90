"""O tamanho de um pedido: nenhuma rota precisa de um grande, e ler um sem fim ocuparia a memória."""

import asyncio
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bling_collector.web.door.connections import MAX_HEADERS, MAX_TARGET
from bling_collector.web.problems import problem

MAX_BODY: Final = 1024 * 1024
"""Bytes de um corpo; um aviso do Bling tem poucos KB."""
BODY_SECONDS: Final = 30.0
"""O que se espera por um corpo."""
_TOO_LARGE: Final = f"O corpo do pedido passa de {MAX_BODY // 1024} KB, que é o máximo aqui."


class SizeLimits:
    """Middleware: 413, 414 ou 431 ao que passa do tamanho, 408 ao corpo que não chega."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if answer := _refusal(scope):
            await answer(scope, receive, send)
            return
        read, whole, until = 0, False, asyncio.get_running_loop().time() + BODY_SECONDS

        async def counted() -> Message:
            nonlocal read, whole
            if whole:  # depois do corpo só se espera que o cliente se vá, e isso não tem prazo
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, f"O corpo do pedido não chegou em {BODY_SECONDS:.0f} s.") from None
            whole = not message.get("more_body", False)
            read += len(message.get("body", b""))
            if read > MAX_BODY:
                raise HTTPException(413, _TOO_LARGE)
            return message

        await self._app(scope, counted, send)


def _refusal(scope: Scope) -> ASGIApp | None:
    if len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"]) > MAX_TARGET:
        return problem(scope, 414, "Endereço grande demais", f"O endereço passa de {MAX_TARGET // 1024} KB.")
    headers = scope["headers"]
    if sum(len(name) + len(value) for name, value in headers) > MAX_HEADERS:
        return problem(scope, 431, "Cabeçalhos grandes demais", f"Os cabeçalhos passam de {MAX_HEADERS // 1024} KB.")
    length = next((value for name, value in headers if name == b"content-length"), b"0")
    if not length.isdigit() or len(length) > 18 or int(length) > MAX_BODY:
        return problem(scope, 413, "Corpo grande demais", _TOO_LARGE)
    return None
