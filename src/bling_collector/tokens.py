"""O par de tokens do Bling, como a auth o usa e o banco o guarda."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Token:
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    """Fim do token de acesso, em UTC (o Bling dá 6 horas)."""
    token_type: str = "Bearer"
    updated_at: datetime | None = None
    refresh_in_doubt: bool = False
    """Uma renovação foi enviada e a resposta nunca chegou: o refresh token, de uso único, pode já ter sido gasto."""

    @property
    def is_jwt(self) -> bool:
        """Um JWT tem três partes separadas por ponto; o token opaco do Bling é hexadecimal."""
        return self.access_token.count(".") == 2


class LockedTokens(Protocol):
    """O registro de tokens com a tranca na mão: o que se lê aqui ninguém muda enquanto isso."""

    async def read(self) -> Token | None: ...

    async def save(self, token: Token) -> None:
        """Grava e confirma (COMMIT) antes de voltar: só depois disso o token pode ser usado."""
        ...


class TokenStore(Protocol):
    async def read(self) -> Token | None:
        """O token guardado, ou None antes da primeira autorização."""
        ...

    def locked(self) -> AbstractAsyncContextManager[LockedTokens]:
        """Uma tranca que vale entre processos; quem chega depois espera."""
        ...


class StateStore(Protocol):
    """Os `state` de OAuth em aberto: cada um vale uma vez e por pouco tempo."""

    async def remember(self, state: str, expires_at: datetime) -> None: ...

    async def consume(self, state: str, now: datetime) -> bool:
        """True uma única vez para um `state` lembrado e ainda dentro do prazo."""
        ...
