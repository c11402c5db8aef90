"""De quando são os dados. Uma regra só, para o painel, `status`, as métricas e os alarmes: só os rejuvenesce quem leu
o presente do Bling. Refazer do que já se tinha, ou reler um período antigo, não."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import DateTime, bindparam, func, or_, select

from bling_collector.clock import DOUBT, brasilia_day
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.models import etl_controle
from bling_collector.insight.advance import WAS_CUT, advanced_at

COLLECTS: Final = or_(etl_controle.c.tipo.is_(None), etl_controle.c.tipo.in_(["run", "run-full"]))
"""As execuções que coletam: as outras só refazem, conferem ou tentam de novo. As do primeiro coletor não têm tipo."""


@dataclass(frozen=True)
class Freshness:
    read_at: datetime | None
    """O que o banco tem é o que o Bling tinha neste instante, menos o que se deve; None se nunca se leu."""
    first_at: datetime | None
    """O começo da primeira coleta; None se não houve nenhuma."""
    advanced_at: datetime | None = None
    """O fim da última execução, se ela parou no seu limite e a coleta avança: o que falta vem nas seguintes."""

    def is_stale(self, now: datetime, hours: int) -> bool:
        """Se faz mais de `hours` horas que não se lê o presente do Bling, nem se avança até ele; sem coleta nenhuma
        nada envelhece."""
        known = [each for each in (self.read_at or self.first_at, self.advanced_at) if each is not None]
        since = max(known, default=None)
        return since is not None and now - since > timedelta(hours=hours)

    def age(self, now: datetime) -> timedelta | None:
        return max(now - self.read_at, timedelta()) if self.read_at is not None else None


async def load_freshness(connection: AsyncConnection, now: datetime) -> Freshness:
    """A idade dos dados; um instante que ainda não chegou, de um relógio que andou adiantado, não conta."""
    row = (await connection.execute(select(*MARKS), {"now": now})).mappings().one()
    return await freshness(connection, row, now)


async def load_read_day(engine: AsyncEngine, now: datetime) -> date | None:
    """O dia, de Brasília, até que se leu o que há no Bling; None se nunca se leu."""
    async with engine.connect() as connection:
        found = await load_freshness(connection, now)
    return brasilia_day(found.read_at) if found.read_at is not None else None


_at = func.least(etl_controle.c.inicio, etl_controle.c.fim)
_until = bindparam("now", type_=DateTime(timezone=True)) + DOUBT
MARKS: Final = (
    select(func.max(_at)).where(etl_controle.c.leu_o_presente, _at <= _until).scalar_subquery().label("read_at"),
    select(func.min(etl_controle.c.inicio)).where(COLLECTS).scalar_subquery().label("first_at"),
    WAS_CUT.label("was_cut"),
)
"""O que `freshness` precisa de ler, em `now`."""


async def freshness(connection: AsyncConnection, row: Mapping[Any, Any], now: datetime) -> Freshness:
    """A idade dos dados, da linha de `MARKS`."""
    advanced = await advanced_at(connection) if row["was_cut"] else None
    return Freshness(row["read_at"], row["first_at"], advanced if advanced and advanced <= now + DOUBT else None)
