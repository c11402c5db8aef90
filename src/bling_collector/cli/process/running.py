"""Como um comando roda: as configurações e o laço de eventos."""

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import click

from bling_collector import logs
from bling_collector.cli.screen.portuguese import asked_company, refuse_company
from bling_collector.cli.screen.terminal import company
from bling_collector.config import Settings, load_settings
from bling_collector.config.companies import PRINCIPAL

T = TypeVar("T")


def settings() -> Settings:
    """As do ambiente, para a empresa que `--empresa` diz; o log só aparece com `-v`. ConfigurationError diz o que não
    serve nelas."""
    return _heard(load_settings(asked_company()))


def settings_of_all() -> Settings:
    """As da empresa principal, de que saem as das outras. click.UsageError se se disse `--empresa`."""
    refuse_company()
    return _heard(load_settings(PRINCIPAL))


def _heard(found: Settings) -> Settings:
    company.set(found.empresa)
    logs.current_company.set(found.empresa)
    verbose = click.get_current_context().find_root().params.get("verbose")
    logs.configure(found.log_level if verbose else "CRITICAL", stream=sys.stderr, json=False, secrets=found.secrets)
    return found


def settings_to_collect() -> Settings:
    """As de `settings`, com as credenciais do aplicativo: sem elas nada começa."""
    found = settings()
    found.credentials  # noqa: B018 — é o próprio acesso que as exige
    return found


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """O resultado de `work`, num laço de eventos só dele.

    Quem manda parar (SIGTERM: o systemd, o Docker, `timeout`) é ouvido como quem prime Ctrl-C: o que se começou
    desfaz-se, e levanta-se KeyboardInterrupt. O comando que para com calma põe depois o que é seu.
    """
    at_work()
    told = False

    async def heard() -> T:
        task = asyncio.current_task()
        assert task is not None

        def end() -> None:
            nonlocal told
            told = True
            task.cancel()

        # No Windows o laço de eventos não recebe sinais; noutra thread também não.
        if sys.platform != "win32" and threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end)
        return await work

    # O psycopg assíncrono não funciona com o laço padrão do Windows.
    factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        try:
            return runner.run(heard())
        except asyncio.CancelledError:
            if told:
                raise KeyboardInterrupt from None
            raise


def at_work() -> None:
    """Tudo está carregado e fica; dali em diante há lixo que recolher."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
