"""As camadas em volta do fio, de fora para dentro: autorização → repetição → ritmo → fio.

Cada tentativa paga a sua vez no ritmo; um 401 se resolve acima da repetição (renova e repete uma vez), os 429 e os
5xx abaixo dela.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Protocol

import httpx2

from bling_collector.api.answers import RETRIED, Outcome, outcome_of, place, read_answer, retry_after, unanswered
from bling_collector.api.health import Health
from bling_collector.api.pace import LATENESS, LONGEST_PATIENCE, MOST_LOST_TURNS
from bling_collector.api.rate_limit import RateLimiter
from bling_collector.api.waiting import Waiting
from bling_collector.auth.tokens import Token
from bling_collector.clock import Clock
from bling_collector.errors import (
    LASTING,
    BlingAuthError,
    BlingError,
    BlingPausedError,
    BlingRejectedError,
    BlingThrottledError,
    DailyLimitError,
    ReauthorizeError,
)
from bling_collector.payload import Json
from bling_collector.words import duration

logger = logging.getLogger(__name__)

Check = Callable[[dict[str, Json]], None]
"""Levanta BlingBodyError quando o corpo não é o que se pediu; vai em `extensions["check"]` do pedido."""

ATTEMPTS: Final = 5
"""De uma requisição; `extensions["attempts"]` pede menos, mas não do que só passou do limite por segundo."""
LONGEST_WAIT: Final = 30.0
"""Segundos; também o teto de um `Retry-After`."""


class AccessTokens(Protocol):
    """De onde vem o token de acesso de cada requisição."""

    async def get_valid_access_token(self) -> Token:
        """Um token que o Bling deve aceitar. ReauthorizeError se só o dono da conta resolve."""
        ...

    async def renew_after_401(self, rejected: Token) -> Token:
        """Outro token que não `rejected`, que o Bling acaba de recusar."""
        ...

    async def refuse(self, rejected: Token) -> None:
        """Anota que o Bling recusou também o token novo: só o dono da conta resolve."""
        ...


@dataclass
class Requests:
    """As requisições que uma execução fez, com as repetidas."""

    total: int = 0
    throttled: int = 0
    """Quantas receberam um 429 por segundo."""
    waiting: Waiting = field(default_factory=Waiting, compare=False)
    """As que ainda não tiveram resposta."""


_requests: ContextVar[Requests] = ContextVar("requests")


@contextmanager
def counting() -> Iterator[Requests]:
    """A conta das requisições que se fazem enquanto o bloco corre, nesta tarefa e nas que ela começa."""
    requests = Requests()
    token = _requests.set(requests)
    try:
        yield requests
    finally:
        _requests.reset(token)


@dataclass
class Sent:
    """Quando saiu o último pedido, no relógio monotônico; None se não saiu nenhum."""

    at: float | None = None


_sent: ContextVar[Sent] = ContextVar("sent")


@contextmanager
def noting_when_sent() -> Iterator[Sent]:
    """Quando saiu o último pedido que se fez no bloco."""
    sent = Sent()
    token = _sent.set(sent)
    try:
        yield sent
    finally:
        _sent.reset(token)


def _counted() -> Requests:
    """A conta de quem pede; fora de uma execução, uma que ninguém lê."""
    return _requests.get(None) or Requests()


class _Layer(httpx2.AsyncBaseTransport):
    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def aclose(self) -> None:
        await self._inner.aclose()


class AuthTransport(_Layer):
    """Põe o token em cada pedido. A um 401, renova uma vez e repete uma vez; ao segundo, ReauthorizeError.

    Se o último pedido que passou volta a passar com o mesmo token, não é o token que o Bling recusa, mas este pedido:
    BlingRejectedError, e nada se renova.

    O cabeçalho `enable-jwt` vai só com um JWT: com o token opaco o Bling responde 401 (medido).
    """

    def __init__(self, tokens: AccessTokens, inner: httpx2.AsyncBaseTransport) -> None:
        super().__init__(inner)
        self._tokens = tokens
        self._good: httpx2.URL | None = None
        self._doubt = asyncio.Lock()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        token = await self._tokens.get_valid_access_token()
        try:
            return await self._send(request, token)
        except BlingAuthError as error:
            if await self._still_serves(request, token):
                raise BlingRejectedError(
                    f"{place(request)} (HTTP 401): o Bling aceita o token nos outros pedidos: é só este que não passa.",
                    status=401,
                ) from error
            logger.info("%s: o Bling recusou o token de acesso; renovando", place(request))
        token = await self._tokens.renew_after_401(token)
        try:
            return await self._send(request, token)
        except BlingAuthError as error:
            await self._tokens.refuse(token)
            raise ReauthorizeError(
                "O Bling recusou o token de acesso e também o que veio no lugar dele: a autorização foi revogada, ou "
                f"os escopos do aplicativo mudaram. Autorize de novo com `bling-collector auth`. ({error})"
            ) from error

    async def _still_serves(self, request: httpx2.Request, token: Token) -> bool:
        async with self._doubt:
            current = await self._tokens.get_valid_access_token()
            if self._good is None or current.access_token != token.access_token:
                return False
            extensions = {**request.extensions, "check": None, "attempts": 1}
            witness = httpx2.Request("GET", self._good, headers=request.headers, extensions=extensions)
            try:
                await self._with_token(witness, token)
            except (BlingAuthError, *LASTING):
                return False
            return True

    async def _send(self, request: httpx2.Request, token: Token) -> httpx2.Response:
        response = await self._with_token(request, token)
        if request.method == "GET":
            self._good = request.url
        return response

    async def _with_token(self, request: httpx2.Request, token: Token) -> httpx2.Response:
        request.headers["Authorization"] = f"Bearer {token.access_token}"
        request.headers.pop("enable-jwt", None)
        if token.is_jwt:
            request.headers["enable-jwt"] = "1"
        return await self._inner.handle_async_request(request)


class RetryTransport(_Layer):
    """Lê a resposta inteira, decide o que ela é e repete o que se resolve repetindo: só GET, só `RETRIED`.

    O corpo lido fica em `response.extensions["body"]`. Esgotadas as tentativas, levanta o último erro. Uma pausa do
    limitador é esperada, até LONGEST_PATIENCE segundos ao todo (ou `extensions["patience"]`); depois disso,
    BlingPausedError.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport, clock: Clock) -> None:
        super().__init__(inner)
        self._clock = clock

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        waiting, answered = _counted().waiting, False
        try:
            response = await self._insist(request, waiting)
            answered = True
            return response
        finally:
            waiting.ended(request, self._clock.monotonic(), answered=answered)

    async def _insist(self, request: httpx2.Request, waiting: Waiting) -> httpx2.Response:
        most = ATTEMPTS if request.method == "GET" else 1
        asked = request.extensions.get("attempts", most)
        attempt, paused = 1, 0.0
        while True:
            response = None
            waiting.sent(request, attempt, asked, self._clock.monotonic())
            try:
                response = await self._exchange(request)
                body = read_answer(request, response)
                if check := request.extensions.get("check"):
                    check(body)
            except BlingPausedError as error:  # nada foi enviado: não é uma tentativa
                paused += error.wait
                if paused > request.extensions.get("patience", LONGEST_PATIENCE):
                    raise
                now = self._clock.monotonic()
                waiting.holds(request, attempt, asked, now, error.wait, paused=True)
                await self._clock.sleep(error.wait)
                continue
            except RETRIED as error:
                last = most if isinstance(error, BlingThrottledError) else min(asked, most)
                if attempt >= last:
                    raise
                wait = pause(error, attempt, retry_after(response))
                logger.warning("%s Tentativa %d de %d, daqui a %s.", error, attempt + 1, last, duration(wait))
            else:
                response.extensions["body"] = body
                return response
            attempt += 1
            waiting.holds(request, attempt, last, self._clock.monotonic(), wait)
            await self._clock.sleep(wait)

    async def _exchange(self, request: httpx2.Request) -> httpx2.Response:
        try:
            response = await self._inner.handle_async_request(request)
            await response.aread()
        except httpx2.RequestError as error:
            raise unanswered(request, error) from None
        return response


