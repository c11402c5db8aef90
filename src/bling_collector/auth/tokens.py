"""O par de tokens do Bling, como a auth o usa e o banco o guarda."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

REFRESH_LIFE: Final = timedelta(days=30)
"""Quanto dura um refresh token que não é usado (developer.bling.com.br/autenticacao)."""
RENEW_WITHIN: Final = timedelta(days=10)
"""Com menos que isto pela frente o par é trocado, mesmo que o token de acesso ainda valha."""
WARN_DAYS: Final = 7
"""A partir de tantos dias para o fim, a pessoa é avisada."""


def refresh_ends_at(updated_at: datetime | None) -> datetime | None:
    """Quando acaba o refresh token da última troca; None se não se sabe quando ela foi."""
    return updated_at + REFRESH_LIFE if updated_at else None


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
    refused_at: datetime | None = None
    """Quando o Bling disse que este par não serve mais; volta a None com o par seguinte."""

    @property
    def is_jwt(self) -> bool:
        """Um JWT tem três partes separadas por ponto; o token opaco do Bling é hexadecimal."""
        return self.access_token.count(".") == 2


class LockedTokens(Protocol):
    """O registro de tokens com a tranca na mão: o que se lê aqui ninguém muda enquanto isso.

    Se a conexão caiu com a tranca, o método seguinte toma as duas outra vez. DatabaseError se o banco não deixa.
    """

    async def read(self) -> Token | None: ...

    async def check_writable(self) -> None:
        """DatabaseError se o banco não grava agora: não é hora de gastar um token."""
        ...

    async def save(self, token: Token) -> None:
        """Grava e confirma (COMMIT) antes de voltar: só depois disso o token pode ser usado."""
        ...

    async def refuse(self, at: datetime) -> None:
        """Anota que o Bling recusou o par gravado."""
        ...

    async def propose(self, token: Token) -> None:
        """Grava, ao lado do par que vale, um que só valerá quando se souber de que empresa é; `save` o esquece."""
        ...

    async def proposed(self) -> Token | None:
        """O par que um processo propôs e não chegou a aceitar nem a recusar."""
        ...

    async def forget_proposed(self) -> None: ...


class TokenStore(Protocol):
    async def read(self) -> Token | None:
        """O token guardado, ou None antes da primeira autorização."""
        ...

    async def has_proposed(self) -> bool:
        """Se há um par proposto; ver `LockedTokens.propose`."""
        ...

    def locked(self) -> AbstractAsyncContextManager[LockedTokens]:
        """Uma tranca que vale entre processos; quem chega depois espera."""
        ...


class StateStore(Protocol):
    """O que vale uma vez só e já foi usado, até vencer: um `state` de OAuth, a sessão de quem saiu do painel."""

    async def spend(self, value: str, ends_at: datetime, now: datetime) -> bool:
        """Dá o valor por usado até `ends_at`; True da primeira vez, e só dela."""
        ...

    async def is_spent(self, value: str) -> bool: ...
