"""A página de um cliente, e o que dela se baixa."""

from typing import Final

from fastapi import APIRouter, HTTPException, Request, Response

from bling_collector.clock import today
from bling_collector.insight.recursos import doubt, load_followed
from bling_collector.insight.sales.customer import (
    TABLES,
    UnknownCustomerError,
    load_customer,
    load_customer_revenue,
    load_customer_table,
)
from bling_collector.insight.sales.periods import ComparedPeriod, step_of
from bling_collector.web.panel.cards import Card
from bling_collector.web.panel.render import page
from bling_collector.web.panel.tables.cards import CUSTOMER, NAMELESS, table_of
from bling_collector.web.panel.tables.revenue import FATURAMENTO, STEPS, change, charts, opened_steps, steps_table
from bling_collector.web.panel.tables.table import Table
from bling_collector.web.service import OneService
from bling_collector.workplace.account import Account

router = APIRouter(include_in_schema=False)
TOP: Final = 10
"""Linhas de cada tabela na página; o que se baixa tem todas."""
_RECURSOS: Final = ("nfe", "contas_receber")
"""De que recursos sai o que se mostra."""


async def _table(account: Account, id_: int, period: ComparedPeriod, name: str) -> Table:
    now = today(account.clock)
    if name == STEPS:
        revenue = await load_customer_revenue(account.engine, id_, period, now)
        return steps_table(revenue.steps, step_of(period), FATURAMENTO)
    return table_of(CUSTOMER, name, await load_customer_table(account.engine, id_, period, now, name))


_CARD: Final = Card(
    "cliente",
    "/clientes",
    "O endereço de um cliente traz o id do contato no Bling, que é só de algarismos.",
    TABLES,
    _table,
)


@router.get("/clientes/{contato_id}.csv")
async def cliente_csv(request: Request, contato_id: str, service: OneService) -> Response:
    return await _CARD.csv(request, service, contato_id)


@router.get("/clientes/{contato_id}.xlsx")
async def cliente_xlsx(request: Request, contato_id: str, service: OneService) -> Response:
    return await _CARD.xlsx(request, service, contato_id)


@router.get("/clientes/{contato_id}")
async def cliente(request: Request, contato_id: str, service: OneService) -> Response:
    id_ = _CARD.id(contato_id)
    path = _CARD.address(id_)
    async with service.opened() as account:
        period, form = await _CARD.form(request, account, id_)
        now = today(account.clock)
        try:
            found = await load_customer(account.engine, id_, period, now, TOP)
        except UnknownCustomerError as failure:
            raise HTTPException(404, str(failure)) from None
        recursos = await load_followed(account.engine, account.settings.recursos, _RECURSOS, account.clock.now())
    receivables = next(each for each in recursos if each.recurso == "contas_receber")
    revenue = found.revenue
    return page(
        request,
        "cliente.html",
        section="faturamento",
        **form,
        nome=found.contato.nome or NAMELESS,
        found=found,
        contato=found.contato,
        revenue=revenue,
        comparable=revenue.comparable,
        value_change=change(revenue.now.valor, revenue.before.valor),
        notes_change=change(revenue.now.vendas, revenue.before.vendas),
        charts=charts(revenue, FATURAMENTO, opened_steps(revenue, path))[:1],
        steps=steps_table(revenue.steps, revenue.step, FATURAMENTO, opened_steps(revenue, path)),
        tables={name: table_of(CUSTOMER, name, rows) for name, rows in found.tables.items()},
        receivables=receivables,
        doubt=doubt(recursos),
        counts_as_sale=FATURAMENTO.counts,
    )
