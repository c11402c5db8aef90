"""Faturamento: o que as notas de um período somam, ao lado do ano anterior; a página e o que dela se baixa."""

from fastapi import APIRouter, Request, Response

from bling_collector.web.panel import sales
from bling_collector.web.panel.tables.revenue import FATURAMENTO
from bling_collector.web.service import OneService

router = APIRouter(include_in_schema=False)


@router.get("/faturamento")
async def faturamento(request: Request, service: OneService) -> Response:
    return await sales.show(request, service, FATURAMENTO)


@router.get("/faturamento.csv")
async def faturamento_csv(request: Request, service: OneService) -> Response:
    return await sales.csv(request, service, FATURAMENTO)


@router.get("/faturamento.xlsx")
async def faturamento_xlsx(request: Request, service: OneService) -> Response:
    return await sales.xlsx(request, service, FATURAMENTO)
