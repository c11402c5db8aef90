"""O resumo do dia, a quem ALERT_URLS diz: o que se vendeu, o que se espera, o que pede atenção e se os dados são
verdade. Não leva o nome de ninguém."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.clock import brasilia_day
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.reports.orders import PEDIDOS
from bling_collector.db.reports.revenue import NOTAS, Sales
from bling_collector.insight.attention import Signal, load_attention
from bling_collector.insight.finance.money import load_sides
from bling_collector.insight.recursos import load_collected, load_followed
from bling_collector.insight.sales.periods import ComparedPeriod
from bling_collector.insight.sales.revenue import Revenue, load_revenue
from bling_collector.insight.situation import load_judged
from bling_collector.words import day, money, percent, plural

_DAY: Final = timedelta(days=1)
_SOLD: Final[tuple[tuple[str, Sales, str, str], ...]] = (
    ("nfe", NOTAS, "nota", "notas"),
    ("pedidos_venda", PEDIDOS, "pedido", "pedidos"),
)
"""De que saem as vendas: do primeiro que se coleta."""
_WHAT: Final = {
    "clientes-parados": ("cliente", "clientes"),
    "produtos-em-queda": ("produto", "produtos"),
    "cancelamentos": ("nota", "notas"),
    "receber-vencidas": ("cliente", "clientes"),
    "pagar-vencidas": ("fornecedor", "fornecedores"),
    "estoque-acaba": ("produto", "produtos"),
}
"""O que é cada linha de um sinal."""


async def compose(
    engine: AsyncEngine, cipher: TokenCipher, now: datetime, *, no_run_hours: int, recursos: Collection[str] | None
) -> tuple[str, str]:
    """O título e o texto do resumo; o dia de que se fala é o de ontem, em Brasília."""
    today = brasilia_day(now)
    on = await load_collected(engine, recursos)
    said = await load_judged(engine, cipher, now, no_run_hours=no_run_hours, recursos=recursos)
    parts = [
        *await _sold(engine, on, today),
        *await _expected(engine, recursos, now),
        *await _attention(engine, recursos, today),
        f"Os dados: {said.verdict.sentence}",
    ]
    return f"Coletor Bling: o resumo de {day(today - _DAY)}", "\n".join(parts)


async def _sold(engine: AsyncEngine, on: Collection[str], today: date) -> list[str]:
    yesterday = today - _DAY
    for name, sales, one, many in _SOLD:
        if name in on:
            of_day = await load_revenue(engine, ComparedPeriod(yesterday, yesterday), today, sales=sales)
            month = ComparedPeriod(yesterday.replace(day=1), yesterday)
            of_month = await load_revenue(engine, month, today, sales=sales)
            return [
                f"Vendas de {day(yesterday)}: {_beside(of_day, one, many)}",
                f"No mês, até esse dia: {_beside(of_month, one, many)}",
            ]
    return []


def _beside(revenue: Revenue, one: str, many: str) -> str:
    """O que se vendeu, ao lado dos mesmos dias do ano anterior, se o banco já os tinha."""
    now, before = revenue.now, revenue.before
    said = f"{plural(now.vendas, one, many)}, {money(now.valor)}"
    if not revenue.comparable:
        return f"{said}."
    change = f" ({_signed(now.valor / before.valor - 1)})" if before.valor else ""
    year = revenue.period.year_before.fim.year
    return f"{said}; em {year}, {plural(before.vendas, one, many)}, {money(before.valor)}{change}."


def _signed(change: Decimal) -> str:
    return f"{'+' if change > 0 else ''}{percent(change)}"


async def _expected(engine: AsyncEngine, recursos: Collection[str] | None, now: datetime) -> list[str]:
    lados = {"contas_receber": "A receber", "contas_pagar": "A pagar"}
    found = await load_followed(engine, recursos, lados, now)
    on = {each.recurso for each in found if each.coletado and each.lido}
    if not on:
        return []
    return [
        f"{lados[f'contas_{side.lado}']}: {money(side.em_aberto)} em aberto, de que {money(side.vencido)} já venceram."
        for side in await load_sides(engine, brasilia_day(now))
        if f"contas_{side.lado}" in on
    ]


async def _attention(engine: AsyncEngine, recursos: Collection[str] | None, today: date) -> list[str]:
    found = await load_attention(engine, today, recursos, most=1)
    said = [f"- {signal.rule.title}: {_figure(signal)}" for signal in found.signals if signal.rows]
    return ["Pede atenção:", *said] if said else ["Nada pede atenção."]


def _figure(signal: Signal) -> str:
    if signal.name == "concentracao":
        return f"o maior cliente faz {percent(signal.rows[0].parte)} das vendas de 12 meses."
    count = plural(signal.of, *_WHAT[signal.name])
    return f"{count}, {money(signal.rows[0].todo)}." if signal.rows[0].todo is not None else f"{count}."
