"""Faturamento: o que as notas de um período somam, ao lado do ano anterior; a página e o que dela se baixa."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bling_collector.clock import today
from bling_collector.db.core import AsyncEngine
from bling_collector.errors import UsageError
from bling_collector.insight.proof.coverage import load_unproven
from bling_collector.insight.sales.periods import SalesPeriod
from bling_collector.insight.sales.revenue import (
    Revenue,
    load_breakdown,
    load_breakdowns,
    load_revenue,
    load_steps,
    step_of,
)
from bling_collector.web.panel.downloads import csv_answer, xlsx_answer
from bling_collector.web.panel.forms import only
from bling_collector.web.panel.periods import PARAMETERS, presets_of, query_of, read_period
from bling_collector.web.panel.render import fragment, page, wants_fragment
from bling_collector.web.panel.revenue_tables import (
    BREAKDOWNS,
    COUNTS_AS_SALE,
    STEPS,
    breakdown_table,
    change,
    charts,
    steps_table,
)
from bling_collector.web.panel.tables import Table
from bling_collector.web.service import OneService
from bling_collector.words import day

router = APIRouter(include_in_schema=False)
TOP: Final = 10
"""Linhas de cada repartição na página; o que se baixa tem todas."""
_PARAMETERS: Final = (*PARAMETERS, "tabela", "partes")


@router.get("/faturamento")
async def faturamento(request: Request, service: OneService) -> Response:
    async with service.opened() as app:
        try:
            asked = only(request, _PARAMETERS)
            period = await read_period(app, asked)
        except UsageError as error:
            query = request.query_params
            return page(
                request,
                "faturamento.html",
                status=error.http_status,
                section="faturamento",
                error=str(error),
                presets=presets_of("/faturamento", None),
                de=query.get("de", ""),
                ate=query.get("ate", ""),
                revenue=None,
            )
        if wants_fragment(request.scope) and asked["partes"]:
            tables = await _parts(app.engine, period)
            return fragment("faturamento.html", "partes", tables=tables, query=query_of(period))
        revenue = await load_revenue(app.engine, period, today(app.clock))
        unproven = await load_unproven(app.engine, list(period.months), today(app.clock))
        parts = await _parts(app.engine, period) if asked["partes"] else None
    return page(
        request,
        "faturamento.html",
        section="faturamento",
        error=None,
        unproven=unproven,
        tables=parts,
        query=query_of(period),
        **_context(revenue),
    )


@router.get("/faturamento.csv")
async def faturamento_csv(request: Request, service: OneService) -> Response:
    async with service.opened() as app:
        asked = only(request, _PARAMETERS)
        period = await read_period(app, asked)
        table = await _whole_table(app.engine, period, asked["tabela"] or STEPS)
    return csv_answer(table, _file(period, table.name))


@router.get("/faturamento.xlsx")
async def faturamento_xlsx(request: Request, service: OneService) -> Response:
    async with service.opened() as app:
        asked = only(request, _PARAMETERS)
        period = await read_period(app, asked)
        names = [asked["tabela"]] if asked["tabela"] else [STEPS, *BREAKDOWNS]
        tables = [await _whole_table(app.engine, period, name) for name in names]
    title = f"Faturamento de {day(period.inicio)} a {day(period.fim)}"
    name = tables[0].name if len(tables) == 1 else "completo"
    return await xlsx_answer(tables, [title, COUNTS_AS_SALE], _file(period, name))


async def _whole_table(engine: AsyncEngine, period: SalesPeriod, name: str) -> Table:
    if name == STEPS:
        return steps_table(await load_steps(engine, period), step_of(period))
    if name not in BREAKDOWNS:
        raise UsageError(f"Não há uma tabela chamada “{name[:40]}”. As que há: {', '.join([STEPS, *BREAKDOWNS])}.")
    return breakdown_table(name, await load_breakdown(engine, period, name))


async def _parts(engine: AsyncEngine, period: SalesPeriod) -> list[Table]:
    """As repartições, que somam itens e parcelas e demoram mais: a página as pede depois de aparecer."""
    found = await load_breakdowns(engine, period, most=TOP)
    return [breakdown_table(name, found[name], query_of(period)) for name in BREAKDOWNS]


def _context(revenue: Revenue) -> Mapping[str, Any]:
    period, now, before = revenue.period, revenue.now, revenue.before
    return {
        "revenue": revenue,
        "presets": presets_of("/faturamento", period),
        "de": period.inicio.isoformat(),
        "ate": period.fim.isoformat(),
        "charts": charts(revenue),
        "steps": steps_table(revenue.steps, revenue.step),
        "counts_as_sale": COUNTS_AS_SALE,
        "comparable": revenue.comparable,
        "value_change": change(now.valor, before.valor),
        "notes_change": change(now.notas, before.notas),
        "bounds": revenue.bounds,
    }


def _file(period: SalesPeriod, name: str) -> str:
    return f"faturamento-{name}-{period.inicio}-a-{period.fim}"
