"""O que o Bling avisa (tabelas webhook_eventos, webhook_faltas e webhook_recusas). Nada aqui faz COMMIT."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    not_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import empresa, webhook_eventos, webhook_faltas, webhook_recusas
from bling_collector.payload import Row, dumps

_C = webhook_eventos.c
KEPT: Final = timedelta(days=30)
UNPAID_KEPT: Final = timedelta(days=60)
MISSED_KEPT: Final = timedelta(days=7)
GRACE: Final = timedelta(minutes=1)
"""Quanto se espera pelo aviso do que uma olhada já achou."""
_EARLY: Final = timedelta(minutes=15)
"""O aviso de uma mudança pode ter chegado antes da olhada anterior, que ainda não a viu."""
WAIT: Final = timedelta(seconds=0.5)
"""Quanto um registro fica calado antes que se leia: os avisos dele que chegam juntos são uma leitura, e o que o Bling
responde logo a seguir a um aviso pode ser de antes dele (relatado)."""
LONGEST: Final = 2 * WAIT
"""Quanto se espera, no máximo, por um registro que não se cala."""
SETTLED: Final = timedelta(seconds=5)
"""Depois disto uma resposta já não é de antes do aviso."""
AGAIN: Final = timedelta(minutes=1)
"""Quanto se espera por uma leitura que começou, até começar outra."""
SAME: Final = "igual"
READ: Final = ("criado", "atualizado", SAME)
"""O que se diz de um registro que o Bling tem."""
_CHANGED: Final = ("criado", "atualizado", "excluído")
_LATELY: Final = timedelta(minutes=1)
_CHANNEL: Final = "bling_avisos_"
_LOCK: Final = "pg_advisory_xact_lock(hashtextextended(current_schema() || 'bling_collector.events', 0))"


def _doubtful() -> ColumnElement[bool]:
    """Os pagos com um «igual» que, pedido logo depois da mudança, pode ter sido a resposta de antes. Não se outra
    leitura acabava de o achar mudado: são avisos da mesma mudança."""
    other = webhook_eventos.alias()
    changed = (
        select(other.c.id)
        .where(other.c.recurso == _C.recurso, other.c.registro_id == _C.registro_id)
        .where(other.c.resultado.in_(_CHANGED), other.c.lido_em.between(_C.lido_em - _LATELY, _C.lido_em))
    )
    fresh = func.least(_C.enviado_em, _C.recebido_em) > _C.lido_em - SETTLED
    return and_(_C.resultado == SAME, fresh, not_(changed.exists()))


def _keeping() -> ReturningInsert[Any]:
    columns = [each for each in _C if each.name not in ("id", "agendado_em")]
    ours = select(empresa.c.id).where(empresa.c.bling_id == bindparam("company")).exists()
    given = select(*(bindparam(each.name, type_=each.type) for each in columns)).where(ours)
    said = cast(func.pg_notify(func.left(_CHANNEL + func.current_schema(), 63), ""), Text)
    new = insert(webhook_eventos).from_select(columns, given).on_conflict_do_nothing(index_elements=["event_id"])
    return new.returning(case((_C.lido_em.is_(None), said)))


_KEEP: Final = _keeping()


@dataclass(frozen=True)
class Pointed:
    """O registro para que um aviso aponta."""

    recurso: str
    id: str
    deleted: bool
    """Se um dos avisos dele diz que se excluiu."""


@dataclass(frozen=True)
class Heard:
    """O que se ouviu de um recurso."""

    recurso: str
    ultimo: datetime
    devidos: int


@dataclass(frozen=True)
class Unannounced:
    """Um registro que uma olhada achou novo ou mudado."""

    recurso: str
    registro_id: str
    aviso: str
    """Como o Bling chama o recurso."""
    acao: str
    """`created` ou `updated`."""


@dataclass(frozen=True)
class Silence:
    """O que o Bling não avisou de um recurso."""

    perdidos: int
    """As mudanças dos últimos dias que nenhum aviso disse."""
    calado: int
    """Delas, as de depois do último aviso: enquanto não vem outro, o Bling pode ter deixado de avisar."""
    desde: datetime | None
    """Quando se achou a primeira dessas."""


async def keep(connection: AsyncConnection, event: Row, company: str) -> bool:
    """Guarda o aviso, se é desta empresa, e di-lo ao worker se há o que ler; False se não é, ou se já o tinha.

    Um comando só: o Bling espera pela resposta.
    """
    kept = await connection.execute(_KEEP, {**event, "company": company})
    return kept.one_or_none() is not None


def channel(schema: str) -> str:
    """Onde se ouve que chegou um aviso da conta deste schema."""
    return (_CHANNEL + schema)[:63]


async def refuse(connection: AsyncConnection, motivo: str, now: datetime) -> None:
    """Conta uma recusa."""
    new = insert(webhook_recusas).values(motivo=motivo, quantos=1, ultimo_em=now)
    more = {"quantos": webhook_recusas.c.quantos + 1, "ultimo_em": now}
    await connection.execute(new.on_conflict_do_update(index_elements=["motivo"], set_=more))


async def refusals(connection: AsyncConnection) -> dict[str, tuple[int, datetime]]:
    """Motivo → quantas, e quando a última."""
    found = await connection.execute(select(webhook_recusas))
    return {row.motivo: (row.quantos, row.ultimo_em) for row in found}


async def due(connection: AsyncConnection, now: datetime) -> dict[str, datetime]:
    """Recurso → quando é a vez do primeiro registro dele de que um aviso espera."""
    records = select(_C.recurso, _turn().label("vez")).where(*_free(now)).group_by(_C.recurso, _C.registro_id)
    each = records.subquery()
    found = await connection.execute(select(each.c.recurso, func.min(each.c.vez)).group_by(each.c.recurso))
    return {row[0]: row[1] for row in found}


async def take(
    connection: AsyncConnection, recurso: str, *, most: int, now: datetime, besides: Collection[str] = ()
) -> list[Pointed]:
    """Os registros do recurso de que é a vez, menos os de `besides`, dos que há mais tempo esperam, e os avisos deles
    que esta leitura paga ficam anotados como tomados agora. Até ao COMMIT, outra leitura espera: de duas, cada registro
    é de uma."""
    await connection.execute(text(f"SELECT {_LOCK}"))
    whose = (_C.recurso == recurso, _C.registro_id.not_in(besides))
    mine = _by_record().where(*whose, *_free(now)).having(_turn() <= now)
    found = [Pointed(*row) for row in await connection.execute(mine.limit(most))]
    if not found:
        return []
    taken = (_C.recurso == recurso, _C.registro_id.in_([each.id for each in found]), *_payable(now))
    await connection.execute(update(webhook_eventos).where(*taken).values(agendado_em=now))
    return found


async def owed(connection: AsyncConnection, *, most: int, now: datetime) -> list[Pointed]:
    """Os registros de avisos que ainda não se leram, dos que há mais tempo esperam, menos os de agora mesmo; e, depois
    deles, os de cuja resposta se duvida."""
    unread = and_(*_free(now), *_payable(now))
    doubtful = and_(_C.recebido_em <= now - SETTLED, _doubtful())
    records = _by_record(func.bool_and(_C.lido_em.is_not(None))).where(unread | doubtful).limit(most)
    return [Pointed(*row) for row in await connection.execute(records)]


def _by_record(*order: ColumnElement[Any]) -> Select[Any, Any, Any]:
    deleted = func.bool_or(_C.evento.endswith(".deleted"))
    records = select(_C.recurso, _C.registro_id, deleted).group_by(_C.recurso, _C.registro_id)
    return records.order_by(*order, func.min(_C.recebido_em))


def _free(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Os que esperam, e que ninguém está a ler."""
    return _C.lido_em.is_(None), _C.agendado_em.is_(None) | (_C.agendado_em <= now - AGAIN)


