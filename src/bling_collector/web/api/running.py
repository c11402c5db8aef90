"""Executar: a coleta diária e a carga histórica, à espera do fim ou em segundo plano."""

from datetime import date
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import JSONResponse

from bling_collector.clock import DOUBT, today
from bling_collector.db import broker
from bling_collector.errors import UsageError
from bling_collector.insight.jobs import load_job
from bling_collector.insight.snapshots import as_json
from bling_collector.insight.status import load_run
from bling_collector.jobs.asked import RUNS, ask
from bling_collector.payload import Json
from bling_collector.runs.request import SCHEDULER, Limit, RunRequest, RunResult
from bling_collector.web.api.answers import AskedRun, RunAnswer, RunDetails, problems
from bling_collector.web.door.origin import same_origin
from bling_collector.web.problems import from_error
from bling_collector.web.runs import InterruptedRunError
from bling_collector.web.service import OneService, Service
from bling_collector.windows import EARLIEST, asked_period, parse_day
from bling_collector.workplace.account import Account

_MOST_IDS = 1000
"""Ids de cada tipo numa resposta: uma carga histórica encontra todos."""
DAY: dict[str, JsonValue] = {"format": "date"}
INICIO = "Primeiro dia, AAAA-MM-DD"
_FIM = "Último dia, AAAA-MM-DD; sem ele, hoje"


class AskedPeriod(BaseModel):
    """O período de /run, como veio na query; um parâmetro com o nome errado é recusado, e não ignorado."""

    model_config = ConfigDict(extra="forbid")

    data_inicio: str | None = Field(
        default=None,
        description=f"{INICIO}; sem ele, desde o último dia coberto, relendo os `EXTRACTION_LOOKBACK_DAYS` anteriores",
        examples=["2025-01-01"],
        json_schema_extra=DAY,
    )
    data_fim: str | None = Field(default=None, description=_FIM, examples=["2025-01-31"], json_schema_extra=DAY)


class FullPeriod(BaseModel):
    """O período de /run/full."""

    model_config = ConfigDict(extra="forbid")

    data_inicio: str = Field(description=INICIO, examples=["2021-01-01"], json_schema_extra=DAY)
    data_fim: str | None = Field(default=None, description=_FIM, examples=["2026-02-20"], json_schema_extra=DAY)


async def no_body(request: Request) -> None:
    """UsageError se as datas vieram num corpo: ignorá-las seria coletar outro período."""
    async for chunk in request.stream():
        if chunk.strip() not in (b"", b"{}"):
            raise UsageError(
                "Esta rota não lê o corpo do pedido. Ponha data_inicio e data_fim na query (?data_inicio=…)."
            )


router = APIRouter(tags=["Execuções"], dependencies=[Depends(same_origin), Depends(no_body)])
RUN_RESPONSES = problems(403, 409, 422, 502, 503) | {
    202: {
        "model": RunDetails | AskedRun,
        "description": "Com `Prefer: respond-async`: a execução começou ou, se há um worker, está na fila dele; "
        "acompanhe-a em `Location`",
        "headers": {
            "Location": {"schema": {"type": "string"}, "description": "/runs/{run_id}, ou /jobs/{job_id}"},
            "Preference-Applied": {"schema": {"type": "string"}, "description": "respond-async"},
        },
    }
}
HOW = """
Responde quando a execução termina. Com o cabeçalho `Prefer: respond-async` responde 202: se há um worker, deixa-lhe a
execução, que se acompanha em `/jobs/{job_id}`; se não, responde assim que ela começa, e ela segue aqui em segundo
plano, o que no Cloud Run pede CPU sempre alocada. Se o cliente se vai, a execução continua.

`partial` (200) diz que algo ficou devido e será tentado de novo, ou que o tempo da execução acabou (`RUN_MAX_SECONDS`;
14 minutos, se quem chama é o Cloud Scheduler), e pedir de novo continua dali. Se o Bling, o banco ou a autorização
impedem a execução, a resposta é um problema com `run_id`, `run_status` e `stats`. Se o serviço para no meio, é um 503
com `run_status: partial`: o que chegou está salvo, e pedir de novo continua dali.
"""


