"""A conferência guardada: o que se conferiu, e quando."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, ColumnElement, Row, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from bling_collector.clock import DOUBT
from bling_collector.db import control, proof
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.models import conferencias, conferencias_inteiras
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
class Proven:
    """As conferências de um recurso juntas, como em `Reconciliation`; dos meses, só os que diferem."""

    completo_em: datetime | None
    mais_nova: datetime | None
    por_conferir: list[date]
    no_bling: int
    no_banco: int
    different: list[MonthCheck]


@dataclass(frozen=True)
class WholeCheck:
    """A última leitura inteira de um recurso que não tem data do negócio."""

    conferida_em: datetime
    no_bling: Side
    no_banco: Side
    faltam: list[str]
    sobram: list[str]
    diferem: list[str]

    @property
    def igual(self) -> bool:
        """Se os dois lados têm os mesmos registros, e a listagem os mostra como o banco os tem."""
        return not (self.faltam or self.sobram or self.diferem)


@dataclass(frozen=True)
class Proof:
    """A conferência de um recurso que se coleta além das notas."""

    recurso: str
    titulo: str
    """Como as pessoas chamam os registros dele, sem maiúscula."""
    found: Proven


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
    found = (await _read_proven(connection, now, [recurso]))[recurso]
    past = select(conferencias).where(_C.recurso == recurso, _C.conferida_em <= now + DOUBT).order_by(_C.mes)
    months = [_check(row) for row in await connection.execute(past)]
    return Reconciliation(
        completo_em=found.completo_em,
        igual=found.completo_em is not None and not found.different,
        por_conferir=found.por_conferir,
        no_bling=found.no_bling,
        no_banco=found.no_banco,
        meses=months,
    )


_C: Final = conferencias.c
_SAME: Final = literal_column(
    "(no_bling = no_banco AND cardinality(faltam) + cardinality(sobram) + cardinality(diferem) = 0)", Boolean
)


def _total(side: ColumnElement[Any]) -> ColumnElement[int]:
    """Quantos registros tem um lado, de todas as situações, em todos os meses."""
    count = cast(func.jsonb_each_text(side).table_valued("key", "value").c.value, BigInteger)
    return cast(func.coalesce(func.sum(select(func.sum(count)).scalar_subquery()), 0), BigInteger)


_JOINED: Final = (
    select(
        _C.recurso,
        func.array_agg(aggregate_order_by(_C.mes, _C.mes)).label("meses"),
        func.array_agg(aggregate_order_by(_C.data_inicio, _C.mes)).label("inicios"),
        func.max(_C.data_fim).label("fim"),
        func.min(_C.conferida_em).label("mais_antiga"),
        func.max(_C.conferida_em).label("mais_nova"),
        _total(_C.no_bling).label("no_bling"),
        _total(_C.no_banco).label("no_banco"),
        func.bool_and(_SAME).label("igual"),
        proof.SCOPE_START.label("desde"),
    )
    .where(_C.recurso.in_(bindparam("recursos", expanding=True)), _C.conferida_em <= bindparam("until"))
    .group_by(_C.recurso)
)
_DIFFERENT: Final = (
    select(conferencias)
    .where(_C.recurso == bindparam("which"), _C.conferida_em <= bindparam("until"), ~_SAME)
    .order_by(_C.mes)
)


async def _read_proven(connection: AsyncConnection, now: datetime, recursos: Collection[str]) -> dict[str, Proven]:
    """As de cada um destes recursos, juntas num comando; os meses que diferem, que são poucos, à parte."""
    until, found = now + DOUBT, dict.fromkeys(recursos, Proven(None, None, [], 0, 0, []))
    for row in (await connection.execute(_JOINED, {"recursos": list(recursos), "until": until})).all():
        which = {"which": row.recurso, "until": until}
        different = [] if row.igual else [_check(each) for each in await connection.execute(_DIFFERENT, which)]
        missing = _missing(dict(zip(row.meses, row.inicios, strict=True)), row.desde, row.fim)
        oldest = None if missing else row.mais_antiga
        found[row.recurso] = Proven(oldest, row.mais_nova, missing, row.no_bling, row.no_banco, different)
    return found


def _missing(checked: Mapping[date, date], scope: date | None, until: date) -> list[date]:
    """Os meses, desde o começo da coleta, que nenhuma conferência (mês → o primeiro dia conferido) cobriu inteiros."""
    months = whole_months(Window(scope, until), scope, until) if scope is not None else []
    each = ((month.inicio.replace(day=1), month.inicio) for month in months)
    return [first for first, start in each if first not in checked or checked[first] > start]


async def read_whole_check(connection: AsyncConnection, recurso: str, now: datetime) -> WholeCheck | None:
    """A do recurso; None se nenhuma o leu inteiro, ou se é de um futuro."""
    c = conferencias_inteiras.c
    found = select(conferencias_inteiras).where(c.recurso == recurso, c.conferida_em <= now + DOUBT)
    row = (await connection.execute(found)).one_or_none()
    if row is None:
        return None
    there, here = (Side(sum(each.values()), each) for each in (row.no_bling, row.no_banco))
    return WholeCheck(row.conferida_em, there, here, row.faltam, row.sobram, row.diferem)


async def read_proofs(
    connection: AsyncConnection, now: datetime, names: Collection[str] | None
) -> tuple[Proven, list[Proof]]:
    """A das notas, e as dos outros recursos que se coletam e se conferem mês a mês, fora os que o aplicativo não pode
    ler; `names` são os que `RECURSOS` pede."""
    dated = [each for each in await collected(connection, names) if each.emitted is not None and each is not NFE]
    read = await control.all_checkpoints(connection) if dated else {}
    others = [each for each in dated if control.refused_name(each.name) not in read]
    found = await _read_proven(connection, now, [NFE.name, *(each.name for each in others)])
    return found[NFE.name], [Proof(each.name, each.title.lower(), found[each.name]) for each in others]


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
