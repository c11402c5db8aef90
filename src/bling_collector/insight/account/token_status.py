"""O que se diz da autorização: até quando vale, se está cifrada, se as chaves a abrem, e de que avisar."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from bling_collector.auth.texts import SEALED
from bling_collector.auth.token_cipher import TokenCipher, is_sealed
from bling_collector.auth.tokens import WARN_DAYS, refresh_ends_at
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.models import oauth_tokens
from bling_collector.db.models.account import TOKENS_ROW
from bling_collector.words import plural


@dataclass(frozen=True)
class TokenStatus:
    """A autorização; nada do que ela guarda está aqui."""

    has_token: bool
    expires_at: datetime | None
    token_updated_at: datetime | None
    needs_authorization: bool
    refresh_expires_at: datetime | None
    refresh_days_left: int | None
    encrypted: bool | None
    readable: bool
    """Se as chaves abrem o que se guarda."""
    warning: str | None


async def load_token_warning(engine: AsyncEngine, cipher: TokenCipher, now: datetime) -> str | None:
    """O aviso, se a autorização está por acabar ou as chaves não a abrem."""
    async with engine.connect() as connection:
        found = await connection.execute(select(oauth_tokens).where(oauth_tokens.c.id == TOKENS_ROW))
        token = found.mappings().one_or_none()
    return token_status(token, cipher, now).warning


def token_status(token: Mapping[Any, Any] | None, cipher: TokenCipher, now: datetime) -> TokenStatus:
    """O que se diz da linha de oauth_tokens."""
    end = refresh_ends_at(token["updated_at"]) if token else None
    readable = token is None or (cipher.opens(token["access_token"]) and cipher.opens(token["refresh_token"]))
    lost = token is None or not readable or token["refresh_in_doubt"] or token["refused_at"] is not None
    days = max((end - now).days, 0) if end else None
    return TokenStatus(
        has_token=token is not None,
        expires_at=token["expires_at"] if token else None,
        token_updated_at=token["updated_at"] if token else None,
        needs_authorization=lost,
        refresh_expires_at=end,
        refresh_days_left=days,
        encrypted=is_sealed(token["refresh_token"]) if token else None,
        readable=readable,
        warning=SEALED if not readable else None if lost else _warning(days),
    )


def _warning(days: int | None) -> str | None:
    if days is None or days > WARN_DAYS:
        return None
    remedy = "Uma coleta a renova: rode `bling-collector run`. Se não der, autorize de novo com `bling-collector auth`."
    return f"{ends_in(days)} {remedy}"


def ends_in(days: int) -> str:
    """Quando acaba a autorização a que faltam estes dias."""
    if days == 0:
        return "A autorização do Bling acaba hoje, ou já acabou."
    return f"A autorização do Bling acaba em {plural(days, 'dia', 'dias')}."
