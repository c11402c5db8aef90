"""As execuções, acompanhadas no terminal: coletar, refazer, tentar de novo o que se deve, buscar um só."""

import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import click

from bling_collector.cli.process.running import run_to_end, settings, settings_to_collect
from bling_collector.cli.process.signals import gentle_stop
from bling_collector.cli.screen import report
from bling_collector.cli.screen.progress import progress
from bling_collector.cli.screen.terminal import emit_json, say
from bling_collector.config import Settings
from bling_collector.insight.account.token_status import load_token_warning
from bling_collector.insight.failures import load_failures
from bling_collector.runs.request import RunResult
from bling_collector.runs.unpark import unpark
from bling_collector.streams.registry import named
from bling_collector.workplace.account import Account, open_account
from bling_collector.workplace.database import telling_who_watches


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Account]:
    """As peças para coletar; se o banco não abre, é dito também a quem acompanha de longe."""
    async with AsyncExitStack() as stack:
        async with telling_who_watches(settings):
            account = await stack.enter_async_context(open_account(settings))
        yield account


def collect(start: Callable[..., Coroutine[Any, Any, RunResult]], json_: bool, *, offline: bool = False) -> int:
    """Roda a execução que `start` começa, acompanhada, e a mostra; devolve o código de saída.

    `offline` é a que nada pergunta ao Bling.
    """

    async def work() -> int:
        began = time.monotonic()
        async with opened(settings() if offline else settings_to_collect()) as account:
            with progress() as sink, gentle_stop() as stop:
                result = await start(account, sink=sink, stop=stop)
            if warning := await load_token_warning(account.engine, account.cipher, account.clock.now()):
                say(f"⚠ {warning}")
            owed = None if offline or result.status == "success" else await load_failures(account.engine)
        if json_:
            emit_json(report.as_json(result))
        else:
            report.result(result, time.monotonic() - began, redone=offline, owed=owed)
        return result.exit_code

    return run_to_end(work())


def retry(nome: str | None, *, json_: bool) -> int:
    """Tenta agora o que está pendente; só `nome`, se é dado."""

    async def start(account: Account, **how: Any) -> RunResult:
        await unpark(account.engine, nome)
        return await account.pipeline.retry(**how)

    return collect(start, json_)


def sync_one(recurso: str, id_: Any, *, json_: bool) -> int:
    """Busca e salva um só registro."""

    async def work() -> int:
        async with open_account(settings_to_collect()) as account:
            verdict = await account.pipeline.sync(recurso, id_)
        if json_:
            emit_json({"recurso": recurso, "id": id_, "resultado": verdict})
        else:
            stream = named(recurso)
            click.echo(f"✔ {stream.name if stream else recurso}/{id_}: {verdict}.")
        return 0

    return run_to_end(work())
