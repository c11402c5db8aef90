"""Quem pode chamar: com API_TOKEN, quem o traz; sem ele, só esta máquina, a não ser que outro confira quem chama."""

import hmac
import os
from hashlib import sha256
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bling_collector.clock import Clock, SystemClock
from bling_collector.config import Settings
from bling_collector.errors import ConfigurationError
from bling_collector.web import session
from bling_collector.web.origin import is_from_here
from bling_collector.web.panel.render import wants_fragment, wants_page
from bling_collector.web.panel.static import PREFIX
from bling_collector.web.problems import MEDIA_TYPE, problem

OPEN: Final = frozenset({"/health", "/auth/callback", "/webhooks/bling", "/entrar"})
"""O que se atende sem API_TOKEN: o que não diz nada, o que tem o seu `state`, o que tem a sua assinatura e a porta."""
CLOUD_RUN: Final = "K_SERVICE"
"""A variável que o Cloud Run define; ali quem chama já passou pelo IAM."""
_SCHEME: Final = "apiToken"
_REFUSALS: Final = {
    "401": "Falta o API_TOKEN, ou não confere",
    "403": "Sem API_TOKEN, só se atende esta máquina",
    "413": "O corpo do pedido é grande demais",
    "414": "O endereço é grande demais",
    "431": "Os cabeçalhos são grandes demais",
}


def trusts_callers(settings: Settings) -> bool:
    """Se outro confere quem chama: alguém o disse com todas as letras, ou é o IAM do Cloud Run."""
    return settings.allow_unauthenticated or bool(os.environ.get(CLOUD_RUN))


def check_address(settings: Settings, host: str) -> None:
    """ConfigurationError se o serviço atenderia a outras máquinas sem que ninguém confira quem chama."""
    if settings.api_token is None and not trusts_callers(settings) and not _is_this_machine(host):
        raise ConfigurationError(
            f"Sem API_TOKEN o serviço só atende nesta máquina (127.0.0.1), e não em {host}. Defina API_TOKEN; ou, se "
            "outro confere quem chama (um proxy, uma rede fechada), diga-o com todas as letras: "
            "--sem-autenticacao, ou ALLOW_UNAUTHENTICATED=true."
        )


class Access:
    """Middleware: 401 a quem não traz o API_TOKEN; sem ele, 403 a outra máquina e a outro site.

    Uma pessoa o traz uma vez, em /entrar, e daí em diante o navegador traz o cookie da sessão; sem ela, é levada lá.
    """

    def __init__(self, app: ASGIApp, settings: Settings, clock: Clock | None = None) -> None:
        self._app = app
        self._clock = clock or SystemClock()
        token = settings.api_token
        self._token = token.get_secret_value() if token else ""
        self._expected = _digest(self._token) if token else None
        self._anyone = trusts_callers(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._refusal(scope) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        if scope["path"] in OPEN or scope["path"].startswith(PREFIX):
            return None
        if self._expected is not None:
            return self._unauthorised(scope)
        if self._anyone or _comes_from_here(scope):
            return None
        return problem(
            scope,
            403,
            "Proibido",
            "Sem API_TOKEN, só se atende quem chama desta máquina, por localhost ou 127.0.0.1. Defina API_TOKEN para "
            "atender aos outros.",
        )

    def _unauthorised(self, scope: Scope) -> ASGIApp | None:
        scheme, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        brought = scheme.lower() == "bearer" and bool(given.strip())
        # Pelas impressões, que têm o mesmo tamanho: o tempo da comparação não diz nada do token.
        if brought and hmac.compare_digest(_digest(given.strip()), self._expected or b""):
            return None
        if not brought and self._has_session(scope):
            scope.setdefault("state", {})["panel"] = {"logged_in": True}
            return None if scope["method"] in ("GET", "HEAD") or is_from_here(scope) else _another_site(scope)
        if not brought and wants_fragment(scope):
            # Seguir o redirecionamento poria a porta no lugar de um pedaço da página: é a página que vai até ela.
            return Response(status_code=401, headers={"HX-Redirect": _door(_page_of(scope))})
        if not brought and wants_page(scope):
            return RedirectResponse(_door(_target(scope)), 303)
        challenge = 'Bearer realm="bling-collector"' + (', error="invalid_token"' if brought else "")
        detail = "O token não confere." if brought else "Falta o token."
        return problem(
            scope,
            401,
            "Não autorizado",
            f"{detail} Mande no cabeçalho Authorization a palavra Bearer, um espaço e o valor de API_TOKEN.",
            headers={"WWW-Authenticate": challenge},
        )

    def _has_session(self, scope: Scope) -> bool:
        return session.is_there(scope, self._token, self._clock.now())


def _target(scope: Scope) -> str:
    """Onde a pessoa queria ir; um formulário que se perdeu não se manda outra vez sozinho."""
    if scope["method"] not in ("GET", "HEAD"):
        return "/"
    query = scope["query_string"].decode("latin-1")
    return str(scope["path"]) + (f"?{query}" if query else "")


def _page_of(scope: Scope) -> str:
    """A página que pediu o pedaço, como o htmx a diz; /entrar só volta a um caminho deste serviço."""
    current = urlsplit(Headers(scope=scope).get("hx-current-url", ""))
    return (current.path or "/") + (f"?{current.query}" if current.query else "")


def _door(back: str) -> str:
    return f"/entrar?volta={quote(back, safe='/')}"


def _another_site(scope: Scope) -> ASGIApp:
    return problem(scope, 403, "Proibido", "Outro site pediu isto pelo navegador; nada foi feito. Peça-o daqui.")


def describe(schema: dict[str, Any]) -> None:
    """Põe na descrição OpenAPI o token das rotas que o pedem, e as recusas que qualquer rota dá antes de começar."""
    schema["components"].setdefault("securitySchemes", {})[_SCHEME] = {
        "type": "http",
        "scheme": "bearer",
        "description": "O valor de API_TOKEN, se o serviço o tem.",
    }
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, methods in schema["paths"].items():
        for operation in methods.values() if path not in OPEN else ():
            operation["security"] = [{_SCHEME: []}]
            for status, why in _REFUSALS.items():
                operation["responses"].setdefault(status, {"description": why, "content": content})


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogateescape")).digest()


def _comes_from_here(scope: Scope) -> bool:
    """O chamador é desta máquina, e chama por um nome dela.

    Um site pode fazer o nome dele apontar para 127.0.0.1 e, pelo navegador, chegar aqui; traz então o nome dele, que
    tem um ponto.
    """
    client = scope.get("client")
    if client and _is_address(client[0]) and not _is_this_machine(client[0]):
        return False
    name = Headers(scope=scope).get("host", "").rpartition(":")[0] or Headers(scope=scope).get("host", "")
    return "." not in name or name.endswith(".localhost") or _is_this_machine(name)


def _is_this_machine(host: str) -> bool:
    host = host.strip("[]")
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
