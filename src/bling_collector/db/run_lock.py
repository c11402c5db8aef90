"""Uma execução por vez em cada banco (e schema): uma tranca que o PostgreSQL solta sozinho se o processo morrer."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bling_collector.clock import BRASILIA
from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.patience import patiently
from bling_collector.db.session import POOLED
from bling_collector.errors import DatabaseError, RunInProgressError

log = logging.getLogger(__name__)

_KEY = "hashtextextended(current_schema() || 'bling_collector.run', 0)"
_SESSION = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
_PID = text("SELECT pg_backend_pid()")
_HELD = f"""
    FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (CAST(classid AS bigint) << 32 | CAST(objid AS bigint)) = {_KEY}"""
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = :pid AND backend_start = :backend_start"
_STALE: Final = "10 minutes"
"""Uma execução olha a tranca a cada lote; a sessão que há tanto tempo não faz nada pode ter ficado sem dono."""
_TRIES: Final = 10
_PAUSE: Final = 0.5
"""Segundos entre as tentativas de retomar: o servidor pode demorar a notar que a sessão de antes acabou."""


class RunLock:
    """A tranca da execução, numa sessão só dela."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._connection: AsyncConnection | None = None
        self._session: dict[str, object] = {}
        self._turn = asyncio.Lock()

    async def take(self) -> bool:
        """Se a tranca ficou com esta execução."""
        connection = await self._engine.connect()
        try:
            taken = bool(await connection.scalar(text(f"SELECT pg_try_advisory_lock({_KEY})")))
            if taken:
                self._session = dict((await connection.execute(text(_SESSION))).mappings().one())
                await self._check_own(connection)
        except BaseException:  # cancelada no meio, a conexão poderia voltar ao pool com a tranca na mão
            await _drop(connection)
            raise
        if taken:
            self._connection = connection
        else:
            await connection.close()
        return taken

    async def _check_own(self, connection: AsyncConnection) -> None:
        """DatabaseError, com a tranca solta, se a sessão dela também atende outra conexão."""
        async with self._engine.execution_options(isolation_level="READ COMMITTED").begin() as other:
            busy = await other.scalar(_PID)
            if busy != self._session["pid"] and await connection.scalar(_PID) == self._session["pid"]:
                return
            await other.execute(text(f"SELECT pg_advisory_unlock({_KEY})"))
        raise DatabaseError(POOLED)

    async def keep(self) -> None:
        """Confere que a sessão da tranca vive, e que é a mesma; o erro do banco se não: a tranca se perdeu com ela."""
        # Cancelada no meio, a pergunta deixaria a conexão sem serventia para os outros que correm nesta execução.
        await asyncio.shield(self._keep())

    async def _keep(self) -> None:
        async with self._turn:
            assert self._connection is not None
            if await self._connection.scalar(_PID) != self._session["pid"]:
                raise DatabaseError(POOLED)

    async def retake(self) -> None:
        """Toma-a de novo, depois de uma queda do banco. RunInProgressError se outra execução a tomou primeiro."""
        async with self._turn:
            await self._forget()
            await patiently(self._end_the_ghost)
            for left in reversed(range(_TRIES)):
                if await patiently(self.take):
                    log.info("O banco voltou, e a tranca da execução com ele.")
                    return
                if left:
                    await asyncio.sleep(_PAUSE)
        raise RunInProgressError(
            "O banco caiu no meio desta execução e, quando voltou, outra tomou o lugar dela; esta parou. O que ela "
            "tinha salvo fica, e a outra paga o que faltou."
        )

    async def _end_the_ghost(self) -> None:
        """A sessão de antes, se o servidor ainda não notou que a conexão dela caiu."""
        async with self._engine.connect() as connection:
            await connection.execute(text(_END), self._session)

    async def release(self) -> None:
        """Solta-a já; se a conexão não responde, fechar a sessão a solta quando o servidor der por isso."""
        async with self._turn:
            if self._connection is None:
                return
            released = False
            try:
                with suppress(SQLAlchemyError):
                    released = bool(await self._connection.scalar(text(f"SELECT pg_advisory_unlock({_KEY})")))
            finally:
                if released:
                    await self._connection.close()
                else:
                    await self._forget()

    async def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await _drop(connection)


async def _drop(connection: AsyncConnection) -> None:
    """Fecha a sessão, e não só a devolve: o que ela segurava fica solto."""
    with suppress(SQLAlchemyError):
        await connection.invalidate()
    await connection.close()


@asynccontextmanager
async def run_lock(engine: AsyncEngine) -> AsyncIterator[RunLock]:
    """Segura a tranca enquanto o bloco roda. RunInProgressError, na hora, se outro processo a tem."""
    lock = RunLock(engine)
    if not await lock.take():
        raise RunInProgressError(
            "Já há uma execução em curso neste banco. Espere que termine; `bling-collector status` mostra o andamento."
            f"{await _who_has_it(engine)}"
        )
    try:
        yield lock
    finally:
        await lock.release()


async def is_locked(engine: AsyncEngine) -> bool:
    """True se há uma execução em curso, neste ou em outro processo. Só olha: uma execução que comece agora não a vê."""
    async with engine.connect() as connection:
        return await is_held(connection)


async def is_held(connection: AsyncConnection) -> bool:
    """O mesmo, numa conexão que já se tem."""
    return bool(await connection.scalar(text(f"SELECT EXISTS (SELECT {_HELD})")))


async def _who_has_it(engine: AsyncEngine) -> str:
    """A sessão que tem a tranca, e como soltá-la se ela parece ter ficado: de um intermediário, de quem sumiu."""
    about = f"""
        SELECT pid, client_addr, backend_start AS desde,
               clock_timestamp() - state_change > interval '{_STALE}' OR application_name <> :ours AS parada
        FROM pg_stat_activity WHERE pid IN (SELECT pid {_HELD})"""
    async with engine.connect() as connection:
        ours = await connection.scalar(text("SELECT current_setting('application_name')"))
        row = (await connection.execute(text(about), {"ours": ours})).one_or_none()
    if row is None:
        return ""
    since = "" if row.desde is None else f", desde {row.desde.astimezone(BRASILIA):%d/%m/%Y %H:%M}"
    said = f" A tranca está com a sessão {row.pid} ({row.client_addr or 'local'}{since})."
    if row.parada is False:
        return said
    return f"{said} Se nenhuma execução corre, essa sessão ficou: solte-a com SELECT pg_terminate_backend({row.pid})."
