"""Como um comando roda: as configurações, o laço de eventos, as peças abertas e a coleta acompanhada."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from typing import Any, Final, TypeVar

import click

from bling_collector import logs
from bling_collector.bootstrap import App, open_app, telling_who_watches
from bling_collector.cli import report, terminal
from bling_collector.cli.signals import gentle_stop
from bling_collector.cli.terminal import emit_json, say
from bling_collector.clock import SystemClock, today
from bling_collector.config import Settings, load_settings
from bling_collector.etl.pipeline import RunResult
from bling_collector.etl.token_status import load_token_warning
from bling_collector.etl.windows import parse_day, refuse_impossible

T = TypeVar("T")

as_json: Final = click.option("--json", "json_", is_flag=True, help="Escreve o resultado em JSON.")
PORT: Final = click.IntRange(1, 65535)
ID: Final = click.IntRange(1, 2**63 - 1)


class Day(click.ParamType[date]):
    name = "AAAA-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        return value if isinstance(value, date) else parse_day(value, param.opts[0] if param else "data")


def settings() -> Settings:
    """As configurações do ambiente; o log só aparece com `-v`. ConfigError diz o que não serve nelas."""
    found = load_settings()
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
    # O psycopg assíncrono não funciona com o laço padrão do Windows.
    factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


def refuse_impossible_period(inicio: date | None, fim: date | None) -> None:
    """Recusa o período antes de abrir o banco: um engano de digitação não cria tabelas."""
    refuse_impossible(inicio, fim, today=today(SystemClock()))


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[App]:
    """As peças para coletar; se o banco não abre, é dito também a quem acompanha de longe."""
    async with AsyncExitStack() as stack:
        async with telling_who_watches(settings):
            app = await stack.enter_async_context(open_app(settings))
        yield app


def collect(start: Callable[..., Coroutine[Any, Any, RunResult]], json_: bool, *, offline: bool = False) -> int:
    """Roda a execução que `start` começa, acompanhada, e a mostra; devolve o código de saída.

    `offline` é a que nada pergunta ao Bling.
    """

    async def work() -> int:
        began = time.monotonic()
        async with opened(settings() if offline else settings_to_collect()) as app:
            with terminal.progress() as sink, gentle_stop() as stop:
                result = await start(app, sink=sink, stop=stop)
            if warning := await load_token_warning(app.engine, app.cipher, app.clock.now()):
                say(f"⚠ {warning}")
        if json_:
            emit_json(report.as_json(result))
        else:
            report.result(result, time.monotonic() - began, redone=offline)
        return result.exit_code

    return run_to_end(work())
