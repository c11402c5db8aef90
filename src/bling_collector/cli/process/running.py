"""Como um comando roda: as configurações e o laço de eventos."""

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
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
    verbose = click.get_current_context().find_root().params.get("verbose")
    logs.configure(found.log_level if verbose else "CRITICAL", stream=sys.stderr, json=False, secrets=found.secrets)
    return found


def settings_to_collect() -> Settings:
    """As de `settings`, com as credenciais do aplicativo: sem elas nada começa."""
    found = settings()
    found.credentials  # noqa: B018 — é o próprio acesso que as exige
    return found


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """O resultado de `work`, num laço de eventos só dele."""
    at_work()
    # O psycopg assíncrono não funciona com o laço padrão do Windows.
    factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner, _ended_as_by_hand():
        return runner.run(work)


@contextmanager
def _ended_as_by_hand() -> Iterator[None]:
    """Quem manda parar (o systemd, o Docker, `timeout`) é ouvido como quem prime Ctrl-C: o que se começou desfaz-se, e
    diz-se. O comando que para com calma põe depois o que é seu."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def at_work() -> None:
    """Tudo está carregado e fica; dali em diante há lixo que recolher."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
