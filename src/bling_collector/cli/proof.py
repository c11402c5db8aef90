"""A conferência com o Bling, a numeração e o que se deve."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import TypeVar

from bling_collector.cli.process.running import run_to_end, settings
from bling_collector.cli.screen import report
from bling_collector.cli.screen.terminal import emit_json
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.insight.failures import load_failure, load_failures
from bling_collector.insight.proof.numbering import FISCAL, SerieNumbering, load_numbering
from bling_collector.streams.notas.nfe import NFE
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
    from bling_collector.cli.process.running import settings_to_collect
    from bling_collector.cli.process.signals import gentle_stop
    from bling_collector.cli.screen.progress import progress
    from bling_collector.insight.proof.reconciliation import load_reconciliation
    from bling_collector.insight.recursos import differs, load_collected, load_others

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
            notes = NFE.name in await load_collected(account.engine, account.settings.recursos)
        if json_:
            more = {"encontrado": result.found.as_json(), "conferencia": situation, "outros": others}
            emit_json(report.as_json(result) | more)
        else:
            report.reconciliation(result, situation, others, notes=notes)
        return result.exit_code or int(bool(situation.different) or any(map(differs, others)))

    return run_to_end(work())


def numbering(serie: int | None, *, recursos: tuple[str, ...] | None, json_: bool) -> int:
    """Mostra as lacunas da numeração de cada série, ou só de `serie`, das notas ou dos recursos que se pedem; 1 se
    alguma, do que o fisco numera, não tem explicação."""
    asked = recursos or (NFE.name,)

    async def load(engine: AsyncEngine) -> dict[str, list[SerieNumbering]]:
        return {recurso: await load_numbering(engine, serie, recurso) for recurso in asked}

    found = _loaded(load)
    if json_:
        emit_json(found if recursos else found[NFE.name])
    else:
        for recurso, series in found.items():
            report.numbering(series, fiscal=recurso in FISCAL)
    return int(any(report.unexplained(series) for recurso, series in found.items() if recurso in FISCAL))


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
    found = _loaded(load)
    (emit_json if json_ else say)(found)
    return found


def _loaded(load: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    async def work() -> T:
        async with open_database(settings()) as (engine, _):
            return await load(engine)

    return run_to_end(work())
