"""O serviço HTTP: `uvicorn bling_collector.main:create_app --factory`, ou `serve`, que a linha de comando chama."""

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

from bling_collector import __version__, logs
from bling_collector.clock import Clock, SystemClock
from bling_collector.config import Settings, load_settings
from bling_collector.errors import UsageError
from bling_collector.web import panel, problems
from bling_collector.web.api import alerts, auth, metrics, proof, reading, running
from bling_collector.web.api.answers import Problem
from bling_collector.web.door import access
from bling_collector.web.door.attempts import Attempts
from bling_collector.web.door.connections import BACKLOG, MAX_HEAD, Connection
from bling_collector.web.door.forwarded import Forwarded
from bling_collector.web.door.head import Head
from bling_collector.web.door.headers import SecurityHeaders
from bling_collector.web.door.limits import SizeLimits
from bling_collector.web.runs import STOP_SECONDS
from bling_collector.web.service import Service
from bling_collector.web.signals import STOP_SIGNALS, on_stop_signal
from bling_collector.web.watch import watched_alarms

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


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """A aplicação ASGI; sem `settings`, lê o ambiente. Nada é aberto antes de ela começar a atender.

    ConfigurationError para um valor que não serve; a falta das credenciais e do banco só se nota em quem os usa.
    """
    settings = settings or load_settings()
    clock = clock or SystemClock()
    attempts = Attempts(clock)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if not logging.getLogger().handlers:  # quem a começou (o uvicorn direto, por exemplo) não cuidou do log
            _configure_logs(settings)
        app.state.service = service = Service(settings, clock, attempts)
        with on_stop_signal(service.runner.stop):
            service.open_soon()
            try:
                async with watched_alarms(service):
                    yield
            finally:
                await service.close()

    app = _Api(
        title="Coletor Bling",
        description=_DESCRIPTION,
        version=__version__,
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    for module in (reading, running, proof, alerts, auth, metrics):
        app.include_router(module.router)
    for router in panel.ROUTERS:
        app.include_router(router)
    problems.install(app)
    app.add_middleware(access.Access, settings=settings, clock=clock, attempts=attempts)
    app.add_middleware(Forwarded, trusted=settings.forwarded_allow_ips)
    app.add_middleware(SizeLimits)
    app.add_middleware(Head)
    app.add_middleware(problems.UnexpectedErrors)
    app.add_middleware(SecurityHeaders)
    return app


def serve(settings: Settings, host: str, port: int) -> None:
    """Atende até um sinal de parada; então salva o que as execuções têm na mão e volta. Os erros de `serving`."""
    _configure_logs(settings)
    # A psycopg não trabalha no laço Proactor, que é o comum no Windows; nos outros sistemas este é o comum.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(serving(settings, host, port))


async def serving(settings: Settings, host: str, port: int) -> None:
    """O mesmo que `serve`, num laço que já roda e com o log como está.

    UsageError se não é possível atender nesse endereço, e o motivo do sistema vai para o log; ConfigurationError se
    ninguém conferiria quem chama dali.
    """
    server = build_server(settings, host, port)
    try:
        await server.serve()
    except SystemExit:
        raise UsageError(
            f"Não é possível atender em {host}:{port}. A porta está em uso? Escolha outra com "
            "--port, ou na variável PORT."
        ) from None


def build_server(settings: Settings, host: str, port: int) -> uvicorn.Server:
    """O servidor, ainda parado. ConfigurationError se ninguém conferiria quem chama desse endereço."""
    access.check_address(settings, host)
    config = uvicorn.Config(
        create_app(settings),
        host=host,
        port=port,
        log_config=None,
        http=Connection,
        backlog=BACKLOG,
        h11_max_incomplete_event_size=MAX_HEAD,
        lifespan="on",
        ws="none",
        server_header=False,
        proxy_headers=False,  # `Forwarded` os lê, e confia em quem FORWARDED_ALLOW_IPS diz
        timeout_graceful_shutdown=round(STOP_SECONDS),
    )
    return _Server(config)


class _Server(uvicorn.Server):
    """Um sinal de parada termina o serviço sem erro; o uvicorn o mandaria outra vez ao processo depois do fim."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _configure_logs(settings: Settings) -> None:
    logs.configure(settings.log_level, secrets=settings.secrets)
