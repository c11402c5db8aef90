"""O que o serviço tem aberto: de cada empresa, as peças do coletor, abertas quando dá, e as execuções em curso."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from typing import Annotated, Final, Generic, TypeVar

from fastapi import Depends, Request

from bling_collector.clock import Clock, SystemClock
from bling_collector.config import Settings
from bling_collector.config.companies import PRINCIPAL
from bling_collector.db.companies import access
from bling_collector.db.companies import schemas as companies
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.connection.database import explained
from bling_collector.errors import CollectorError, UnknownCompanyError
from bling_collector.insight.companies import ShownCompany, load_companies
from bling_collector.logs import current_company
from bling_collector.web.door.attempts import Attempts
from bling_collector.web.door.companies import COMPANY
from bling_collector.web.door.ended import EndedSessions
from bling_collector.web.door.keys import Keys
from bling_collector.web.live import Live
from bling_collector.web.runs import Runner
from bling_collector.workplace.account import Account, Workplace, open_workplace
from bling_collector.workplace.companies import bring_up_all
from bling_collector.workplace.database import telling_who_watches

log = logging.getLogger(__name__)

T = TypeVar("T")
_COUNTED_FOR: Final = 5.0


class _Once(Generic[T]):
    """O que se abre com o primeiro que o pede, e é de todos; se falhou, o seguinte tenta outra vez."""

    def __init__(self, opening: Callable[[], Awaitable[T]]) -> None:
        self._open = opening
        self._task: asyncio.Task[T] | None = None

    def soon(self) -> None:
        task = self._task
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            self._task = task = asyncio.ensure_future(self._open())
            assert task is not None
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # quem pedir o recebe

    async def get(self) -> T:
        self.soon()
        assert self._task is not None
        return await asyncio.shield(self._task)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})


class Service:
    """O de uma empresa. Um banco fora do ar não o derruba: cada pedido tenta abri-lo outra vez."""

    def __init__(self, settings: Settings, clock: Clock, workplace: Callable[[], Awaitable[Workplace]]) -> None:
        self.settings = settings
        self.clock = clock
        self.runner = Runner()
        self.live = Live()
        self._workplace = workplace
        self._stack = AsyncExitStack()
        self._opening = _Once(self._open)
        self._told_down = False

    def open_soon(self) -> None:
        """Começa a abrir, se ninguém começou ou se a última tentativa falhou."""
        self._opening.soon()

    async def account(self) -> Account:
        """As peças abertas, com o banco migrado. O erro que impede de abri-las, se há um."""
        return await self._opening.get()

    async def _open(self) -> Account:
        current_company.set(self.settings.empresa)  # é uma tarefa à parte: quem a pediu pode ser de outra
        try:
            async with nullcontext() if self._told_down else telling_who_watches(self.settings):
                workplace = await self._workplace()
                return await self._stack.enter_async_context(workplace.open(self.settings))
        except CollectorError as error:
            if not self._told_down:
                log.error("O banco não abriu; o próximo pedido tenta de novo. %s", error)
            self._told_down = True
            raise

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Account]:
        """As peças do coletor para uma rota; se o banco cair no meio dela, o erro se explica.

        Daí em diante, o que a rota anota no log é desta empresa: um aviso do Bling, ou a volta da autorização, nem
        sempre a dizem no endereço.
        """
        current_company.set(self.settings.empresa)
        account = await self.account()
        async with explained(account.engine.url):
            yield account

    async def close(self) -> None:
        """Para as execuções com jeito e fecha tudo."""
        await self.runner.close()
        await self._opening.stop()
        await self._stack.aclose()


class Services:
    """Os das empresas, que vivem tanto quanto o processo e dividem as conexões com o banco, o relógio e a porta.

    O de uma empresa abre-se quando a pedem; o das configurações, `main`, logo. Se EMPRESA a diz, só há esse.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None, attempts: Attempts | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.attempts = attempts or Attempts(self.clock)
        self.forged = Attempts(self.clock, "assinaturas que não conferem")
        """As dos avisos do Bling, à parte: quem as inventa não tranca a porta a quem entra."""
        self.stop_asked = asyncio.Event()
        self._stack = AsyncExitStack()
        self._workplace = _Once(self._open)
        self._upgrading: asyncio.Task[None] | None = None
        self._several, self._counted_until = False, float("-inf")
        self._calling = asyncio.Lock()
        self._called: dict[str, tuple[str, int]] = {}
        self._called_until = float("-inf")
        self._looking = asyncio.Lock()
        self._looked: list[ShownCompany] = []
        self._looked_until = float("-inf")
        self.main = Service(settings, self.clock, self._workplace.get)
        self._others: dict[tuple[str, int], Service] = {}
        """Pelo nome e pelo schema: a que se apagou e se criou outra vez não herda o que a de antes tinha na mão."""
        self.keys = Keys(settings.api_token, self.clock, EndedSessions(self._main_engine, self.clock), self._token_of)

    def open_soon(self) -> None:
        """Começa a abrir o banco e a empresa das configurações, e a pôr as outras em dia."""
        self.main.open_soon()
        self._upgrading = asyncio.create_task(self._upgrade())

    async def of(self, name: str | None) -> Service:
        """O serviço da empresa; sem nome, o das configurações. UnknownCompanyError se não há essa empresa aqui."""
        if name is None or name == self.settings.company:
            return self.main
        found = {} if self.settings.empresa is not None else await companies.places(await self.engine())
        if name not in found:  # sem dizer as que há: quem o pergunta pode não ter token nenhum
            raise UnknownCompanyError(f"Este serviço não tem a empresa {name}.")
        return self._other(name, found[name])

    def _other(self, name: str, schema: int) -> Service:
        key = (name, schema)
        if key not in self._others:
            self._others[key] = Service(self.settings.of(name), self.clock, self._workplace.get)
        return self._others[key]

    async def account(self, name: str) -> Account:
        """A conta da empresa, aberta. Os erros de `of` e de `Service.account`."""
        return await (await self.of(name)).account()

    async def names(self) -> list[str]:
        """As empresas que este serviço atende, a principal primeiro."""
        return [*await self.present()]

    async def present(self) -> Mapping[str, int]:
        """As mesmas, cada uma com o número do seu schema."""
        if self.settings.empresa is not None:
            return {self.settings.empresa: 0}
        found = await companies.places(await self.engine())
        gone = [self._others.pop(key) for key in self._others.keys() - found.items()]
        await asyncio.gather(*(service.close() for service in gone))
        return {PRINCIPAL: 0, **found}

    async def are_several(self) -> bool:
        """Se há mais de uma empresa; o que se sabe disso vale por uns segundos."""
        now = asyncio.get_running_loop().time()
        if now >= self._counted_until:
            self._several, self._counted_until = len(await self.names()) > 1, now + _COUNTED_FOR
        return self._several

    async def look(self) -> list[ShownCompany]:
        """As empresas, a que mais pede atenção primeiro. O que se leu vale tanto tempo quanto demorou a ler: com
        muitas, e muita gente a olhar, o banco não passa o tempo nisto."""
        now = asyncio.get_running_loop().time
        async with self._looking:
            if (began := now()) >= self._looked_until:
                engine, names = await self.engine(), await self.names()
                self._looked = await load_companies(engine, self.settings, names, self.clock.now())
                self._looked_until = now() + (now() - began)
            return self._looked

    async def _token_of(self, name: str) -> str | None:
        return (
            await access.known(companies.of_company(await self.engine(), name)) if name in await self.names() else None
        )

    async def engine(self) -> AsyncEngine:
        """As conexões, no schema da principal."""
        return (await self._workplace.get()).engine

    async def _main_engine(self) -> AsyncEngine:
        """As mesmas, no schema da empresa das configurações, esteja ou não em dia."""
        return companies.of_company(await self.engine(), self.settings.empresa)

    async def called(self, bling_id: str) -> Service | None:
        """O serviço da empresa a que o Bling dá este id, entre as que este atende; None se não é nenhuma. O que se sabe
        disso vale por uns segundos: por muitos avisos que venham, não se pergunta a cada um às empresas todas."""
        if self.settings.empresa is not None:
            return None
        now = asyncio.get_running_loop().time
        async with self._calling:
            if now() >= self._called_until:
                engine, found = await self.engine(), await self.present()
                names = await companies.called(engine) if len(found) > 1 else {}
                self._called = {id_: (name, found[name]) for id_, name in names.items() if name in found}
                self._called_until = now() + _COUNTED_FOR
        if bling_id not in self._called:
            return None
        name, schema = self._called[bling_id]
        return self.main if name == self.settings.company else self._other(name, schema)

    def stop(self) -> None:
        """Pede a todas as execuções que parem; não espera."""
        self.stop_asked.set()
        for service in self._all:
            service.runner.stop()

    async def close(self) -> None:
        """Para as execuções com jeito e fecha tudo."""
        self.stop()
        if self._upgrading is not None:
            self._upgrading.cancel()
            await asyncio.wait({self._upgrading})
        await asyncio.gather(*(service.close() for service in self._all))
        await self._workplace.stop()
        await self._stack.aclose()

    @property
    def _all(self) -> list[Service]:
        return [self.main, *self._others.values()]

    async def _open(self) -> Workplace:
        current_company.set(self.settings.empresa)
        return await self._stack.enter_async_context(open_workplace(self.settings, clock=self.clock))

    async def _upgrade(self) -> None:
        """A que não se pôde pôr em dia diz porquê a quem a abrir; as outras seguem."""
        try:
            if self.settings.empresa is None and len(await self.names()) > 1:
                await bring_up_all(await self.engine())
        except CollectorError as error:
            log.warning("As tabelas das outras empresas ficam para quando se abrirem. %s", error)


def _services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


def _asked(request: Request) -> str | None:
    name: str | None = request.scope.get("state", {}).get(COMPANY)
    return name


async def _service(request: Request) -> Service:
    return await _services(request).of(_asked(request))


AllServices = Annotated[Services, Depends(_services)]
AskedCompany = Annotated[str | None, Depends(_asked)]
"""A empresa que o endereço diz, exista ela ou não: para o que se atende a quem não tem token."""
OneService = Annotated[Service, Depends(_service)]
"""O da empresa que o endereço diz: /e/nome/…"""
