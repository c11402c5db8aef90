"""Executar: a coleta diária e a carga histórica, à espera do fim ou em segundo plano."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import JSONResponse

from bling_collector.errors import UsageError
from bling_collector.insight.snapshots import as_json
from bling_collector.insight.status import load_run
from bling_collector.payload import Json
from bling_collector.runs.job import RunResult
from bling_collector.web.api.answers import RunAnswer, RunDetails, problems
from bling_collector.web.door.origin import same_origin
from bling_collector.web.problems import from_error
from bling_collector.web.runs import Begin, InterruptedRunError
from bling_collector.web.service import OneService, Service
from bling_collector.windows import parse_day
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
        "model": RunDetails,
        "description": "Com `Prefer: respond-async`: a execução começou; acompanhe-a em `Location`",
        "headers": {
            "Location": {"schema": {"type": "string"}, "description": "/runs/{run_id}"},
            "Preference-Applied": {"schema": {"type": "string"}, "description": "respond-async"},
        },
    }
}
HOW = """
Responde quando a execução termina. Com o cabeçalho `Prefer: respond-async` responde 202 assim que ela começa, e ela
segue em segundo plano; no Cloud Run isso pede CPU sempre alocada. Se o cliente se vai, a execução continua.

`partial` (200) diz que algo ficou devido e será tentado de novo. Se o Bling, o banco ou a autorização impedem a
execução, a resposta é um problema com `run_id`, `run_status` e `stats`. Se o serviço para no meio, é um 503 com
`run_status: partial`: o que chegou está salvo, e pedir de novo continua dali.
"""


@router.post(
    "/run", summary="Coleta o que é novo ou mudou", description=HOW, responses=RUN_RESPONSES, response_model=RunAnswer
)
async def run(request: Request, period: Annotated[AskedPeriod, Query()], service: OneService) -> RunAnswer | Response:
    inicio, fim = day(period.data_inicio, "data_inicio"), day(period.data_fim, "data_fim")
    return await execute(request, service, lambda account: partial(account.pipeline.run, inicio, fim))


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
    return await execute(request, service, lambda account: partial(account.pipeline.run_full, inicio, fim))


def day(value: str | None, name: str) -> date | None:
    """O dia de um parâmetro opcional."""
    return None if value is None else parse_day(value, name)


async def execute(request: Request, service: Service, choose: Callable[[Account], Begin]) -> RunAnswer | Response:
    """Começa a execução escolhida e responde como as rotas de execução respondem."""
    _ = service.settings.credentials  # sem elas, recusa antes de abrir uma execução
    async with service.opened() as account:
        run = service.runner.start(choose(account))
        if _wants_no_wait(request):
            run_id = await run.started()
            headers = {"Location": f"/runs/{run_id}", "Preference-Applied": "respond-async"}
            return JSONResponse(as_json(await load_run(account.engine, run_id)), 202, headers)
        try:
            result = await run.ended()
        finally:
            request.state.run_id = run.id  # se deu errado, o problema diz qual execução foi
    return _answer(request, result, stopping=service.runner.stopping)


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
