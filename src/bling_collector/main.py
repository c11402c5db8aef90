"""A aplicação HTTP: `uvicorn bling_collector.main:create_app --factory`, ou o que `serving` atende."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI

from bling_collector import __version__, logs
from bling_collector.clock import Clock, SystemClock
from bling_collector.config import Settings, load_settings
from bling_collector.web import panel, problems
from bling_collector.web.api import alerts, auth, metrics, plan, proof, reading, recursos, running, webhooks
from bling_collector.web.api.answers import Problem
from bling_collector.web.door import access
from bling_collector.web.door.attempts import Attempts
from bling_collector.web.door.companies import Companies
from bling_collector.web.door.forwarded import Forwarded
from bling_collector.web.door.head import Head
from bling_collector.web.door.headers import SecurityHeaders
from bling_collector.web.door.limits import SizeLimits
from bling_collector.web.service import Services
from bling_collector.web.signals import on_stop_signal
from bling_collector.web.watch import watched_alarms

Alongside = Callable[[Services], AbstractAsyncContextManager[None]]
"""O que corre ao lado do serviço enquanto ele vive."""
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
_DESCRIPTION = """
Copia as NF-e, os contatos e os produtos do Bling para o PostgreSQL.

Todo erro é um `application/problem+json` (RFC 9457): `title` e `detail` dizem o que houve e o que fazer.
"""


class _Api(FastAPI):
    def openapi(self) -> dict[str, Any]:
        schema = super().openapi()
        schema["components"]["schemas"]["Problem"] = Problem.model_json_schema(
            ref_template="#/components/schemas/{model}"
        )
        schema["components"]["schemas"]["Problem"].pop("$defs", None)  # `Stats` já está lá
        access.describe(schema)
        return schema


def _worker(settings: Settings) -> Alongside:
    """Quem trabalha ao lado do serviço, e confere também os alarmes. ConfigurationError se SCHEDULE não serve."""
    from bling_collector.jobs.schedule import check_agendas
    from bling_collector.web.alongside import worker

    check_agendas(settings)
    return worker


def create_webhooks_app(settings: Settings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """Só os avisos do Bling e a saúde: o que se pode pôr na rede sem abrir o resto."""
    settings, clock = settings or load_settings(), clock or SystemClock()
    app = FastAPI(
        title="Coletor Bling: avisos",
        version=__version__,
        lifespan=_lifespan(settings, clock, Attempts(clock), _alone),
        redirect_slashes=False,
        openapi_url=None,
    )
    for router in (reading.open_router, webhooks.router):
        app.include_router(router)
    problems.install(app)
    _protect(app, settings)
    return app


@asynccontextmanager
async def _alone(services: Services) -> AsyncIterator[None]:
    yield


def _lifespan(settings: Settings, clock: Clock, attempts: Attempts, alongside: Alongside) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if not logging.getLogger().handlers:  # quem a começou (o uvicorn direto, por exemplo) não cuidou do log
            logs.configure(settings.log_level, secrets=settings.secrets)
        app.state.services = services = Services(settings, clock, attempts)
        with on_stop_signal(services.stop):
            services.open_soon()
            try:
                async with alongside(services):
                    yield
            finally:
                await services.close()

    return lifespan


def _protect(app: FastAPI, settings: Settings) -> None:
    """O que vale em toda rota, antes de se saber qual é."""
    app.add_middleware(Forwarded, trusted=settings.forwarded_allow_ips)
    app.add_middleware(SizeLimits)
    app.add_middleware(problems.UnexpectedErrors)
    app.add_middleware(Companies)  # o que um erro diz, e os enlaces da página dele, também são da empresa
    app.add_middleware(Head)  # por fora de quem muda o corpo, e com ele o Content-Length
    app.add_middleware(SecurityHeaders)


def create_app(settings: Settings | None = None, *, clock: Clock | None = None, with_worker: bool = False) -> FastAPI:
    """A aplicação ASGI; sem `settings`, lê o ambiente. Nada é aberto antes de ela começar a atender.

    ConfigurationError para um valor que não serve; a falta das credenciais e do banco só se nota em quem os usa.
    """
    settings = settings or load_settings()
    clock = clock or SystemClock()
    attempts = Attempts(clock)
    alongside = _worker(settings) if with_worker else watched_alarms

    app = _Api(
        title="Coletor Bling",
        description=_DESCRIPTION,
        version=__version__,
        lifespan=_lifespan(settings, clock, attempts, alongside),
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    for router in (reading.open_router, reading.router):
        app.include_router(router)
    for module in (recursos, plan, running, proof, alerts, auth, metrics, webhooks):
        app.include_router(module.router)
    for router in panel.ROUTERS:
        app.include_router(router)
    problems.install(app)
    app.add_middleware(access.Access, settings=settings, clock=clock, attempts=attempts)
    _protect(app, settings)
    return app
