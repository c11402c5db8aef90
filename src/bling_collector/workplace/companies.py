"""As empresas de um banco: criar uma, pôr todas em dia, tirar uma."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from bling_collector.clock import Clock
from bling_collector.config import Settings
from bling_collector.config.companies import PRINCIPAL, company
from bling_collector.db import broker, schema
from bling_collector.db.companies import schemas as companies
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.connection.database import explained
from bling_collector.db.run_lock import run_lock
from bling_collector.errors import CollectorError, RunInProgressError, UsageError
from bling_collector.words import of_company
from bling_collector.workplace.account import Account, Workplace, open_workplace
from bling_collector.workplace.database import bring_up

log = logging.getLogger(__name__)


def checked(name: str) -> str:
    """O nome de uma empresa que se pode criar. UsageError, dizendo a regra, se não serve."""
    if name == PRINCIPAL:
        raise UsageError(f"A empresa {PRINCIPAL} já existe: é a que está no schema de DATABASE_URL.")
    try:
        return company(name)
    except ValueError as error:
        raise UsageError(f"A empresa não foi criada: {error}.") from None


async def add(engine: AsyncEngine, name: str) -> AsyncEngine:
    """Cria a empresa, com as tabelas vazias, e devolve o motor dela; as que um coletor só dela já tenha no schema ficam
    como estão.

    UsageError se já existe, se o nome não serve, ou se o schema dela é de outra coisa; nada muda.
    """
    await bring_up(companies.of_company(engine, None))
    async with schema.one_at_a_time(engine):
        if checked(name) in await companies.names(engine):
            raise UsageError(f"A empresa {name} já existe.")
        place = companies.schema_named(name)
        ours = await schema.take(engine, place)
        if ours is None:  # antes de a criar: o que uma com este nome tenha deixado na fila não é dela
            async with explained(engine.url), companies.of_company(engine, None).begin() as connection:
                await broker.forget(connection, place)
            ours = await schema.create(engine, place)
        try:
            await bring_up(ours)
        except BaseException:  # também uma parada: ou a empresa fica inteira, ou não fica
            await schema.discard_empty(engine, place)
            raise
        await schema.finish(ours)  # o que já estava em dia não passou por nenhuma migração
        await schema.unite(ours)
    return ours


async def remove(engine: AsyncEngine, name: str, *, before: Callable[[], Awaitable[object]] | None = None) -> None:
    """Apaga a empresa e tudo o que é dela; `before` faz-se antes, e nada se coleta entre os dois.

    UnknownCompanyError se não existe; RunInProgressError se nela corre uma execução; UsageError se é a principal.
    """
    if name == PRINCIPAL:
        raise UsageError(
            "A principal não se tira: as tabelas dela estão no schema de DATABASE_URL. Para as apagar, apague o banco."
        )
    await companies.check_exists(engine, name)
    try:
        async with run_lock(companies.of_company(engine, name)):
            if before is not None:
                await before()
            place = companies.schema_named(name)
            await schema.drop(engine, place, last=partial(broker.forget, queue=place))
    except RunInProgressError as error:  # quem o lê não está nesta empresa
        raise RunInProgressError(of_company(str(error), name)) from error


async def bring_up_all(engine: AsyncEngine) -> Mapping[str, Exception | None]:
    """Põe em dia as tabelas de cada empresa, e diz o que impediu a de cada uma: a falha de uma não é a das outras. As
    que já estão em dia, sejam quantas forem, não custam nada."""
    names = await companies.names(engine)
    ready = await schema.up_to_date(engine, names)
    remembers = await companies.of_each(engine, ready, "SELECT EXISTS (SELECT FROM {}.dados_apagados)")
    done: dict[str, Exception | None] = {}
    for name in names:
        done[name] = None
        if remembers.get(name, True):  # uma em dia só precisa disto se se lembra de ter apagado alguém
            try:
                await bring_up(companies.of_company(engine, name))
            except CollectorError as error:
                log.error("As tabelas da empresa %s ficam para quando se abrir. %s", name, error)
                done[name] = error
            except Exception as error:  # a última fronteira: as outras empresas seguem
                log.exception("As tabelas da empresa %s não se puseram em dia, por um erro inesperado.", name)
                done[name] = error
    return done


class OpenCompanies:
    """As empresas de um processo, abertas quando se pedem."""

    def __init__(self, workplace: Workplace, settings: Settings, stack: AsyncExitStack) -> None:
        self.settings = settings
        self._workplace = workplace
        self._stack = stack
        self._accounts: dict[tuple[str, int], Account] = {}

    async def engine(self) -> AsyncEngine:
        """As conexões, no schema da principal."""
        return self._workplace.engine

    async def present(self) -> Mapping[str, int]:
        """As que há, cada uma com o número do seu schema; se as configurações dizem uma, só ela."""
        found = await companies.places(self._workplace.engine)
        only = self.settings.empresa
        return {PRINCIPAL: 0, **found} if only is None else {only: found.get(only, 0)}

    async def account(self, name: str) -> Account:
        """A conta da empresa, aberta e com as tabelas em dia. Os erros de `Workplace.open`."""
        key = (name, (await self.present()).get(name, 0))  # a que se criou outra vez não é a que se tirou
        if key not in self._accounts:
            theirs = self.settings if name == self.settings.company else self.settings.of(name)
            self._accounts[key] = await self._stack.enter_async_context(self._workplace.open(theirs))
        return self._accounts[key]


@asynccontextmanager
async def open_companies(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[OpenCompanies]:
    """As empresas do banco das configurações; fecha tudo ao sair."""
    async with open_workplace(settings, clock=clock) as workplace, AsyncExitStack() as stack:
        yield OpenCompanies(workplace, settings, stack)