def _payable(asked_at: datetime) -> tuple[ColumnElement[bool], ...]:
    """Os que uma leitura pedida então paga: não os de há menos de `WAIT`, que podem ser de outra mudança."""
    return _C.lido_em.is_(None), _C.recebido_em <= asked_at - WAIT


def _turn() -> ColumnElement[datetime]:
    """Quando é a vez de um registro: calado há `WAIT`, ou há `LONGEST` à espera de que se cale."""
    return func.least(func.max(_C.recebido_em) + WAIT, func.min(_C.recebido_em) + LONGEST)


async def pay(
    connection: AsyncConnection,
    recurso: str,
    ids: Collection[str],
    resultado: str,
    *,
    asked_at: datetime,
    doubted: bool = False,
) -> None:
    """Os registros, pedidos em `asked_at`, leram-se: estão pagos os avisos deles; e, com `doubted`, já não se duvida do
    que antes se leu. Se se lê igual pouco depois da mudança que o aviso diz, quem o confirma é a olhada ou a execução
    seguinte."""
    mine = (_C.recurso == recurso, _C.registro_id.in_(ids))
    for which in (and_(*_payable(asked_at)), *([_doubtful()] if doubted else [])):
        read = update(webhook_eventos).where(*mine, which).values(lido_em=asked_at, resultado=resultado)
        await connection.execute(read)


async def readings(connection: AsyncConnection, since: datetime) -> int:
    """Quantas leituras, por causa dos avisos, um worker começou desde `since`."""
    found = await connection.scalar(
        text("""
            SELECT count(DISTINCT (recurso, registro_id, agendado_em)) FROM webhook_eventos
            WHERE agendado_em >= :since"""),
        {"since": since},
    )
    return int(found or 0)


