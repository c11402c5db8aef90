"""O plano por HTTP: o que um comando pediria ao Bling, antes de pedir."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from bling_collector.config.values import names
from bling_collector.errors import ConfigurationError, UsageError
from bling_collector.insight.snapshots import as_json
from bling_collector.payload import Json
from bling_collector.plan.asked import COMMANDS, Asked, load_plan, load_plans
from bling_collector.streams.registry import chosen
from bling_collector.web.api.answers import Plan, Plans, problems
from bling_collector.web.api.running import DAY, day
from bling_collector.web.door.access import ONLY
from bling_collector.web.service import AllServices, OneService

router = APIRouter(tags=["Execuções"])


class AskedPlan(BaseModel):
    """O comando e as opções dele."""

    model_config = ConfigDict(extra="forbid")

    comando: str = Field(
        default=COMMANDS[0],
        description="Um destes: " + ", ".join(COMMANDS) + "; sem ele, run",
        examples=["run-full"],
    )
    data_inicio: str | None = Field(
        default=None, description="Como no comando; `run-full` a exige", examples=["2021-01-01"], json_schema_extra=DAY
    )
    data_fim: str | None = Field(default=None, description="Como no comando", json_schema_extra=DAY)
    recursos: str | None = Field(default=None, description="Só estes, separados por vírgula; sem ela, os de sempre")
    repair: bool = Field(default=False, description="Com `reconcile`: a conferência que repara")


@router.get(
    "/plan",
    summary="O que um comando pediria ao Bling: requisições por recurso, minutos, parte da cota do dia",
    responses=problems(422, 503),
    response_model=Plan,
)
async def plan(query: Annotated[AskedPlan, Query()], service: OneService) -> Json:
    """Sai do que o banco já leu e conferiu: nada se pergunta ao Bling, e nada muda. Do que nunca se leu só se conta o
    que é certo que se pede, e então `pelo_menos`."""
    asked = _asked(query)
    async with service.opened() as account:
        return as_json(await load_plan(account.engine, account.clock, account.settings, asked))


@router.get(
    "/empresas/plan",
    summary="O mesmo, de cada empresa que quem pede pode ver",
    responses=problems(422, 503),
    response_model=Plans,
)
async def plan_of_all(request: Request, query: Annotated[AskedPlan, Query()], services: AllServices) -> Json:
    only = request.scope.get("state", {}).get(ONLY)
    shown = [name for name in await services.names() if only in (None, name)]
    engine = await services.engine()
    return as_json(await load_plans(engine, services.clock, services.settings, shown, _asked(query)))


def _asked(query: AskedPlan) -> Asked:
    inicio, fim = day(query.data_inicio, "data_inicio"), day(query.data_fim, "data_fim")
    return Asked(query.comando, inicio, fim, _known(query.recursos), query.repair)


def _known(written: str | None) -> tuple[str, ...] | None:
    """Os nomes dos recursos. UsageError se um não há, ou se não se diz nenhum."""
    if not written:
        return None
    try:
        found = names(written)
        chosen(found)
    except ValueError as error:
        raise UsageError(f"recursos: {error}.") from None
    except ConfigurationError as error:
        raise UsageError(f"recursos: {str(error).partition(': ')[2]}") from None
    return found
