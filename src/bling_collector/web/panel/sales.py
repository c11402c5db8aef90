"""Faturamento e Vendas: o que as notas, ou os pedidos, de um período somam, ao lado do ano anterior; e os arquivos."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request, Response

from bling_collector.clock import today
from bling_collector.db.core import AsyncEngine
from bling_collector.errors import UsageError
from bling_collector.insight.proof.coverage import load_unproven
from bling_collector.insight.recursos import Followed, differs, load_recurso
from bling_collector.insight.sales.periods import PRESETS, SalesPeriod, step_of
from bling_collector.insight.sales.revenue import (
    Revenue,
    load_breakdown,
    load_breakdowns,
    load_period,
    load_revenue,
    load_steps,
)
from bling_collector.streams.notas.nfe import NFE
from bling_collector.web.panel.downloads import csv_file, xlsx_file
from bling_collector.web.panel.render import fragment, page, wants_fragment
from bling_collector.web.panel.tables.revenue import STEPS, Told, breakdown_table, change, charts, steps_table
from bling_collector.web.panel.tables.table import Table
from bling_collector.web.service import Service
from bling_collector.words import day, money, percent, plural
from bling_collector.workplace.account import Account

TOP: Final = 10
"""Linhas de cada repartição na página; o que se baixa tem todas."""
_PARAMETERS: Final = ("periodo", "de", "ate", "tabela", "partes")
_TEMPLATE: Final = "vendas.html"


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
        query = request.query_params
        if strange := sorted(set(query) - set(_PARAMETERS)):
            raise UsageError(f"Esta página não conhece o filtro “{strange[0][:40]}”.")
        return cls(**{name: query.get(name, "").strip() for name in _PARAMETERS})

    async def period(self, account: Account, told: Told) -> SalesPeriod:
        found = {"preset": self.periodo or None, "de": self.de or None, "ate": self.ate or None}
        return await load_period(account.engine, today(account.clock), **found, sales=told.sales)


async def show(request: Request, service: Service, told: Told) -> Response:
    """A página; ou só as repartições, se é o que se pede."""
    async with service.opened() as account:
        try:
            asked = Asked.of(request)
            period = await asked.period(account, told)
        except UsageError as error:
            query = request.query_params
            return page(
                request,
                _TEMPLATE,
                status=error.http_status,
                section=told.section,
                told=told,
                error=str(error),
                presets=_presets(told, None),
                de=query.get("de", ""),
                ate=query.get("ate", ""),
                revenue=None,
            )
        if wants_fragment(request.scope) and asked.partes:
            tables = await _parts(account.engine, told, period)
            return fragment(_TEMPLATE, "partes", told=told, tables=tables, query=query_of(period))
        revenue = await load_revenue(account.engine, period, today(account.clock), sales=told.sales)
        recurso = await load_recurso(account.engine, account.settings.recursos, told.recurso, account.clock.now())
        doubt = await _doubt(account, told, recurso, period)
        parts = await _parts(account.engine, told, period) if asked.partes else None
    return page(
        request,
        _TEMPLATE,
        section=told.section,
        told=told,
        error=None,
        recurso=recurso,
        doubt=doubt,
        tables=parts,
        query=query_of(period),
        **_context(told, revenue),
    )


async def csv(request: Request, service: Service, told: Told) -> Response:
    async with service.opened() as account:
        asked = Asked.of(request)
        period = await asked.period(account, told)
        table = await _whole_table(account.engine, told, period, asked.tabela or STEPS)
    return csv_file(table, _file_name(told, table.name, period))


async def xlsx(request: Request, service: Service, told: Told) -> Response:
    async with service.opened() as account:
        asked = Asked.of(request)
        period = await asked.period(account, told)
        names = [asked.tabela] if asked.tabela else [STEPS, *told.breakdowns]
        tables = [await _whole_table(account.engine, told, period, name) for name in names]
    about = [f"{told.title} de {day(period.inicio)} a {day(period.fim)}", told.counts]
    name = tables[0].name if len(tables) == 1 else "completo"
    return await xlsx_file(tables, about, _file_name(told, name, period))


def query_of(period: SalesPeriod) -> str:
    """O período num endereço, sempre o mesmo período amanhã também."""
    return urlencode({"de": period.inicio.isoformat(), "ate": period.fim.isoformat()})


async def _doubt(account: Account, told: Told, recurso: Followed, period: SalesPeriod) -> str | None:
    """Por que os números ainda podem mudar."""
    if told.recurso != NFE.name:
        owed = recurso.pendencias + recurso.janelas
        return "Há pedidos por buscar, ou meses que diferem do Bling." if owed or differs(recurso) else None
    unproven = await load_unproven(account.engine, list(period.months), today(account.clock))
    if not unproven:
        return None
    said = plural(
        len(unproven),
        "mês deste período difere do Bling, tem o que buscar ou não foi conferido",
        "meses deste período diferem do Bling, têm o que buscar ou não foram conferidos",
    )
    return f"{said}."


async def _whole_table(engine: AsyncEngine, told: Told, period: SalesPeriod, name: str) -> Table:
    if name == STEPS:
        steps = await load_steps(engine, period, sales=told.sales)
        return steps_table(steps, step_of(period), told, period)
    if name not in told.breakdowns:
        offered = ", ".join([STEPS, *told.breakdowns])
        raise UsageError(f"Não há uma tabela chamada “{name[:40]}”. As que há: {offered}.")
    return breakdown_table(name, await load_breakdown(engine, period, name, sales=told.sales), told, period)


async def _parts(engine: AsyncEngine, told: Told, period: SalesPeriod) -> list[Table]:
    """As repartições, que somam itens e parcelas e demoram mais: a página as pede depois de aparecer."""
    found = await load_breakdowns(engine, period, most=TOP, sales=told.sales)
    return [breakdown_table(name, found[name], told, period) for name in told.breakdowns]


def _context(told: Told, revenue: Revenue) -> Mapping[str, Any]:
    period, now, before = revenue.period, revenue.now, revenue.before
    return {
        "revenue": revenue,
        "presets": _presets(told, period),
        "de": period.inicio.isoformat(),
        "ate": period.fim.isoformat(),
        "charts": charts(revenue, told),
        "steps": steps_table(revenue.steps, revenue.step, told, period),
        "comparable": revenue.comparable,
        "answer": _answer(told, revenue),
        "value_change": change(now.valor, before.valor),
        "count_change": change(now.vendas, before.vendas),
        "bounds": revenue.bounds,
    }


def _answer(told: Told, revenue: Revenue) -> str:
    """Quanto se vendeu no período, e o que isso é ao lado do ano anterior."""
    now, period = revenue.now, revenue.period
    sold = f"De {day(period.inicio)} a {day(period.fim)} " + (
        f"venderam-se {money(now.valor)} em {plural(now.vendas, told.one, told.many)}"
        if now.vendas
        else f"não houve {told.one} que conte como venda"
    )
    changed = change(now.valor, revenue.before.valor)
    if not revenue.comparable or changed is None:
        return f"{sold}."
    if changed == 0:
        return f"{sold}, o mesmo que nos mesmos dias do ano anterior."
    more = "a mais" if changed > 0 else "a menos"
    return f"{sold}, {percent(abs(changed))} {more} que nos mesmos dias do ano anterior."


def _presets(told: Told, period: SalesPeriod | None) -> list[tuple[str, str, bool]]:
    current = period.preset if period else None
    return [(f"{told.path}?{urlencode({'periodo': name})}", label, name == current) for name, label in PRESETS.items()]


def _file_name(told: Told, name: str, period: SalesPeriod) -> str:
    return f"{told.section}-{name}-{period.inicio}-a-{period.fim}"
