"""`reconcile`, `failures` e `reprocess`: o que falta, o que se deve, e o que se refaz do que já se tem."""

from datetime import date
from typing import Any

import click

from bling_collector.bootstrap import App, open_database
from bling_collector.cli import report, terminal
from bling_collector.cli.portuguese import Command, Group
from bling_collector.cli.running import (
    Day,
    as_json,
    collect,
    opened,
    refuse_impossible_period,
    run_to_end,
    settings,
    settings_to_collect,
)
from bling_collector.cli.signals import gentle_stop
from bling_collector.cli.terminal import emit_json
from bling_collector.etl.failures import load_failure, load_failures, unpark
from bling_collector.etl.numbering import load_numbering
from bling_collector.etl.pipeline import RunResult
from bling_collector.etl.reconcile import load_reconciliation


@click.command(cls=Command)
@click.option("--data-inicio", type=Day(), help="Primeiro dia; se omitido, o do começo da coleta.")
@click.option("--data-fim", type=Day(), help="Último dia; se omitido, hoje.")
@click.option("--repair", is_flag=True, help="Busca o que falta e o que mudou, e marca o que sumiu.")
@click.option("--numeracao", is_flag=True, help="Em vez disso, as lacunas da numeração, sem perguntar ao Bling.")
@click.option("--serie", type=int, help="Com --numeracao, só esta série.")
@as_json
def reconcile(
    data_inicio: date | None, data_fim: date | None, repair: bool, numeracao: bool, serie: int | None, json_: bool
) -> int:
    """Confere, nota por nota, o banco com o Bling."""
    if serie is not None and not numeracao:
        raise click.UsageError("--serie só vale com --numeracao.")
    if numeracao and (repair or data_inicio or data_fim):
        raise click.UsageError("--numeracao olha só o que o banco tem: não leva --repair nem datas.")
    if numeracao:
        return run_to_end(_numbering(serie, json_))
    refuse_impossible_period(data_inicio, data_fim)
    return run_to_end(_reconcile(data_inicio, data_fim, repair, json_))


async def _reconcile(inicio: date | None, fim: date | None, repair: bool, json_: bool) -> int:
    async with opened(settings_to_collect()) as app:
        with terminal.progress() as sink, gentle_stop() as stop:
            result = await app.pipeline.reconcile(inicio, fim, repair=repair, sink=sink, stop=stop)
        situation = await load_reconciliation(app.engine)
    if json_:
        emit_json(report.as_json(result) | {"encontrado": result.found.as_json(), "conferencia": situation})
    else:
        report.reconciliation(result, situation)
    return result.exit_code


async def _numbering(serie: int | None, json_: bool) -> int:
    async with open_database(settings()) as (engine, _):
        series = await load_numbering(engine, serie)
    if json_:
        emit_json(series)
    else:
        report.numbering(series)
    return 0


@click.group(cls=Group, invoke_without_command=True)
@as_json
@click.pass_context
def failures(ctx: click.Context, json_: bool) -> int:
    """O que se deve, desde quando e por quê."""
    if ctx.invoked_subcommand is not None:
        return 0

    async def show() -> int:
        async with open_database(settings()) as (engine, _):
            owed = await load_failures(engine)
        if json_:
            emit_json(owed)
        else:
            report.failures(owed)
        return 0

    return run_to_end(show())


@failures.command("show")
@click.argument("nome", metavar="RECURSO/ID")
@as_json
def failures_show(nome: str, json_: bool) -> int:
    """Uma pendência inteira."""

    async def show() -> int:
        async with open_database(settings()) as (engine, _):
            failure = await load_failure(engine, nome)
        if json_:
            emit_json(failure)
        else:
            report.failure(failure)
        return 0

    return run_to_end(show())


@failures.command("retry")
@click.argument("nome", metavar="[RECURSO/ID]", required=False)
@as_json
def failures_retry(nome: str | None, json_: bool) -> int:
    """Tenta agora o que está pendente, também o estacionado."""

    async def retry(app: App, **how: Any) -> RunResult:
        await unpark(app.engine, nome)
        return await app.pipeline.retry(**how)

    return collect(retry, json_)


@click.command(cls=Command)
@click.option("--data-inicio", type=Day(), help="Primeiro dia das notas a refazer.")
@click.option("--data-fim", type=Day(), help="Último dia das notas a refazer.")
@as_json
def reprocess(data_inicio: date | None, data_fim: date | None, json_: bool) -> int:
    """Refaz as linhas a partir do JSON guardado, sem o Bling."""
    refuse_impossible_period(data_inicio, data_fim)
    return collect(lambda app, **how: app.pipeline.reprocess(data_inicio, data_fim, **how), json_, offline=True)
