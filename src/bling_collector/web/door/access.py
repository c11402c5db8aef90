"""Quem pode chamar: com API_TOKEN, quem o traz; sem ele, só esta máquina, a não ser que outro confira quem chama."""

from typing import Final
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bling_collector.clock import Clock
from bling_collector.config import Settings
from bling_collector.errors import CollectorError
from bling_collector.payload import Json
from bling_collector.web.door.address import is_address, is_this_machine
from bling_collector.web.door.attempts import Attempts, too_many
from bling_collector.web.door.companies import COMPANY
from bling_collector.web.door.companies import PREFIX as COMPANIES
from bling_collector.web.door.hosts import LOCAL, asked_hosts, is_allowed, name_of
from bling_collector.web.door.keys import ALL, Keys, Opened
from bling_collector.web.door.origin import ANOTHER_SITE, is_from_here
from bling_collector.web.panel.render import wants_fragment, wants_page
from bling_collector.web.panel.static import PREFIX
from bling_collector.web.problems import KNOWN, MEDIA_TYPE, logged, problem, shortened

OPEN: Final = frozenset({"/health", "/auth/callback", "/entrar"})
"""O que se atende sem API_TOKEN, além dos avisos do Bling, que têm a sua assinatura: o que não diz nada, o que tem o
seu `state` e a porta."""
WEBHOOKS: Final = "/webhooks/bling/"
SHARED: Final = frozenset({"/empresas", "/empresas/plan", "/sair", "/docs", "/openapi.json"})
"""O que é de todas as empresas, e abre qualquer token."""
ONLY: Final = "only"
"""No `state` do pedido: a única empresa que abre quem o faz; quem abre todas não o tem."""
_SCHEME: Final = "apiToken"
_REFUSALS: Final = {
    "401": "Falta o API_TOKEN, ou não confere",
    "403": "Sem API_TOKEN, só se atende esta máquina; e só pelos nomes de ALLOWED_HOSTS",
    "421": "O serviço não atende debaixo de um caminho do proxy",
    "429": "Muitos tokens errados: espere o que `Retry-After` diz",
    "400": "O cabeçalho Host não é um endereço",
    "408": "O corpo do pedido não chegou a tempo",
    "413": "O corpo do pedido é grande demais",
    "414": "O endereço é grande demais",
    "431": "Os cabeçalhos são grandes demais",
}


def is_open(path: str) -> bool:
    """Se o caminho se atende sem API_TOKEN."""
    return path in OPEN or f"{path}/".startswith(WEBHOOKS)


