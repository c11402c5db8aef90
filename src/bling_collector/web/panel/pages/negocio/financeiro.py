"""Financeiro: o que se há de receber e de pagar, o que entrou e saiu, receitas e despesas, e a conferência disso."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bling_collector.clock import today
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.errors import UsageError
from bling_collector.insight.finance.money import AHEAD, RESOURCES, Money, load_checks, load_money, load_period
from bling_collector.insight.recursos import Followed, doubt, load_followed
from bling_collector.insight.sales.periods import ComparedPeriod
from bling_collector.web.panel.downloads import csv_file, xlsx_file
from bling_collector.web.panel.forms import not_collected, unknown_table
from bling_collector.web.panel.periods import form_of, form_refused, query_of, read_period
from bling_collector.web.panel.render import fragment, page, wants_fragment
from bling_collector.web.panel.tables.finance import (
    CHECKS,
    COUNTS,
    PATH,
    TABLES,
    checks_table,
    different_table,
    due_chart,
    flow_chart,
    lacking,
    listing,
    money_table,
    whole_months,
)
from bling_collector.web.panel.tables.revenue import change
from bling_collector.web.panel.tables.table import Table
from bling_collector.web.service import OneService
from bling_collector.words import day
from bling_collector.workplace.account import Account

router = APIRouter(include_in_schema=False)
TOP: Final = 10
"""Linhas dos devedores e das diferenças na página; o que se baixa as tem todas."""
_OTHERS: Final = ("tabela", "conferencia")


@router.get("/financeiro")
async def financeiro(request: Request, service: OneService) -> Response:
    async with service.opened() as account:
        try:
            typed, period = await _read(request, account)
        except UsageError as error:
            return page(
                request,
                "financeiro.html",
                status=error.http_status,
                section="financeiro",
                **form_refused(PATH, request, error),
                money=None,
            )
        checks = await _checks(account.engine) if typed["conferencia"] else None
        if wants_fragment(request.scope) and checks is not None:
            return fragment("financeiro.html", "conferencia", checks=checks, query=query_of(period))
        found = await load_money(account.engine, period, today(account.clock), account.settings.recursos, most=TOP)
        recursos = await load_followed(account.engine, account.settings.recursos, RESOURCES, account.clock.now())
    return page(
        request,
        "financeiro.html",
        section="financeiro",
        checks=checks,
        **form_of(PATH, period),
        **_shown(found, recursos),
    )


@router.get("/financeiro.csv")
async def financeiro_csv(request: Request, service: OneService) -> Response:
    async with service.opened() as account:
        typed, period = await _read(request, account)
        tables = await _whole(account, period, [typed["tabela"] or "fluxo"])
    return csv_file(tables[0], _file(period, tables[0].name))


@router.get("/financeiro.xlsx")
async def financeiro_xlsx(request: Request, service: OneService) -> Response:
    async with service.opened() as account:
        typed, period = await _read(request, account)
        tables = await _whole(account, period, [typed["tabela"]] if typed["tabela"] else [*TABLES, *CHECKS])
    about = [f"Financeiro de {day(period.inicio)} a {day(period.fim)}", COUNTS]
    return await xlsx_file(tables, about, _file(period, tables[0].name if len(tables) == 1 else "completo"))


async def _read(request: Request, account: Account) -> tuple[dict[str, str], ComparedPeriod]:
    return await read_period(request, account, *_OTHERS, load=load_period)


async def _whole(account: Account, period: ComparedPeriod, names: list[str]) -> list[Table]:
    """As tabelas inteiras, sem as do que não se coleta. UsageError se uma não existe, ou se só há destas."""
    if unknown := [name for name in names if name not in TABLES | CHECKS]:
        raise unknown_table(unknown[0], [*TABLES, *CHECKS])
    tables: list[Table] = []
    if any(name in TABLES for name in names):
        found = await load_money(account.engine, period, today(account.clock), account.settings.recursos, most=None)
        money = [money_table(name, found) for name in names if name in TABLES]
        tables += [table for table in money if not lacking(table, found)]
        if not tables:
            raise not_collected(list(dict.fromkeys(name for table in money for name in lacking(table, found))))
    if any(name in CHECKS for name in names):
        tables += [table for table in await _checks(account.engine, most=None) if table.name in names]
    return tables


async def _checks(engine: AsyncEngine, most: int | None = TOP) -> list[Table]:
    checks, different = await load_checks(engine, most=most)
    return [checks_table(checks), different_table(different)]


def _shown(found: Money, recursos: list[Followed]) -> Mapping[str, Any]:
    lidos = {each.recurso for each in recursos if each.lido}
    return {
        "money": found,
        "sides": [side for side in (found.receber, found.pagar) if f"contas_{side.lado}" in lidos],
        "unread": [side.lado for side in (found.receber, found.pagar) if f"contas_{side.lado}" not in lidos],
        "doubt": doubt(recursos),
        "ahead": AHEAD,
        "tables": {name: money_table(name, found) for name in TABLES},
        "flow_chart": flow_chart(found),
        "due_chart": due_chart(found),
        "in_change": change(found.now.entradas, found.before.entradas),
        "out_change": change(found.now.saidas, found.before.saidas),
        "links": {lado: listing(lado, situacao="em-aberto") for lado in ("receber", "pagar")}
        | {f"{lado}-vencido": listing(lado, situacao="vencidas") for lado in ("receber", "pagar")},
        "months": whole_months(found),
        "counts": COUNTS,
    }


def _file(period: ComparedPeriod, name: str) -> str:
    return f"financeiro-{name}-{period.inicio}-a-{period.fim}"
