"""Os recursos por HTTP: o que se coleta, quanto há, o que está provado e o que custa."""

from fastapi import APIRouter

from bling_collector.insight.snapshots import as_json
from bling_collector.payload import Json
from bling_collector.plan.daily import load_costed
from bling_collector.web.api.answers import Recurso, problems
from bling_collector.web.service import OneService

router = APIRouter(tags=["Situação"])


@router.get(
    "/recursos",
    summary="O que se coleta, quanto há de cada recurso, o que está provado e o que custa por dia",
    responses=problems(503),
    response_model=list[Recurso],
)
async def recursos(service: OneService) -> Json:
    async with service.opened() as account:
        return as_json(await load_costed(account.engine, account.settings, account.clock.now()))
