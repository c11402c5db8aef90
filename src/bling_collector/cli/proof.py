"""A conferência com o Bling, a numeração e o que se deve."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import TypeVar

from bling_collector.cli.running import run_to_end, settings
from bling_collector.cli.screen import report
from bling_collector.cli.screen.terminal import emit_json
from bling_collector.db.core import AsyncEngine
from bling_collector.insight.failures import load_failure, load_failures
from bling_collector.insight.proof.numbering import load_numbering
from bling_collector.workplace.database import open_database

T = TypeVar("T")


def reconcile(
    inicio: date | None,
    fim: date | None,
    *,
    repair: bool,
    accept_deletions: bool = False,
    recursos: tuple[str, ...] | None = None,
    json_: bool,
) -> int:
    """Confere o banco com o Bling e mostra os dois lados; 1 se algum mês, mesmo dos que não se pediram, difere."""
    from bling_collector.cli.collecting import opened
    from bling_collector.cli.running import settings_to_collect
    from bling_collector.cli.screen.progress import progress
    from bling_collector.cli.signals import gentle_stop
    from bling_collector.insight.proof.reconciliation import load_reconciliation
    from bling_collector.insight.recursos import differs, load_others

    async def work() -> int:
        async with opened(settings_to_collect()) as account:
            with progress() as sink, gentle_stop() as stop:
                result = await account.pipeline.reconcile(
                    inicio,
                    fim,
                    repair=repair,
                    accept_deletions=accept_deletions,
                    recursos=recursos,
                    sink=sink,
                    stop=stop,
                )
            situation = await load_reconciliation(account.engine, account.clock.now())
            others = await load_others(account.engine, account.settings.recursos, account.clock.now())
        if json_:
            emit_json(report.as_json(result) | {"encontrado": result.found.as_json(), "conferencia": situation})
        else:
            report.reconciliation(result, situation, others)
        return result.exit_code or int(bool(situation.different) or any(map(differs, others)))

    return run_to_end(work())


def numbering(serie: int | None, *, json_: bool) -> int:
    """Mostra as lacunas da numeração de cada série, ou só de `serie`; 1 se alguma não tem explicação."""
    return int(report.unexplained(_shown(lambda engine: load_numbering(engine, serie), report.numbering, json_)))


def failures(*, json_: bool) -> int:
    """Mostra tudo o que se deve."""
    _shown(load_failures, report.failures, json_)
    return 0


def failure(nome: str, *, json_: bool) -> int:
    """Mostra uma pendência inteira."""
    _shown(lambda engine: load_failure(engine, nome), report.failure, json_)
    return 0


def _shown(load: Callable[[AsyncEngine], Awaitable[T]], say: Callable[[T], None], json_: bool) -> T:
    """O que `load` lê do banco, já mostrado."""

    async def work() -> T:
        async with open_database(settings()) as (engine, _):
            return await load(engine)

    found = run_to_end(work())
    (emit_json if json_ else say)(found)
    return found
