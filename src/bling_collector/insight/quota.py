"""A cota do dia e o disjuntor, como o limitador os deixou no banco."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from bling_collector.api.pace import PER_DAY
from bling_collector.clock import BRASILIA
from bling_collector.db.core import AsyncConnection
from bling_collector.db.models import limites_bling

_DAY = timedelta(days=1)
_HORIZON = timedelta(hours=1)
"""Mais longe que isto no futuro é de um relógio que andou para trás, e não conta, como no limitador."""


async def load_quota(connection: AsyncConnection, now: datetime) -> dict[str, Any]:
    """As requisições do coletor no dia de Brasília de `now`, e até quando o Bling está em pausa, se está."""
    row = (await connection.execute(select(limites_bling))).one_or_none()
    day = now.astimezone(BRASILIA).date()
    current = row is not None and row.dia in (day, day + _DAY)
    return {
        "day": (row.dia if row is not None and current else day).isoformat(),
        "used": row.usadas if row is not None and current else 0,
        "limit": (row.limite if row is not None else None) or PER_DAY,
        "reserve": row.reserva if row is not None else None,
        "exhausted": row is not None and row.esgotada_em in (day, day + _DAY),
        "pace": row.ritmo if row is not None else 1.0,
        "paused_until": row.pausada_ate.isoformat()
        if row is not None and row.pausada_ate is not None and now < row.pausada_ate < now + _HORIZON
        else None,
    }
