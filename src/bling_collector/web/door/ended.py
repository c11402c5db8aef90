"""As sessões de que se saiu: o cookie delas ainda estaria no prazo, e já não abre nada."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from bling_collector.auth.token_store import PgStateStore
from bling_collector.errors import CollectorError
from bling_collector.workplace.account import Account

log = logging.getLogger(__name__)


class EndedSessions:
    """Guardadas no banco, que todos os processos leem e que um recomeço não esquece.

    Sem banco vale o que este processo lembra: as páginas, sem ele, não mostram dado algum.
    """

    def __init__(self, opened: Callable[[], Awaitable[Account]]) -> None:
        self._opened = opened
        self._known: set[str] = set()

    async def add(self, value: str, ends_at: datetime) -> None:
        """Acaba com a sessão; o cookie, assinado por nós, vence em `ends_at`."""
        self._known.add(value)
        try:
            account = await self._opened()
            await PgStateStore(account.engine).spend(value, ends_at, account.clock.now())
        except (CollectorError, SQLAlchemyError) as error:
            log.error("A sessão encerrada não foi guardada no banco: só este processo a recusa. %s", error)

    async def has(self, value: str) -> bool:
        if value in self._known:
            return True
        try:
            account = await self._opened()
            return await PgStateStore(account.engine).is_spent(value)
        except (CollectorError, SQLAlchemyError) as error:
            log.warning("Sem banco não se sabe se alguém saiu desta sessão. %s", error)
            return False
