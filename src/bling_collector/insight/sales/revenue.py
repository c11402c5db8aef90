"""O loader do faturamento: o que as notas de um período somam, ao lado do mesmo período do ano anterior."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import RowMapping

from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.resources.revenue import (
    BREAKDOWNS,
    Bounds,
    Rows,
    read_bounds,
    read_breakdown,
    read_days,
    snapshot,
)
from bling_collector.insight.sales.periods import SalesPeriod, choose_period
from bling_collector.insight.sales.situacoes import PAGAMENTOS
from bling_collector.windows import EARLIEST

BY_DAY_UP_TO = 31
BY_MONTH_UP_TO = 84
"""Meses: sete anos deles ainda cabem lado a lado; mais que isso se mostra por ano."""


@dataclass(frozen=True)
class Amount:
    """Quantas vendas e quanto somam; as canceladas e as saídas que não são venda à parte, nunca no valor."""

    notas: int = 0
    valor: Decimal = Decimal(0)
    canceladas: int = 0
    valor_cancelado: Decimal = Decimal(0)
    valor_a_parte: Decimal = Decimal(0)

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(
            self.notas + other.notas,
            self.valor + other.valor,
            self.canceladas + other.canceladas,
            self.valor_cancelado + other.valor_cancelado,
            self.valor_a_parte + other.valor_a_parte,
        )

    @property
    def mean(self) -> Decimal | None:
        """O valor médio de uma nota, ou None se não há nota."""
        return self.valor / self.notas if self.notas else None

    @property
    def cancelled_share(self) -> Decimal | None:
        """A parte das notas emitidas que foi cancelada, de 0 a 1; None se nada foi emitido."""
        issued = self.notas + self.canceladas
        return Decimal(self.canceladas) / issued if issued else None


@dataclass(frozen=True)
class Step:
    """Um dia, um mês ou um ano do período, ao lado do mesmo do ano anterior."""

    inicio: date
    now: Amount
    before: Amount


@dataclass(frozen=True)
class Part:
    """Uma linha de uma repartição; o que a repartição não conta é zero."""

    key: str | int | None
    """A UF, o id do contato, o código do produto, o id da forma de pagamento ou a operação."""
    nome: str | None
    amount: Amount
    documento: str | None = None
    categoria: str | None = None
    quantidade: Decimal = Decimal(0)
    parcelas: int = 0
    produto_id: int | None = None
    """O produto que tem o código, se algum tem."""


@dataclass(frozen=True)
class Breakdown:
    """As linhas, da maior à menor; quantas há ao todo, e quanto todas somam."""

    rows: list[Part]
    of: int
    whole: Decimal


@dataclass(frozen=True)
class Revenue:
    period: SalesPeriod
    step: str
    """O que cada passo é: `dia`, `mes` ou `ano`."""
    steps: list[Step]
    bounds: Bounds
    now: Amount = field(init=False)
    before: Amount = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "now", sum((step.now for step in self.steps), Amount()))
        object.__setattr__(self, "before", sum((step.before for step in self.steps), Amount()))

    @property
    def comparable(self) -> bool:
        """Se o banco já tinha notas em todo o ano anterior; senão, comparar os totais não diria nada."""
        first = self.bounds.first
        return first is not None and first <= self.period.year_before.inicio + timedelta(days=31)


async def load_period(
    engine: AsyncEngine, today: date, *, preset: str | None = None, de: str | None = None, ate: str | None = None
) -> SalesPeriod:
    """O período pedido, com o que ficou em aberto tirado do banco. Os erros de `choose_period`."""
    async with engine.connect() as connection:
        bounds = await read_bounds(connection, EARLIEST, _latest(today))
    return choose_period(preset, de, ate, today=today, first=bounds.first, last=bounds.last)


async def load_revenue(engine: AsyncEngine, period: SalesPeriod, today: date) -> Revenue:
    """O faturamento do período, passo a passo.

    É venda o que o é nas views (vw_nfe_operacoes).
    """
    async with snapshot(engine).connect() as connection:
        return await read_revenue(connection, period, today)


async def read_revenue(
    connection: AsyncConnection,
    period: SalesPeriod,
    today: date,
    *,
    contato_id: int | None = None,
    codigo: str | None = None,
) -> Revenue:
    """O mesmo, de tudo ou só de um cliente, ou de um SKU; `bounds` é sempre o que o banco tem."""
    bounds = await read_bounds(connection, EARLIEST, _latest(today))
    days = await _days(connection, period, contato_id=contato_id, codigo=codigo)
    step = step_of(period)
    return Revenue(period, step, _steps(period, days, step), bounds)


async def load_breakdowns(engine: AsyncEngine, period: SalesPeriod, *, most: int) -> dict[str, Breakdown]:
    """O mesmo período repartido de todos os jeitos, com até `most` linhas em cada um, do maior valor ao menor."""
    async with snapshot(engine).connect() as connection:
        return {name: await _breakdown(connection, name, period, most) for name in BREAKDOWNS}


async def load_breakdown(engine: AsyncEngine, period: SalesPeriod, name: str) -> Breakdown:
    """Uma repartição só, inteira."""
    async with engine.connect() as connection:
        return await _breakdown(connection, name, period, None)


async def load_steps(engine: AsyncEngine, period: SalesPeriod) -> list[Step]:
    """Só os passos do período."""
    async with engine.connect() as connection:
        return _steps(period, await _days(connection, period), step_of(period))


async def _days(
    connection: AsyncConnection, period: SalesPeriod, *, contato_id: int | None = None, codigo: str | None = None
) -> list[tuple[date, Amount]]:
    """Os dias do período e os do ano anterior."""
    inicio, fim = period.year_before.inicio, period.fim
    found = await read_days(connection, inicio, fim, contato_id=contato_id, codigo=codigo)
    return [(row.dia, Amount(*row[1:])) for row in found]


def _latest(today: date) -> date:
    """Uma nota pode ter data de amanhã; de daqui a mais de um ano, é engano."""
    return today + timedelta(days=366)


def step_of(period: SalesPeriod) -> str:
    """O passo que deixa o período legível."""
    if (period.fim - period.inicio).days < BY_DAY_UP_TO:
        return "dia"
    return "mes" if len(list(period.months)) <= BY_MONTH_UP_TO else "ano"


def _steps(period: SalesPeriod, days: Sequence[tuple[date, Amount]], step: str) -> list[Step]:
    """Os passos do período, também os vazios; cada dia do ano anterior cai no passo em que ele cairia um ano depois."""
    earlier = period.year_before
    now = _grouped(((day, amount) for day, amount in days if period.inicio <= day <= period.fim), step)
    before = _grouped(
        ((_a_year_later(day, period.fim), a) for day, a in days if earlier.inicio <= day <= earlier.fim), step
    )
    return [Step(first, now.get(first, Amount()), before.get(first, Amount())) for first in _firsts(period, step)]


def _firsts(period: SalesPeriod, step: str) -> list[date]:
    if step == "dia":
        return [period.inicio + timedelta(days=n) for n in range((period.fim - period.inicio).days + 1)]
    if step == "mes":
        return list(period.months)
    return [date(year, 1, 1) for year in range(period.inicio.year, period.fim.year + 1)]


def _grouped(days: Iterable[tuple[date, Amount]], step: str) -> dict[date, Amount]:
    sums: dict[date, Amount] = {}
    for day, amount in days:
        first = {"dia": day, "mes": day.replace(day=1), "ano": day.replace(month=1, day=1)}[step]
        sums[first] = sums.get(first, Amount()) + amount
    return sums


def _a_year_later(day: date, last: date) -> date:
    """29 de fevereiro cai em 28; nada cai depois do fim do período."""
    try:
        later = day.replace(year=day.year + 1)
    except ValueError:
        later = day.replace(year=day.year + 1, day=28)
    return min(later, last)


async def _breakdown(connection: AsyncConnection, name: str, period: SalesPeriod, most: int | None) -> Breakdown:
    found: Rows = await read_breakdown(connection, name, period.inicio, period.fim, most)
    of, whole = (found[0].de, found[0].todo) if found else (0, Decimal(0))
    return Breakdown([_part(row._mapping, _KEYS[name]) for row in found], of, whole)


_KEYS: Final = {
    "ufs": "uf",
    "clientes": "contato_id",
    "produtos": "codigo_produto",
    "pagamentos": "forma_pagamento_id",
    "operacoes": "operacao",
}
"""A coluna por que cada repartição reparte."""


def _part(row: RowMapping, key: str) -> Part:
    nome = row.get("nome")
    if "tipo_pagamento" in row:
        nome = row["descricao"] or PAGAMENTOS.get(row["tipo_pagamento"])
    amounts = {each.name: row[each.name] for each in fields(Amount) if each.name in row}
    others = {
        name: row[name] for name in ("documento", "categoria", "quantidade", "parcelas", "produto_id") if name in row
    }
    return Part(row[key], nome, Amount(**amounts), **others)
