"""A autorização pelo navegador: o endereço do Bling e o retorno dele."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from bling_collector.auth.signed_state import UNKNOWN_STATE, company_of
from bling_collector.auth.token_endpoint import callback_error
from bling_collector.db import control
from bling_collector.db.companies.schemas import sharing
from bling_collector.errors import UnknownCompanyError, UsageError
from bling_collector.insight.account.empresa import load_empresa
from bling_collector.insight.companies import SAME_ACCOUNT
from bling_collector.web.api.answers import AuthDone, AuthStart, problems
from bling_collector.web.panel.render import page, wants_page
from bling_collector.web.service import AllServices, AskedCompany, OneService

router = APIRouter(prefix="/auth", tags=["Autorização"])


@router.get("/start", summary="O endereço em que o dono da conta autoriza", responses=problems(503))
async def start(service: OneService) -> AuthStart:
    _ = service.settings.credentials
    async with service.opened() as account:
        return AuthStart(
            auth_url=await account.oauth.start_authorization(),
            instruction="Abra auth_url no navegador, entre na conta do Bling e autorize. O endereço vale uma vez, por "
            "10 minutos; ao autorizar, o Bling volta para /auth/callback e o token fica guardado.",
        )


@router.get(
    "/callback",
    summary="O retorno do Bling: troca o código pelo token",
    responses=problems(422, 502, 503),
    response_model=AuthDone,
)
async def callback(
    request: Request,
    empresa: AskedCompany,
    services: AllServices,
    code: Annotated[str | None, Query(description="O código de autorização; vale 1 minuto e uma vez")] = None,
    state: Annotated[str | None, Query(description="O que /auth/start pôs no endereço")] = None,
    error: Annotated[str | None, Query(description="Por que o Bling não autorizou")] = None,
    error_description: Annotated[str | None, Query(description="O mesmo, por extenso")] = None,
) -> Any:
    if error is not None:
        raise callback_error(error, error_description or "")
    if not code or not state:
        raise UsageError(
            f"Falta {'code' if not code else 'state'}. É o Bling que chama este endereço; comece por /auth/start."
        )
    try:  # o link de redirecionamento de um aplicativo é um só, para todas as empresas: o `state` diz qual é
        service = await services.of(company_of(state) or empresa)
    except UnknownCompanyError:  # a mesma recusa: quem não tem um `state` nosso não fica a saber que empresas há
        raise UsageError(UNKNOWN_STATE) from None
    _ = service.settings.credentials
    async with service.opened() as account:
        token = await account.oauth.exchange_authorization_code(code, state)
        async with account.engine.begin() as connection:
            await control.ask_the_refused_again(connection)
        shared = account.settings.company in await sharing(account.engine)
        warning = f" {SAME_ACCOUNT}" if shared else ""  # quem volta do Bling pode não ter token nenhum
        if wants_page(request.scope):
            whose = await load_empresa(account.engine)
            return page(request, "autorizado.html", section="situacao", empresa=whose, warning=warning)
        life = token.expires_at - (token.updated_at or account.clock.now())
        return AuthDone(
            status="success",
            message="Autorizado. O token está guardado e se renova sozinho; já se pode executar POST /run." + warning,
            expires_in=round(life.total_seconds()),
        )