@router.post(
    "/run", summary="Coleta o que é novo ou mudou", description=HOW, responses=RUN_RESPONSES, response_model=RunAnswer
)
async def run(request: Request, period: Annotated[AskedPeriod, Query()], service: OneService) -> RunAnswer | Response:
    inicio, fim = day(period.data_inicio, "data_inicio"), day(period.data_fim, "data_fim")
    return await execute(request, service, RunRequest("run", inicio, fim))


@router.post(
    "/run/full",
    summary="Carga histórica: todas as notas do período",
    description=HOW,
    responses=RUN_RESPONSES,
    response_model=RunAnswer,
)
async def run_full(
    request: Request, period: Annotated[FullPeriod, Query()], service: OneService
) -> RunAnswer | Response:
    inicio, fim = parse_day(period.data_inicio, "data_inicio"), day(period.data_fim, "data_fim")
    return await execute(request, service, RunRequest("run-full", inicio, fim))


def day(value: str | None, name: str) -> date | None:
    """O dia de um parâmetro opcional."""
    return None if value is None else parse_day(value, name)


async def execute(request: Request, service: Service, asked: RunRequest) -> RunAnswer | Response:
    """Faz a execução pedida e responde como as rotas de execução respondem."""
    _ = service.settings.credentials  # sem elas, recusa antes de abrir uma execução
    asked_at, limit = service.clock.monotonic(), _patience(request)
    async with service.opened() as account:
        if _wants_no_wait(request) and asked.tipo in RUNS and await _is_attended(account):
            return await _queued(account, asked)
        run = service.runner.start(partial(account.pipeline.execute, asked, asked_at=asked_at, limit=limit))
        if _wants_no_wait(request):
            run_id = await run.started()
            return JSONResponse(as_json(await load_run(account.engine, run_id)), 202, _at(f"/runs/{run_id}"))
        try:
            result = await run.ended()
        finally:
            request.state.run_id = run.id  # se deu errado, o problema diz qual execução foi
    return _answer(request, result, stopping=service.runner.stopping)


def _at(address: str) -> dict[str, str]:
    return {"Location": address, "Preference-Applied": "respond-async"}


async def _is_attended(account: Account) -> bool:
    async with account.engine.connect() as connection:
        return await broker.is_attended(connection)


async def _queued(account: Account, asked: RunRequest) -> Response:
    """Deixa a execução a um worker, e diz onde se pergunta por ela."""
    # O relógio desta máquina pode estar atrasado: dos dias próximos, é a hora do Bling que diz se estão no futuro.
    asked_period(asked.inicio, asked.fim, default_inicio=EARLIEST, today=today(account.clock), doubt=DOUBT)
    await account.pipeline.ready(asked)
    job_id, already = await ask(account.engine, asked)
    found = await load_job(account.engine, job_id)
    body = as_json(found) | {"repetida": already}
    return JSONResponse(body, 202, _at(f"/jobs/{job_id}"))


def _patience(request: Request) -> Limit | None:
    """Quanto espera quem chama, se se sabe."""
    return SCHEDULER if request.headers.get("x-cloudscheduler", "").lower() == "true" else None


def _wants_no_wait(request: Request) -> bool:
    """O cabeçalho Prefer (RFC 7240) pede `respond-async`."""
    wishes = ",".join(request.headers.getlist("prefer")).split(",")
    return any(wish.partition(";")[0].strip().lower() == "respond-async" for wish in wishes)


def _answer(request: Request, result: RunResult, *, stopping: bool) -> RunAnswer | Response:
    """200 para `success` e para `partial` por dívidas; um problema para o que impediu a execução de chegar ao fim."""
    facts: dict[str, Json] = {
        "run_id": result.run_id,
        "stats": result.stats,
        "data_referencia": result.data_referencia.isoformat() if result.data_referencia else None,
        "requisicoes": result.requisicoes,
        "encontrado": result.found.as_json(most=_MOST_IDS),
    }
    error = result.error
    if error is None and stopping and result.status != "success":
        error = InterruptedRunError()
    if error is not None:
        return from_error(request.scope, error, detail=result.message, run_status=result.status, **facts)
    return RunAnswer.model_validate(facts | {"status": result.status, "mensagem": result.message})
