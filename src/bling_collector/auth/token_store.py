"""O par de tokens na tabela `oauth_tokens`, cifrado se há chave, e em `oauth_states` o que já foi usado."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import SQLAlchemyError

from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.auth.tokens import Token
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import explained
from bling_collector.db.models import TOKENS_ROW, oauth_states, oauth_tokens
from bling_collector.errors import ConfigurationError, DatabaseError

_PROPOSED = 2
"""A linha de um par que ainda não se sabe de que empresa é."""
_LOCK = text("SELECT pg_advisory_lock(hashtextextended(current_schema() || 'bling_collector.tokens', 0))")
FORGET_AFTER = timedelta(days=1)
"""O que venceu há tanto tempo é esquecido: vencido, já não serve a ninguém."""


class PgTokenStore:
    """Um `tokens.TokenStore`: a linha 1 de `oauth_tokens`, com uma tranca que vale entre processos."""

    def __init__(self, engine: AsyncEngine, cipher: TokenCipher) -> None:
        self._engine = engine
        self._cipher = cipher

    async def read(self) -> Token | None:
        """O token guardado, decifrado; None se não há."""
        async with explained(self._engine.url), self._engine.connect() as connection:
            return _token(await _row(connection), self._cipher)

    async def has_proposed(self) -> bool:
        """Se há um par que se recebeu e ainda não se confirmou."""
        async with explained(self._engine.url), self._engine.connect() as connection:
            return await _row(connection, _PROPOSED) is not None

    @asynccontextmanager
    async def locked(self) -> AsyncIterator["_Locked"]:
        tokens = _Locked(self._engine, self._cipher)
        try:
            async with explained(self._engine.url):
                await tokens.hold()
            yield tokens
        finally:
            await tokens.release()

    async def seal(self) -> bool:
        """Grava de novo, com a primeira chave, tokens em claro ou de outra chave; devolve se foi preciso.

        ConfigurationError se foram cifrados com uma chave que não há.
        """
        async with explained(self._engine.url), self._engine.connect() as connection:
            if self._is_sealed(await _row(connection)):
                return False
        async with self.locked() as tokens:
            token = await tokens.read()
            if token is not None:
                await tokens.save(token)
        return token is not None

    def _is_sealed(self, row: Row[Any] | None) -> bool:
        return row is None or all(map(self._cipher.is_current, (row.access_token, row.refresh_token)))


class _Locked:
    """A tranca é da sessão, e não da linha: vale também antes de haver linha, e o COMMIT não a solta."""

    def __init__(self, engine: AsyncEngine, cipher: TokenCipher) -> None:
        self._engine = engine
        self._cipher = cipher
        self._held: AsyncConnection | None = None

    async def hold(self) -> AsyncConnection:
        """A conexão com a tranca; outra, se aquela caiu. A mesma, religada, já não confirmaria cada comando."""
        if self._held is not None and not self._held.invalidated:
            return self._held
        await self.release()
        connection = await self._engine.execution_options(isolation_level="AUTOCOMMIT").connect()
        try:
            await connection.execute(_LOCK)
        except BaseException:  # também uma parada: guardada, passaria por ter a tranca
            await _end(connection)
            raise
        self._held = connection
        return connection

    async def release(self) -> None:
        """Fecha a sessão, e com ela a tranca, mesmo que a conexão já não responda."""
        if self._held is not None:
            held, self._held = self._held, None
            await _end(held)

    async def read(self) -> Token | None:
        async with self._holding("não pôde ser lido") as connection:
            return _token(await _row(connection), self._cipher)

    async def check_writable(self) -> None:
        async with self._holding("não aceita gravação") as connection:
            # Confirmada, e não desfeita: prova também o COMMIT. Um servidor só de leitura a recusa mesmo sem linha.
            await connection.execute(update(oauth_tokens).values(id=TOKENS_ROW).where(oauth_tokens.c.id == 1))

    async def save(self, token: Token) -> None:
        # Num comando só, porque cada um é confirmado por si: um par proposto que já vale não é proposto outra vez.
        forgotten = delete(oauth_tokens).where(oauth_tokens.c.id == _PROPOSED).cte("esquecido")
        async with self._holding("não gravou o token") as connection:
            await connection.execute(self._upsert(TOKENS_ROW, token).add_cte(forgotten))

    async def propose(self, token: Token) -> None:
        async with self._holding("não gravou o token") as connection:
            await connection.execute(self._upsert(_PROPOSED, token))

    async def proposed(self) -> Token | None:
        async with self._holding("não pôde ser lido") as connection:
            try:
                return _token(await _row(connection, _PROPOSED), self._cipher)
            except ConfigurationError:
                return None  # cifrado com uma chave perdida: não serve a ninguém

    async def forget_proposed(self) -> None:
        async with self._holding("não gravou o token") as connection:
            await connection.execute(delete(oauth_tokens).where(oauth_tokens.c.id == _PROPOSED))

    def _upsert(self, row: int, token: Token) -> Insert:
        values = {
            "access_token": self._cipher.seal(token.access_token),
            "refresh_token": self._cipher.seal(token.refresh_token),
            "token_type": token.token_type[:50],
            "expires_at": token.expires_at,
            "refresh_in_doubt": token.refresh_in_doubt,
            "refused_at": token.refused_at,
            # A hora de quem pediu o token, que também fez as contas do fim dele; a do banco pode estar adiantada.
            "updated_at": token.updated_at or func.now(),
        }
        return insert(oauth_tokens).values(id=row, **values).on_conflict_do_update(index_elements=["id"], set_=values)

    async def refuse(self, at: datetime) -> None:
        async with self._holding("não anotou a recusa do Bling") as connection:
            await connection.execute(update(oauth_tokens).values(refused_at=at).where(oauth_tokens.c.id == TOKENS_ROW))

    @asynccontextmanager
    async def _holding(self, what: str) -> AsyncIterator[AsyncConnection]:
        """A conexão com a tranca; o que o banco recusar vira DatabaseError."""
        async with explained(self._engine.url):
            try:
                yield await self.hold()
            except SQLAlchemyError as error:
                if getattr(error, "connection_invalidated", False):
                    raise
                cause = str(getattr(error, "orig", error)).splitlines()[0]
                raise DatabaseError(f"O banco {what} ({cause}).") from error


async def _end(connection: AsyncConnection) -> None:
    await connection.invalidate()
    await connection.close()


async def _row(connection: AsyncConnection, row: int = TOKENS_ROW) -> Row[Any] | None:
    return (await connection.execute(select(oauth_tokens).where(oauth_tokens.c.id == row))).one_or_none()


def _token(row: Row[Any] | None, cipher: TokenCipher) -> Token | None:
    if row is None:
        return None
    return Token(
        access_token=cipher.open(row.access_token),
        refresh_token=cipher.open(row.refresh_token),
        expires_at=row.expires_at,
        token_type=row.token_type or "Bearer",
        updated_at=row.updated_at,
        refresh_in_doubt=row.refresh_in_doubt,
        refused_at=row.refused_at,
    )


class PgStateStore:
    """Um `tokens.StateStore`: guarda só a impressão de cada valor."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def spend(self, value: str, ends_at: datetime, now: datetime) -> bool:
        """Gasta o `state`; False se já se tinha gasto."""
        async with explained(self._engine.url), self._engine.begin() as connection:
            await connection.execute(delete(oauth_states).where(oauth_states.c.expires_at < now - FORGET_AFTER))
            new = insert(oauth_states).values(state_hash=_digest(value), expires_at=ends_at)
            added = new.on_conflict_do_nothing().returning(oauth_states.c.state_hash)
            return await connection.scalar(added) is not None

    async def is_spent(self, value: str) -> bool:
        """Se o `state` já se gastou."""
        async with explained(self._engine.url), self._engine.connect() as connection:
            found = select(oauth_states.c.state_hash).where(oauth_states.c.state_hash == _digest(value))
            return await connection.scalar(found) is not None


def _digest(value: str) -> str:
    return sha256(value.encode("utf-8", "surrogateescape")).hexdigest()
