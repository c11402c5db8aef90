"""Executar: o plano de uma coleta, com o que ela custa, e o botão que a começa."""

import asyncio
from typing import Any, Final

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from bling_collector.errors import BlingUnavailableError, UsageError
from bling_collector.insight.live import running_id
from bling_collector.insight.status import load_status
from bling_collector.plan.estimate import Estimate, Estimator
from bling_collector.web.door.origin import same_origin
from bling_collector.web.panel.forms import fields
from bling_collector.web.panel.render import page
from bling_collector.web.panel.starting import asked, start
from bling_collector.web.service import OneService
from bling_collector.workplace.account import Account

router = APIRouter(include_in_schema=False)

PATIENCE: Final = 60.0
"""Segundos que quem pede um plano espera pelo Bling; as sondas, com ele bom, levam uns oito e, de todos os recursos,
uns trinta."""


@router.get("/executar")
async def choose(request: Request, service: OneService) -> Response:
    """As execuções que se podem começar; se uma está em curso, a página dela."""
    async with service.opened() as account:
        found = await running_id(account.engine)
        if found is not None:
            return RedirectResponse(f"/execucoes/{found}", 303)
        return await _form(request, account)


@router.get("/executar/plano", dependencies=[Depends(same_origin)])
async def plan(request: Request, service: OneService) -> Response:
    """O que a execução pedida custaria; um período que não existe é dito ao lado do campo.

    Não muda nada, mas pede algumas coisas ao Bling: outro site não o faz pedir.
    """
    given = dict(request.query_params)
    _ = service.settings.credentials
    async with service.opened() as account:
        try:
            found = await _estimate(account, given)
        except UsageError as error:
            return await _form(request, account, given=given, error=str(error), status=422)
    return page(request, "plano.html", section="executar", plan=found, given=given)


@router.post("/executar", dependencies=[Depends(same_origin)])
async def begin(request: Request, service: OneService) -> Response:
    given = await fields(request)
    return await start(request, service, given.get("tipo", ""), given)


async def _estimate(account: Account, given: dict[str, str]) -> Estimate:
    estimator = Estimator(account.engine, account.client, account.clock, account.settings)
    try:
        async with asyncio.timeout(PATIENCE):
            match given.get("tipo"):
                case "run":
                    return await estimator.run()
                case "run-full":
                    return await estimator.run_full(*asked(given))
    except TimeoutError:
        raise BlingUnavailableError(f"O Bling não respondeu em {PATIENCE:.0f} s às sondas do plano.") from None
    raise UsageError("Escolha a coleta do dia ou a carga histórica.")


async def _form(
    request: Request, account: Account, *, given: dict[str, str] | None = None, status: int = 200, **more: Any
) -> Response:
    loaded = await load_status(account.engine, account.cipher, account.clock.now())
    first = given or {"tipo": "run" if loaded.started else "run-full"}
    more = {"error": None} | more
    return page(
        request,
        "executar.html",
        status=status,
        section="executar",
        given=first,
        oauth=loaded.oauth,
        last=loaded.last_run,
        **more,
    )
