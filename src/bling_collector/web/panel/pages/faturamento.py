"""Faturamento: o que as notas de um período somam, ao lado do ano anterior; a página e o que dela se baixa."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from bling_collector.bootstrap import App
from bling_collector.clock import today
from bling_collector.db.core import AsyncEngine
from bling_collector.errors import UsageError
from bling_collector.insight.proof.coverage import load_unproven
from bling_collector.insight.sales.periods import PRESETS, SalesPeriod
from bling_collector.insight.sales.revenue import (
    Revenue,
    load_breakdown,
    load_breakdowns,
    load_period,
    load_revenue,
    load_steps,
    step_of,
)
from bling_collector.web.panel.downloads import csv_answer, xlsx_answer
from bling_collector.web.panel.forms import only
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
_PARAMETERS: Final = ("periodo", "de", "ate", "tabela", "partes")


@dataclass(frozen=True)
class Asked:
    """O que o endereço pede, como foi escrito."""

    periodo: str
    de: str
    ate: str
    tabela: str
    partes: str

    @classmethod
    def of(cls, request: Request) -> "Asked":
        """UsageError para um parâmetro que não existe: ignorá-lo seria mostrar outra coisa que a pedida."""
        return cls(**only(request, _PARAMETERS))

    async def period(self, app: App) -> SalesPeriod:
        found = {"preset": self.periodo or None, "de": self.de or None, "ate": self.ate or None}
        return await load_period(app.engine, today(app.clock), **found)


@router.get("/faturamento")
async def faturamento(request: Request, service: OneService) -> Response:
    async with service.opened() as app:
        try:
            asked = Asked.of(request)
            period = await asked.period(app)
        except UsageError as error:
            query = request.query_params
            return page(
                request,
                "faturamento.html",
                status=error.http_status,
                section="faturamento",
                error=str(error),
                presets=_presets(None),
                de=query.get("de", ""),
                ate=query.get("ate", ""),
                revenue=None,
            )
        if wants_fragment(request.scope) and asked.partes:
            tables = await _parts(app.engine, period)
            return fragment("faturamento.html", "partes", tables=tables, query=query_of(period))
        revenue = await load_revenue(app.engine, period, today(app.clock))
        unproven = await load_unproven(app.engine, list(period.months), today(app.clock))
        parts = await _parts(app.engine, period) if asked.partes else None
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
        asked = Asked.of(request)
        period = await asked.period(app)
        table = await _whole_table(app.engine, period, asked.tabela or STEPS)
    return csv_answer(table, _file(period, table.name))


@router.get("/faturamento.xlsx")
async def faturamento_xlsx(request: Request, service: OneService) -> Response:
    async with service.opened() as app:
        asked = Asked.of(request)
        period = await asked.period(app)
        names = [asked.tabela] if asked.tabela else [STEPS, *BREAKDOWNS]
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
    return [breakdown_table(name, found[name]) for name in BREAKDOWNS]


def _context(revenue: Revenue) -> Mapping[str, Any]:
    period, now, before = revenue.period, revenue.now, revenue.before
    return {
        "revenue": revenue,
        "presets": _presets(period),
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


def _presets(period: SalesPeriod | None) -> list[tuple[str, str, bool]]:
    current = period.preset if period else None
    return [(f"/faturamento?{urlencode({'periodo': name})}", label, name == current) for name, label in PRESETS.items()]


def query_of(period: SalesPeriod) -> str:
    """O período num endereço, sempre o mesmo período amanhã também."""
    return urlencode({"de": period.inicio.isoformat(), "ate": period.fim.isoformat()})


def _file(period: SalesPeriod, name: str) -> str:
    return f"faturamento-{name}-{period.inicio}-a-{period.fim}"
