"""Situação: numa frase, se está tudo aqui, e o que fazer se não está. Antes da primeira carga, o guia até ela."""

from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse, RedirectResponse

from bling_collector import __version__
from bling_collector.clock import brasilia_day, today
from bling_collector.config import Settings
from bling_collector.errors import ConfigurationError
from bling_collector.insight.account.webhooks import SWITCH_ON, missed
from bling_collector.insight.live import running_id
from bling_collector.insight.recursos import ShownResource, differs, in_order
from bling_collector.insight.situation import load_situation
from bling_collector.insight.words import KINDS
from bling_collector.streams.notas.nfe import NFE
from bling_collector.streams.registry import RESOURCES
from bling_collector.web.door.companies import address_in, prefix_of
from bling_collector.web.door.origin import address
from bling_collector.web.panel.render import page, wants_page
from bling_collector.web.panel.tables.revenue import FATURAMENTO, VENDAS, change
from bling_collector.web.service import AllServices, OneService, Service

router = APIRouter(include_in_schema=False)
_MONEY: Final = (FATURAMENTO, VENDAS)
"""O que se faturou e, se há pedidos, o que se vendeu."""


@router.get("/")
async def situacao(request: Request, service: OneService, services: AllServices) -> Response:
    """A página, a quem a vai ler, ou a das empresas, se há várias e o endereço não diz de qual; a um programa, o nome
    do serviço e onde estão as coisas."""
    if not wants_page(request.scope):
        name = {"service": "bling-collector", "version": __version__}
        return JSONResponse(name | {each: address_in(request.scope, f"/{each}") for each in ("docs", "status")})
    if not prefix_of(request.scope) and await services.are_several():
        return RedirectResponse("/empresas", 303)
    async with service.opened() as account:
        now = account.clock.now()
        hours = service.settings.alert_no_run_hours
        found = await load_situation(
            account.engine,
            account.cipher,
            now,
            no_run_hours=hours,
            missing=_missing(service),
            recursos=account.settings.recursos,
            sales={told.recurso: told.sales for told in _MONEY},
        )
        running = await running_id(account.engine) if found.status.running else None
    read_at = found.status.freshness.read_at
    template = "situacao.html" if read_at is not None or found.reconciliation.no_banco else "guia.html"
    callback = f"{address(request)}/auth/callback"
    return page(
        request,
        template,
        section="situacao",
        now=now,
        running=running,
        kinds=KINDS,
        callback=callback,
        verdict=found.verdict,
        state=found.status,
        failures=found.failures,
        alarms=found.alarms,
        attended=found.attended,
        next_run=_on_the_agenda(service.settings, now) if found.attended else found.next_run,
        recursos=_parted(found.recursos, running=running is not None),
        heard=found.heard,
        titles={each.name: each.title for each in RESOURCES},
        missed=missed,
        switch_on=SWITCH_ON,
        money=[(told, pace) for told in _MONEY if (pace := found.paces[told.recurso]) is not None],
        today=today(service.clock),
        read_day=brasilia_day(read_at) if read_at else None,
        change=change,
        no_run_hours=hours,
    )


def _parted(recursos: list[ShownResource], *, running: bool) -> dict[str, list[ShownResource]] | None:
    """Os que pedem atenção, que se veem; os que a execução em curso ainda há de ler e os em dia, que se abrem."""
    until = next((each.data_referencia for each in recursos if each.recurso == NFE.name), None)
    parts: dict[str, list[ShownResource]] = {"attention": [], "waiting": [], "fine": []}
    for each in recursos:
        wrong = each.sem_permissao or each.pendencias or differs(each)
        waits = "waiting" if running and not wrong else "attention"
        parts["fine" if in_order(each, until) else waits].append(each)
    return parts if recursos else None


def _on_the_agenda(settings: Settings, now: datetime) -> datetime | None:
    """A hora da próxima execução na agenda do worker; None se ela não tem nenhuma."""
    from bling_collector.jobs.schedule import agenda  # só onde há um worker se lê a agenda

    try:
        lines = agenda(settings)
    except ConfigurationError:  # o worker tem a sua, que este processo não conhece
        return None
    return min((line.next(now) for line in lines if line.task == "run"), default=None)


def _missing(service: Service) -> str | None:
    try:
        _ = service.settings.credentials
    except ConfigurationError as error:
        return str(error)
    return None
