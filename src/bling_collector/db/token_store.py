"""O par de tokens na tabela `oauth_tokens` e os `state` em `oauth_states`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bling_collector.db.models import oauth_states, oauth_tokens
from bling_collector.tokens import Token

_ONLY_ROW = 1
FORGET_AFTER = timedelta(days=1)
"""Um `state` que venceu há tanto tempo, e que ninguém usou, é apagado."""


class PgTokenStore:
    """Um `tokens.TokenStore`: a linha 1 de `oauth_tokens`, com uma tranca que vale entre processos."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def read(self) -> Token | None:
        async with self._engine.connect() as connection:
            return await _read(connection)

    @asynccontextmanager
    async def locked(self) -> AsyncIterator["_Locked"]:
        # A tranca é da sessão, e não da linha: vale também antes de haver linha, e o COMMIT não a solta.
        async with self._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            key = "hashtextextended(current_schema() || 'bling_collector.tokens', 0)"
            await connection.execute(text(f"SELECT pg_advisory_lock({key})"))
            try:
                yield _Locked(connection)
            finally:
                await connection.invalidate()


class _Locked:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def read(self) -> Token | None:
        return await _read(self._connection)

    async def save(self, token: Token) -> None:
        values = {
            "access_token": token.access_token,
            "refresh_token": token.refresh_token,
            "token_type": token.token_type[:50],
            "expires_at": token.expires_at,
            "refresh_in_doubt": token.refresh_in_doubt,
            # A hora de quem pediu o token, que também fez as contas do fim dele; a do banco pode estar adiantada.
            "updated_at": token.updated_at or func.now(),
        }
        new = insert(oauth_tokens).values(id=_ONLY_ROW, **values)
        await self._connection.execute(new.on_conflict_do_update(index_elements=["id"], set_=values))


async def _read(connection: AsyncConnection) -> Token | None:
    row = (await connection.execute(select(oauth_tokens).where(oauth_tokens.c.id == _ONLY_ROW))).one_or_none()
    if row is None:
        return None
    return Token(
        access_token=row.access_token,
        refresh_token=row.refresh_token,
        expires_at=row.expires_at,
        token_type=row.token_type or "Bearer",
        updated_at=row.updated_at,
        refresh_in_doubt=row.refresh_in_doubt,
    )


class PgStateStore:
    """Um `tokens.StateStore`: guarda só a impressão de cada `state`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def remember(self, state: str, expires_at: datetime) -> None:
        async with self._engine.begin() as connection:
            forgotten = oauth_states.c.expires_at < expires_at - FORGET_AFTER
            await connection.execute(delete(oauth_states).where(forgotten))
            await connection.execute(insert(oauth_states).values(state_hash=_digest(state), expires_at=expires_at))

    async def consume(self, state: str, now: datetime) -> bool:
        async with self._engine.begin() as connection:
            found = await connection.scalar(
                delete(oauth_states)
                .where(oauth_states.c.state_hash == _digest(state))
                .returning(oauth_states.c.expires_at)
            )
        return found is not None and found > now


def _digest(state: str) -> str:
    return sha256(state.encode()).hexdigest()
