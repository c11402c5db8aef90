"""Entrar e sair, quando o serviço tem API_TOKEN."""

import hmac
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import RedirectResponse

from bling_collector.config import Secret
from bling_collector.web.door import session
from bling_collector.web.door.attempts import too_many
from bling_collector.web.door.origin import is_secure, same_origin
from bling_collector.web.panel.forms import fields, local_path
from bling_collector.web.panel.render import page
from bling_collector.web.service import OneService

router = APIRouter(include_in_schema=False)


@router.get("/entrar")
async def enter(request: Request, service: OneService, volta: Annotated[str | None, Query()] = None) -> Response:
    if service.settings.api_token is None:
        return RedirectResponse("/", 303)
    back = local_path(volta)
    value = session.given(request.scope, service.settings.api_token.get_secret_value(), service.clock.now())
    if value is not None and not await service.ended_sessions.has(value):
        return _back(back)
    return _door(request, back)


@router.post("/entrar", dependencies=[Depends(same_origin)])
async def check(request: Request, service: OneService) -> Response:
    expected = service.settings.api_token
    if expected is None:
        return RedirectResponse("/", 303)
    given = await fields(request)
    back = local_path(given.get("volta"))
    attempts, address = service.attempts, request.client.host if request.client else ""
    if wait := attempts.wait(address):
        return _door(request, back, too_many(wait), 429, {"Retry-After": str(wait)})
    if not _equal(expected, given.get("token", "").strip()):
        attempts.failed(address)
        return _door(request, back, "O token não confere. Confira se foi copiado inteiro.", 403)
    answer = _back(back)
    _set_cookie(request, answer, session.issue(expected.get_secret_value(), service.clock.now()), session.LIFE.days)
    return answer


@router.post("/sair", dependencies=[Depends(same_origin)])
async def leave(request: Request, service: OneService) -> Response:
    token = service.settings.api_token
    value = session.given(request.scope, token.get_secret_value(), service.clock.now()) if token else None
    if value is not None:
        await service.ended_sessions.add(value, session.ends_at(value))
    answer = RedirectResponse("/entrar" if token else "/", 303)
    _set_cookie(request, answer, "", 0)
    return answer


def _door(
    request: Request, back: str, error: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return page(request, "entrar.html", status=status, headers=headers, back=back, error=error, show_nav=False)


def _back(path: str) -> Response:
    return RedirectResponse(quote(path, safe="/?&=%:,+-._~"), 303)


def _set_cookie(request: Request, answer: Response, value: str, days: int) -> None:
    secure = is_secure(request)
    # Lax, e não Strict: quem segue um enlace num e-mail continua dentro; o que muda algo confere de onde vem.
    answer.set_cookie(
        session.COOKIE, value, max_age=days * 86400, path="/", secure=secure, httponly=True, samesite="lax"
    )


def _equal(expected: Secret, given: str) -> bool:
    return hmac.compare_digest(
        expected.get_secret_value().encode("utf-8", "surrogateescape"), given.encode("utf-8", "surrogateescape")
    )
