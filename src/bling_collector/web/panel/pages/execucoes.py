"""Execuções: a história, e a página de cada uma, que se acompanha ao vivo enquanto ela corre."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import RedirectResponse, StreamingResponse

from bling_collector.errors import CollectorError
from bling_collector.etl.progress import time_left
from bling_collector.insight.failures import load_failures
from bling_collector.insight.live import Pace, load_live, load_log
from bling_collector.insight.status import load_runs
from bling_collector.insight.words import KINDS
from bling_collector.runs.journal import stop
from bling_collector.web.door.origin import same_origin
from bling_collector.web.live import EVERY
from bling_collector.web.panel.render import page
from bling_collector.web.service import OneService, Service
from bling_collector.words import duration, number, upper_first

router = APIRouter(include_in_schema=False)

PER_PAGE: Final = 30
LONGEST: Final = 300.0
"""Segundos de uma ligação: o navegador a refaz sozinho, e quem se foi sem avisar não a segura para sempre."""
_MOST: Final = 2**31 - 1
RunId = Annotated[int, Path(ge=1, le=_MOST)]


@router.get("/execucoes")
async def history(request: Request, service: OneService, antes: Annotated[str | None, Query()] = None) -> Response:
    known = antes and antes.isascii() and antes.isdigit() and len(antes) <= 10 and 1 <= int(antes) <= _MOST
    before = int(antes) if antes and known else None
    async with service.opened() as app:
        found = await load_runs(app.engine, limit=PER_PAGE + 1, before=before)
    shown, more = found[:PER_PAGE], len(found) > PER_PAGE
    return page(
        request,
        "execucoes.html",
        section="execucoes",
        now=service.clock.now(),
        runs=[_with_duration(run) for run in shown],
        kinds=KINDS,
        first=before is None,
        next=f"/execucoes?antes={shown[-1]['run_id']}" if more else None,
    )


@router.get("/execucoes/{run_id}")
async def one(request: Request, run_id: RunId, service: OneService) -> Response:
    async with service.opened() as app:
        run = _with_duration(await load_live(app.engine, run_id))
        failures, log = await load_failures(app.engine), await load_log(app.engine, run_id)
    began, ended = run["inicio"], run["fim"] or "9"
    pace = Pace()
    pace.add(0, run)
    return page(
        request,
        "execucao.html",
        section="executar" if run["status"] == "running" else "execucoes",
        now=service.clock.now(),
        run=run,
        kind=KINDS.get(run["tipo"], run["tipo"] or "Execução"),
        live=_shown(run, pace, service.clock.now()),
        failures=[p for p in failures.pendencias if began and began <= p.tentada_em.isoformat() <= ended],
        windows=failures.janelas if run["status"] != "success" else [],
        log=log,
    )


@router.post("/execucoes/{run_id}/parar", dependencies=[Depends(same_origin)])
async def ask_to_stop(run_id: RunId, service: OneService) -> Response:
    async with service.opened() as app:
        await stop(app.engine, run_id)
    return RedirectResponse(f"/execucoes/{run_id}", 303)


@router.get("/execucoes/{run_id}/ao-vivo")
async def live(run_id: RunId, service: OneService) -> Response:
    """Eventos (server-sent events): o andamento de segundo em segundo e, no fim, `fim`."""
    async with service.opened() as app:
        await load_live(app.engine, run_id)  # 404 antes de começar
    return StreamingResponse(_events(service, run_id), media_type="text/event-stream")


async def _events(service: Service, run_id: int) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    ends = loop.time() + LONGEST
    yield "retry: 2000\n\n"
    while loop.time() < ends and not service.runner.stopping:
        try:
            run, pace = await service.live.look(await service.app(), run_id)
        except CollectorError:  # o banco caiu: quem acompanha o diz na página, e liga de novo
            return
        if run["status"] != "running":
            yield f"event: fim\ndata: {run['status']}\n\n"
            return
        yield f"data: {json.dumps(_shown(run, pace, service.clock.now()), ensure_ascii=False)}\n\n"
        await asyncio.sleep(EVERY)


def _shown(run: dict[str, Any], pace: Pace, now: datetime) -> dict[str, Any]:
    """O andamento como a página o escreve; as chaves são os `data-live` dela."""
    progress = run["andamento"]
    total, done = progress["total"], progress["feitos"]
    seconds = (now - datetime.fromisoformat(run["inicio"])).total_seconds() if run["inicio"] else None
    average = run["requisicoes"] / seconds if seconds and seconds > 5 else None
    rate, ahead = pace.per_second, progress["restam"]
    left = ahead / rate if rate and ahead is not None else time_left(run["requisicoes"], ahead, seconds)
    whole = None if ahead is None else run["requisicoes"] + ahead
    return {
        "fase": "Parando com jeito: salva o que já chegou" if run["parando"] else progress["fase"] or "Começando",
        "feitos": f"{number(done)} de {number(total)}" if total else "Lendo as listagens",
        "valor": run["requisicoes"] if whole else (done if total else None),
        "maximo": whole or total or 1,
        "espera": upper_first(progress["espera"] or ""),
        "notas": number(run["stats"]["nfes"]),
        "cadastros": number(run["stats"]["contatos"] + run["stats"]["produtos"]),
        "requisicoes": number(run["requisicoes"]),
        "ritmo": number(rate if rate is not None else average, 1),
        "decorrido": duration(seconds),
        "falta": f"cerca de {duration(left)}" if left is not None else "—",
        "janelas": number(run["janelas"]),
    }


def _with_duration(run: dict[str, Any]) -> dict[str, Any]:
    began, ended = run["inicio"], run["fim"]
    spent = datetime.fromisoformat(ended) - datetime.fromisoformat(began) if began and ended else None
    return run | {"duracao": spent.total_seconds() if spent else None}
