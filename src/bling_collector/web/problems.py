"""Todo erro que sai daqui é um `application/problem+json` (RFC 9457), escrito para quem o lê, ou uma página."""

import logging
import re
import secrets
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bling_collector.errors import CollectorError, DatabaseError, ReauthorizeError, UsageError
from bling_collector.payload import Json
from bling_collector.redaction import redact
from bling_collector.web.door.companies import address_in, prefix_of
from bling_collector.web.panel.errors import error_page
from bling_collector.web.panel.render import wants_page

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
KNOWN: Final = "known"
"""No `state` do pedido: a porta deixou passar quem o faz. O que se atende sem token não o tem."""
DOWN: Final = "O banco não atende agora; o log do serviço diz porquê."
"""O que se diz do banco a quem não se conhece: onde ele está, e o que o impede, não é com ele."""
_LONGEST: Final = 500
"""Caracteres que um problema repete do que lhe mandaram."""
_LONGEST_DETAIL: Final = 4000
"""E da frase toda: as nossas são bem menores, e algumas citam o que se pediu."""
_TITLES: Final = {
    403: "Proibido",
    404: "Não encontrado",
    405: "Método não permitido",
    408: "Corpo que não chega",
    413: "Corpo grande demais",
}
_DETAILS: Final = {
    404: "Não há nada neste endereço; os que existem estão em /docs.",
    405: "Este endereço existe, mas não atende este método; o cabeçalho Allow diz quais.",
}


def problem(
    scope: Scope,
    status: int,
    title: str,
    detail: str,
    *,
    type: str = "about:blank",  # noqa: A002 — é o nome que a RFC dá
    headers: dict[str, str] | None = None,
    **members: Any,
) -> Response:
    """O problema em JSON; `members` são os campos além dos cinco da RFC. Se uma execução começou, diz qual.

    A um navegador, que o mostraria a uma pessoa, uma página diz o mesmo.
    """
    detail = redact(shortened(detail, _LONGEST_DETAIL))
    if wants_page(scope):
        authorise = "auth_start" in members or scope["path"] == "/auth/callback"
        nothing = detail in _DETAILS.values()
        return error_page(scope, status, title, detail, headers, authorise=authorise, nothing=nothing)
    run_id = scope.get("state", {}).get("run_id")
    instance = redact(quote(shortened(_path(scope))))
    body = {"type": type, "title": title, "status": status, "detail": detail, "instance": instance}
    body |= {"run_id": run_id} if run_id is not None else {}
    return JSONResponse(body | members, status, headers, media_type=MEDIA_TYPE)


def _path(scope: Scope) -> str:
    """O caminho que se pediu, com a empresa."""
    return prefix_of(scope) + str(scope["path"])


def shortened(text: str, most: int = _LONGEST) -> str:
    """O que alguém de fora escreveu, cortado antes que se procure qualquer coisa nele."""
    return text if len(text) <= most else f"{text[:most]}…"


def from_error(scope: Scope, error: CollectorError, *, detail: str | None = None, **members: Any) -> Response:
    """O problema de um erro do coletor, com o código e o título que o erro traz."""
    if isinstance(error, ReauthorizeError):
        members["auth_start"] = address_in(scope, "/auth/start")
    said = detail or str(error)
    if isinstance(error, DatabaseError) and not scope.get("state", {}).get(KNOWN):
        said = DOWN
    kind = _kind(error.__class__)
    return problem(scope, error.http_status, error.title, said, type=kind, **members)


def _kind(error: type[CollectorError]) -> str:
    """`RunInProgressError` → `urn:bling-collector:run-in-progress`."""
    words = re.findall(r"[A-Z][a-z]+", error.__name__.removesuffix("Error"))
    return "urn:bling-collector:" + "-".join(words).lower()


def logged(scope: Scope, error: CollectorError) -> Response:
    """O mesmo que `from_error`, dito também no log, se a culpa não é de quem pediu."""
    if error.http_status >= 500:
        log.error("%s %s: %s", scope["method"], shortened(_path(scope)), error)
    return from_error(scope, error)


async def _collector_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CollectorError)
    return logged(request.scope, error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    said = error.detail if error.detail != phrase else _DETAILS.get(error.status_code, phrase)
    title = _TITLES.get(error.status_code, phrase)
    return problem(request.scope, error.status_code, title, str(said), headers=dict(error.headers or {}))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"parametro": redact(shortened(str(e["loc"][-1]))), "mensagem": _in_portuguese(e)} for e in error.errors()
    ]
    detail = "; ".join(f"{e['parametro']}: {e['mensagem']}" for e in errors)
    return from_error(request.scope, UsageError(f"{detail}."), errors=errors)


def _in_portuguese(error: dict[str, Json]) -> str:
    limits = error.get("ctx") or {}
    match error["type"]:
        case "missing":
            return "falta este parâmetro"
        case "extra_forbidden":
            return "parâmetro desconhecido"
        case "int_parsing" | "int_from_float":
            return "precisa ser um número inteiro"
        case "greater_than_equal":
            return f"o mínimo é {limits['ge']}"
        case "less_than_equal":
            return f"o máximo é {limits['le']}"
    return str(error["msg"])


class UnexpectedErrors:
    """Middleware: o erro que ninguém previu vira um 500 com uma referência; a pilha fica só no log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            log.info("%s %r: o cliente se foi antes da resposta.", scope["method"], shortened(_path(scope)))
        except Exception:  # a fronteira do serviço: daqui para fora só sai um problema, nunca uma pilha
            reference = secrets.token_hex(6)
            path = shortened(_path(scope))
            log.exception("Erro inesperado em %s %r, referência %s", scope["method"], path, reference)
            if started:
                raise
            answer = problem(
                scope,
                500,
                "Erro inesperado",
                f"Algo que o coletor não previu. O log do serviço traz a causa com a referência {reference}.",
                type="urn:bling-collector:unexpected",
                reference=reference,
            )
            await answer(scope, receive, send)


def install(app: FastAPI) -> None:
    """Faz de todo erro da aplicação um problema."""
    app.add_exception_handler(CollectorError, _collector_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
