"""Os formulários do painel: lidos sem biblioteca, e aceitos só se é uma página nossa que os manda."""

from typing import Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import HTTPException, Request
from starlette.datastructures import Headers
from starlette.types import Scope

_FIELDS: Final = 50


def is_from_here(scope: Scope) -> bool:
    """Se quem fez o navegador mandar este pedido foi uma página deste serviço, ou se não é um navegador.

    Sec-Fetch-Site diz isso em todo navegador de hoje, sob HTTPS ou em localhost; onde ele falta, Origin.
    """
    headers = Headers(scope=scope)
    if (site := headers.get("sec-fetch-site")) is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or (origin != "null" and urlsplit(origin).netloc == headers.get("host"))


def same_origin(request: Request) -> None:
    """403 para um formulário que outro site mandou."""
    if not is_from_here(request.scope):
        raise HTTPException(403, "Outro site pediu isto pelo navegador; nada foi feito. Peça-o daqui.")


async def fields(request: Request) -> dict[str, str]:
    """Os campos de um formulário urlencoded; de um nome repetido, o último. 422 para um que não se lê."""
    try:
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError:
        raise HTTPException(422, "O formulário não pôde ser lido.") from None


def local_path(value: str | None) -> str:
    """O endereço, se é um caminho deste serviço; senão, o da primeira página."""
    if value is None or not value.startswith("/") or value.startswith(("//", "/\\")) or not value.isprintable():
        return "/"
    return "/" if "\\" in value or value.startswith("/entrar") else value
