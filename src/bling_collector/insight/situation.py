"""A situação inteira, como o painel a mostra: o juízo e os números dele, dos loaders que alimentam `status` e a API."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median
from typing import Final

from sqlalchemy import select

from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.clock import BRASILIA, brasilia_day
from bling_collector.db.broker import is_attended
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.models import etl_controle
from bling_collector.db.reports.revenue import Sales
from bling_collector.insight import alarms as names
from bling_collector.insight.account.webhooks import Webhooks, read_webhooks
from bling_collector.insight.alarms import AVISO, NORMAL, Alarm, read_alarms
from bling_collector.insight.failures import Failures, read_failures
from bling_collector.insight.proof.reconciliation import Proven, read_proofs
from bling_collector.insight.recursos import ShownResource, read_chosen
from bling_collector.insight.sales.revenue import SoldLately, read_pace
from bling_collector.insight.status import Standing, Status, read_standing, read_status
from bling_collector.insight.verdict import SAYS, Verdict, judge
from bling_collector.streams.notas.nfe import NFE
from bling_collector.streams.registry import collected

_HABIT: Final = 7
"""Dias de execução que se olham para saber a hora de costume."""
_NEAR: Final = 45
"""Minutos que a execução de costume pode adiantar ou atrasar."""


@dataclass(frozen=True)
class Situation:
    """O juízo e os números dele; `alarms` são os que soam e que o juízo não diz."""

    verdict: Verdict
    status: Status
    reconciliation: Proven
    failures: Failures
    alarms: list[Alarm]
    recursos: list[ShownResource]
    """Os que se coletam, se alguém pediu algum a mais."""
    next_run: datetime | None
    """Quando se espera a próxima execução, pelo costume; None se não o há."""
    attended: bool
    """Se há um worker que trate desta empresa: então a hora da próxima é a da agenda dele."""
    paces: Mapping[str, SoldLately | None]
    """Como vão as vendas que se pediram; None de uma de que não há nenhuma, ou que não se coleta."""
    heard: Webhooks
    """O que o Bling avisou."""


@dataclass(frozen=True)
class Judged:
    """O juízo, e o que dele se mostra onde não cabe a situação inteira."""

    verdict: Verdict
    standing: Standing


async def load_judged(
    engine: AsyncEngine,
    cipher: TokenCipher,
    now: datetime,
    *,
    no_run_hours: int,
    missing: str | None = None,
    recursos: Collection[str] | None = None,
) -> Judged:
    """O juízo em `now`, igual ao de `load_situation`, do que só ele precisa de ler."""
    async with engine.connect() as connection:
        standing = await read_standing(connection, cipher, now)
        alone = standing.owed.pendencias + standing.owed.janelas == 1  # só então se diz pelo nome
        failures = await read_failures(connection) if alone else None
        alarms = await read_alarms(connection)
        reconciliation, others = await read_proofs(connection, now, recursos)
    verdict = judge(
        standing,
        reconciliation,
        alarms,
        now=now,
        no_run_hours=no_run_hours,
        missing=missing,
        failures=failures,
        others=others,
    )
    return Judged(verdict, standing)


async def load_situation(
    engine: AsyncEngine,
    cipher: TokenCipher,
    now: datetime,
    *,
    no_run_hours: int,
    missing: str | None = None,
    recursos: Collection[str] | None = None,
    sales: Mapping[str, Sales] | None = None,
) -> Situation:
    """A situação em `now`. `missing` é a credencial que falta, por extenso; `recursos`, os que `RECURSOS` pede.

    `sales` são as vendas de que se quer o ritmo, e o recurso de que saem: do que não se coleta, o de hoje seria zero.
    """
    c = etl_controle.c
    async with engine.connect() as connection:
        status = await read_status(connection, cipher, now)
        alarms, failures = await read_alarms(connection), await read_failures(connection)
        reconciliation, others = await read_proofs(connection, now, recursos)
        daily = select(c.inicio).where(c.tipo == "run", c.inicio.is_not(None)).order_by(c.id.desc()).limit(60)
        starts = list((await connection.execute(daily)).scalars())
        shown = await read_chosen(connection, recursos, now)
        heard = await read_webhooks(connection, now)
        attended = await is_attended(connection)
        on = {each.name for each in await collected(connection, recursos)} if sales else set()
        paces = {
            recurso: await read_pace(connection, brasilia_day(now), each) if recurso in on else None
            for recurso, each in (sales or {}).items()
        }
    verdict = judge(
        status,
        reconciliation,
        alarms,
        now=now,
        no_run_hours=no_run_hours,
        missing=missing,
        failures=failures,
        others=others,
    )
    said = set(SAYS.get(verdict.case, ()))
    if failures.pendencias or failures.janelas:  # o que se deve já está na página, com o seu porquê
        said |= (
            {names.CONFERENCIA}
            if _only_owed({NFE.name: reconciliation, **{each.recurso: each.found for each in others}}, failures)
            else set()
        )
        said |= {alarm.nome for alarm in alarms if alarm.nome == names.EXECUCAO and alarm.estado == AVISO}
    sounding = [alarm for alarm in alarms if alarm.estado != NORMAL and alarm.nome not in said]
    return Situation(
        verdict,
        status,
        reconciliation,
        failures,
        sounding,
        shown,
        next_run(starts, now),
        attended,
        paces,
        heard,
    )


def _only_owed(found: Mapping[str, Proven], failures: Failures) -> bool:
    """Se tudo o que as conferências (recurso → a dele) acharam diferente é o que já se sabe que falta."""
    different = {
        (recurso, str(id_))
        for recurso, each in found.items()
        for month in each.different
        for ids in month.differences.values()
        for id_ in ids
    }
    return different <= {(each.recurso, each.id) for each in failures.pendencias}


def next_run(starts: Sequence[datetime], now: datetime) -> datetime | None:
    """Quando se espera a próxima coleta diária, se as últimas começaram sempre pela mesma hora; None se não se sabe.

    É o que se sabe sem um worker: quem chama o coletor (o cron, o Cloud Scheduler) tem a agenda, e isto é só o costume.
    """
    usual = usual_time(starts)
    if usual is None:
        return None
    local = now.astimezone(BRASILIA)
    ran = any(start.astimezone(BRASILIA).date() == local.date() and _off(start, usual) <= _NEAR for start in starts)
    late = local > datetime.combine(local.date(), usual, BRASILIA) + timedelta(minutes=_NEAR)
    day = local.date() + timedelta(days=1 if ran or late else 0)
    return datetime.combine(day, usual, BRASILIA)


def usual_time(starts: Sequence[datetime]) -> time | None:
    """A hora de Brasília, de cinco em cinco minutos, em que as coletas dos últimos dias começaram; None se variam.

    De cada dia conta a primeira; são precisos três dias, e que quatro em cada cinco sejam pela mesma hora.
    """
    first: dict[date, datetime] = {}
    for start in sorted((start.astimezone(BRASILIA) for start in starts), reverse=True):
        first[start.date()] = start
    days = [first[day] for day in sorted(first, reverse=True)[:_HABIT]]
    if len(days) < 3:
        return None
    minutes = round(median(start.hour * 60 + start.minute for start in days) / 5) * 5 % 1440
    usual = time(minutes // 60, minutes % 60)
    return usual if sum(_off(start, usual) <= _NEAR for start in days) * 5 >= len(days) * 4 else None


def _off(start: datetime, usual: time) -> int:
    local = start.astimezone(BRASILIA)
    return abs(local.hour * 60 + local.minute - usual.hour * 60 - usual.minute)
