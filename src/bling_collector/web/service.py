"""O que o serviço tem aberto: as peças do coletor, abertas quando dá, e as execuções em curso."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from typing import Annotated

from fastapi import Depends, Request

from bling_collector.clock import Clock, SystemClock
from bling_collector.config import Settings
from bling_collector.db.database import explained
from bling_collector.errors import CollectorError
from bling_collector.web.door.attempts import Attempts
from bling_collector.web.door.ended import EndedSessions
from bling_collector.web.live import Live
from bling_collector.web.runs import Runner
from bling_collector.workplace.account import Account, open_account
from bling_collector.workplace.database import telling_who_watches

log = logging.getLogger(__name__)


class Service:
    """Vive tanto quanto o processo. Um banco fora do ar não o derruba: cada pedido tenta abri-lo outra vez."""

    def __init__(self, settings: Settings, clock: Clock | None = None, attempts: Attempts | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.runner = Runner()
        self.live = Live()
        self.attempts = attempts or Attempts(self.clock)
        self.forged = Attempts(self.clock, "assinaturas que não conferem")
        """As dos avisos do Bling, à parte: quem as inventa não tranca a porta a quem entra."""
        self.ended_sessions = EndedSessions(self.account)
        self._stack = AsyncExitStack()
        self._opening: asyncio.Task[Account] | None = None
        self._told_down = False

    def open_soon(self) -> asyncio.Task[Account]:
        """Começa a abrir, se ninguém começou ou se a última tentativa falhou."""
        task = self._opening
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            self._opening = task = asyncio.create_task(self._open())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # quem pedir a conta o recebe
        return task

    async def account(self) -> Account:
        """As peças abertas, com o banco migrado. O erro que impede de abri-las, se há um."""
        return await asyncio.shield(self.open_soon())

    async def _open(self) -> Account:
        try:
            async with nullcontext() if self._told_down else telling_who_watches(self.settings):
                return await self._stack.enter_async_context(open_account(self.settings, clock=self.clock))
        except CollectorError as error:
            if not self._told_down:
                log.error("O banco não abriu; o próximo pedido tenta de novo. %s", error)
            self._told_down = True
            raise

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Account]:
        """As peças do coletor para uma rota; se o banco cair no meio dela, o erro se explica."""
        account = await self.account()
        async with explained(account.engine.url):
            yield account

    async def close(self) -> None:
        """Para as execuções com jeito e fecha tudo."""
        await self.runner.close()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait({self._opening})
        await self._stack.aclose()


def _service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found


OneService = Annotated[Service, Depends(_service)]
