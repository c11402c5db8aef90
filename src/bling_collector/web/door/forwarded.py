"""O que um proxy de confiança diz de quem chama: o endereço, o esquema, o nome e o caminho por que o chamaram."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from bling_collector.web.door.hosts import ASKED
from bling_collector.web.problems import problem


class Forwarded:
    """Middleware: X-Forwarded-For, -Proto e -Host de um proxy de FORWARDED_ALLOW_IPS; 421 a um subcaminho.

    O que outro mandasse nesses cabeçalhos não muda nada. O Host que chegou também continua a ser conferido: uma página
    que o navegador desta máquina mostra escreve os cabeçalhos que quer, mas não esse.
    """

    def __init__(self, app: ASGIApp, trusted: str) -> None:
        self._app = app
        self._addressed = ProxyHeadersMiddleware(app, trusted)  # type: ignore[arg-type]  # a mesma ASGI, noutros nomes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        prefix = scope.get("root_path", "")
        client = scope.get("client")
        if client and client[0] in self._addressed.trusted_hosts:
            headers = Headers(scope=scope)
            prefix = prefix or headers.get("x-forwarded-prefix", "")
            if asked := headers.get("x-forwarded-host", "").rpartition(",")[2].strip():
                scope.setdefault("state", {})[ASKED] = asked
        if prefix.strip("/ "):
            await _refusal(scope)(scope, receive, send)
            return
        await self._addressed(scope, receive, send)  # type: ignore[arg-type]  # a mesma ASGI, noutros nomes


def _refusal(scope: Scope) -> ASGIApp:
    return problem(
        scope,
        421,
        "Subcaminho",
        "O serviço não atende debaixo de um caminho (X-Forwarded-Prefix, root_path): as páginas e os enlaces dele "
        "começam na raiz. Dê-lhe no proxy um nome só dele, como coletor.empresa.com.br.",
    )
