"""As empresas no endereço: `/e/nome/…` é o mesmo que `/…`, da empresa `nome`.

As páginas e as rotas não sabem disto: o que chega perde o começo, os enlaces do que sai o ganham, e os comandos que ele
manda digitar dizem a empresa.
"""

import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bling_collector.config.companies import PRINCIPAL, is_company
from bling_collector.logs import current_company
from bling_collector.words import of_company

COMPANY: Final = "empresa"
"""No `state` do pedido: a empresa que o endereço diz."""
PREFIX: Final = "/e/"
COMMON: Final = ("/static/", "/empresas", PREFIX)
"""O que é de todas, e não de uma."""
LINKS: Final = ("href", "action", "formaction", "src", "hx-get", "hx-post", "data-live-url")
"""Os atributos em que uma página diz um endereço deste serviço."""
_LINK: Final = re.compile(rf'(\s(?:{"|".join(LINKS)})=")(/[^"]*)'.encode())
_WHOLE: Final = ("text/html", "application/json", "application/problem+json")
"""O que se lê por inteiro para lhe mudar o que diz."""
_HEADERS: Final = ("location", "content-location", "hx-redirect", "hx-push-url")


def prefix_of(scope: Scope) -> str:
    """O começo dos endereços da empresa de que se trata; vazio se o endereço não diz nenhuma."""
    name = scope.get("state", {}).get(COMPANY)
    return f"{PREFIX}{name}" if name else ""


def address_in(scope: Scope, address: str) -> str:
    """O endereço, na empresa de que se trata."""
    return inside(prefix_of(scope), address)


def inside(prefix: str, address: str) -> str:
    """O endereço, na empresa; o que é de todas, e o que é de outro site, fica como está."""
    elsewhere = not address.startswith("/") or address.startswith(("//", *COMMON))
    return address if elsewhere else f"{prefix}{address}"


class Companies:
    """Middleware: tira do caminho a empresa, e a põe no log e nos enlaces, comandos e redirecionamentos da resposta."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        name, _, rest = path.removeprefix(PREFIX).partition("/")
        if not path.startswith(PREFIX) or not is_company(name):  # o nome vai nos enlaces: só o que é um entra neles
            await self._app(scope, receive, send)
            return
        path = f"/{rest}"
        state = {**scope.get("state", {}), COMPANY: name}
        inner = {**scope, "path": path, "raw_path": path.encode(), "state": state}
        before = current_company.set(None if name == PRINCIPAL else name)
        try:
            await self._app(inner, receive, _Prefixing(name, send))
        finally:
            current_company.reset(before)


class _Prefixing:
    """Manda adiante a resposta; a de uma página, ou em JSON, só quando está inteira."""

    def __init__(self, empresa: str, send: Send) -> None:
        self._empresa = empresa
        self._prefix = f"{PREFIX}{empresa}"
        self._send = send
        self._start: Message | None = None
        self._is_page = False
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name in _HEADERS:
                if (address := headers.get(name)) is not None:
                    headers[name] = inside(self._prefix, address)
            kind = headers.get("content-type", "").partition(";")[0]
            if kind in _WHOLE:
                self._start, self._is_page = message, kind == "text/html"
                return
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if message.get("more_body"):
                return
            linked = _LINK.sub(self._inside, self._body) if self._is_page else self._body
            body = of_company(linked.decode(), self._empresa).encode()
            MutableHeaders(scope=self._start)["content-length"] = str(len(body))
            await self._send(self._start)
            message = {**message, "body": body}
        await self._send(message)

    def _inside(self, found: re.Match[bytes]) -> bytes:
        return found[1] + inside(self._prefix, found[2].decode()).encode()
