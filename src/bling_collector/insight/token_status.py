"""O que se diz da autorização: até quando vale, se está cifrada, se as chaves a abrem, e de que avisar."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from bling_collector.auth.token_cipher import LOST, TokenCipher, is_sealed
from bling_collector.auth.tokens import WARN_DAYS, refresh_ends_at
from bling_collector.db.core import AsyncEngine
from bling_collector.db.models import oauth_tokens
from bling_collector.words import plural


async def load_token_warning(engine: AsyncEngine, cipher: TokenCipher, now: datetime) -> str | None:
    """O aviso, se a autorização está por acabar ou as chaves não a abrem."""
    async with engine.connect() as connection:
        token = (await connection.execute(select(oauth_tokens).where(oauth_tokens.c.id == 1))).one_or_none()
    warning: str | None = as_json(token, cipher, now)["warning"]
    return warning


def as_json(token: Row[Any] | None, cipher: TokenCipher, now: datetime) -> dict[str, Any]:
    """A linha de oauth_tokens como as respostas a mostram; nada do que ela guarda sai daqui."""
    end = refresh_ends_at(token.updated_at) if token else None
    readable = token is None or (cipher.opens(token.access_token) and cipher.opens(token.refresh_token))
    lost = token is None or not readable or token.refresh_in_doubt or token.refused_at is not None
    days = max((end - now).days, 0) if end else None
    return {
        "has_token": token is not None,
        "expires_at": _iso(token.expires_at) if token else None,
        "token_updated_at": _iso(token.updated_at) if token else None,
        "needs_authorization": lost,
        "refresh_expires_at": _iso(end),
        "refresh_days_left": days,
        "encrypted": is_sealed(token.refresh_token) if token else None,
        "readable": readable,
        "warning": LOST if not readable else None if lost else _warning(days),
    }


def _warning(days: int | None) -> str | None:
    if days is None or days > WARN_DAYS:
        return None
    remedy = "Uma coleta a renova: rode `bling-collector run`. Se não der, autorize de novo com `bling-collector auth`."
    if days == 0:
        return f"A autorização do Bling acaba hoje, ou já acabou. {remedy}"
    return f"A autorização do Bling acaba em {plural(days, 'dia', 'dias')}. {remedy}"


def _iso(value: datetime | None) -> str | None:
    return value.isoformat() if value is not None else None