async def told_since(connection: AsyncConnection, recurso: str, since: datetime) -> list[str]:
    """Os registros do recurso que o Bling avisou desde então."""
    mine = (_C.recurso == recurso, _C.recebido_em >= since, _C.registro_id.is_not(None))
    return list(await connection.scalars(select(_C.registro_id).distinct().where(*mine)))


async def gone_since(connection: AsyncConnection, recurso: str, since: datetime) -> int:
    """Quantos registros do recurso se deram por excluídos, desde então, porque um aviso os apontou."""
    mine = (_C.recurso == recurso, _C.lido_em >= since, _C.resultado == "excluído")
    return int(await connection.scalar(select(func.count(_C.registro_id.distinct())).where(*mine)) or 0)


async def heard(connection: AsyncConnection) -> list[Heard]:
    """De cada recurso de que já se ouviu algo: quando foi a última vez, e quantos avisos esperam uma leitura."""
    waiting = func.count().filter(_C.lido_em.is_(None))
    grouped = select(_C.recurso, func.max(_C.recebido_em), waiting).where(_C.recurso.is_not(None)).group_by(_C.recurso)
    return [Heard(*row) for row in await connection.execute(grouped.order_by(_C.recurso))]


async def note_unannounced(
    connection: AsyncConnection, found: Collection[Unannounced], before: datetime, now: datetime
) -> None:
    """Uma olhada achou mudados estes registros, desde `before`: ficam os que um aviso devia ter dito, e não disse. O
    que nunca se ouviu do Bling até `before`, com essa ação, não devia: ninguém o ligou, ou só depois."""
    if not found:
        return
    statement = text("""
        INSERT INTO webhook_faltas (recurso, registro_id, aviso, depois_de, encontrado_em)
        SELECT DISTINCT ON (recurso, registro_id)
            recurso, registro_id, aviso, CAST(:before AS timestamptz), CAST(:now AS timestamptz)
        FROM jsonb_to_recordset(CAST(:found AS jsonb)) AS f (recurso text, registro_id text, aviso text, acao text)
        WHERE EXISTS (
            SELECT FROM webhook_eventos e WHERE e.evento = f.aviso || '.' || f.acao AND recebido_em <= :before)
          AND NOT EXISTS (
            SELECT FROM webhook_eventos e
            WHERE e.registro_id = f.registro_id AND split_part(evento, '.', 1) = f.aviso AND recebido_em >= :since)
        ON CONFLICT (recurso, registro_id) DO UPDATE SET
            depois_de = EXCLUDED.depois_de, encontrado_em = EXCLUDED.encontrado_em""")
    rows = dumps([vars(each) for each in found])
    await connection.execute(statement, {"found": rows, "before": before, "since": before - _EARLY, "now": now})


async def unannounced(connection: AsyncConnection, now: datetime) -> dict[str, Silence]:
    """Recurso → o que se achou mudado e o Bling não avisou, nem depois, há bastante para que ainda venha."""
    found = await connection.execute(
        text("""
            WITH ouvidos AS (
                SELECT split_part(evento, '.', 1) AS aviso, max(recebido_em) AS ultimo FROM webhook_eventos GROUP BY 1)
            SELECT recurso, count(*), count(*) FILTER (WHERE depois_de >= ultimo),
                min(encontrado_em) FILTER (WHERE depois_de >= ultimo)
            FROM webhook_faltas f JOIN ouvidos USING (aviso)
            WHERE encontrado_em BETWEEN CAST(:now AS timestamptz) - CAST(:week AS interval) AND :until
              AND NOT EXISTS (
                SELECT FROM webhook_eventos e
                WHERE e.registro_id = f.registro_id AND split_part(evento, '.', 1) = f.aviso
                  AND recebido_em >= encontrado_em)
            GROUP BY 1"""),
        {"now": now, "week": MISSED_KEPT, "until": now - GRACE},
    )
    return {row[0]: Silence(*row[1:]) for row in found}


async def unknown(connection: AsyncConnection) -> dict[str, int]:
    """Os avisos que o coletor não conhece: como o Bling os chama → quantos."""
    grouped = select(_C.evento, func.count()).where(_C.recurso.is_(None)).group_by(_C.evento).order_by(_C.evento)
    return {row[0]: row[1] for row in await connection.execute(grouped)}


async def prune(connection: AsyncConnection, now: datetime) -> None:
    """Apaga os avisos pagos há muito, e os que ninguém pagou em tanto tempo que a história toda já se releu."""
    unpaid = _C.lido_em.is_(None) & (_C.recebido_em < now - UNPAID_KEPT)
    await connection.execute(delete(webhook_eventos).where((_C.lido_em < now - KEPT) | unpaid))
    await connection.execute(delete(webhook_faltas).where(webhook_faltas.c.encontrado_em < now - MISSED_KEPT))
