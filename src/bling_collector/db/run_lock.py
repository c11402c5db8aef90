"""Uma execução por vez em cada banco (e schema): uma tranca que o PostgreSQL solta sozinho se o processo morrer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bling_collector.errors import RunInProgressError

_KEY = "hashtextextended(current_schema() || 'bling_collector.run', 0)"


@asynccontextmanager
async def run_lock(engine: AsyncEngine) -> AsyncIterator[None]:
    """Segura a tranca enquanto o bloco roda. RunInProgressError, na hora, se outro processo a tem."""
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        if not await connection.scalar(text(f"SELECT pg_try_advisory_lock({_KEY})")):
            raise RunInProgressError(
                "Já há uma execução em curso neste banco. Espere que termine; "
                "`bling-collector status` mostra o andamento."
            )
        try:
            yield
        finally:
            await _release(connection)


async def _release(connection: AsyncConnection) -> None:
    """Solta a tranca já; se a conexão não responde, fechar a sessão a solta quando o servidor der por isso."""
    released = False
    try:
        with suppress(SQLAlchemyError):
            released = bool(await connection.scalar(text(f"SELECT pg_advisory_unlock({_KEY})")))
    finally:
        if not released:
            await connection.invalidate()


async def is_locked(engine: AsyncEngine) -> bool:
    """True se há uma execução em curso, neste ou em outro processo. Só olha: uma execução que comece agora não a vê."""
    async with engine.connect() as connection:
        found = await connection.scalar(
            text(f"""
                SELECT EXISTS (
                    SELECT FROM pg_locks
                    WHERE locktype = 'advisory' AND granted AND objsubid = 1
                      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                      AND (CAST(classid AS bigint) << 32 | CAST(objid AS bigint)) = {_KEY})""")
        )
    return bool(found)
