"""Autorizar do painel: daqui se vai à página do Bling, e ela volta para /auth/callback."""

from fastapi import APIRouter, Response
from starlette.responses import RedirectResponse

from bling_collector.web.service import OneService

router = APIRouter(include_in_schema=False)


@router.get("/autorizar")
async def go(service: OneService) -> Response:
    """Um enlace, e não um formulário: a política de conteúdo não deixa um formulário acabar noutro site."""
    _ = service.settings.credentials
    async with service.opened() as account:
        return RedirectResponse(await account.oauth.start_authorization(), 303)
