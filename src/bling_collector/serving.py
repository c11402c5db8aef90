"""O serviço no ar."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from bling_collector import logs
from bling_collector.clock import STOP_SECONDS
from bling_collector.config import Settings
from bling_collector.errors import UsageError
from bling_collector.web.door.address import check_address
from bling_collector.web.door.connections import BACKLOG, MAX_HEAD, Connection
from bling_collector.web.signals import STOP_SIGNALS


def serve(settings: Settings, host: str, port: int, *, with_worker: bool = False) -> None:
    """Atende até um sinal de parada; então salva o que as execuções têm na mão e volta. Os erros de `serving`.

    `with_worker` também coleta nas horas de SCHEDULE.
    """
    logs.configure(settings.log_level, secrets=settings.secrets)
    # A psycopg não trabalha no laço Proactor, que é o comum no Windows; nos outros sistemas este é o comum.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(serving(settings, host, port, with_worker=with_worker))


async def serving(settings: Settings, host: str, port: int, *, with_worker: bool = False) -> None:
    """O mesmo que `serve`, num laço que já roda e com o log como está.

    UsageError se não é possível atender nesse endereço, e o motivo do sistema vai para o log; ConfigurationError se
    ninguém conferiria quem chama dali, ou se SCHEDULE não serve.
    """
    check_address(settings, host)
    from bling_collector.main import create_app  # só depois do endereço, que se recusa sem carregar a aplicação

    await _until_stopped(create_app(settings, with_worker=with_worker), host, port)


def serve_webhooks(settings: Settings, host: str, port: int) -> None:
    """Atende só aos avisos do Bling, cuja assinatura é a chave, até um sinal de parada. UsageError como em
    `serving`."""
    logs.configure(settings.log_level, secrets=settings.secrets)
    from bling_collector.main import create_webhooks_app

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(_until_stopped(create_webhooks_app(settings), host, port))


async def _until_stopped(app: ASGIApp, host: str, port: int) -> None:
    server = build_server(app, host, port)
    try:
        await server.serve()
    except SystemExit:
        raise UsageError(
            f"Não é possível atender em {host}:{port}. A porta está em uso? Escolha outra com --port, ou na variável "
            "PORT. O endereço não é desta máquina? Corrija --host, ou HOST."
        ) from None


def build_server(app: ASGIApp, host: str, port: int) -> uvicorn.Server:
    """O servidor, ainda parado, com os prazos e os limites das conexões."""
    config = uvicorn.Config(
        app,
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
