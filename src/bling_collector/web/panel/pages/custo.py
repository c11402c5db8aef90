"""O que custa coletar: quantas requisições por dia cada recurso pede, ou pediria."""

from typing import Any

from fastapi import APIRouter, Request, Response

from bling_collector.errors import UsageError
from bling_collector.insight.account.quota import read_quota
from bling_collector.plan.daily import LOOKS_A_DAY, CostedResource, load_costed, look_cost
from bling_collector.streams.registry import chosen, named
from bling_collector.web.panel.forms import only
from bling_collector.web.panel.render import fragment, page, wants_fragment
from bling_collector.web.service import OneService

router = APIRouter(include_in_schema=False)


@router.get("/custo")
async def custo(request: Request, service: OneService) -> Response:
    """De `recursos` (nomes separados por espaço), o que coletá-los pede a mais; sem ele, de todos."""
    names = only(request, ("recursos",))["recursos"].split()
    if unknown := [name for name in names if named(name) is None]:
        raise UsageError(f"Não há um recurso chamado “{unknown[0][:40]}”.")
    async with service.opened() as account:
        costed = await load_costed(account.engine, account.settings, account.clock.now())
        async with account.engine.connect() as connection:
            quota = await read_quota(connection, account.clock.now())
    looks = {"each_look": look_cost(costed), "looks_a_day": LOOKS_A_DAY}
    shown = looks | {"limit": quota.limit - (quota.reserve or 0)} | _added(names, costed)
    if wants_fragment(request.scope):
        return fragment("custo.html", "frase", **shown)
    return page(request, "custo.html", section="situacao", costed=costed, names=names, **shown)


def _added(names: list[str], costed: list[CostedResource]) -> dict[str, Any]:
    """O que estes recursos, com os de que precisam, pedem a mais do que já se pede."""
    wanted = {each.name for each in chosen(names)} if names else set()
    new = [each for each in costed if each.recurso in wanted and not each.coletado]
    return {"added": sum(each.requisicoes_por_dia for each in new), "at_least": any(each.pelo_menos for each in new)}
