"""O que o Bling avisa (tabelas webhook_eventos e webhook_recusas). Nada aqui faz COMMIT."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from bling_collector.db.core import AsyncConnection
from bling_collector.db.models import webhook_eventos, webhook_recusas
from bling_collector.payload import Row

_C = webhook_eventos.c
KEPT: Final = timedelta(days=30)
UNPAID_KEPT: Final = timedelta(days=60)


@dataclass(frozen=True)
class Pointed:
    """O registro para que um aviso aponta."""

    recurso: str
    id: str


@dataclass(frozen=True)
class Heard:
    """O que se ouviu de um recurso."""

    recurso: str
    ultimo: datetime
    devidos: int


async def keep(connection: AsyncConnection, event: Row) -> bool:
    """Guarda o aviso; False se já o tinha."""
    new = insert(webhook_eventos).values(event).on_conflict_do_nothing(index_elements=["event_id"])
    return (await connection.execute(new)).rowcount > 0


async def refuse(connection: AsyncConnection, motivo: str, now: datetime) -> None:
    """Conta uma recusa."""
    new = insert(webhook_recusas).values(motivo=motivo, quantos=1, ultimo_em=now)
    more = {"quantos": webhook_recusas.c.quantos + 1, "ultimo_em": now}
    await connection.execute(new.on_conflict_do_update(index_elements=["motivo"], set_=more))


async def refusals(connection: AsyncConnection) -> dict[str, tuple[int, datetime]]:
    """Motivo → quantas, e quando a última."""
    found = await connection.execute(select(webhook_recusas))
    return {row.motivo: (row.quantos, row.ultimo_em) for row in found}


async def owed(
    connection: AsyncConnection, *, until: datetime, most: int, scheduled_before: datetime | None = None
) -> list[Pointed]:
    """Os registros de avisos recebidos até `until` que ainda não se leram, dos que há mais tempo esperam; com
    `scheduled_before`, só os que ninguém pôs na fila desde então."""
    statement = select(_C.recurso, _C.registro_id).where(_C.lido_em.is_(None), _C.recebido_em <= until)
    if scheduled_before is not None:
        statement = statement.where(_C.agendado_em.is_(None) | (_C.agendado_em < scheduled_before))
    grouped = statement.group_by(_C.recurso, _C.registro_id).order_by(func.min(_C.recebido_em)).limit(most)
    return [Pointed(*row) for row in await connection.execute(grouped)]


async def schedule(connection: AsyncConnection, which: Pointed, now: datetime) -> None:
    """Está na fila."""
    mine = (_C.recurso == which.recurso, _C.registro_id == which.id, _C.lido_em.is_(None))
    await connection.execute(update(webhook_eventos).where(*mine).values(agendado_em=now))


async def pay(connection: AsyncConnection, which: Pointed, resultado: str, *, until: datetime, now: datetime) -> None:
    """O registro leu-se: os avisos dele recebidos até `until` estão pagos; um mais novo pode ser de outra mudança."""
    mine = (_C.recurso == which.recurso, _C.registro_id == which.id, _C.lido_em.is_(None), _C.recebido_em <= until)
    await connection.execute(update(webhook_eventos).where(*mine).values(lido_em=now, resultado=resultado))


async def readings(connection: AsyncConnection, since: datetime) -> int:
    """Quantas leituras os avisos causaram desde `since`, e quantas estão na fila."""
    found = await connection.scalar(
        text("""
            SELECT count(DISTINCT (recurso, registro_id, lido_em)) FROM webhook_eventos
            WHERE coalesce(lido_em, agendado_em) >= :since AND agendado_em IS NOT NULL"""),
        {"since": since},
    )
    return int(found or 0)


async def gone_since(connection: AsyncConnection, recurso: str, since: datetime) -> int:
    """Quantos registros do recurso se deram por excluídos, desde então, porque um aviso os apontou."""
    mine = (_C.recurso == recurso, _C.lido_em >= since, _C.resultado == "excluído")
    return int(await connection.scalar(select(func.count(_C.registro_id.distinct())).where(*mine)) or 0)


async def heard(connection: AsyncConnection) -> list[Heard]:
    """De cada recurso de que já se ouviu algo: quando foi a última vez, e quantos avisos esperam uma leitura."""
    waiting = func.count().filter(_C.lido_em.is_(None))
    grouped = select(_C.recurso, func.max(_C.recebido_em), waiting).where(_C.recurso.is_not(None)).group_by(_C.recurso)
    return [Heard(*row) for row in await connection.execute(grouped.order_by(_C.recurso))]


async def unknown(connection: AsyncConnection) -> dict[str, int]:
    """Os avisos que o coletor não conhece: como o Bling os chama → quantos."""
    grouped = select(_C.evento, func.count()).where(_C.recurso.is_(None)).group_by(_C.evento).order_by(_C.evento)
    return {row[0]: row[1] for row in await connection.execute(grouped)}


async def prune(connection: AsyncConnection, now: datetime) -> None:
    """Apaga os avisos pagos há muito, e os que ninguém pagou em tanto tempo que a história toda já se releu."""
    unpaid = _C.lido_em.is_(None) & (_C.recebido_em < now - UNPAID_KEPT)
    await connection.execute(delete(webhook_eventos).where((_C.lido_em < now - KEPT) | unpaid))
