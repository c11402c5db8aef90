"""O grupo `plan`."""

from datetime import date

import click

from bling_collector.cli.process.arguments import as_json, first_day, last_day, only_recursos, refuse_impossible_period
from bling_collector.cli.screen.portuguese import Group

of_all = click.option("--todas", is_flag=True, help="O de todas as empresas do banco.")


@click.group(cls=Group)
def plan() -> None:
    """O que um comando pediria ao Bling, sem nada pedir."""


@plan.command("run")
@first_day("Primeiro dia; se omitido, desde a última execução.")
@last_day("Último dia; se omitido, hoje.")
@only_recursos
@click.option("--sondar", is_flag=True, help="Pergunta antes ao Bling quantos há, com poucas requisições.")
@of_all
@as_json
def plan_run(
    data_inicio: date | None,
    data_fim: date | None,
    recursos: tuple[str, ...] | None,
    sondar: bool,
    todas: bool,
    json_: bool,
) -> int:
    """O plano da coleta diária."""
    refuse_impossible_period(data_inicio, data_fim)
    from bling_collector.cli.plan import show

    return show("run", data_inicio, data_fim, recursos, probe=sondar, todas=todas, json_=json_)


@plan.command("run-full")
@first_day("Primeiro dia.", required=True)
@last_day("Último dia; se omitido, hoje.")
@only_recursos
@click.option("--sondar", is_flag=True, help="Pergunta antes ao Bling quantos há, com poucas requisições.")
@of_all
@as_json
def plan_run_full(
    data_inicio: date, data_fim: date | None, recursos: tuple[str, ...] | None, sondar: bool, todas: bool, json_: bool
) -> int:
    """O plano da carga histórica."""
    refuse_impossible_period(data_inicio, data_fim)
    from bling_collector.cli.plan import show

    return show("run-full", data_inicio, data_fim, recursos, probe=sondar, todas=todas, json_=json_)


@plan.command("reconcile")
@first_day("Primeiro dia; se omitido, o do começo da coleta.")
@last_day("Último dia; se omitido, hoje.")
@click.option("--repair", is_flag=True, help="O da que busca o que falta e o que mudou, e marca o que sumiu.")
@only_recursos
@of_all
@as_json
def plan_reconcile(
    data_inicio: date | None,
    data_fim: date | None,
    repair: bool,
    recursos: tuple[str, ...] | None,
    todas: bool,
    json_: bool,
) -> int:
    """O plano da conferência."""
    refuse_impossible_period(data_inicio, data_fim)
    from bling_collector.cli.plan import show

    return show("reconcile", data_inicio, data_fim, recursos, repair=repair, todas=todas, json_=json_)


@plan.command("look")
@of_all
@as_json
def plan_look(todas: bool, json_: bool) -> int:
    """O plano da olhada, que o worker faz."""
    from bling_collector.cli.plan import show

    return show("look", todas=todas, json_=json_)
