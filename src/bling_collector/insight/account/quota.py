"""A cota do dia e o disjuntor, como o limitador os deixou no banco."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from bling_collector.api.pace import PER_DAY
from bling_collector.clock import BRASILIA
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import limites_bling

_DAY = timedelta(days=1)
_HORIZON = timedelta(hours=1)
"""Mais longe que isto no futuro é de um relógio que andou para trás, e não conta, como no limitador."""


@dataclass(frozen=True)
class Quota:
    """As requisições do coletor num dia de Brasília, e até quando o Bling está em pausa, se está."""

    day: date
    used: int
    limit: int
    reserve: int | None
    """O que fica para os outros aplicativos; None antes da primeira requisição."""
    exhausted: bool
    pace: float
    """A fração do ritmo inteiro que vale agora."""
    paused_until: datetime | None


async def read_quota(connection: AsyncConnection, now: datetime) -> Quota:
    """A cota do dia de `now`."""
    return quota((await connection.execute(select(limites_bling))).mappings().one_or_none(), now)


def quota(row: Mapping[Any, Any] | None, now: datetime) -> Quota:
    """A mesma, da linha de limites_bling."""
    day = now.astimezone(BRASILIA).date()
    if row is None:
        return Quota(day, 0, PER_DAY, None, exhausted=False, pace=1.0, paused_until=None)
    current = row["dia"] in (day, day + _DAY)
    paused = row["pausada_ate"] is not None and now < row["pausada_ate"] < now + _HORIZON
    return Quota(
        day=row["dia"] if current else day,
        used=row["usadas"] if current else 0,
        limit=row["limite"] or PER_DAY,
        reserve=row["reserva"],
        exhausted=row["esgotada_em"] in (day, day + _DAY),
        pace=row["ritmo"],
        paused_until=row["pausada_ate"] if paused else None,
    )
