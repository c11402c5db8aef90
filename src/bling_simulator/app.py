"""A aplicação ASGI: a API do Bling em `/Api/v3` e o controle em `/_control`."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from bling_simulator.answers import BlingError
from bling_simulator.api.dispatch import dispatch
from bling_simulator.bling import Bling
from bling_simulator.clock import Clock
from bling_simulator.control import control_router
from bling_simulator.gate import PREFIX, Gate
from bling_simulator.oauth import routes as oauth
from bling_simulator.settings import SimulatorSettings

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

Handler = Callable[[Bling, Request], Awaitable[Response]]


def create_app(settings: SimulatorSettings | None = None, *, clock: Clock | None = None) -> Starlette:
    """Um Bling novo, com sua empresa; a alça dele está em `app.state.bling`."""
    bling = Bling(settings, clock)
    routes = [
        Route(f"{PREFIX}/oauth/authorize", _endpoint(bling, oauth.authorize), methods=["GET", "POST"]),
        Route(f"{PREFIX}/oauth/token", _endpoint(bling, oauth.token), methods=_METHODS),
        Route(f"{PREFIX}/oauth/revoke", _endpoint(bling, oauth.revoke), methods=_METHODS),
        Route(f"{PREFIX}/{{path:path}}", _endpoint(bling, dispatch), methods=_METHODS),
        Mount("/_control", app=_Control(bling)),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Gate, bling=bling)])
    app.state.bling = bling
    return app


class _Control:
    """O controle, montado só quando alguém o chama: montar as suas rotas custa mais que tudo o resto."""

    def __init__(self, bling: Bling) -> None:
        self._bling = bling
        self._app: FastAPI | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            self._app = FastAPI(title="Simulador do Bling", redoc_url=None)
            self._app.include_router(control_router(self._bling))
        await self._app(scope, receive, send)


def _endpoint(bling: Bling, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await handler(bling, request)
        except BlingError as error:
            return error.response()

    return endpoint
