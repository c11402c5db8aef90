"""A página de um produto, e o que dela se baixa."""

from typing import Final

from fastapi import APIRouter, HTTPException, Request, Response

from bling_collector.clock import today
from bling_collector.errors import UsageError
from bling_collector.insight.recursos import load_collected
from bling_collector.insight.sales.periods import SalesPeriod, step_of
from bling_collector.insight.sales.product import (
    TABLES,
    UnknownProductError,
    load_product,
    load_product_revenue,
    load_product_table,
)
from bling_collector.web.panel.downloads import csv_file, xlsx_file
from bling_collector.web.panel.forms import only, record_id
from bling_collector.web.panel.periods import PARAMETERS, presets_of, query_of, read_period
from bling_collector.web.panel.render import page
from bling_collector.web.panel.tables.cards import PRODUCT, balance_chart, table_of
from bling_collector.web.panel.tables.revenue import FATURAMENTO, STEPS, change, charts, steps_table
from bling_collector.web.panel.tables.table import Table
from bling_collector.web.service import OneService
from bling_collector.workplace.account import Account

router = APIRouter(include_in_schema=False)
TOP: Final = 10
"""Linhas de cada tabela na página; o que se baixa tem todas."""
_STOCK_DAYS: Final = 60
_ID: Final = "O endereço de um produto traz o id dele no Bling, que é só de algarismos."
_NEEDS: Final = {
    "depositos": ("estoques", "O estoque não é coletado"),
    "estoque": ("estoques", "O estoque não é coletado"),
    "fornecedores": ("produtos_fornecedores", "Os fornecedores dos produtos não são coletados"),
    "canais": ("produtos_lojas", "Os produtos dos canais de venda não são coletados"),
}
"""De que recurso é cada tabela que não é das notas."""


@router.get("/produtos/{produto_id}.csv")
async def produto_csv(request: Request, produto_id: str, service: OneService) -> Response:
    id_ = record_id(produto_id, _ID)
    async with service.opened() as account:
        typed = only(request, (*PARAMETERS, "tabela"))
        period = await read_period(account, typed)
        table = await _table(account, id_, period, typed["tabela"] or STEPS)
    return csv_file(table, f"produto-{id_}-{table.name}")


@router.get("/produtos/{produto_id}.xlsx")
async def produto_xlsx(request: Request, produto_id: str, service: OneService) -> Response:
    id_ = record_id(produto_id, _ID)
    async with service.opened() as account:
        typed = only(request, (*PARAMETERS, "tabela"))
        period = await read_period(account, typed)
        names = [typed["tabela"]] if typed["tabela"] else [STEPS, *TABLES]
        tables = [await _table(account, id_, period, name) for name in names]
    name = tables[0].name if len(tables) == 1 else "completo"
    return await xlsx_file(tables, [f"Produto {id_}", FATURAMENTO.counts], f"produto-{id_}-{name}")


@router.get("/produtos/{produto_id}")
async def produto(request: Request, produto_id: str, service: OneService) -> Response:
    id_ = record_id(produto_id, _ID)
    path = f"/produtos/{id_}"
    async with service.opened() as account:
        error, period = None, None
        typed = dict.fromkeys(PARAMETERS, "")
        try:
            typed = only(request, PARAMETERS)
            period = await read_period(account, typed)
        except UsageError as failure:
            error = failure
        period = period or await read_period(account, dict.fromkeys(PARAMETERS, ""))
        try:
            found = await load_product(account.engine, id_, period, today(account.clock), _STOCK_DAYS)
        except UnknownProductError as failure:
            raise HTTPException(404, str(failure)) from None
        collected = await load_collected(account.engine, account.settings.recursos)
    revenue = found.revenue
    return page(
        request,
        "produto.html",
        status=error.http_status if error else 200,
        section="estoque",
        error=error,
        path_of=path,
        presets=presets_of(path, None if error else period),
        de=typed["de"] if error else period.inicio.isoformat(),
        ate=typed["ate"] if error else period.fim.isoformat(),
        period=period,
        query=query_of(period),
        found=found,
        produto=found.produto,
        revenue=revenue,
        comparable=revenue is not None and revenue.comparable,
        value_change=change(revenue.now.valor, revenue.before.valor) if revenue else None,
        quantity_change=change(found.quantidade, found.quantidade_antes),
        charts=charts(revenue, FATURAMENTO)[:1] if revenue else [],
        steps=steps_table(revenue.steps, revenue.step, FATURAMENTO, period) if revenue else None,
        balance=balance_chart(found.tables["estoque"]),
        tables={name: table_of(PRODUCT, name, rows[:TOP]) for name, rows in found.tables.items()},
        missing={name: need for name, need in _NEEDS.items() if need[0] not in collected},
        orders="pedidos_venda" in collected,
        counts_as_sale=FATURAMENTO.counts,
    )


async def _table(account: Account, id_: int, period: SalesPeriod, name: str) -> Table:
    if name == STEPS:
        revenue = await load_product_revenue(account.engine, id_, period, today(account.clock))
        return steps_table(revenue.steps if revenue else [], step_of(period), FATURAMENTO, period)
    if name not in TABLES:
        raise UsageError(f"Não há uma tabela chamada “{name[:40]}”. As que há: {', '.join([STEPS, *TABLES])}.")
    return table_of(PRODUCT, name, await load_product_table(account.engine, id_, period, name))