def pause(error: BlingError, attempt: int, asked: float = 0.0) -> float:
    """Segundos até a tentativa seguinte a `attempt`: dobram a cada uma, com sorteio, ou o que o Bling pediu.

    De 2 s em diante; de 1 s quando só passou do limite por segundo.
    """
    first, jitter = (1.0, 0.5) if isinstance(error, BlingThrottledError) else (2.0, 1.0)
    spread = random.uniform(0, jitter)  # noqa: S311 — espalha as tentativas; não é segredo
    return min(max(first * 2.0 ** (attempt - 1) + spread, asked), LONGEST_WAIT)


class PacedTransport(_Layer):
    """Espera a vez que o limitador deu, conta cada tentativa e diz ao limitador como ela acabou.

    Uma só reserva espera por vez, para que um 429 segure todas as que ainda não saíram. A que perde a sua vez, porque
    foi preciso abrir uma conexão ou porque a máquina se ocupou doutra coisa, toma outra na hora de sair: atrasada, as
    seguintes a alcançariam (medido: quatro chegadas em 0,966 s). Vai sozinha a que prova se o Bling voltou.

    Dez notas que falham sempre não são um Bling que caiu: quem o diz é uma que já respondeu, perguntada de novo.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport, limiter: RateLimiter, clock: Clock) -> None:
        super().__init__(inner)
        self._limiter = limiter
        self._clock = clock
        self._turn = asyncio.Lock()
        self._patient = asyncio.Lock()
        self._health = Health()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        # Dos que cedem a vez só um a espera: uma página, de que vem o que pedir a seguir, passa à frente dos outros.
        async with self._patient if request.extensions.get("yields") else nullcontext():
            at, probe = await self._admit(request)
        return await self._send(request, at) if probe is None else probe

    async def _admit(self, request: httpx2.Request) -> tuple[float, httpx2.Response | None]:
        """Espera a vez de `request`, e devolve a hora dela; ou já a resposta, se é o que prova que o Bling voltou."""
        async with self._turn:
            at, alone = await self._wait()
            if witness := self._health.witness(request, probe=alone):
                with suppress(httpx2.RequestError):
                    await self._send(witness, at, probe=True)
                at, alone = await self._wait()
            return at, await self._send(request, at, probe=True) if alone else None

    async def _is_alone(self, request: httpx2.Request) -> bool:
        """Se o Bling recusa só `request`, e não este IP: a testemunha, perguntada agora, responde."""
        witness = self._health.witness(request, probe=True)
        try:
            async with self._turn:
                at, _ = await self._wait()
            response = await self._send(witness, at, judging=True) if witness else None
        except (httpx2.RequestError, BlingPausedError, DailyLimitError):
            return False
        return response is not None and outcome_of(response) is Outcome.GOOD

    async def _wait(self, *, again: bool = False) -> tuple[float, bool]:
        """Espera a vez e devolve a hora dela, e se é a de prova; `again` é a que substitui uma vez perdida."""
        turn = await (self._limiter.reserve_again() if again else self._limiter.reserve())
        at = self._clock.monotonic() + turn.wait
        await self._clock.sleep(turn.wait)
        return at, turn.alone

    def _in_time(self, at: float) -> Callable[[str, object], Awaitable[None]]:
        """O que o httpx2 chama em cada passo do envio.

        Com a conexão já na mão, a vez das `at` pode ter passado: toma outra. Se ainda assim saiu atrasada, deixa vazia
        a vez seguinte, que a alcançaria.
        """
        turn = at

        def is_late() -> bool:
            return self._clock.monotonic() - turn > LATENESS

        async def traced(step: str, _: object) -> None:
            nonlocal turn
            if step.endswith(".send_request_headers.started"):
                for _try in range(MOST_LOST_TURNS):
                    if not is_late():
                        break
                    turn, _ = await self._wait(again=True)
            elif step.endswith(".send_request_headers.complete") and is_late():
                await self._limiter.reserve_again()

        return traced

    async def _send(
        self, request: httpx2.Request, at: float, *, probe: bool = False, judging: bool = False
    ) -> httpx2.Response:
        requests = _counted()
        requests.total += 1
        if (sent := _sent.get(None)) is not None:
            sent.at = self._clock.monotonic()
        request.extensions["trace"] = self._in_time(at)
        try:
            response = await self._inner.handle_async_request(request)
            await response.aread()
        except httpx2.RequestError:
            await self._failed(request, probe)
            raise
        match outcome_of(response):
            case Outcome.GOOD:
                self._health.answered(request)
                await self._limiter.accepted()
            case Outcome.REFUSED:
                await self._limiter.accepted(error=True)
            case Outcome.FAILED:
                await self._failed(request, probe)
            case Outcome.BLOCKED if not probe and not judging and await self._is_alone(request):
                response.extensions["alone"] = True
                await self._limiter.accepted(error=True)
            case Outcome.BLOCKED:
                await self._limiter.failed(blocked=True, probe=probe)
            case Outcome.DAILY:
                await self._limiter.exhausted()
            case Outcome.THROTTLED:
                requests.throttled += 1
                await self._limiter.throttled()
        return response

    async def _failed(self, request: httpx2.Request, probe: bool) -> None:
        new = self._health.failed(request)
        await self._limiter.failed(probe=probe, again=not new)
