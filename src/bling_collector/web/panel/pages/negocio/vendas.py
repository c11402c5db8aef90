"""Vendas: o que os pedidos de um período somam, ao lado do ano anterior; a página e o que dela se baixa."""

from fastapi import APIRouter, Request, Response

from bling_collector.web.panel import sales
from bling_collector.web.panel.tables.revenue import VENDAS
from bling_collector.web.service import OneService

router = APIRouter(include_in_schema=False)


@router.get("/vendas")
async def vendas(request: Request, service: OneService) -> Response:
    return await sales.show(request, service, VENDAS)


@router.get("/vendas.csv")
async def vendas_csv(request: Request, service: OneService) -> Response:
    return await sales.csv(request, service, VENDAS)


@router.get("/vendas.xlsx")
async def vendas_xlsx(request: Request, service: OneService) -> Response:
    return await sales.xlsx(request, service, VENDAS)
