"""Empresas: onde há mais de uma, cada uma com a sua frase, a idade dos seus dados e o que se lhe deve."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from bling_collector.insight.companies import ShownCompany, load_companies
from bling_collector.web.api.answers import problems
from bling_collector.web.door.access import ONLY
from bling_collector.web.panel.render import page, wants_page
from bling_collector.web.service import AllServices, Services

router = APIRouter(tags=["Situação"])


class Empresas(BaseModel):
    """As empresas, a que mais pede atenção primeiro."""

    empresas: list[ShownCompany]


@router.get(
    "/empresas",
    summary="As empresas que quem pede pode ver, com a situação de cada uma",
    responses=problems(422, 503),
    response_model=Empresas,
)
async def empresas(
    request: Request,
    services: AllServices,
    q: Annotated[str, Query(max_length=200, description="Só as que têm estas palavras no nome")] = "",
) -> Any:
    """A página, a quem a vai ler; a um programa, a lista."""
    only, now = request.scope.get("state", {}).get(ONLY), services.clock.now()
    every = await services.look() if only is None else await _alone(services, only)
    found = [each for each in every if each.matches(q)]
    if not wants_page(request.scope):
        return Empresas(empresas=found)
    here = f"/empresas?{urlencode({'q': q})}" if q else "/empresas"
    return page(request, "empresas.html", found=found, every=every, q=q, here=here, now=now, show_nav=False)


async def _alone(services: Services, name: str) -> list[ShownCompany]:
    """A única que vê quem traz o token dela."""
    now = services.clock.now()
    return await load_companies(await services.engine(), services.settings, [name], now, naming=False)
