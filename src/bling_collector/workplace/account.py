"""Uma conta aberta: o banco dela, os tokens, o ritmo, o fio até o Bling e quem coleta, montados num só lugar. É o único
arquivo que conhece cada peça concreta."""

import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from sqlalchemy.exc import SQLAlchemyError

from bling_collector.alarms.watch import Alarms
from bling_collector.api.account_limits import IpLimits, PgRateLimiter
from bling_collector.api.bling_client import BlingClient, build_http
from bling_collector.api.bling_clock import BlingClock, HeardTransport
from bling_collector.api.ip_share import IpShare, SharedByIp
from bling_collector.api.network import network, routes
from bling_collector.api.pace import PER_SECOND
from bling_collector.api.transport import AccessTokens
from bling_collector.auth.authorization import Authorization, WithoutCredentials
from bling_collector.auth.oauth import OAuth
from bling_collector.auth.set_aside import SetAside
from bling_collector.auth.token_calls import CountedTokenCalls
from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.auth.token_store import PgStateStore, PgTokenStore
from bling_collector.auth.tokens import Token
from bling_collector.clock import Clock, SystemClock
from bling_collector.config import Settings
from bling_collector.db.companies import schemas as companies
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.embedded.postgres import default_data_home
from bling_collector.db.migrations import HEAD
from bling_collector.db.schema import current_revision
from bling_collector.errors import (
    AnotherCompanyError,
    CollectorError,
    ConfigurationError,
    DatabaseError,
    ReauthorizeError,
)
from bling_collector.runs.confirm import confirm_empresa
from bling_collector.runs.pipeline import Pipeline
from bling_collector.workplace.database import bring_up, build_alarms, connected, of_settings, token_store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    """O que é de uma conta do Bling: as peças montadas para ela e para o seu schema."""

    settings: Settings
    clock: BlingClock
    engine: AsyncEngine
    embedded: bool
    """O banco é o PostgreSQL embutido."""
    oauth: Authorization
    client: BlingClient
    pipeline: Pipeline
    alarms: Alarms

    @property
    def cipher(self) -> TokenCipher:
        """As chaves da configuração."""
        return TokenCipher(self.settings.token_keys)


async def _give_back(limiter: PgRateLimiter) -> None:
    with suppress(SQLAlchemyError, DatabaseError):  # o banco já se foi; a cota fica contada a mais, que é o lado seguro
        await limiter.aclose()


def _nobody(unsaved: bool) -> None:
    pass


@dataclass(frozen=True)
class Workplace:
    """O que é do processo, e que as contas do Bling abertas nele dividem."""

    engine: AsyncEngine
    """As conexões com o banco, no schema de DATABASE_URL: o da empresa principal, e o dos limites do IP."""
    embedded: bool
    """O banco é o PostgreSQL embutido."""
    clock: BlingClock
    ip_limits: IpLimits
    ip_share: IpShare
    per_second: int = PER_SECOND
    """O limite de uma conta no Bling; só o simulador o tem maior."""

    @classmethod
    def of(
        cls, settings: Settings, engine: AsyncEngine, embedded: bool, clock: BlingClock, per_second: int = PER_SECOND
    ) -> "Workplace":
        """O de um banco já aberto, no schema da principal."""
        limits = IpLimits(engine, clock.own)

        async def several() -> bool:
            # Antes de as tabelas da principal estarem em dia não há onde contar.
            return len(await companies.names(engine)) > 1 and await current_revision(engine) == HEAD

        share = IpShare(limits, clock.own, several, settings.api_ip_limit)
        return cls(engine, embedded, clock, limits, share, per_second)

    def wire(self) -> HeardTransport:
        """O fio até o Bling, novo; quem o recebe o fecha."""
        return HeardTransport(routes(), self.clock.hear)

    @asynccontextmanager
    async def open(self, settings: Settings, *, on_unsaved: Callable[[bool], None] = _nobody) -> AsyncIterator[Account]:
        """A conta da empresa das configurações, com as tabelas em dia. `on_unsaved` é o de `OAuth`.

        Sem credenciais a montagem funciona, e só o que fala com o OAuth do Bling levanta ConfigurationError. Os erros
        de `of_settings`.
        """
        engine = await of_settings(self.engine, settings)
        await bring_up(engine)
        async with AsyncExitStack() as stack:
            alarms = build_alarms(settings, engine, self.clock)
            stack.push_async_callback(alarms.aclose)

            def unsaved(is_unsaved: bool) -> None:
                alarms.unsaved(is_unsaved)
                on_unsaved(is_unsaved)

            reach = await stack.enter_async_context(open_bling(self, settings, engine, on_unsaved=unsaved))
            await _ready_tokens(token_store(settings, engine), reach.oauth)
            pipeline = Pipeline(engine, reach.client, reach.oauth, self.clock, settings, alarms.run_ended)
            yield Account(settings, self.clock, engine, self.embedded, reach.oauth, reach.client, pipeline, alarms)


@asynccontextmanager
async def open_workplace(
    settings: Settings, *, clock: Clock | None = None, per_second: int = PER_SECOND
) -> AsyncIterator[Workplace]:
    """O banco aberto; fecha conexões e servidor embutido ao sair."""
    async with connected(settings) as (engine, embedded):
        yield Workplace.of(settings, engine, embedded, BlingClock(clock or SystemClock()), per_second)


