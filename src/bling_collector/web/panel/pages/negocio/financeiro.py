"""Financeiro: o que se há de receber e de pagar, o que entrou e saiu, receitas e despesas, e a conferência disso."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from bling_collector.clock import today
from bling_collector.db.core import AsyncEngine
from bling_collector.errors import UsageError
from bling_collector.insight.finance.money import AHEAD, Money, load_checks, load_money, load_period
from bling_collector.insight.sales.periods import PRESETS, SalesPeriod
from bling_collector.web.panel.downloads import csv_file, xlsx_file
from bling_collector.web.panel.render import fragment, page, wants_fragment
from bling_collector.web.panel.tables.finance import (
    CHECKS,
    COUNTS,
    TABLES,
    checks_table,
    different_table,
    due_chart,
    flow_chart,
    listing,
    money_table,
)
from bling_collector.web.panel.tables.revenue import change
from bling_collector.web.panel.tables.table import Table
from bling_collector.web.service import OneService
from bling_collector.words import day
from bling_collector.workplace.account import Account

router = APIRouter(include_in_schema=False)
TOP: Final = 10
"""Linhas dos devedores e das diferenças na página; o que se baixa as tem todas."""
_PARAMETERS: Final = ("periodo", "de", "ate", "tabela", "conferencia")


@dataclass(frozen=True)
class Asked:
    """O que o endereço pede, como foi escrito."""

    periodo: str
    de: str
    ate: str
    tabela: str
    conferencia: str

    @classmethod
    def of(cls, request: Request) -> "Asked":
        """UsageError para um parâmetro que não existe: ignorá-lo seria mostrar outra coisa que a pedida."""
        query = request.query_params
        if strange := sorted(set(query) - set(_PARAMETERS)):
            raise UsageError(f"Esta página não conhece o filtro “{strange[0][:40]}”.")
        return cls(**{name: query.get(name, "").strip() for name in _PARAMETERS})

    async def period(self, account: Account) -> SalesPeriod:
        found = {"preset": self.periodo or None, "de": self.de or None, "ate": self.ate or None}
        return await load_period(account.engine, today(account.clock), **found)


@router.get("/financeiro")
async def financeiro(request: Request, service: OneService) -> Response:
    async with service.opened() as account:
        try:
            asked = Asked.of(request)
            period = await asked.period(account)
        except UsageError as error:
            query = request.query_params
            return page(
                request,
                "financeiro.html",
                status=error.http_status,
                section="financeiro",
                error=str(error),
                presets=_presets(None),
                de=query.get("de", ""),
                ate=query.get("ate", ""),
                money=None,
            )
        checks = await _checks(account.engine) if asked.conferencia else None
        if wants_fragment(request.scope) and checks is not None:
            return fragment("financeiro.html", "conferencia", checks=checks, query=query_of(period))
        found = await load_money(account.engine, period, today(account.clock), account.settings.recursos, most=TOP)
    return page(
        request,
        "financeiro.html",
        section="financeiro",
        error=None,
        checks=checks,
        query=query_of(period),
        **_shown(found),
    )


@router.get("/financeiro.csv")
async def financeiro_csv(request: Request, service: OneService) -> Response:
    async with service.opened() as account:
        asked = Asked.of(request)
        period = await asked.period(account)
        tables = await _whole(account, period, [asked.tabela or "fluxo"])
    return csv_file(tables[0], _file(period, tables[0].name))


@router.get("/financeiro.xlsx")
async def financeiro_xlsx(request: Request, service: OneService) -> Response:
    async with service.opened() as account:
        asked = Asked.of(request)
        period = await asked.period(account)
        tables = await _whole(account, period, [asked.tabela] if asked.tabela else [*TABLES, *CHECKS])
    about = [f"Financeiro de {day(period.inicio)} a {day(period.fim)}", COUNTS]
    return await xlsx_file(tables, about, _file(period, tables[0].name if len(tables) == 1 else "completo"))


async def _whole(account: Account, period: SalesPeriod, names: list[str]) -> list[Table]:
    """As tabelas inteiras. UsageError se uma não existe."""
    if unknown := [name for name in names if name not in TABLES | CHECKS]:
        raise UsageError(f"Não há uma tabela chamada “{unknown[0][:40]}”. As que há: {', '.join([*TABLES, *CHECKS])}.")
    tables: list[Table] = []
    if any(name in TABLES for name in names):
        found = await load_money(account.engine, period, today(account.clock), account.settings.recursos, most=None)
        tables += [money_table(name, found) for name in names if name in TABLES]
    if any(name in CHECKS for name in names):
        tables += [table for table in await _checks(account.engine, most=None) if table.name in names]
    return tables


async def _checks(engine: AsyncEngine, most: int | None = TOP) -> list[Table]:
    checks, different = await load_checks(engine, most=most)
    return [checks_table(checks), different_table(different)]


def _shown(found: Money) -> Mapping[str, Any]:
    period = found.period
    return {
        "money": found,
        "presets": _presets(period),
        "de": period.inicio.isoformat(),
        "ate": period.fim.isoformat(),
        "ahead": AHEAD,
        "tables": {name: money_table(name, found) for name in TABLES},
        "flow_chart": flow_chart(found),
        "due_chart": due_chart(found),
        "in_change": change(found.now.entradas, found.before.entradas),
        "out_change": change(found.now.saidas, found.before.saidas),
        "links": {lado: listing(lado, situacao="em-aberto") for lado in ("receber", "pagar")}
        | {f"{lado}-vencido": listing(lado, situacao="vencidas") for lado in ("receber", "pagar")},
        "counts": COUNTS,
    }


def _presets(period: SalesPeriod | None) -> list[tuple[str, str, bool]]:
    current = period.preset if period else None
    return [(f"/financeiro?{urlencode({'periodo': name})}", label, name == current) for name, label in PRESETS.items()]


def query_of(period: SalesPeriod) -> str:
    """O período num endereço, sempre o mesmo período amanhã também."""
    return urlencode({"de": period.inicio.isoformat(), "ate": period.fim.isoformat()})


def _file(period: SalesPeriod, name: str) -> str:
    return f"financeiro-{name}-{period.inicio}-a-{period.fim}"
