"""A prova e o que dela decorre: conferir, ver as lacunas, o que se deve, uma nota, e buscar um registro só."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from bling_collector.errors import UsageError
from bling_collector.insight.failures import load_failures
from bling_collector.insight.notas.nota import load_nota
from bling_collector.insight.proof.numbering import load_numbering
from bling_collector.insight.proof.reconciliation import load_reconciliation
from bling_collector.insight.snapshots import as_json
from bling_collector.payload import Json
from bling_collector.runs.request import RunRequest
from bling_collector.runs.unpark import unpark
from bling_collector.streams.registry import record
from bling_collector.web.api.answers import Failures, Nota, Reconciliation, RunAnswer, SerieNumbering, Synced, problems
from bling_collector.web.api.running import DAY, HOW, INICIO, RUN_RESPONSES, AskedPeriod, day, execute, no_body
from bling_collector.web.door.origin import same_origin
from bling_collector.web.service import OneService

router = APIRouter()
_BLING_ID = Annotated[int, Path(ge=1, le=2**63 - 1, description="O id do Bling")]
_ASKS = [Depends(same_origin), Depends(no_body)]


class ReconcilePeriod(AskedPeriod):
    """O período de POST /reconcile: sem datas, a história toda."""

    data_inicio: str | None = Field(
        default=None,
        description=f"{INICIO}; sem ele, o do começo da coleta",
        examples=["2025-01-01"],
        json_schema_extra=DAY,
    )
    repair: bool = Field(default=False, description="Busca o que falta e o que mudou, e marca o que sumiu")
    aceitar_exclusoes: bool = Field(
        default=False, description="Com `repair`: o que sumiu foi mesmo excluído, seja quanto for"
    )


class Serie(BaseModel):
    """Que série mostrar."""

    model_config = ConfigDict(extra="forbid")

    serie: int | None = Field(default=None, ge=0, le=999, description="Só esta série; sem ela, todas")
    recurso: Literal["nfe", "nfce", "pedidos_venda", "pedidos_compra"] = Field(
        default="nfe", description="De que números; os pedidos são todos da série 0"
    )


@router.get(
    "/reconcile",
    tags=["Prova"],
    summary="O que a última conferência de cada mês diz",
    responses=problems(503),
    response_model=Reconciliation,
)
async def reconciliation(service: OneService) -> Json:
    """Não pergunta nada ao Bling: `completo_em` é a hora da conferência mais antiga."""
    async with service.opened() as account:
        return as_json(await load_reconciliation(account.engine, account.clock.now()))


@router.post(
    "/reconcile",
    tags=["Prova"],
    summary="Confere o banco com o Bling, nota por nota",
    description=HOW + "\nSem `repair` nada é buscado nem marcado, e `partial` diz que os dois lados diferem.",
    responses=RUN_RESPONSES,
    response_model=RunAnswer,
    dependencies=_ASKS,
)
async def reconcile(
    request: Request, period: Annotated[ReconcilePeriod, Query()], service: OneService
) -> RunAnswer | Response:
    inicio, fim = day(period.data_inicio, "data_inicio"), day(period.data_fim, "data_fim")
    asked = RunRequest("reconcile", inicio, fim, repair=period.repair, accept_deletions=period.aceitar_exclusoes)
    return await execute(request, service, asked)


@router.get(
    "/reconcile/numeracao",
    tags=["Prova"],
    summary="As lacunas da numeração de cada série",
    responses=problems(404, 422, 503),
    response_model=list[SerieNumbering],
)
async def numbering(asked: Annotated[Serie, Query()], service: OneService) -> Json:
    async with service.opened() as account:
        return as_json(await load_numbering(account.engine, asked.serie, asked.recurso))


@router.get(
    "/failures",
    tags=["Prova"],
    summary="O que se deve, desde quando e por quê",
    responses=problems(503),
    response_model=Failures,
)
async def failures(service: OneService) -> Json:
    async with service.opened() as account:
        return as_json(await load_failures(account.engine))


@router.post(
    "/failures/retry",
    tags=["Prova"],
    summary="Tenta agora tudo o que está pendente",
    description=HOW,
    responses=RUN_RESPONSES,
    response_model=RunAnswer,
    dependencies=_ASKS,
)
async def retry(request: Request, service: OneService) -> RunAnswer | Response:
    async with service.opened() as account:
        await unpark(account.engine)
    return await execute(request, service, RunRequest("retry", windows=False))


@router.get(
    "/nfe/{nfe_id}",
    tags=["Dados"],
    summary="Uma nota, com linhas, pagamentos, contato e histórico",
    responses=problems(404, 422, 503),
    response_model=Nota,
)
async def nota(nfe_id: _BLING_ID, service: OneService) -> Json:
    async with service.opened() as account:
        return as_json((await load_nota(account.engine, nfe_id)).whole)


@router.post(
    "/sync/{recurso}/{id_}",
    tags=["Dados"],
    summary="Busca e salva um registro só",
    responses=problems(403, 404, 422, 502, 503),
    response_model=Synced,
    dependencies=_ASKS,
)
async def sync(
    recurso: Annotated[str, Path(description="O nome do recurso, ou de um só: `contatos`, `contato`, `pedido_venda`…")],
    id_: Annotated[str, Path(description="O id do Bling; de um documento, a chave de acesso")],
    service: OneService,
) -> Json:
    _ = service.settings.credentials
    try:
        found, known = record(recurso, id_)
    except ValueError as error:
        raise UsageError(f"O registro que se pede não serve: {error}") from error
    async with service.opened() as account:
        return {"recurso": recurso, "id": known, "resultado": await account.pipeline.sync(found.name, known)}
