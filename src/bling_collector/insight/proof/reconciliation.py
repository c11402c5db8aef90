"""A conferência guardada: o que se conferiu, e quando."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import Row, select

from bling_collector.clock import DOUBT
from bling_collector.db import control, proof
from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.models import conferencias
from bling_collector.insight.snapshots import MONTH
from bling_collector.streams.notas.nfe import NFE
from bling_collector.streams.registry import collected
from bling_collector.windows import Window, whole_months

KINDS: Final = ("faltam", "sobram", "diferem")
"""De que modos os dois lados diferem."""


@dataclass(frozen=True)
class Side:
    """O que um dos lados tem: ao todo, e por situação."""

    total: int
    situacoes: Mapping[str, int]


@dataclass(frozen=True)
class MonthCheck:
    """A última conferência de um mês."""

    mes: date = field(metadata=MONTH)
    data_inicio: date
    data_fim: date
    conferida_em: datetime
    run_id: int | None
    no_bling: Side
    no_banco: Side
    faltam: list[int]
    sobram: list[int]
    diferem: list[int]
    reparadas: int
    igual: bool

    @property
    def differences(self) -> dict[str, list[int]]:
        """Os ids das notas que diferem, por tipo de diferença."""
        return {"faltam": self.faltam, "sobram": self.sobram, "diferem": self.diferem}


@dataclass(frozen=True)
class Reconciliation:
    """Os totais dos dois lados, se são iguais, desde quando (a mais antiga das conferências) e mês a mês.

    Enquanto há meses por conferir entre o começo da coleta e a última conferência, nada se afirma do todo:
    `completo_em` é None, e `igual`, False.
    """

    completo_em: datetime | None
    igual: bool
    por_conferir: list[date] = field(metadata=MONTH)
    no_bling: int
    no_banco: int
    meses: list[MonthCheck]

    @property
    def different(self) -> list[MonthCheck]:
        """Os meses cuja conferência mostra os dois lados diferentes."""
        return [month for month in self.meses if not month.igual]


@dataclass(frozen=True)
class Proof:
    """A conferência de um recurso que se coleta além das notas."""

    recurso: str
    titulo: str
    """Como as pessoas chamam os registros dele, sem maiúscula."""
    found: Reconciliation


def count_differences(months: Iterable[MonthCheck]) -> dict[str, int]:
    """Quantas notas diferem nestes meses, por tipo de diferença."""
    counts = dict.fromkeys(KINDS, 0)
    for month in months:
        for kind, ids in month.differences.items():
            counts[kind] += len(ids)
    return counts


async def load_reconciliation(engine: AsyncEngine, now: datetime | None = None) -> Reconciliation:
    """O que as últimas conferências dizem, sem perguntar nada ao Bling.

    Uma conferência do futuro, visto de `now` (o presente, se omitido), não conta.
    """
    async with engine.connect() as connection:
        return await read_reconciliation(connection, now or datetime.now(UTC))


async def read_reconciliation(connection: AsyncConnection, now: datetime, recurso: str = NFE.name) -> Reconciliation:
    """O mesmo, de um recurso qualquer, numa conexão que já se tem."""
    c = conferencias.c
    until = now + DOUBT
    past = select(conferencias).where(c.recurso == recurso, c.conferida_em <= until).order_by(c.mes)
    rows = (await connection.execute(past)).all()
    scope = await proof.scope_start(connection)
    missing = []
    if rows and scope is not None:
        checked = {row.mes: row.data_inicio for row in rows}
        for month in whole_months(Window(scope, rows[-1].data_fim), scope, rows[-1].data_fim):
            first = month.inicio.replace(day=1)
            if first not in checked or checked[first] > month.inicio:
                missing.append(first)
    months = [_check(row) for row in rows]
    return Reconciliation(
        completo_em=None if missing else min((month.conferida_em for month in months), default=None),
        igual=bool(months) and not missing and all(month.igual for month in months),
        por_conferir=missing,
        no_bling=sum(month.no_bling.total for month in months),
        no_banco=sum(month.no_banco.total for month in months),
        meses=months,
    )


async def read_proofs(connection: AsyncConnection, now: datetime, names: Collection[str] | None) -> list[Proof]:
    """As dos recursos que se coletam e se conferem mês a mês, fora as notas e os que o aplicativo não pode ler; `names`
    são os que `RECURSOS` pede."""
    return [
        Proof(each.name, each.title.lower(), await read_reconciliation(connection, now, each.name))
        for each in await collected(connection, names)
        if each.emitted is not None
        and each is not NFE
        and await control.checkpoint(connection, control.refused_name(each.name)) is None
    ]


def _check(row: Row[Any]) -> MonthCheck:
    return MonthCheck(
        row.mes,
        row.data_inicio,
        row.data_fim,
        row.conferida_em,
        row.run_id,
        Side(sum(row.no_bling.values()), row.no_bling),
        Side(sum(row.no_banco.values()), row.no_banco),
        row.faltam,
        row.sobram,
        row.diferem,
        row.reparadas,
        igual=row.no_bling == row.no_banco and not (row.faltam or row.sobram or row.diferem),
    )
