"""Estoque: quanto dinheiro está nele, o que acaba e quando, o que está parado; a página e o que dela se baixa."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from bling_collector.errors import UsageError
from bling_collector.insight.recursos import doubt, load_followed
from bling_collector.insight.stock.stock import (
    DAYS as SHOWN_DAYS,
)
from bling_collector.insight.stock.stock import (
    FILTERS,
    ORDERS,
    PER_PAGE,
    Search,
    Stock,
    load_days,
    load_products,
    load_stock,
    read_search,
)
from bling_collector.payload import storable
from bling_collector.web.panel.downloads import csv_file, xlsx_file
from bling_collector.web.panel.forms import only, unknown_table
from bling_collector.web.panel.render import fragment, page, wants_fragment
from bling_collector.web.panel.tables.stock import ABOUT, DAYS, PRODUCTS, days_chart, days_table, products_table
from bling_collector.web.panel.tables.table import Table
from bling_collector.web.service import OneService

router = APIRouter(include_in_schema=False)
_RECURSOS: Final = ("nfe", "estoques")
"""De que recursos sai o que se mostra."""
_ASKED: Final = ("q", "situacao", "deposito", "ordem")
_PARAMETERS: Final = (*_ASKED, "pagina", "tabela", "partes")


@router.get("/estoque")
async def estoque(request: Request, service: OneService) -> Response:
    async with service.opened() as account:
        found, days, error = None, None, None
        try:
            typed, search = _read(request)
            if wants_fragment(request.scope) and typed["partes"]:
                days = await load_days(account.engine, search.deposito, SHOWN_DAYS)
                return fragment("estoque.html", "partes", **_days(days), query=_query(typed))
            found = await load_stock(account.engine, search)
            if typed["partes"] and found.summary is not None:
                days = await load_days(account.engine, search.deposito, SHOWN_DAYS)
        except UsageError as failure:
            typed, search, error = dict.fromkeys(_PARAMETERS, ""), Search(), failure
        recursos = await load_followed(account.engine, account.settings.recursos, _RECURSOS, account.clock.now())
    last = max(-(-found.products.of // PER_PAGE), 1) if found else 1
    return page(
        request,
        "estoque.html",
        status=error.http_status if error else 200,
        section="estoque",
        error=error,
        typed=typed,
        stock=found,
        collected=any(each.recurso == "estoques" and each.coletado for each in recursos),
        doubt=doubt(recursos),
        filters=_offered(found, typed["situacao"]),
        orders=ORDERS,
        order=search.order,
        filtered=any(typed[name] for name in ("q", "situacao", "deposito")),
        table=products_table(found.products) if found else None,
        query=_query(typed),
        previous=_address(typed, min(search.page - 1, last)) if search.page > 1 else None,
        next=_address(typed, search.page + 1) if search.page < last else None,
        pages=(search.page, last),
        about=ABOUT,
        **_days(days),
    )


@router.get("/estoque.csv")
async def estoque_csv(request: Request, service: OneService) -> Response:
    tables = await _tables(request, service)
    return csv_file(tables[0], f"estoque-{tables[0].name}")


@router.get("/estoque.xlsx")
async def estoque_xlsx(request: Request, service: OneService) -> Response:
    tables = await _tables(request, service)
    return await xlsx_file(tables, ["Estoque", ABOUT], f"estoque-{tables[0].name}")


async def _tables(request: Request, service: OneService) -> list[Table]:
    typed, search = _read(request)
    name = typed["tabela"] or PRODUCTS
    if name not in (PRODUCTS, DAYS):
        raise unknown_table(name, (PRODUCTS, DAYS))
    async with service.opened() as account:
        if name == DAYS:
            return [days_table(await load_days(account.engine, search.deposito))]
        return [products_table(await load_products(account.engine, search))]


def _read(request: Request) -> tuple[dict[str, str], Search]:
    typed = only(request, _PARAMETERS)
    typed["q"] = storable(typed["q"])
    return typed, read_search(*(typed[name] for name in (*_ASKED, "pagina")))


def _offered(found: Stock | None, current: str) -> Mapping[str, str]:
    """As situações por que se filtra; sem notas de dias que cheguem não se sabe o que está parado."""
    short = found is not None and found.sales is not None and found.sales.are_short
    return {name: label for name, label in FILTERS.items() if not short or name != "parado" or name == current}


def _days(days: Any) -> dict[str, Any]:
    return {"days": days_table(days) if days else None, "chart": days_chart(days) if days else None}


def _query(typed: dict[str, str]) -> str:
    return urlencode({name: typed[name] for name in _ASKED if typed[name]})


def _address(typed: dict[str, str], number: int) -> str:
    return f"/estoque?{urlencode({name: typed[name] for name in _ASKED if typed[name]} | {'pagina': number})}"