@asynccontextmanager
async def open_account(
    settings: Settings,
    *,
    clock: Clock | None = None,
    per_second: int = PER_SECOND,
    on_unsaved: Callable[[bool], None] = _nobody,
) -> AsyncIterator[Account]:
    """Uma conta só, a da empresa das configurações; o resto, como em `Workplace.open`."""
    async with (
        open_workplace(settings, clock=clock, per_second=per_second) as workplace,
        workplace.open(settings, on_unsaved=on_unsaved) as account,
    ):
        yield account


@dataclass(frozen=True)
class Reach:
    """O caminho até o Bling, o mesmo para quem coleta e para quem só confere se ele está aberto."""

    oauth: Authorization
    client: BlingClient


@asynccontextmanager
async def open_bling(
    workplace: Workplace,
    settings: Settings,
    engine: AsyncEngine,
    *,
    on_unsaved: Callable[[bool], None] = _nobody,
    tokens: Callable[[Authorization], AccessTokens] = lambda oauth: oauth,
) -> AsyncIterator[Reach]:
    """`tokens` põe outro no lugar de quem dá o token de cada requisição."""
    clock, per_second = workplace.clock, workplace.per_second
    async with AsyncExitStack() as stack:
        # O ritmo e a cota são da hora do banco, que os processos dividem; nos testes, da do relógio deles.
        limiter = PgRateLimiter(
            engine,
            clock.own,
            spacing=settings.api_rate_limit_delay or (1 / per_second if _is_bling(settings) else 0.0),
            limit=per_second,
            reserve=settings.api_daily_reserve,
        )
        stack.push_async_callback(_give_back, limiter)
        shared = settings.api_rate_limit_delay > 0 or _is_bling(settings)  # sem ritmo, não é o Bling
        paced = SharedByIp(limiter, workplace.ip_share) if shared else limiter
        counted = CountedTokenCalls(network(workplace.wire()), workplace.ip_limits)
        plain = await stack.enter_async_context(
            httpx2.AsyncClient(transport=counted, timeout=httpx2.Timeout(30, connect=10), trust_env=False)
        )

        def http_with(tokens: AccessTokens) -> httpx2.AsyncClient:
            return build_http(settings.bling_api_base_url, tokens, paced, clock, wire=workplace.wire())

        async def confirm(token: Token) -> None:
            """Pergunta, com um par que ainda não vale, de que empresa é."""
            only = http_with(_OnlyThis(token))
            try:
                async with only:
                    await confirm_empresa(engine, BlingClient(only), clock)
            except AnotherCompanyError:
                raise
            except (CollectorError, SQLAlchemyError) as error:
                log.warning("Não se sabe de que empresa é a conta do Bling: %s", error)

        oauth = build_oauth(settings, engine, plain, clock, on_unsaved, confirm)
        http = http_with(tokens(oauth))
        await stack.enter_async_context(http)
        yield Reach(oauth, BlingClient(http, page_size=settings.api_page_size))


def _is_bling(settings: Settings) -> bool:
    """A API configurada é a do próprio Bling, que bloqueia quem não guarda o ritmo."""
    host = urlsplit(settings.bling_api_base_url).hostname or ""
    return host == "bling.com.br" or host.endswith(".bling.com.br")


async def _ready_tokens(store: PgTokenStore, oauth: Authorization) -> None:
    """Cifra o que estava em claro e grava o par que ficou à espera.

    O que o impede só pesa a quem usar o token, e então se explica: ver a situação, ou autorizar de novo, ainda se pode.
    """
    try:
        if await store.seal():
            log.info("Os tokens guardados foram cifrados com a primeira chave de TOKEN_ENCRYPTION_KEY.")
        await oauth.take_up()
    except CollectorError as error:
        log.error("%s", error)


class _OnlyThis:
    """Um token só, que não se renova: o de um par que ainda não vale."""

    def __init__(self, token: Token) -> None:
        self._token = token

    async def get_valid_access_token(self) -> Token:
        return self._token

    async def renew_after_401(self, rejected: Token) -> Token:
        raise ReauthorizeError("O Bling não aceita o token que acaba de dar.")

    async def refuse(self, rejected: Token) -> None:
        """Nada a anotar: este par ainda não é o do banco."""


def build_oauth(
    settings: Settings,
    engine: AsyncEngine,
    http: httpx2.AsyncClient,
    clock: BlingClock,
    on_unsaved: Callable[[bool], None],
    confirm: Callable[[Token], Awaitable[None]],
) -> Authorization:
    """Quem autoriza e renova os tokens; sem as credenciais do aplicativo, quem diz que faltam quando se pede um."""
    try:
        client_id, client_secret = settings.credentials
    except ConfigurationError as error:
        return WithoutCredentials(error)
    return OAuth(
        token_store(settings, engine),
        PgStateStore(engine),
        http,
        clock,
        empresa=settings.empresa,
        states_clock=clock.own,
        client_id=client_id,
        client_secret=client_secret.get_secret_value(),
        token_url=settings.bling_oauth_url,
        authorize_url=settings.bling_authorize_url,
        aside=SetAside(_aside_folder(), TokenCipher(settings.token_keys)),
        on_unsaved=on_unsaved,
        confirm=confirm,
    )


def _aside_folder() -> Path:
    try:
        return default_data_home() / "tokens"
    except ConfigurationError:  # uma conta sem pasta, num contêiner: um par à espera fica só na memória
        return Path(os.devnull) / "tokens"
