"""A autorização do Bling: o primeiro par de tokens e a renovação de cada 6 horas (developer.bling.com.br/autenticacao).

O refresh token vale uma vez. Por isso ele é enviado com a tranca na mão, uma vez só, e o par novo é gravado antes de
ser usado. Se a resposta não vem, não há como saber se foi gasto: o par fica marcado e não é enviado nunca mais. Se o
banco não aceita o par novo, ele vai para um arquivo e continua a ser oferecido ao banco, aqui e na próxima vez.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

import httpx2

from bling_collector.auth.pair_keeper import PairKeeper
from bling_collector.auth.set_aside import SetAside
from bling_collector.auth.signed_state import UNKNOWN_STATE, SignedStates, company_of
from bling_collector.auth.texts import AGAIN, IN_DOUBT, NEVER
from bling_collector.auth.token_endpoint import OutcomeUnknownError, TokenEndpoint
from bling_collector.auth.tokens import (
    RENEW_WITHIN,
    WARN_DAYS,
    LockedTokens,
    StateStore,
    Token,
    TokenStore,
    refresh_ends_at,
)
from bling_collector.clock import Clock
from bling_collector.errors import (
    AnotherCompanyError,
    BlingUnavailableError,
    CollectorError,
    ConfigurationError,
    DatabaseError,
    ReauthorizeError,
    UsageError,
)
from bling_collector.words import plural

logger = logging.getLogger(__name__)

EARLY: Final = timedelta(minutes=10)
"""Quanto antes do fim um token é renovado."""
LAST_MINUTE: Final = timedelta(seconds=60)
"""O menos que um token precisa ter pela frente para ser usado quando o Bling não o renova."""
FAILURE_MEMORY: Final = 60.0
"""Segundos sem repetir uma renovação que falhou: 20 pedidos num minuto bloqueiam o IP por uma hora (/limites)."""


async def _anyone(token: Token) -> None:
    pass


@dataclass(frozen=True)
class _Failure:
    refresh_token: str = field(repr=False)
    until: float
    error: CollectorError


class OAuth:
    """Os tokens do Bling: dá o que vale, renova o que vence, troca o código pelo primeiro par.

    Serve a muitas tarefas e a muitos processos: com a tranca de `store` um só renova, e os outros usam o que ele
    gravou. Nenhuma mensagem, log ou repr leva token ou segredo.
    """

    def __init__(
        self,
        store: TokenStore,
        states: StateStore,
        http: httpx2.AsyncClient,
        clock: Clock,
        *,
        client_id: str,
        client_secret: str,
        token_url: str,
        authorize_url: str,
        aside: SetAside,
        empresa: str | None = None,
        states_clock: Clock | None = None,
        on_unsaved: Callable[[bool], None] = lambda unsaved: None,
        confirm: Callable[[Token], Awaitable[None]] = _anyone,
    ) -> None:
        """`empresa` é a de que se trata; None é a principal. `on_unsaved` é o de `PairKeeper`; `states_clock` conta os
        10 minutos de uma autorização em aberto, e não muda de hora entre o começo e o fim dela.

        `confirm` usa um par acabado de autorizar para saber de que empresa é, e levanta AnotherCompanyError, e mais
        nada, se não é a de quem são os dados.
        """
        self._store = store
        self._states = states
        self._empresa = empresa
        self._states_given = SignedStates(client_secret)
        self._endpoint = TokenEndpoint(http, clock, token_url, client_id, client_secret)
        self._clock = clock
        self._states_clock = states_clock or clock
        self._client_id = client_id
        self._authorize_url = authorize_url
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[Token]] = set()
        self._known: Token | None = None
        self._obtained: str | None = None
        self._failure: _Failure | None = None
        self._keeper = PairKeeper(aside, clock, on_unsaved)
        self._confirm = confirm

    async def get_valid_access_token(self) -> Token:
        """Um token com 10 minutos pela frente, renovado se preciso; com menos, só se o Bling não o renova agora.

        ReauthorizeError se só o dono da conta resolve; BlingUnavailableError se o Bling não renovou e o token presente
        está no último minuto.
        """
        if self._known and self._serves(self._known):
            return self._known
        self._known = token = await self._store.read()
        if token and self._serves(token):
            return token
        try:
            return await self._to_the_end(self._renew(self._serves))
        except BlingUnavailableError:
            if token and token.expires_at - self._clock.now() > LAST_MINUTE:
                self._warn(token)
                return token
            raise

    async def take_up(self) -> None:
        """Grava o par que uma vez passada não conseguiu gravar, se ficou um. DatabaseError se ainda não dá.

        O de uma autorização que morreu antes de se saber de que empresa era é confirmado agora.
        """
        if await self._store.has_proposed():
            await self._to_the_end(self._renew(lambda saved: True))
            return
        token = await self._store.read()
        if self._keeper.waiting(token) is not None:
            await self._to_the_end(self._renew(lambda saved: True))

    async def renew_after_401(self, rejected: Token) -> Token:
        """Outro token que não `rejected`: o que já está gravado, ou um novo. Os erros de `get_valid_access_token`."""

        def is_another(token: Token) -> bool:
            return token.access_token != rejected.access_token and self._is_valid(token)

        return await self._to_the_end(self._renew(is_another))

    async def refuse(self, rejected: Token) -> None:
        """Anota que o Bling não aceita mais a autorização que deu `rejected`."""
        async with self._turn, self._store.locked() as tokens:
            stored = await tokens.read()
            if stored and stored.access_token == rejected.access_token:
                await tokens.refuse(self._clock.now())

    async def start_authorization(self) -> str:
        """O endereço em que o dono da conta autoriza; o `state` que vai nele vale uma vez, por 10 minutos.

        Nada é gravado: o `state` traz a nossa assinatura, e só o que volta do Bling se anota.
        """
        state = self._states_given.issue(self._states_clock.now(), self._empresa)
        query = {"response_type": "code", "client_id": self._client_id, "state": state}
        return str(httpx2.URL(self._authorize_url).copy_merge_params(query))

    async def exchange_authorization_code(self, code: str, state: str) -> Token:
        """Troca o código pelo primeiro par e o grava. Vai uma vez só: repetido, o Bling revoga a autorização.

        UsageError se o `state` não é de uma autorização em aberto; ReauthorizeError se o código não serve, ou se a
        resposta não chegou inteira; BlingUnavailableError se o Bling não atendeu; AnotherCompanyError se a conta é de
        outra empresa, e então o par que havia continua a valer.
        """
        now = self._states_clock.now()
        ends = self._states_given.ends_at(state, now)
        if ends is None or company_of(state) != self._empresa or not await self._states.spend(state, ends, now):
            raise UsageError(UNKNOWN_STATE)
        return await self._to_the_end(self._exchange(code))

    def _serves(self, token: Token) -> bool:
        """Com 10 minutos até o fim. Em dúvida, basta ainda valer.

        O que este processo acabou de obter serve até a metade da vida: um Bling que desse tokens curtos seria
        chamado a renovar a cada requisição.
        """
        if token.refresh_in_doubt:
            return self._is_valid(token)
        early = EARLY
        if token.access_token == self._obtained and token.updated_at:
            early = min(EARLY, (token.expires_at - token.updated_at) / 2)
        now, end = self._clock.now(), refresh_ends_at(token.updated_at)
        return token.expires_at - now >= early and (end is None or end - now > RENEW_WITHIN)

    def _is_valid(self, token: Token) -> bool:
        return token.expires_at > self._clock.now()

    async def _renew(self, serves: Callable[[Token], bool]) -> Token:
        async with self._turn:  # uma conexão do banco por processo, e não uma por tarefa que espera
            if self._known and serves(self._known):
                return self._known
            async with self._store.locked() as tokens:
                if proposed := await tokens.proposed():
                    with suppress(AnotherCompanyError):
                        await self._admit(tokens, proposed, instead_of=await tokens.read())
                token = await tokens.read()
                if waiting := self._keeper.waiting(token):
                    token = await self._keeper.save(tokens, waiting, instead_of=token)
                if token is None:
                    raise ReauthorizeError(NEVER)
                if not serves(token):
                    token = await self._refresh(tokens, token)
                self._known = token
                return token

    async def _refresh(self, tokens: LockedTokens, token: Token) -> Token:
        if token.refresh_in_doubt:
            raise ReauthorizeError(IN_DOUBT)
        self._raise_if_just_refused(token)
        await tokens.check_writable()
        try:
            asked = await self._ask(token)
        except ReauthorizeError:
            await tokens.refuse(self._clock.now())
            raise
        fresh = await self._keeper.save(tokens, asked, instead_of=token)
        if fresh.refresh_in_doubt:
            raise ReauthorizeError(IN_DOUBT)
        self._obtained = fresh.access_token
        return fresh

    def _warn(self, token: Token) -> None:
        end = refresh_ends_at(token.updated_at)
        if end and (days := (end - self._clock.now()).days) <= WARN_DAYS:
            left = plural(max(days, 0), "dia", "dias")
            logger.warning("A autorização do Bling acaba em %s, e o Bling não a renovou agora.", left)

    def _raise_if_just_refused(self, token: Token) -> None:
        failure = self._failure
        if failure and failure.refresh_token == token.refresh_token and self._clock.monotonic() < failure.until:
            raise failure.error.with_traceback(None)

    async def _ask(self, token: Token) -> Token:
        """O par novo; ou o mesmo, em dúvida, se não se sabe o que houve."""
        try:
            return await self._endpoint.refresh(token.refresh_token)
        except OutcomeUnknownError as error:
            logger.error("A renovação do token ficou sem resposta (%s)", error)
            return replace(token, refresh_in_doubt=True)
        except CollectorError as error:
            logger.warning("O token não foi renovado: %s", error)
            self._failure = _Failure(token.refresh_token, self._clock.monotonic() + FAILURE_MEMORY, error)
            raise

    async def _exchange(self, code: str) -> Token:
        async with self._turn, self._store.locked() as tokens:
            await tokens.check_writable()
            try:
                before = await tokens.read()
            except ConfigurationError:
                before = None  # cifrado com uma chave perdida: esta autorização o substitui
            try:
                token = await self._endpoint.exchange(code)
            except OutcomeUnknownError as error:
                raise ReauthorizeError(
                    f"O código foi enviado ao Bling e a resposta não chegou inteira ({error}). {AGAIN}"
                ) from None
            # Antes de ser usado: se o processo morre até que se saiba de quem é, o seguinte o confirma.
            with suppress(DatabaseError):
                await tokens.propose(token)
            return await self._admit(tokens, token, instead_of=before)

    async def _admit(self, tokens: LockedTokens, fresh: Token, *, instead_of: Token | None) -> Token:
        """Grava o par de uma autorização nova, se é da conta de quem são os dados. AnotherCompanyError se não é."""
        try:
            await self._confirm(fresh)
        except AnotherCompanyError as error:
            logger.error("%s", error)
            await tokens.forget_proposed()
            raise
        self._known = await self._keeper.save(tokens, fresh, instead_of=instead_of)
        self._obtained = self._known.access_token
        return self._known

    async def _to_the_end(self, work: Coroutine[Any, Any, Token]) -> Token:
        """Faz o trabalho até o fim mesmo se quem o pediu é cancelado; o cancelamento segue depois disso."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._done)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            raise

    def _done(self, task: asyncio.Task[Token]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.debug("A renovação acabou em %s", type(error).__name__)  # quem foi cancelado não a lê
