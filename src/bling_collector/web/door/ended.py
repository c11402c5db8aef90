"""As sessões de que se saiu: o cookie delas ainda estaria no prazo, e já não abre nada."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy.exc import DBAPIError

from bling_collector.auth.token_store import PgStateStore
from bling_collector.clock import Clock
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.connection.patience import is_gone
from bling_collector.db.schema import current_revision
from bling_collector.errors import CollectorError, DatabaseError

log = logging.getLogger(__name__)


class EndedSessions:
    """Guardadas no banco, que todos os processos leem e que um recomeço não esquece.

    Com o banco fora do ar vale o que este processo lembra: as páginas, sem ele, não mostram dado algum. Se ele atende e
    não diz quem saiu, a sessão não abre nada: as outras empresas podem estar em dia, e mostrar os dados.
    """

    def __init__(self, engine: Callable[[], Awaitable[AsyncEngine]], clock: Clock) -> None:
        """`engine` dá as conexões, tenha ou não a empresa as tabelas em dia."""
        self._engine = engine
        self._clock = clock
        self._known: set[str] = set()

    async def add(self, value: str, ends_at: datetime) -> None:
        """Acaba com a sessão; o cookie, assinado por nós, vence em `ends_at`."""
        self._known.add(value)
        try:
            await PgStateStore(await self._engine()).spend(value, ends_at, self._clock.now())
        except CollectorError as error:
            log.error("A sessão encerrada não foi guardada no banco: só este processo a recusa. %s", error)

    async def has(self, value: str) -> bool:
        """Se a sessão acabou. DatabaseError se o banco atende e não o diz."""
        if value in self._known:
            return True
        try:
            engine = await self._engine()
        except CollectorError as error:
            return _unknown(error)
        try:
            return await PgStateStore(engine).is_spent(value)
        except DatabaseError as error:
            if isinstance(error.__cause__, DBAPIError) and is_gone(error.__cause__):
                return _unknown(error)
            if await current_revision(engine) is None:  # um banco novo: ainda ninguém pôde sair
                return False
            raise


def _unknown(error: CollectorError) -> bool:
    log.warning("Sem banco não se sabe se alguém saiu desta sessão. %s", error)
    return False
