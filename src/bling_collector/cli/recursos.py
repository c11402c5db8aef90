"""`recursos`, `recursos ligar` e `recursos desligar`."""

from collections.abc import Collection, Sequence

import click

from bling_collector.cli.running import run_to_end, settings
from bling_collector.cli.screen import report
from bling_collector.cli.screen.terminal import emit_json
from bling_collector.clock import SystemClock
from bling_collector.config import Settings
from bling_collector.db import control
from bling_collector.errors import UsageError
from bling_collector.etl.resource import Resource
from bling_collector.opening import open_database
from bling_collector.plan.daily import load_costed
from bling_collector.streams.registry import RESOURCES, collected, named, needed
from bling_collector.words import lower_first, several


def show(*, json_: bool) -> int:
    """Mostra cada recurso: se se coleta, quanto há dele, o que está provado e o que custa por dia."""
    return run_to_end(_show(settings(), json_=json_))


async def _show(settings: Settings, *, json_: bool) -> int:
    async with open_database(settings) as (engine, _):
        found = await load_costed(engine, settings, SystemClock().now())
        async with engine.connect() as connection:
            besides = await needed(connection, settings.recursos)
    if json_:
        emit_json(found)
    else:
        report.recursos(found)
        if besides:
            click.echo(f"Outro precisa de {_said(besides)}, que por isso se coleta{'m' * (len(besides) > 1)}.")
    return 0


def switch(names: Collection[str], *, on: bool) -> int:
    """Liga ou desliga os recursos, ou nenhum. UsageError se um não existe, se são as notas, ou se `RECURSOS` decide."""
    return run_to_end(_switch(settings(), names, on=on))


async def _switch(settings: Settings, names: Collection[str], *, on: bool) -> int:
    asked = [_asked(name, on=on) for name in names]
    if settings.recursos:
        raise UsageError("A variável RECURSOS diz o que se coleta. Mude-a, ou tire-a, e vale o que se liga aqui.")
    async with open_database(settings) as (engine, _), engine.begin() as connection:
        before = await collected(connection, None)
        for resource in asked:
            await control.switch(connection, resource.name, SystemClock().now(), on=on)
        after = await collected(connection, None)
    if began := [each for each in after if each not in before]:
        click.echo(f"A próxima execução passa a coletar {_said(began)}, desde o começo da coleta.")
    if ended := [each for each in before if each not in after]:
        click.echo(f"Deixa-se de coletar {_said(ended)}; o que já se tem fica como está.")
    same = [each for each in asked if each not in (*began, *ended)]
    if still := [each for each in same if each in after]:
        click.echo(
            f"Já se coleta: {_said(still)}."
            if on
            else f"Outro recurso precisa de {_said(still)}, que continua a ser coletado."
        )
    if already := [each for each in same if each not in after]:
        click.echo(f"Já não se coleta: {_said(already)}.")
    return 0


def _asked(name: str, *, on: bool) -> Resource:
    resource = named(name)
    if resource is None:
        offered = ", ".join(each.name for each in RESOURCES)
        raise UsageError(f"Não há recurso {name!r}; os que há são {offered}.")
    if resource.principal and not on:
        raise UsageError(f"{resource.title} coletam-se sempre: o marco de cada execução é o delas.")
    return resource


def _said(resources: Sequence[Resource]) -> str:
    return several([lower_first(each.title) for each in resources])
