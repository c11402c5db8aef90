"""A aplicação ASGI: a API do Bling em `/Api/v3` e o controle em `/_control`."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

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


def create_app(settings: SimulatorSettings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """Um Bling novo, com sua empresa; a alça dele está em `app.state.bling`."""
    bling = Bling(settings, clock)
    app = FastAPI(
        title="Simulador do Bling", docs_url="/_control/docs", openapi_url="/_control/openapi.json", redoc_url=None
    )
    app.state.bling = bling
    app.add_route(f"{PREFIX}/oauth/authorize", _endpoint(bling, oauth.authorize), methods=["GET", "POST"])
    app.add_route(f"{PREFIX}/oauth/token", _endpoint(bling, oauth.token), methods=_METHODS)
    app.add_route(f"{PREFIX}/oauth/revoke", _endpoint(bling, oauth.revoke), methods=_METHODS)
    app.add_route(f"{PREFIX}/{{path:path}}", _endpoint(bling, dispatch), methods=_METHODS)
    app.include_router(control_router(bling))
    app.add_middleware(Gate, bling=bling)
    return app


def _endpoint(bling: Bling, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await handler(bling, request)
        except BlingError as error:
            return error.response()

    return endpoint
