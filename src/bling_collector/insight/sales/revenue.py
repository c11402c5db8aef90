"""O loader do faturamento e das vendas: o que as notas, ou os pedidos, de um período somam, ao lado do ano anterior."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import RowMapping

from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import one_instant
from bling_collector.db.reports.revenue import (
    NOTAS,
    Bounds,
    Rows,
    Sales,
    read_besides,
    read_bounds,
    read_breakdown,
    read_days,
    read_ends,
)
from bling_collector.insight.sales.periods import (
    ComparedPeriod,
    choose_period,
    in_steps,
    step_of,
)
from bling_collector.insight.sales.situacoes import PAGAMENTOS
from bling_collector.windows import EARLIEST


@dataclass(frozen=True)
class Amount:
    """Quantas vendas e quanto somam; as canceladas e as saídas que não são venda à parte, nunca no valor."""

    vendas: int = 0
    valor: Decimal = Decimal(0)
    canceladas: int = 0
    valor_cancelado: Decimal = Decimal(0)
    valor_a_parte: Decimal = Decimal(0)

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(
            self.vendas + other.vendas,
            self.valor + other.valor,
            self.canceladas + other.canceladas,
            self.valor_cancelado + other.valor_cancelado,
            self.valor_a_parte + other.valor_a_parte,
        )

    @property
    def mean(self) -> Decimal | None:
        """O valor médio de uma venda, ou None se não há venda."""
        return self.valor / self.vendas if self.vendas else None

    @property
    def cancelled_share(self) -> Decimal | None:
        """A parte do que se emitiu que foi cancelada, de 0 a 1; None se nada foi emitido."""
        issued = self.vendas + self.canceladas
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
    """O que a repartição reparte: a UF, o id do contato, o código do produto, a operação…"""
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
    period: ComparedPeriod
    step: str
    """O que cada passo é: `dia`, `mes` ou `ano`."""
    steps: list[Step]
    bounds: Bounds
    today: date
    besides: Mapping[str, tuple[int, Decimal]]
    """As outras notas do período, que aqui não contam: o recurso → quantas, e quanto somam."""
    now: Amount = field(init=False)
    before: Amount = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "now", sum((step.now for step in self.steps), Amount()))
        object.__setattr__(self, "before", sum((step.before for step in self.steps), Amount()))

    @property
    def comparable(self) -> bool:
        """Se o banco já tinha vendas em todo o ano anterior; senão, comparar os totais não diria nada."""
        return self.period.compares(self.bounds.first)


async def load_period(
    engine: AsyncEngine,
    today: date,
    *,
    preset: str | None = None,
    de: str | None = None,
    ate: str | None = None,
    sales: Sales = NOTAS,
) -> ComparedPeriod:
    """O período pedido, com o que ficou em aberto tirado do banco. Os erros de `choose_period`."""
    async with engine.connect() as connection:
        bounds = await read_bounds(connection, sales, EARLIEST, _latest(today))
    return choose_period(preset, de, ate, today=today, first=bounds.first, last=bounds.last)


async def load_first_day(engine: AsyncEngine, today: date, *, sales: Sales = NOTAS) -> date | None:
    """O primeiro dia de que o banco tem vendas; None se não tem nenhuma."""
    async with engine.connect() as connection:
        return (await read_ends(connection, sales, EARLIEST, _latest(today)))[0]


async def load_revenue(engine: AsyncEngine, period: ComparedPeriod, today: date, *, sales: Sales = NOTAS) -> Revenue:
    """O faturamento do período, passo a passo.

    É venda o que o é nas views (vw_nfe_operacoes, vw_pedidos).
    """
    async with one_instant(engine).connect() as connection:
        return await read_revenue(connection, period, today, sales)


async def read_revenue(connection: AsyncConnection, period: ComparedPeriod, today: date, sales: Sales) -> Revenue:
    """O mesmo, numa conexão que já se tem."""
    bounds = await read_bounds(connection, sales, EARLIEST, _latest(today))
    days = await _days(connection, sales, period)
    step = step_of(period)
    others = await read_besides(connection, sales, period.inicio, period.fim)
    besides = {row.recurso: (row.notas, row.valor) for row in others}
    steps = [Step(*each) for each in in_steps(period, days, step, Amount())]
    return Revenue(period, step, steps, bounds, today, besides)


@dataclass(frozen=True)
class SoldLately:
    """O que se vendeu hoje e neste mês até hoje, ao lado dos mesmos dias do ano anterior."""

    today: Amount
    today_before: Amount | None
    """None se o banco ainda não tinha vendas nesse tempo, como em `month_before`."""
    month: Amount
    month_before: Amount | None


async def read_pace(connection: AsyncConnection, today: date, sales: Sales = NOTAS) -> SoldLately | None:
    """Como se vai; None se o banco não tem venda nenhuma."""
    day, month = ComparedPeriod(today, today), ComparedPeriod(today.replace(day=1), today)
    first, _ = await read_ends(connection, sales, EARLIEST, _latest(today))
    if first is None:
        return None
    now, before = [
        [(row.dia, Amount(*row[1:])) for row in await read_days(connection, sales, each.inicio, each.fim)]
        for each in (month, month.year_before)
    ]
    return SoldLately(
        _within(now, day),
        _within(before, day.year_before) if first <= day.year_before.inicio else None,
        _within(now, month),
        _within(before, month.year_before) if first <= month.year_before.inicio else None,
    )


def _within(days: Sequence[tuple[date, Amount]], period: ComparedPeriod) -> Amount:
    return sum((amount for day, amount in days if period.inicio <= day <= period.fim), Amount())


async def load_breakdowns(
    engine: AsyncEngine, period: ComparedPeriod, *, most: int, sales: Sales = NOTAS
) -> dict[str, Breakdown]:
    """O mesmo período repartido de todos os jeitos, com até `most` linhas em cada um, do maior valor ao menor."""
    async with one_instant(engine).connect() as connection:
        return {name: await _breakdown(connection, sales, name, period, most) for name in sales.breakdowns}


async def load_breakdown(engine: AsyncEngine, period: ComparedPeriod, name: str, *, sales: Sales = NOTAS) -> Breakdown:
    """Uma repartição só, inteira."""
    async with engine.connect() as connection:
        return await _breakdown(connection, sales, name, period, None)


async def load_steps(engine: AsyncEngine, period: ComparedPeriod, *, sales: Sales = NOTAS) -> list[Step]:
    """Só os passos do período."""
    async with engine.connect() as connection:
        days = await _days(connection, sales, period)
    return [Step(*each) for each in in_steps(period, days, step_of(period), Amount())]


async def _days(connection: AsyncConnection, sales: Sales, period: ComparedPeriod) -> list[tuple[date, Amount]]:
    """Os dias do período e os do ano anterior."""
    found = await read_days(connection, sales, period.year_before.inicio, period.fim)
    return [(row.dia, Amount(*row[1:])) for row in found]


def _latest(today: date) -> date:
    """Uma nota pode ter data de amanhã; de daqui a mais de um ano, é engano."""
    return today + timedelta(days=366)


async def _breakdown(
    connection: AsyncConnection, sales: Sales, name: str, period: ComparedPeriod, most: int | None
) -> Breakdown:
    found: Rows = await read_breakdown(connection, sales, name, period.inicio, period.fim, most)
    of, whole = (found[0].de, found[0].todo) if found else (0, Decimal(0))
    return Breakdown([_part(row._mapping, _KEYS[name]) for row in found], of, whole)


_KEYS: Final = {
    "ufs": "uf",
    "clientes": "contato_id",
    "produtos": "codigo_produto",
    "pagamentos": "forma_pagamento_id",
    "operacoes": "operacao",
    "canais": "loja_id",
    "vendedores": "vendedor_id",
    "situacoes": "situacao_base_id",
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
