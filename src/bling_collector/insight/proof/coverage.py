"""O loader da cobertura: mês a mês, quanto do que o Bling lista o banco tem; os números são os da conferência."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row

from bling_collector.db import proof
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.reports.coverage import gone_notes, notes_by_id
from bling_collector.db.resources.gaps import Gap
from bling_collector.insight.failures import Failure, Failures, OwedWindow, load_failures
from bling_collector.insight.proof.numbering import load_numbering
from bling_collector.insight.proof.reconciliation import MonthCheck, Reconciliation, load_reconciliation
from bling_collector.insight.sales.periods import month_end, next_month
from bling_collector.insight.sales.situacoes import situacao
from bling_collector.streams.notas.nfe import NFE
from bling_collector.windows import EARLIEST

MOST_NOTES: Final = 200
"""Notas de cada tipo que a página de um mês nomeia; das outras diz quantas são."""


@dataclass(frozen=True)
class MonthCoverage:
    """Um mês do calendário. `state`:

    `igual`: os dois lados são iguais; `vazio`: são, e não têm nota nenhuma; `difere`: a última conferência achou
    diferença; `devido`: há notas ou períodos por buscar; `nunca`: não foi conferido por inteiro; `fora`: é anterior ao
    começo da coleta; `futuro`: ainda não chegou.
    """

    mes: date
    state: str
    agora: int = 0
    """Quantas notas o banco tem neste instante."""
    checked: MonthCheck | None = None
    """A conferência; None sem uma."""
    devidas: int = 0

    @property
    def no_bling(self) -> int | None:
        return self.checked.no_bling.total if self.checked else None

    @property
    def no_banco(self) -> int | None:
        return self.checked.no_banco.total if self.checked else None

    @property
    def held(self) -> Decimal | None:
        """A parte das notas que o Bling lista que o banco tinha na conferência, de 0 a 1; None sem conferência."""
        if self.checked is None:
            return None
        listed = self.checked.no_bling.total
        return Decimal(listed - len(self.checked.faltam)) / listed if listed else Decimal(1)


@dataclass(frozen=True)
class YearCoverage:
    ano: int
    meses: list[MonthCoverage]

    @property
    def no_bling(self) -> int:
        return sum(month.no_bling or 0 for month in self.meses)

    @property
    def no_banco(self) -> int:
        return sum(month.no_banco or 0 for month in self.meses)


@dataclass(frozen=True)
class Coverage:
    """Todos os anos, do mais novo ao mais antigo; `scope` é o começo da coleta, None antes da primeira."""

    scope: date | None
    anos: list[YearCoverage]
    igual: bool
    completo_em: datetime | None
    no_bling: int
    no_banco: int
    states: Counter[str]


@dataclass(frozen=True)
class CitedNota:
    """Uma nota de que a página de um mês fala, e que o banco tem."""

    id: int
    numero: str | None
    data_emissao: datetime | None
    situacao: int | None
    contato_nome: str | None
    total_nota: Decimal | None


@dataclass(frozen=True)
class SituationCount:
    """As notas numa situação: na conferência, no Bling e no banco; e no banco neste instante."""

    situacao: str
    nome: str
    no_bling: int
    no_banco: int
    agora: int


@dataclass(frozen=True)
class MonthDetails:
    """Um mês por dentro."""

    month: MonthCoverage
    scope: date | None
    situacoes: list[SituationCount]
    known: Mapping[int, CitedNota]
    """As que o banco tem, por id, das que a conferência diz que diferem."""
    excluidas: list[CitedNota]
    excluidas_de: int
    pendencias: list[Failure] = field(default_factory=list)
    janelas: list[OwedWindow] = field(default_factory=list)


async def load_coverage(engine: AsyncEngine, today: date) -> Coverage:
    """A cobertura de toda a história, do que a conferência guardou e do que o banco tem; o Bling não é perguntado."""
    facts = await _load_facts(engine, today, EARLIEST, month_end(today))
    first = min(filter(None, [facts.scope, *facts.counts, *facts.checked]), default=None)
    if first is None:
        return Coverage(None, [], igual=False, completo_em=None, no_bling=0, no_banco=0, states=Counter())
    last = max([today, *facts.checked]).year
    years = [
        YearCoverage(year, [facts.month(date(year, m, 1)) for m in range(1, 13)])
        for year in range(last, first.year - 1, -1)
    ]
    proven = facts.reconciliation
    return Coverage(
        facts.scope,
        years,
        igual=proven.igual,
        completo_em=proven.completo_em,
        no_bling=proven.no_bling,
        no_banco=proven.no_banco,
        states=Counter(month.state for year in years for month in year.meses),
    )


async def load_unproven(engine: AsyncEngine, months: Iterable[date], today: date) -> list[MonthCoverage]:
    """Destes meses, os que não estão provados: diferem, têm o que buscar, ou não foram conferidos por inteiro. Os de
    antes do começo da coleta não se contam: quem os diz é `load_scope`."""
    wanted = set(months)
    found = await load_coverage(engine, today)
    unproven = ("difere", "devido", "nunca")
    return [month for year in found.anos for month in year.meses if month.mes in wanted and month.state in unproven]


async def load_scope(engine: AsyncEngine) -> date | None:
    """O primeiro dia do que se coletou; None antes da primeira coleta."""
    async with engine.connect() as connection:
        return await proof.scope_start(connection)


async def load_month_coverage(engine: AsyncEngine, month: date, today: date) -> MonthDetails:
    """O mês que começa em `month`."""
    facts = await _load_facts(engine, today, month, month_end(month))
    cell = facts.month(month)
    ids = [id_ for kind in cell.checked.differences.values() for id_ in kind[:MOST_NOTES]] if cell.checked else []
    async with engine.connect() as connection:
        known = await notes_by_id(connection, ids)
        gone = await gone_notes(connection, month, month_end(month), MOST_NOTES)
    return MonthDetails(
        cell,
        facts.scope,
        _by_situation(cell.checked, facts.counts.get(month, Counter())),
        known={id_: _cited(row) for id_, row in known.items()},
        excluidas=[_cited(row) for row in gone],
        excluidas_de=gone[0].de if gone else 0,
        pendencias=[row for row in facts.failures.pendencias if _failed_in(row, month)],
        janelas=[row for row in facts.failures.janelas if _owed_in(row, month)],
    )


def _cited(row: Row[Any]) -> CitedNota:
    return CitedNota(row.id, row.numero, row.data_emissao, row.situacao, row.contato_nome, row.total_nota)


async def load_month_gaps(engine: AsyncEngine, month: date) -> list[tuple[int, Gap]]:
    """As lacunas sem explicação que tocam o mês, cada uma com a sua série: uma das notas dos dois lados é dele."""
    last = month_end(month)
    return [
        (serie.serie, gap)
        for serie in await load_numbering(engine)
        for gap in serie.sem_explicacao
        if any(side.data_emissao and month <= side.data_emissao.date() <= last for side in (gap.antes, gap.depois))
    ]


@dataclass(frozen=True)
class _Facts:
    today: date
    reconciliation: Reconciliation
    checked: dict[date, MonthCheck]
    counts: dict[date, Counter[str]]
    scope: date | None
    failures: Failures

    def month(self, month: date) -> MonthCoverage:
        checked = self.checked.get(month)
        owed = sum(_failed_in(row, month) for row in self.failures.pendencias)
        owed += sum(_owed_in(row, month) for row in self.failures.janelas)
        agora = self.counts.get(month, Counter()).total()
        return MonthCoverage(month, self._state(month, checked, owed), agora, checked, owed)

    def _state(self, month: date, checked: MonthCheck | None, owed: int) -> str:
        if month > self.today:
            return "futuro"
        if owed:
            return "devido"
        if checked is None:
            return "fora" if self.scope is None or next_month(month) <= self.scope else "nunca"
        if month in self.reconciliation.por_conferir:
            return "nunca"
        if not checked.igual:
            return "difere"
        return "igual" if checked.no_bling.total else "vazio"


async def _load_facts(engine: AsyncEngine, today: date, inicio: date, fim: date) -> _Facts:
    reconciliation = await load_reconciliation(engine)
    failures = await load_failures(engine)
    async with engine.connect() as connection:
        counts = await proof.count_held(connection, NFE.kept, inicio, fim)
        scope = await proof.scope_start(connection)
    checked = {row.mes: row for row in reconciliation.meses}
    return _Facts(today, reconciliation, checked, counts, scope, failures)


def _by_situation(checked: MonthCheck | None, now: Mapping[str, int]) -> list[SituationCount]:
    """Cada situação que um dos lados tem."""
    there: Mapping[str, int] = checked.no_bling.situacoes if checked else {}
    here: Mapping[str, int] = checked.no_banco.situacoes if checked else {}
    return [
        SituationCount(
            code,
            situacao(int(code) if code.isdecimal() else None),
            there.get(code, 0),
            here.get(code, 0),
            now.get(code, 0),
        )
        for code in _in_order({*there, *here, *now})
    ]


def _in_order(codes: Iterable[str]) -> list[str]:
    return sorted(codes, key=lambda code: (not code.isdecimal(), int(code) if code.isdecimal() else 0))


def _failed_in(failure: Failure, month: date) -> bool:
    day = failure.data_emissao
    return failure.recurso == NFE.name and day is not None and month <= day <= month_end(month)


def _owed_in(window: OwedWindow, month: date) -> bool:
    return window.recurso == NFE.name and window.data_inicio <= month_end(month) and window.data_fim >= month
