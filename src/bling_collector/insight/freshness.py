"""De quando são os dados. Uma regra só, para o painel, `status`, as métricas e os alarmes: só os rejuvenesce quem leu
o presente do Bling. Refazer do que já se tinha, ou reler um período antigo, não."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select

from bling_collector.clock import DOUBT
from bling_collector.db.core import AsyncConnection
from bling_collector.db.models import etl_controle


@dataclass(frozen=True)
class Freshness:
    read_at: datetime | None
    """O que o banco tem é o que o Bling tinha neste instante, menos o que se deve; None se nunca se leu."""
    first_at: datetime | None
    """O começo da primeira coleta; None se não houve nenhuma."""

    def is_stale(self, now: datetime, hours: int) -> bool:
        """Se faz mais de `hours` horas que não se lê o presente do Bling; sem coleta nenhuma nada envelhece."""
        since = self.read_at or self.first_at
        return since is not None and now - since > timedelta(hours=hours)

    def age(self, now: datetime) -> timedelta | None:
        return max(now - self.read_at, timedelta()) if self.read_at is not None else None


async def load_freshness(connection: AsyncConnection, now: datetime) -> Freshness:
    """A idade dos dados; um instante que ainda não chegou, de um relógio que andou adiantado, não conta."""
    c = etl_controle.c
    collects = or_(c.tipo.is_(None), c.tipo.in_(["run", "run-full"]))
    at = func.least(c.inicio, c.fim)
    read = select(func.max(at)).where(c.leu_o_presente, at <= now + DOUBT)
    return Freshness(await connection.scalar(read), await connection.scalar(select(func.min(c.inicio)).where(collects)))
