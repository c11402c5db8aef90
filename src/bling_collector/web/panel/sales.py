"""Faturamento e Vendas: o que as notas, ou os pedidos, de um período somam, ao lado do ano anterior; e os arquivos."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any, Final

from fastapi import Request, Response

from bling_collector.clock import today
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.errors import UsageError
from bling_collector.insight.freshness import load_read_day
from bling_collector.insight.proof.coverage import load_scope, load_unproven
from bling_collector.insight.recursos import Followed, doubt, load_collected, load_followed
from bling_collector.insight.sales.periods import ComparedPeriod, step_of
from bling_collector.insight.sales.revenue import (
    Revenue,
    load_breakdown,
    load_breakdowns,
    load_first_day,
    load_period,
    load_revenue,
    load_steps,
)
from bling_collector.streams.notas.nfe import NFE
from bling_collector.web.panel.downloads import csv_file, xlsx_file
from bling_collector.web.panel.forms import not_collected, unknown_table
from bling_collector.web.panel.periods import form_of, form_refused, query_of, read_period
from bling_collector.web.panel.render import fragment, page, wants_fragment
from bling_collector.web.panel.tables.revenue import (
    STEPS,
    Told,
    breakdown_table,
    change,
    charts,
    listed,
    opened_steps,
    steps_table,
)
from bling_collector.web.panel.tables.table import Table
from bling_collector.web.service import Service
from bling_collector.words import day, money, percent, plural, several
from bling_collector.workplace.account import Account

TOP: Final = 10
"""Linhas de cada repartição na página; o que se baixa tem todas."""
_OTHERS: Final = ("tabela", "partes")
_TEMPLATE: Final = "vendas.html"


async def show(request: Request, service: Service, told: Told) -> Response:
    """A página; ou só as repartições, se é o que se pede."""
    async with service.opened() as account:
        try:
            typed, period = await _read(request, account, told)
        except UsageError as error:
            return page(
                request,
                _TEMPLATE,
                status=error.http_status,
                section=told.section,
                told=told,
                **form_refused(told.path, request, error),
                revenue=None,
            )
        if wants_fragment(request.scope) and typed["partes"]:
            tables = await _parts(account.engine, told, period)
            return fragment(_TEMPLATE, "partes", told=told, tables=tables, query=query_of(period))
        revenue = await load_revenue(account.engine, period, today(account.clock), sales=told.sales)
        (recurso,) = await load_followed(account.engine, account.settings.recursos, [told.recurso], account.clock.now())
        scope = await load_scope(account.engine)
        unread = await _unread(account, period)
        unsettled = await _doubt(account, told, recurso, period, scope)
        parts = await _parts(account.engine, told, period) if typed["partes"] else None
    return page(
        request,
        _TEMPLATE,
        section=told.section,
        told=told,
        recurso=recurso,
        doubt=unsettled,
        tables=parts,
        **form_of(told.path, period),
        **_context(told, revenue, scope, unread),
    )


async def csv(request: Request, service: Service, told: Told) -> Response:
    async with service.opened() as account:
        typed, period = await _read(request, account, told)
        await _held(account, told)
        table = await _whole_table(account.engine, told, period, typed["tabela"] or STEPS)
    return csv_file(table, _file_name(told, table.name, period))


async def xlsx(request: Request, service: Service, told: Told) -> Response:
    async with service.opened() as account:
        typed, period = await _read(request, account, told)
        await _held(account, told)
        names = [typed["tabela"]] if typed["tabela"] else [STEPS, *told.breakdowns]
        tables = [await _whole_table(account.engine, told, period, name) for name in names]
    about = [f"{told.title} de {day(period.inicio)} a {day(period.fim)}", told.counts]
    name = tables[0].name if len(tables) == 1 else "completo"
    return await xlsx_file(tables, about, _file_name(told, name, period))


async def _read(request: Request, account: Account, told: Told) -> tuple[dict[str, str], ComparedPeriod]:
    return await read_period(request, account, *_OTHERS, load=partial(load_period, sales=told.sales))


async def _held(account: Account, told: Told) -> None:
    """UsageError se não há o que somar porque não se coleta: um arquivo de zeros diria que não se vendeu."""
    if told.recurso in await load_collected(account.engine, account.settings.recursos):
        return
    if await load_first_day(account.engine, today(account.clock), sales=told.sales) is None:
        raise not_collected([told.recurso])


async def _doubt(
    account: Account, told: Told, recurso: Followed, period: ComparedPeriod, scope: date | None
) -> str | None:
    """Por que os números ainda podem mudar; `scope` é o começo da coleta."""
    said = [_before(period, scope)]
    if told.recurso != NFE.name:
        return " ".join(filter(None, [*said, doubt([recurso])])) or None
    if unproven := await load_unproven(account.engine, list(period.months), today(account.clock)):
        counted = plural(
            len(unproven),
            "mês deste período difere do Bling, tem o que buscar ou não foi conferido",
            "meses deste período diferem do Bling, têm o que buscar ou não foram conferidos",
        )
        said.append(f"{counted}.")
    return " ".join(filter(None, said)) or None


def _before(period: ComparedPeriod, scope: date | None) -> str | None:
    """O que do período é de antes da coleta, que não se pediu ao Bling."""
    if scope is None or scope <= period.inicio:
        return None
    said = "é de antes de" if period.fim < scope else "começa antes de"
    return f"Este período {said} {day(scope)}, quando começa o que se coletou."


async def _unread(account: Account, period: ComparedPeriod) -> date | None:
    """Até que dia se leu, se o período é todo de depois."""
    read = await load_read_day(account.engine, account.clock.now())
    return read if read is not None and read < period.inicio else None


async def _whole_table(engine: AsyncEngine, told: Told, period: ComparedPeriod, name: str) -> Table:
    if name == STEPS:
        steps = await load_steps(engine, period, sales=told.sales)
        return steps_table(steps, step_of(period), told)
    if name not in told.breakdowns:
        raise unknown_table(name, [STEPS, *told.breakdowns])
    return breakdown_table(name, await load_breakdown(engine, period, name, sales=told.sales), told, period)


async def _parts(engine: AsyncEngine, told: Told, period: ComparedPeriod) -> list[Table]:
    """As repartições, que somam itens e parcelas e demoram mais: a página as pede depois de aparecer."""
    found = await load_breakdowns(engine, period, most=TOP, sales=told.sales)
    return [breakdown_table(name, found[name], told, period) for name in told.breakdowns]


def _context(told: Told, revenue: Revenue, scope: date | None, unread: date | None) -> Mapping[str, Any]:
    now, before, lists = revenue.now, revenue.before, listed(revenue, told)
    return {
        "revenue": revenue,
        "charts": charts(revenue, told, lists if revenue.step == "dia" else opened_steps(revenue, told.path)),
        "steps": steps_table(revenue.steps, revenue.step, told, lists),
        "comparable": revenue.comparable,
        "answer": _answer(told, revenue, scope, unread),
        "value_change": change(now.valor, before.valor),
        "count_change": change(now.vendas, before.vendas),
        "bounds": revenue.bounds,
        "besides": _besides(revenue),
    }


_OTHER_NOTES: Final = {
    "nfce": ("nota de consumidor", "notas de consumidor"),
    "nfse": ("nota de serviço", "notas de serviço"),
}


def _besides(revenue: Revenue) -> str | None:
    """As outras notas do período, que o valor não conta."""
    if not revenue.besides:
        return None
    found = [f"{plural(many, *_OTHER_NOTES[name])} ({money(value)})" for name, (many, value) in revenue.besides.items()]
    return f"No mesmo período há também {several(found)}: o coletor tem-nas, e estes números não as contam."


def _answer(told: Told, revenue: Revenue, scope: date | None, unread: date | None) -> str:
    """Quanto se vendeu no período, e o que isso é ao lado do ano anterior. Do que não se leu, nada disso: `scope` é o
    começo da coleta, e `unread`, o dia até que se leu, se é antes do período."""
    now, period = revenue.now, revenue.period
    if not now.vendas and scope is not None and period.fim < scope:
        return f"De {day(period.inicio)} a {day(period.fim)} nada se coletou."
    if not now.vendas and unread is not None:
        return f"De {day(period.inicio)} a {day(period.fim)} ainda nada se leu: o que há vai até {day(unread)}."
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


def _file_name(told: Told, name: str, period: ComparedPeriod) -> str:
    return f"{told.section}-{name}-{period.inicio}-a-{period.fim}"
