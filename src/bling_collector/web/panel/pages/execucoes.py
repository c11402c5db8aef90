"""Execuções: a história, e a página de cada uma, que se acompanha ao vivo enquanto ela corre."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import RedirectResponse, StreamingResponse

from bling_collector.errors import CollectorError
from bling_collector.etl.progress import time_left
from bling_collector.insight.failures import Failure, load_failures
from bling_collector.insight.live import LiveRun, Pace, load_live, load_log
from bling_collector.insight.status import Run, UnknownRunError, load_runs
from bling_collector.insight.words import KINDS
from bling_collector.runs.journal import stop
from bling_collector.web.door.origin import same_origin
from bling_collector.web.live import EVERY
from bling_collector.web.panel.forms import record_id
from bling_collector.web.panel.render import page
from bling_collector.web.service import OneService, Service
from bling_collector.words import duration, number, upper_first

router = APIRouter(include_in_schema=False)

PER_PAGE: Final = 30
LONGEST: Final = 300.0
"""Segundos de uma ligação: o navegador a refaz sozinho, e quem se foi sem avisar não a segura para sempre."""
_MOST: Final = 2**31 - 1


def _run_id(run_id: str) -> int:
    """O número da execução que o endereço traz; 404, numa frase, se não é um."""
    number = record_id(run_id, "O endereço de uma execução traz o número dela, que é só de algarismos.")
    if number > _MOST:
        raise UnknownRunError(f"Não há a execução nº {number}.")
    return number


RunId = Annotated[int, Depends(_run_id)]


@router.get("/execucoes")
async def history(request: Request, service: OneService, antes: Annotated[str | None, Query()] = None) -> Response:
    known = antes and antes.isascii() and antes.isdigit() and len(antes) <= 10 and 1 <= int(antes) <= _MOST
    before = int(antes) if antes and known else None
    async with service.opened() as account:
        found = await load_runs(account.engine, limit=PER_PAGE + 1, before=before)
    shown, more = found[:PER_PAGE], len(found) > PER_PAGE
    return page(
        request,
        "execucoes.html",
        section="execucoes",
        now=service.clock.now(),
        runs=shown,
        kinds=KINDS,
        first=before is None,
        next=f"/execucoes?antes={shown[-1].run_id}" if more else None,
    )


@router.get("/execucoes/{run_id}")
async def one(request: Request, run_id: RunId, service: OneService) -> Response:
    async with service.opened() as account:
        live = await load_live(account.engine, run_id)
        failures, log = await load_failures(account.engine), await load_log(account.engine, run_id)
    run, pace = live.run, Pace()
    pace.add(0, run.requisicoes)
    return page(
        request,
        "execucao.html",
        section="executar" if run.status == "running" else "execucoes",
        now=service.clock.now(),
        run=run,
        stopping=live.parando,
        kind=KINDS.get(run.tipo or "", run.tipo or "Execução"),
        live=_shown(live, pace, service.clock.now()),
        failures=[failure for failure in failures.pendencias if _tried(run, failure)],
        windows=failures.janelas if run.status != "success" else [],
        log=log,
    )


@router.post("/execucoes/{run_id}/parar", dependencies=[Depends(same_origin)])
async def ask_to_stop(run_id: RunId, service: OneService) -> Response:
    async with service.opened() as account:
        await stop(account.engine, run_id)
    return RedirectResponse(f"/execucoes/{run_id}", 303)


@router.get("/execucoes/{run_id}/ao-vivo")
async def live(run_id: RunId, service: OneService) -> Response:
    """Eventos (server-sent events): o andamento de segundo em segundo e, no fim, `fim`."""
    async with service.opened() as account:
        await load_live(account.engine, run_id)  # 404 antes de começar
    return StreamingResponse(_events(service, run_id), media_type="text/event-stream")


async def _events(service: Service, run_id: int) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    ends = loop.time() + LONGEST
    yield "retry: 2000\n\n"
    while loop.time() < ends and not service.runner.stopping:
        try:
            live, pace = await service.live.look(await service.account(), run_id)
        except CollectorError:  # o banco caiu: quem acompanha o diz na página, e liga de novo
            return
        if live.run.status != "running":
            yield f"event: fim\ndata: {live.run.status}\n\n"
            return
        yield f"data: {json.dumps(_shown(live, pace, service.clock.now()), ensure_ascii=False)}\n\n"
        await asyncio.sleep(EVERY)


def _tried(run: Run, failure: Failure) -> bool:
    """Se foi nesta execução que se tentou por último o que falhou."""
    began, ended = run.inicio, run.fim
    return began is not None and began <= failure.tentada_em and (ended is None or failure.tentada_em <= ended)


def _shown(live: LiveRun, pace: Pace, now: datetime) -> dict[str, str | int | None]:
    """O andamento como a página o escreve; as chaves são os `data-live` dela."""
    run, step = live.run, live.run.andamento
    seconds = (now - run.inicio).total_seconds() if run.inicio else None
    average = run.requisicoes / seconds if seconds and seconds > 5 else None
    rate, ahead = pace.per_second, step.restam
    left = ahead / rate if rate and ahead is not None else time_left(run.requisicoes, ahead, seconds)
    whole = None if ahead is None else run.requisicoes + ahead
    return {
        "fase": "Parando com jeito: salva o que já chegou" if live.parando else step.fase or "Começando",
        "feitos": f"{number(step.feitos)} de {number(step.total)}" if step.total else "Lendo as listagens",
        "valor": run.requisicoes if whole else (step.feitos if step.total else None),
        "maximo": whole or step.total or 1,
        "espera": upper_first(step.espera or ""),
        "notas": number(run.stats["nfes"]),
        "outros": number(run.others),
        "requisicoes": number(run.requisicoes),
        "ritmo": number(rate if rate is not None else average, 1),
        "decorrido": duration(seconds),
        "falta": f"cerca de {duration(left)}" if left is not None else "—",
        "janelas": number(live.janelas),
    }
