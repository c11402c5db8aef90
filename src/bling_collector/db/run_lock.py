"""Uma execução por vez em cada empresa: uma tranca que o PostgreSQL solta sozinho se o processo morrer."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import Boolean, Pool, literal_column, select, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import in_schema
from bling_collector.db.connection.patience import patiently
from bling_collector.db.connection.session import POOLED
from bling_collector.errors import DatabaseError, RunInProgressError
from bling_collector.words import moment

log = logging.getLogger(__name__)

_KEY = "hashtextextended(current_schema() || 'bling_collector.run', 0)"
_KEY_OF: Final = "hashtextextended(CAST(:schema AS text) || 'bling_collector.run', 0)"
"""A mesma, de outro schema que não o da sessão."""
_TAKE: Final = text(f"SELECT pg_try_advisory_lock({_KEY_OF})")
_GIVE_BACK: Final = text(f"SELECT pg_advisory_unlock({_KEY_OF})")
_SESSION = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
_PID = text("SELECT pg_backend_pid()")
_HELD = f"""
    FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (CAST(classid AS bigint) << 32 | CAST(objid AS bigint)) = {_KEY}"""
HELD: Final = literal_column(f"EXISTS (SELECT {_HELD})", Boolean)
"""Se a execução do schema da sessão está em curso, neste ou em outro processo."""
_END = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = :pid AND backend_start = :backend_start"
)
_STALE: Final = "10 minutes"
"""Uma execução olha a tranca a cada lote; a sessão que há tanto tempo não faz nada pode ter ficado sem dono."""
_TRIES: Final = 10
_PAUSE: Final = 0.5
"""Segundos entre as tentativas de retomar: o servidor pode demorar a notar que a sessão de antes acabou."""
T = TypeVar("T")


class _Session:
    """A sessão que segura, numa conexão, as trancas de todas as execuções deste processo: as de muitas empresas não
    esgotam as conexões. Cada vez que se perde, é outra."""

    def __init__(self) -> None:
        self._connection: AsyncConnection | None = None
        self.identity: dict[str, object] = {}
        """O processo do servidor que a atende; vazio se não está aberta."""
        self.held: set[str] = set()
        """Os schemas cujas trancas tem na mão."""
        self._turn = asyncio.Lock()

    async def take(self, engine: AsyncEngine, schema: str) -> bool:
        """Se a tranca deste schema ficou com esta sessão; a que ela já tem é de outra execução."""
        task = asyncio.ensure_future(self._in_turn(self._take(engine, schema)))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            with suppress(SQLAlchemyError, DatabaseError):  # quem desistiu já não quer saber por que não a teve
                if await task:
                    await self.release(schema, self.identity)
            raise

    async def keep(self, schema: str, identity: dict[str, object]) -> None:
        """O erro do banco se a sessão não é a mesma, ou já não tem a tranca."""
        # Cortada no meio, a pergunta deixaria a conexão sem serventia para os outros que correm.
        await asyncio.shield(self._in_turn(self._keep(schema, identity)))

    async def release(self, schema: str, identity: dict[str, object]) -> None:
        """Solta a tranca, se ainda é desta sessão."""
        await asyncio.shield(self._in_turn(self._release(schema, identity)))

    async def _in_turn(self, work: Coroutine[Any, Any, T]) -> T:
        async with self._turn:
            return await work

    async def _take(self, engine: AsyncEngine, schema: str) -> bool:
        if self._connection is not None:
            try:
                await self._connection.scalar(_PID)
            except SQLAlchemyError:  # caiu sem que ninguém o notasse ainda: a de quem chega é outra
                await self._forget()
        if schema in self.held:
            return False
        try:
            if self._connection is None:
                self._connection = await _plain(engine).connect()
                self.identity = dict((await self._connection.execute(text(_SESSION))).mappings().one())
            if await self._connection.scalar(_TAKE, {"schema": schema}):
                await self._check_own(engine, self._connection, schema)
                self.held.add(schema)
        except BaseException:  # não se sabe se a tranca ficou com ela: só fechada a solta, e as outras retomam as suas
            await self._forget()
            raise
        if not self.held:
            await self._close()
        return schema in self.held

    async def _check_own(self, engine: AsyncEngine, connection: AsyncConnection, schema: str) -> None:
        """DatabaseError, com a tranca solta, se a sessão dela também atende outra conexão."""
        async with in_schema(engine, None).begin() as other:
            busy = await other.scalar(_PID)
            if busy != self.identity["pid"] and await connection.scalar(_PID) == self.identity["pid"]:
                return
            await other.execute(_GIVE_BACK, {"schema": schema})
        raise DatabaseError(POOLED)

    async def _keep(self, schema: str, identity: dict[str, object]) -> None:
        if self._connection is None or identity != self.identity or schema not in self.held:
            raise _lost()
        try:
            pid = await self._connection.scalar(_PID)
        except SQLAlchemyError:
            await self._forget()
            raise
        if pid != self.identity["pid"]:
            raise DatabaseError(POOLED)

    async def _release(self, schema: str, identity: dict[str, object]) -> None:
        """Se a conexão não responde, fechar a sessão as solta quando o servidor der por isso."""
        if self._connection is None or identity != self.identity or schema not in self.held:
            return
        released = False
        try:
            with suppress(SQLAlchemyError):  # não respondeu: fechá-la, a seguir, solta o que tinha
                released = bool(await self._connection.scalar(_GIVE_BACK, {"schema": schema}))
        finally:
            self.held.discard(schema)
            if not released:
                await self._forget()
            elif not self.held:
                await self._close()

    async def end(self, engine: AsyncEngine, identity: dict[str, object]) -> None:
        """Acaba com a sessão de antes, se o servidor ainda não notou que a conexão dela caiu."""
        if identity and identity != self.identity:
            async with _plain(engine).connect() as connection:
                await connection.execute(_END, identity)

    async def _close(self) -> None:
        connection, self._connection, self.identity = self._connection, None, {}
        if connection is not None:
            await connection.close()

    async def _forget(self) -> None:
        """Fecha a sessão, e não só a devolve: o que ela segurava fica solto."""
        connection, self._connection, self.identity = self._connection, None, {}
        self.held.clear()
        if connection is not None:
            with suppress(SQLAlchemyError):  # já caiu, que é o que se quer
                await connection.invalidate()
            await connection.close()


_sessions: WeakKeyDictionary[Pool, _Session] = WeakKeyDictionary()
"""A de cada conjunto de conexões, que ela não guarda: com ele, vai-se."""


def _plain(engine: AsyncEngine) -> AsyncEngine:
    """O mesmo banco, no schema da principal, cada comando confirmado."""
    return in_schema(engine, None).execution_options(isolation_level="AUTOCOMMIT")


def _lost() -> DBAPIError:
    """A sessão caiu com outro que a usava: o mesmo que uma conexão que caiu."""
    return OperationalError("", None, psycopg.OperationalError("a sessão da tranca caiu"), connection_invalidated=True)


class RunLock:
    """A tranca da execução de uma empresa."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._schema = ""
        self._identity: dict[str, object] = {}
        self._turn = asyncio.Lock()

    @property
    def _session(self) -> _Session:
        pool = self._engine.sync_engine.pool
        if pool not in _sessions:
            _sessions[pool] = _Session()
        return _sessions[pool]

    async def take(self) -> bool:
        """Se a tranca ficou com esta execução."""
        async with self._engine.connect() as connection:
            self._schema = str(await connection.scalar(text("SELECT current_schema()")))
        taken = await self._session.take(self._engine, self._schema)
        if taken:
            self._identity = self._session.identity
        return taken

    async def keep(self) -> None:
        """Confere que a sessão da tranca vive, e que é a mesma; o erro do banco se não: a tranca se perdeu com ela."""
        await self._session.keep(self._schema, self._identity)

    async def retake(self) -> None:
        """Toma-a de novo, depois de uma queda do banco. RunInProgressError se outra execução a tomou primeiro."""
        async with self._turn:
            await self._session.release(self._schema, self._identity)
            await patiently(partial(self._session.end, self._engine, self._identity))
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

    async def release(self) -> None:
        """Solta-a já."""
        async with self._turn:
            await self._session.release(self._schema, self._identity)


@asynccontextmanager
async def run_lock(engine: AsyncEngine) -> AsyncIterator[RunLock]:
    """Segura a tranca enquanto o bloco roda. RunInProgressError, na hora, se outro processo a tem."""
    lock = RunLock(engine)
    if not await lock.take():
        raise RunInProgressError(
            "Já há uma execução em curso nesta empresa. Espere que termine; `bling-collector status` mostra o "
            f"andamento.{await _who_has_it(engine)}"
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
    return bool(await connection.scalar(select(HELD)))


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
    since = "" if row.desde is None else f", desde {moment(row.desde)}"
    said = f" A tranca está com a sessão {row.pid} ({row.client_addr or 'local'}{since})."
    if row.parada is False:
        return said
    return f"{said} Se nenhuma execução corre, essa sessão ficou: solte-a com SELECT pg_terminate_backend({row.pid})."
