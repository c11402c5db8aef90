"""O que se lê do serviço: a saúde, a situação e as execuções."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from bling_collector.insight.jobs import load_job
from bling_collector.insight.snapshots import as_json
from bling_collector.insight.status import load_run, load_runs, load_status
from bling_collector.payload import Json
from bling_collector.web.api.answers import AskedRun, Health, RunDetails, Runs, Status, problems
from bling_collector.web.door.companies import address_in
from bling_collector.web.service import AllServices, OneService

router = APIRouter()
open_router = APIRouter()
"""O que se atende a qualquer um."""

_LARGEST_ID = 2**31 - 1


class Page(BaseModel):
    """Que execuções mostrar."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=500, description="Quantas execuções, no máximo")
    before: int | None = Field(
        default=None, ge=1, le=_LARGEST_ID, description="Só as de número menor que este; `next` o traz pronto"
    )


@open_router.get("/health", tags=["Situação"], summary="O processo atende", responses=problems())
async def health(services: AllServices) -> Health:
    """Não toca no banco nem no Bling: diz só que este processo está vivo."""
    return Health(status="ok", timestamp=services.clock.now().isoformat())


@router.get(
    "/status",
    tags=["Situação"],
    summary="A última execução, o que se deve e a autorização",
    responses=problems(503),
    response_model=Status,
)
async def status(service: OneService) -> Json:
    async with service.opened() as account:
        return as_json(await load_status(account.engine, account.cipher, account.clock.now()))


@router.get(
    "/runs",
    tags=["Execuções"],
    summary="As execuções, da mais nova à mais antiga",
    responses=problems(422, 503),
    response_model=Runs,
)
async def runs(request: Request, page: Annotated[Page, Query()], service: OneService) -> Json:
    async with service.opened() as account:
        found = await load_runs(account.engine, limit=page.limit + 1, before=page.before)
    shown, more = found[: page.limit], len(found) > page.limit
    following = f"/runs?limit={page.limit}&before={shown[-1].run_id}" if more else None
    return {"runs": as_json(shown), "next": following and address_in(request.scope, following)}


@router.get(
    "/runs/{run_id}",
    tags=["Execuções"],
    summary="Uma execução, com o andamento se está em curso",
    responses=problems(404, 422, 503),
    response_model=RunDetails,
)
async def one_run(
    run_id: Annotated[int, Path(ge=1, le=_LARGEST_ID, description="O número da execução")], service: OneService
) -> Json:
    async with service.opened() as account:
        return as_json(await load_run(account.engine, run_id))


@router.get(
    "/jobs/{job_id}",
    tags=["Execuções"],
    summary="Uma execução que se deixou a um worker",
    responses=problems(404, 422, 503),
    response_model=AskedRun,
)
async def one_job(
    job_id: Annotated[int, Path(ge=1, le=2**63 - 1, description="O número da tarefa")], service: OneService
) -> Json:
    async with service.opened() as account:
        return as_json(await load_job(account.engine, job_id))