class Access:
    """Middleware: 401 a quem não traz o API_TOKEN; sem ele, 403 a outra máquina e a outro nome que não os daqui.

    Um site pode fazer o nome dele apontar para cá e, pelo navegador de quem nos alcança, chegar aqui; traz então no
    Host o nome dele. Com API_TOKEN não lhe serve de nada: a sessão de um nome não vai a outro.

    Uma pessoa o traz uma vez, em /entrar, e daí em diante o navegador traz o cookie da sessão; sem ela, é levada lá.
    """

    def __init__(self, app: ASGIApp, settings: Settings, clock: Clock, attempts: Attempts) -> None:
        self._app = app
        self._clock = clock
        self._attempts = attempts
        self._asks = settings.api_token is not None
        self._main = settings.company
        self._anyone = settings.allow_unauthenticated
        self._hosts = settings.allowed_hosts or (("*",) if self._asks else LOCAL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._refusal(scope) if scope["type"] == "http" else None
        except CollectorError as error:  # o banco, onde está o que se sabe dos tokens das empresas
            answer = logged(scope, error)
        await (answer or self._app)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> ASGIApp | None:
        names = [name_of(host) for host in asked_hosts(scope)]
        if None in names:
            return problem(scope, 400, "Pedido malformado", "O cabeçalho Host não é um endereço.")
        if is_open(scope["path"]) or scope["path"].startswith(PREFIX):
            return None
        if not self._asks and not self._anyone and not _is_local_client(scope):
            return problem(
                scope,
                403,
                "Proibido",
                "Sem API_TOKEN, só se atende quem chama desta máquina, por localhost ou 127.0.0.1. Defina API_TOKEN "
                "para atender aos outros.",
            )
        for name in names:
            if not is_allowed(name or "", self._hosts):
                return _unknown_name(scope, name or "")
        refused = await self._unauthorised(scope) if self._asks else None
        if refused is None:
            scope.setdefault("state", {})[KNOWN] = True
        return refused

    async def _unauthorised(self, scope: Scope) -> ASGIApp | None:
        scheme, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        brought = scheme.lower() == "bearer" and bool(given.strip())
        caller = (scope.get("client") or ("",))[0]
        if brought and (wait := self._attempts.wait(caller)):
            return problem(scope, 429, "Muitos tokens errados", too_many(wait), headers={"Retry-After": str(wait)})
        keys: Keys = scope["app"].state.services.keys
        if brought and (opened := await keys.opens(given.strip())):
            return self._only(scope, opened)
        if brought:
            self._attempts.failed(caller)
        if not brought and (opened := await keys.session(scope)):
            scope.setdefault("state", {})["panel"] = {"logged_in": True}
            safe = scope["method"] in ("GET", "HEAD") or is_from_here(scope)
            return self._only(scope, opened) if safe else _another_site(scope)
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

    def _only(self, scope: Scope, opened: Opened) -> ASGIApp | None:
        """Quem abre uma empresa só não passa ao que é de outra."""
        if opened.only is ALL:
            return None
        state = scope.setdefault("state", {})
        state[ONLY] = opened.only
        if scope["path"] in SHARED or state.get(COMPANY, self._main) == opened.only:
            return None
        if scope["path"] == "/" and COMPANY not in state and wants_page(scope):
            return RedirectResponse(f"{COMPANIES}{opened.only}/", 303)
        return problem(
            scope,
            403,
            "Proibido",
            f"Este token só abre a empresa {opened.only}, em {COMPANIES}{opened.only}/. Para o resto, peça outro a "
            "quem cuida do serviço.",
        )


def _target(scope: Scope) -> str:
    """Onde a pessoa queria ir; um formulário que se perdeu não se manda outra vez sozinho."""
    if scope["method"] not in ("GET", "HEAD"):
        return "/"
    query = scope["query_string"].decode("latin-1")
    return str(scope["path"]) + (f"?{query}" if query else "")


def _page_of(scope: Scope) -> str:
    """A página que pediu o pedaço, como o htmx a diz; /entrar só volta a um caminho deste serviço."""
    try:
        current = urlsplit(Headers(scope=scope).get("hx-current-url", ""))
    except ValueError:
        return "/"
    return (current.path or "/") + (f"?{current.query}" if current.query else "")


def _door(back: str) -> str:
    return f"/entrar?volta={quote(back, safe='/')}"


def _another_site(scope: Scope) -> ASGIApp:
    return problem(scope, 403, "Proibido", ANOTHER_SITE)


def _unknown_name(scope: Scope, name: str) -> ASGIApp:
    return problem(
        scope,
        403,
        "Proibido",
        f"O serviço não atende pelo nome «{shortened(name)}»: um site poderia fazer o nome dele apontar para cá. Se "
        "esse nome é seu, ponha-o em ALLOWED_HOSTS.",
    )


def describe(schema: dict[str, Json]) -> None:
    """Põe na descrição OpenAPI o token das rotas que o pedem, e as recusas que qualquer rota dá antes de começar."""
    schema["components"].setdefault("securitySchemes", {})[_SCHEME] = {
        "type": "http",
        "scheme": "bearer",
        "description": "O valor de API_TOKEN, se o serviço o tem.",
    }
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, methods in schema["paths"].items():
        for operation in methods.values() if not is_open(path) else ():
            operation["security"] = [{_SCHEME: []}]
            for status, why in _REFUSALS.items():
                operation["responses"].setdefault(status, {"description": why, "content": content})


def _is_local_client(scope: Scope) -> bool:
    client = scope.get("client")
    return not client or not is_address(client[0]) or is_this_machine(client[0])
