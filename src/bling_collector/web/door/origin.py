"""De onde vem um pedido que o navegador manda: só uma página nossa muda alguma coisa aqui."""

from typing import Final
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from starlette.datastructures import Headers
from starlette.types import Scope

from bling_collector.web.door.hosts import asked_hosts

ANOTHER_SITE: Final = (
    "Outro site pediu isto pelo navegador; nada foi feito. Peça-o daqui. Se um proxy fica na frente do serviço, ele "
    "precisa mandar adiante o nome por que foi chamado, no Host ou em X-Forwarded-Host (no nginx, `proxy_set_header "
    "Host $http_host;`), e o endereço dele precisa estar em FORWARDED_ALLOW_IPS."
)


def is_from_here(scope: Scope) -> bool:
    """Se quem fez o navegador mandar este pedido foi uma página deste serviço, ou se não é um navegador.

    Sec-Fetch-Site diz isso sob HTTPS ou em localhost; onde o navegador não o manda, Origin. Se vêm os dois, valem os
    dois.
    """
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    elsewhere = origin is not None and _netloc(origin) != asked_hosts(scope)[-1].lower()
    return not elsewhere and headers.get("sec-fetch-site", "none") in ("none", "same-origin")


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def is_secure(request: Request) -> bool:
    """Se quem chama o faz por https: aqui mesmo, ou até o proxy que o diz, como o do Cloud Run."""
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    return "https" in (request.url.scheme, forwarded)


def address(request: Request) -> str:
    """O endereço deste serviço como quem chama o vê, sem a barra do fim."""
    url = request.base_url.replace(netloc=asked_hosts(request.scope)[-1] or request.base_url.netloc)
    return str(url.replace(scheme="https") if is_secure(request) else url).rstrip("/")


def same_origin(request: Request) -> None:
    """403 para um pedido que outro site fez o navegador mandar."""
    if not is_from_here(request.scope):
        raise HTTPException(403, ANOTHER_SITE)
