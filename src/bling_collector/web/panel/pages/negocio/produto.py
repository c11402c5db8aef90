"""A página de um produto, e o que dela se baixa."""

from typing import Final

from fastapi import APIRouter, HTTPException, Request, Response

from bling_collector.clock import today
from bling_collector.insight.recursos import doubt, load_followed
from bling_collector.insight.sales.periods import ComparedPeriod, step_of
from bling_collector.insight.sales.product import (
    TABLES,
    UnknownProductError,
    load_product,
    load_product_revenue,
    load_product_table,
)
from bling_collector.web.panel.cards import Card
from bling_collector.web.panel.render import page
from bling_collector.web.panel.tables.cards import PRODUCT, balance_chart, table_of
from bling_collector.web.panel.tables.revenue import FATURAMENTO, STEPS, change, charts, opened_steps, steps_table
from bling_collector.web.panel.tables.table import Table
from bling_collector.web.service import OneService
from bling_collector.workplace.account import Account

router = APIRouter(include_in_schema=False)
TOP: Final = 10
"""Linhas de cada tabela na página; o que se baixa tem todas."""
_STOCK_DAYS: Final = 60
_NEEDS: Final = {
    "depositos": ("estoques", "O estoque não é coletado"),
    "estoque": ("estoques", "O estoque não é coletado"),
    "fornecedores": ("produtos_fornecedores", "Os fornecedores dos produtos não são coletados"),
    "canais": ("produtos_lojas", "Os produtos dos canais de venda não são coletados"),
}
"""De que recurso é cada tabela que não é das notas."""
_RECURSOS: Final = ("nfe", "pedidos_venda", *(recurso for recurso, _ in _NEEDS.values()))
"""De que recursos sai o que se mostra."""


async def _table(account: Account, id_: int, period: ComparedPeriod, name: str) -> Table:
    if name == STEPS:
        revenue = await load_product_revenue(account.engine, id_, period, today(account.clock))
        steps = revenue.steps if revenue else []
        return steps_table(steps, step_of(period), FATURAMENTO)
    return table_of(PRODUCT, name, await load_product_table(account.engine, id_, period, name))


_CARD: Final = Card(
    "produto", "/produtos", "O endereço de um produto traz o id dele no Bling, que é só de algarismos.", TABLES, _table
)


@router.get("/produtos/{produto_id}.csv")
async def produto_csv(request: Request, produto_id: str, service: OneService) -> Response:
    return await _CARD.csv(request, service, produto_id)


@router.get("/produtos/{produto_id}.xlsx")
async def produto_xlsx(request: Request, produto_id: str, service: OneService) -> Response:
    return await _CARD.xlsx(request, service, produto_id)


@router.get("/produtos/{produto_id}")
async def produto(request: Request, produto_id: str, service: OneService) -> Response:
    id_ = _CARD.id(produto_id)
    path = _CARD.address(id_)
    async with service.opened() as account:
        period, form = await _CARD.form(request, account, id_)
        try:
            found = await load_product(account.engine, id_, period, today(account.clock), _STOCK_DAYS)
        except UnknownProductError as failure:
            raise HTTPException(404, str(failure)) from None
        recursos = await load_followed(account.engine, account.settings.recursos, _RECURSOS, account.clock.now())
    collected = {each.recurso for each in recursos if each.coletado}
    revenue = found.revenue
    return page(
        request,
        "produto.html",
        section="estoque",
        **form,
        found=found,
        produto=found.produto,
        revenue=revenue,
        comparable=revenue is not None and revenue.comparable,
        value_change=change(revenue.now.valor, revenue.before.valor) if revenue else None,
        quantity_change=change(found.quantidade, found.quantidade_antes),
        charts=charts(revenue, FATURAMENTO, opened_steps(revenue, path))[:1] if revenue else [],
        steps=steps_table(revenue.steps, revenue.step, FATURAMENTO, opened_steps(revenue, path)) if revenue else None,
        balance=balance_chart(found.tables["estoque"]),
        tables={name: table_of(PRODUCT, name, rows[:TOP]) for name, rows in found.tables.items()},
        missing={name: need for name, need in _NEEDS.items() if need[0] not in collected},
        orders="pedidos_venda" in collected,
        doubt=doubt(recursos),
        counts_as_sale=FATURAMENTO.counts,
    )
