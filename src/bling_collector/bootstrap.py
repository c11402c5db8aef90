"""A raiz da composição: o único arquivo que conhece cada peça concreta."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import NoReturn

import httpx2
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from bling_collector.api.bling_client import BlingClient, build_http
from bling_collector.api.rate_limit import SlidingLogLimiter
from bling_collector.api.transport import Requests
from bling_collector.auth.oauth import OAuth
from bling_collector.clock import Clock, SystemClock
from bling_collector.config import Settings
from bling_collector.db import schema
from bling_collector.db.database import create_engine, explained, parse_url
from bling_collector.db.embedded import embedded_postgres
from bling_collector.db.token_store import PgStateStore, PgTokenStore
from bling_collector.errors import BlingUnavailableError, ConfigurationError
from bling_collector.etl.pipeline import Pipeline
from bling_collector.tokens import Token

PER_SECOND = 3
"""Requisições por segundo que o Bling aceita de uma conta (referência: limites)."""


@dataclass(frozen=True)
class App:
    """As peças montadas para um banco e uma conta do Bling."""

    settings: Settings
    clock: Clock
    engine: AsyncEngine
    embedded: bool
    """O banco é o PostgreSQL embutido."""
    oauth: OAuth
    client: BlingClient
    pipeline: Pipeline
    requests: Requests


@asynccontextmanager
async def open_database(settings: Settings, *, upgrade: bool = True) -> AsyncIterator[tuple[AsyncEngine, bool]]:
    """O banco de DATABASE_URL ou, sem ela, o embutido, com o esquema em dia; e se é o embutido.

    ConfigurationError para um endereço que não serve; DatabaseError para um banco que não atende.
    """
    async with AsyncExitStack() as stack:
        if settings.database_url is not None:
            url, embedded = parse_url(settings.database_url.get_secret_value()), False
        else:
            url, embedded = await _embedded_url(stack), True
        engine = create_engine(url)
        stack.push_async_callback(engine.dispose)
        if upgrade:
            await schema.upgrade(engine)
        async with explained(url):
            yield engine, embedded


async def _embedded_url(stack: AsyncExitStack) -> URL:
    server = await stack.enter_async_context(embedded_postgres())
    return parse_url(server.url)


@asynccontextmanager
async def open_app(
    settings: Settings, *, clock: Clock | None = None, per_second: int = PER_SECOND
) -> AsyncIterator[App]:
    """Tudo montado e pronto; fecha conexões e servidor embutido ao sair.

    `per_second` é o limite da conta no Bling; só o simulador o tem maior.

    Sem credenciais a montagem funciona, e só o que fala com o OAuth do Bling levanta ConfigurationError.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        engine, embedded = await stack.enter_async_context(open_database(settings))
        plain = await stack.enter_async_context(httpx2.AsyncClient(timeout=httpx2.Timeout(30, connect=10)))
        oauth = build_oauth(settings, engine, plain, clock)
        requests = Requests()
        limiter = SlidingLogLimiter(clock, spacing=settings.api_rate_limit_delay, limit=per_second)
        http = build_http(settings.bling_api_base_url, oauth, limiter, clock, requests)
        await stack.enter_async_context(http)
        client = BlingClient(http, page_size=settings.api_page_size)
        pipeline = Pipeline(engine, client, oauth, requests, clock, settings)
        yield App(settings, clock, engine, embedded, oauth, client, pipeline, requests)


def build_oauth(settings: Settings, engine: AsyncEngine, http: httpx2.AsyncClient, clock: Clock) -> OAuth:
    try:
        client_id, client_secret = settings.credentials
    except ConfigurationError:
        return _WithoutCredentials(settings)
    return OAuth(
        PgTokenStore(engine),
        PgStateStore(engine),
        http,
        clock,
        client_id=client_id,
        client_secret=client_secret.get_secret_value(),
        token_url=settings.bling_oauth_url,
        authorize_url=settings.bling_authorize_url,
    )


async def bling_clock(settings: Settings) -> datetime | None:
    """A hora (UTC) que o Bling diz no cabeçalho `Date`, ou None se não diz. BlingUnavailableError se não atende."""
    url = httpx2.URL(settings.bling_api_base_url)
    try:
        async with httpx2.AsyncClient(timeout=10) as http:
            response = await http.get(url)
    except httpx2.HTTPError as error:
        raise BlingUnavailableError(
            f"O Bling em {url.host} não atende ({type(error).__name__}). Confira a internet e BLING_API_BASE_URL."
        ) from error
    date = response.headers.get("date")
    return parsedate_to_datetime(date) if date else None


class _WithoutCredentials(OAuth):
    """A autorização de quem ainda não tem credenciais: todo uso dela diz qual falta."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def get_valid_access_token(self) -> Token:
        self._refuse()

    async def renew_after_401(self, rejected: Token) -> Token:
        self._refuse()

    async def start_authorization(self) -> str:
        self._refuse()

    async def exchange_authorization_code(self, code: str, state: str) -> Token:
        self._refuse()

    def _refuse(self) -> NoReturn:
        _ = self._settings.credentials
        raise AssertionError
