"""O que fica entre a rede e a API: contagem, demora, bloqueios, cotas e defeitos encomendados."""

import asyncio
from contextlib import suppress
from urllib.parse import unquote_plus

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bling_simulator.answers import blocked_page
from bling_simulator.bling import Bling
from bling_simulator.faults import FaultRule

PREFIX = "/Api/v3"


class DroppedConnectionError(ConnectionResetError):
    """O simulador derrubou a conexão de propósito. Num transporte em memória chega a quem chamou."""


class Gate:
    """Middleware ASGI de fora de tudo: só quem passa por ele chega à API."""

    def __init__(self, app: ASGIApp, bling: Bling) -> None:
        self._app = app
        self._bling = bling

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(PREFIX)
        client = scope.get("client")
        ip = client[0] if client else ""
        self._bling.counters.received(path)
        await self._delay()
        refusal = self._refusal(ip, path)
        rule = None if refusal else await self._fault(path, scope, receive)

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                status = message["status"]
                self._bling.counters.answered(path, status, intact=rule is None)
                self._bling.ip_limits.answered(ip, status, self._bling.settings)
            await send(message)

        if refusal is not None:
            await refusal(scope, receive, counted)
        elif rule is not None:
            await self._spoil(rule, scope, receive, counted)
        else:
            await self._app(scope, receive, counted)

    async def _fault(self, path: str, scope: Scope, receive: Receive) -> FaultRule | None:
        faults, method, query = self._bling.faults, scope["method"], unquote_plus(scope["query_string"].decode())
        body = ""
        if faults.looks_inside(method, path, query):
            body = (await self._answer(scope, receive))[1].decode()
        return faults.choose(method, path, query, body)

    async def _delay(self) -> None:
        settings = self._bling.settings
        if settings.latency or settings.latency_jitter:
            await asyncio.sleep(settings.latency + settings.latency_jitter * self._bling.rng.random())

    def _refusal(self, ip: str, path: str) -> Response | None:
        """O bloqueio do IP vem antes da cota da conta; o OAuth não gasta a cota."""
        bling = self._bling
        admitted = bling.ip_limits.admit(ip, bling.settings)
        if path == "/oauth/token":
            bling.counters.token_calls += 1
            admitted = admitted and bling.ip_limits.admit_token_call(ip, bling.settings)
        if not admitted:
            bling.counters.blocked += 1
            return blocked_page()
        if path.startswith("/oauth/"):
            return None
        error = bling.account_limits.admit(bling.settings)
        return error.response() if error else None

    async def _spoil(self, rule: FaultRule, scope: Scope, receive: Receive, send: Send) -> None:
        self._bling.counters.faults += 1
        canned = rule.canned_response()
        if canned is not None:
            await canned(scope, receive, send)
        elif rule.kind == "cut":
            await self._cut(scope, receive, send)
        elif rule.kind == "hold":
            await self._bling.faults.until_removed(rule)
            await self._app(scope, receive, send)
        else:
            if rule.kind == "lost_answer":
                await self._answer(scope, receive)
            elif rule.kind == "hang":
                await _wait_for_disconnect(receive, rule.seconds)
            await _drop(send)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        """A resposta verdadeira, sem entregá-la."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        return messages[0], b"".join(message.get("body", b"") for message in messages[1:])

    async def _cut(self, scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await self._answer(scope, receive)
        half = body[: len(body) // 2]
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        headers.append((b"content-length", str(len(half)).encode()))
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": half})


async def _drop(send: Send) -> None:
    """Promete um corpo, não o entrega e fecha: quem lê vê a conexão cair no meio."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": True})
    raise DroppedConnectionError("conexão derrubada de propósito")


async def _wait_for_disconnect(receive: Receive, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
