"""Entrar e sair, quando o serviço tem API_TOKEN."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import RedirectResponse

from bling_collector.web.door import session
from bling_collector.web.door.attempts import too_many
from bling_collector.web.door.companies import PREFIX, prefix_of
from bling_collector.web.door.keys import ALL, Opened
from bling_collector.web.door.origin import is_secure, same_origin
from bling_collector.web.panel.forms import fields, local_path
from bling_collector.web.panel.render import page
from bling_collector.web.service import AllServices

router = APIRouter(include_in_schema=False)


@router.get("/entrar")
async def enter(request: Request, services: AllServices, volta: Annotated[str | None, Query()] = None) -> Response:
    if services.settings.api_token is None:
        return RedirectResponse("/", 303)
    back = local_path(volta)
    if opened := await services.keys.session(request.scope):
        return _back(request, back, opened)
    return _door(request, back)


@router.post("/entrar", dependencies=[Depends(same_origin)])
async def check(request: Request, services: AllServices) -> Response:
    if services.settings.api_token is None:
        return RedirectResponse("/", 303)
    given = await fields(request)
    back = local_path(given.get("volta"))
    attempts, address = services.attempts, request.client.host if request.client else ""
    if wait := attempts.wait(address):
        return _door(request, back, too_many(wait), 429, {"Retry-After": str(wait)})
    token = given.get("token", "").strip()
    opened = await services.keys.opens(token)
    if opened is None:
        attempts.failed(address)
        return _door(request, back, "O token não confere. Confira se foi copiado inteiro.", 403)
    answer = _back(request, back, opened)
    _set_cookie(request, answer, services.keys.begin(token, opened), session.LIFE.days)
    return answer


@router.post("/sair", dependencies=[Depends(same_origin)])
async def leave(request: Request, services: AllServices) -> Response:
    await services.keys.end(request.scope)
    answer = RedirectResponse("/entrar" if services.settings.api_token else "/", 303)
    _set_cookie(request, answer, "", 0)
    return answer


def _door(
    request: Request, back: str, error: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return page(request, "entrar.html", status=status, headers=headers, back=back, error=error, show_nav=False)


def _back(request: Request, path: str, opened: Opened) -> Response:
    """Aonde se ia; quem abre uma empresa só, a ela, se ia a outro lugar."""
    own = f"{PREFIX}{opened.only}"
    if opened.only is not ALL and prefix_of(request.scope) != own and not path.startswith(f"{own}/"):
        path = f"{own}/"
    return RedirectResponse(quote(path, safe="/?&=%:,+-._~"), 303)


def _set_cookie(request: Request, answer: Response, value: str, days: int) -> None:
    secure = is_secure(request)
    # Lax, e não Strict: quem segue um enlace num e-mail continua dentro; o que muda algo confere de onde vem.
    answer.set_cookie(
        session.COOKIE, value, max_age=days * 86400, path="/", secure=secure, httponly=True, samesite="lax"
    )
