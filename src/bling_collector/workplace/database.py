"""O banco aberto e o que só precisa dele: os alarmes e os tokens guardados. Quem coleta abre tudo, em `account`."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy import URL

from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.auth.token_store import PgTokenStore
from bling_collector.clock import Clock, SystemClock
from bling_collector.config import Settings
from bling_collector.db import schema
from bling_collector.db.companies import schemas as companies
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.connection.database import close, create_engine, explained, parse_url
from bling_collector.errors import DatabaseError
from bling_collector.privacy.returned import erase_returned

if TYPE_CHECKING:
    from bling_collector.alarms.channels import Channel
    from bling_collector.alarms.watch import Alarms


@asynccontextmanager
async def open_database(settings: Settings, *, upgrade: bool = True) -> AsyncIterator[tuple[AsyncEngine, bool]]:
    """O banco da empresa, com as tabelas em dia, e se é o embutido; os erros de `connected` e de `of_settings`."""
    async with connected(settings) as (engine, embedded):
        ours = await of_settings(engine, settings)
        if upgrade:
            await bring_up(ours)
        yield ours, embedded


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[tuple[AsyncEngine, bool]]:
    """O banco de DATABASE_URL ou, sem ela, o embutido, no schema da empresa principal; e se é o embutido.

    ConfigurationError para um endereço que não serve; DatabaseError para um banco que não atende.
    """
    async with AsyncExitStack() as stack:
        if settings.database_url is not None:
            url, embedded = parse_url(settings.database_url.get_secret_value()), False
        else:
            url, embedded = await _embedded_url(stack), True
        engine = create_engine(url)
        stack.push_async_callback(close, engine)
        async with explained(url):
            yield engine, embedded


async def of_settings(engine: AsyncEngine, settings: Settings) -> AsyncEngine:
    """O mesmo banco, no schema da empresa das configurações. UnknownCompanyError se não há essa empresa."""
    await companies.check_exists(engine, settings.empresa)
    return companies.of_company(engine, settings.empresa)


async def bring_up(engine: AsyncEngine) -> None:
    """Põe as tabelas em dia; se uma restauração morreu antes de apagar outra vez quem o banco se lembra de ter apagado,
    apaga-o."""
    before, now = await schema.upgrade(engine)
    if before != now or not await schema.is_united(engine):  # quem as pôs em dia pode ter morrido antes de as juntar
        await schema.unite(engine)
    async with explained(engine.url):
        await erase_returned(engine, SystemClock().now())


async def _embedded_url(stack: AsyncExitStack) -> URL:
    from bling_collector.db.embedded.postgres import embedded_postgres

    server = await stack.enter_async_context(embedded_postgres())
    return parse_url(server.url)


@asynccontextmanager
async def telling_who_watches(settings: Settings) -> AsyncIterator[None]:
    """Se o banco não atende, avisa a quem ALERT_URLS diz, e o erro segue: quem agenda uma coleta não lê o terminal."""
    try:
        yield
    except DatabaseError as error:
        from bling_collector.alarms.watch import tell_database_down

        await tell_database_down(_channels(settings), str(error))
        raise


def _channels(settings: Settings) -> "list[Channel]":
    from bling_collector.alarms.channels import channels

    return channels(settings.alert_urls.get_secret_value(), settings.empresa) if settings.alert_urls else []


def build_alarms(settings: Settings, engine: AsyncEngine, clock: Clock) -> "Alarms":
    """Os alarmes deste banco, com os destinos da configuração."""
    from bling_collector.alarms.watch import Alarms

    cipher = TokenCipher(settings.token_keys)
    hours, recursos = settings.alert_no_run_hours, settings.recursos
    digest = settings.alert_digest
    return Alarms(engine, cipher, clock, _channels(settings), no_run_hours=hours, recursos=recursos, digest=digest)


def token_store(settings: Settings, engine: AsyncEngine) -> PgTokenStore:
    """Os tokens deste banco, com as chaves da configuração."""
    return PgTokenStore(engine, TokenCipher(settings.token_keys))
