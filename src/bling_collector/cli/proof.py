"""A conferência com o Bling, a numeração e o que se deve."""

from datetime import date

from bling_collector.cli.running import run_to_end, settings
from bling_collector.cli.screen import report
from bling_collector.cli.screen.terminal import emit_json
from bling_collector.insight.failures import Failure, Failures, load_failure, load_failures
from bling_collector.insight.proof.numbering import SerieNumbering, load_numbering
from bling_collector.opening import open_database


def reconcile(
    inicio: date | None, fim: date | None, *, repair: bool, accept_deletions: bool = False, json_: bool
) -> int:
    """Confere o banco com o Bling e mostra os dois lados; 1 se algum mês, mesmo dos que não se pediram, difere."""
    from bling_collector.cli.collecting import opened
    from bling_collector.cli.running import settings_to_collect
    from bling_collector.cli.screen.progress import progress
    from bling_collector.cli.signals import gentle_stop
    from bling_collector.insight.proof.reconciliation import load_reconciliation
    from bling_collector.insight.recursos import differs, load_others

    async def work() -> int:
        async with opened(settings_to_collect()) as app:
            with progress() as sink, gentle_stop() as stop:
                result = await app.pipeline.reconcile(
                    inicio, fim, repair=repair, accept_deletions=accept_deletions, sink=sink, stop=stop
                )
            situation = await load_reconciliation(app.engine, app.clock.now())
            others = await load_others(app.engine, app.settings.recursos, app.clock.now())
        if json_:
            emit_json(report.as_json(result) | {"encontrado": result.found.as_json(), "conferencia": situation})
        else:
            report.reconciliation(result, situation, others)
        return result.exit_code or int(bool(situation.different) or any(map(differs, others)))

    return run_to_end(work())


def numbering(serie: int | None, *, json_: bool) -> int:
    """Mostra as lacunas da numeração de cada série, ou só de `serie`; 1 se alguma não tem explicação."""

    async def work() -> list[SerieNumbering]:
        async with open_database(settings()) as (engine, _):
            return await load_numbering(engine, serie)

    series = run_to_end(work())
    if json_:
        emit_json(series)
    else:
        report.numbering(series)
    return int(report.unexplained(series))


def failures(*, json_: bool) -> int:
    """Mostra tudo o que se deve."""

    async def work() -> Failures:
        async with open_database(settings()) as (engine, _):
            return await load_failures(engine)

    owed = run_to_end(work())
    if json_:
        emit_json(owed)
    else:
        report.failures(owed)
    return 0


def failure(nome: str, *, json_: bool) -> int:
    """Mostra uma pendência inteira."""

    async def work() -> Failure:
        async with open_database(settings()) as (engine, _):
            return await load_failure(engine, nome)

    found = run_to_end(work())
    if json_:
        emit_json(found)
    else:
        report.failure(found)
    return 0
