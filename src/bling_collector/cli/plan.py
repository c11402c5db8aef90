"""`plan`: o que um comando pediria ao Bling."""

from collections.abc import Collection
from datetime import date

from bling_collector.cli.process.running import run_to_end, settings, settings_of_all, settings_to_collect
from bling_collector.cli.screen import report
from bling_collector.cli.screen.terminal import emit_json
from bling_collector.clock import SystemClock
from bling_collector.config import Settings
from bling_collector.db.companies import schemas as companies
from bling_collector.errors import UsageError
from bling_collector.plan.asked import Asked, load_plan, load_plans
from bling_collector.workplace.account import open_account
from bling_collector.workplace.database import connected, open_database


def show(
    comando: str,
    inicio: date | None = None,
    fim: date | None = None,
    recursos: Collection[str] | None = None,
    *,
    repair: bool = False,
    probe: bool = False,
    todas: bool = False,
    json_: bool,
) -> int:
    """Mostra o plano; com `probe`, pergunta antes ao Bling quantos há; com `todas`, o de cada empresa. UsageError para
    um período impossível, ou uma conferência do que não se coletou."""
    if todas:
        if probe:
            raise UsageError("--sondar pergunta ao Bling de uma empresa: não vai com --todas.")
        return run_to_end(_show_all(settings_of_all(), Asked(comando, inicio, fim, recursos, repair), json_=json_))
    found = settings_to_collect() if probe else settings()
    return run_to_end(_show(found, Asked(comando, inicio, fim, recursos, repair), probe=probe, json_=json_))


async def _show_all(settings: Settings, asked: Asked, *, json_: bool) -> int:
    async with connected(settings) as (engine, _):
        found = await load_plans(engine, SystemClock(), settings, await companies.names(engine), asked)
    if json_:
        emit_json(found)
    else:
        report.plans(found)
    return int(any(each.erro for each in found.empresas))


async def _show(settings: Settings, asked: Asked, *, probe: bool, json_: bool) -> int:
    if probe:
        async with open_account(settings) as account:
            found = await load_plan(account.engine, account.clock, settings, asked, account.client)
    else:
        async with open_database(settings) as (engine, _):
            found = await load_plan(engine, SystemClock(), settings, asked)
    if json_:
        emit_json(found)
    else:
        report.plan(found, settings.run_max_seconds)
    return 0
