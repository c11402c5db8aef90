"""A página de um cliente, e o que dela se baixa."""

from typing import Final

from fastapi import APIRouter, HTTPException, Request, Response

from bling_collector.clock import today
from bling_collector.errors import UsageError
from bling_collector.insight.recursos import load_collected
from bling_collector.insight.sales.customer import (
    TABLES,
    UnknownCustomerError,
    load_customer,
    load_customer_revenue,
    load_customer_table,
)
from bling_collector.insight.sales.periods import SalesPeriod, step_of
from bling_collector.web.panel.downloads import csv_file, xlsx_file
from bling_collector.web.panel.forms import only, record_id
from bling_collector.web.panel.periods import PARAMETERS, presets_of, query_of, read_period
from bling_collector.web.panel.render import page
from bling_collector.web.panel.tables.cards import CUSTOMER, NAMELESS, table_of
from bling_collector.web.panel.tables.revenue import FATURAMENTO, STEPS, change, charts, steps_table
from bling_collector.web.panel.tables.table import Table
from bling_collector.web.service import OneService
from bling_collector.workplace.account import Account

router = APIRouter(include_in_schema=False)
TOP: Final = 10
"""Linhas de cada tabela na página; o que se baixa tem todas."""
_ID: Final = "O endereço de um cliente traz o id do contato no Bling, que é só de algarismos."


@router.get("/clientes/{contato_id}.csv")
async def cliente_csv(request: Request, contato_id: str, service: OneService) -> Response:
    id_ = record_id(contato_id, _ID)
    async with service.opened() as account:
        typed = only(request, (*PARAMETERS, "tabela"))
        period = await read_period(account, typed)
        table = await _table(account, id_, period, typed["tabela"] or STEPS)
    return csv_file(table, f"cliente-{id_}-{table.name}")


@router.get("/clientes/{contato_id}.xlsx")
async def cliente_xlsx(request: Request, contato_id: str, service: OneService) -> Response:
    id_ = record_id(contato_id, _ID)
    async with service.opened() as account:
        typed = only(request, (*PARAMETERS, "tabela"))
        period = await read_period(account, typed)
        names = [typed["tabela"]] if typed["tabela"] else [STEPS, *TABLES]
        tables = [await _table(account, id_, period, name) for name in names]
    name = tables[0].name if len(tables) == 1 else "completo"
    return await xlsx_file(tables, [f"Cliente {id_}", FATURAMENTO.counts], f"cliente-{id_}-{name}")


@router.get("/clientes/{contato_id}")
async def cliente(request: Request, contato_id: str, service: OneService) -> Response:
    id_ = record_id(contato_id, _ID)
    path = f"/clientes/{id_}"
    async with service.opened() as account:
        error, period = None, None
        typed = dict.fromkeys(PARAMETERS, "")
        try:
            typed = only(request, PARAMETERS)
            period = await read_period(account, typed)
        except UsageError as failure:
            error = failure
        period = period or await read_period(account, dict.fromkeys(PARAMETERS, ""))
        now = today(account.clock)
        try:
            found = await load_customer(account.engine, id_, period, now, TOP)
        except UnknownCustomerError as failure:
            raise HTTPException(404, str(failure)) from None
        collected = await load_collected(account.engine, account.settings.recursos)
    revenue = found.revenue
    return page(
        request,
        "cliente.html",
        status=error.http_status if error else 200,
        section="faturamento",
        error=error,
        path_of=path,
        presets=presets_of(path, None if error else period),
        de=typed["de"] if error else period.inicio.isoformat(),
        ate=typed["ate"] if error else period.fim.isoformat(),
        period=period,
        query=query_of(period),
        today=now,
        nome=found.contato.nome or NAMELESS,
        found=found,
        contato=found.contato,
        revenue=revenue,
        comparable=revenue.comparable,
        value_change=change(revenue.now.valor, revenue.before.valor),
        notes_change=change(revenue.now.vendas, revenue.before.vendas),
        charts=charts(revenue, FATURAMENTO)[:1],
        steps=steps_table(revenue.steps, revenue.step, FATURAMENTO, period),
        tables={name: table_of(CUSTOMER, name, rows) for name, rows in found.tables.items()},
        receivables="contas_receber" in collected,
        counts_as_sale=FATURAMENTO.counts,
    )


async def _table(account: Account, id_: int, period: SalesPeriod, name: str) -> Table:
    now = today(account.clock)
    if name == STEPS:
        revenue = await load_customer_revenue(account.engine, id_, period, now)
        return steps_table(revenue.steps, step_of(period), FATURAMENTO, period)
    if name not in TABLES:
        raise UsageError(f"Não há uma tabela chamada “{name[:40]}”. As que há: {', '.join([STEPS, *TABLES])}.")
    return table_of(CUSTOMER, name, await load_customer_table(account.engine, id_, period, now, name))
