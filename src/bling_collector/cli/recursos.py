"""`recursos`, `recursos ligar` e `recursos desligar`."""

from collections.abc import Collection, Sequence

from bling_collector.cli.process.running import run_to_end, settings
from bling_collector.cli.screen import report
from bling_collector.cli.screen.terminal import emit_json, tell
from bling_collector.clock import SystemClock
from bling_collector.config import Settings
from bling_collector.db import control
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.errors import UsageError
from bling_collector.plan.daily import LOOKS_A_DAY, load_costed, look_cost
from bling_collector.streams.registry import RESOURCES, WHOLE, collected, named, needed, registers
from bling_collector.words import lower_first, several
from bling_collector.workplace.database import open_database


def show(*, json_: bool) -> int:
    """Mostra cada recurso: se se coleta, quanto há dele, o que está provado e o que custa por dia."""
    return run_to_end(_show(settings(), json_=json_))


async def _show(settings: Settings, *, json_: bool) -> int:
    async with open_database(settings) as (engine, _):
        found = await load_costed(engine, settings, SystemClock().now())
        async with engine.connect() as connection:
            besides = await needed(connection, settings.recursos)
            whole = await registers(connection, settings.recursos)
    if json_:
        emit_json(found)
    else:
        report.recursos(found, look_cost(found), LOOKS_A_DAY)
        if on := [name for name, each in WHOLE.items() if each.name in whole]:
            tell(f"Coleta-se {_titles(on)}, e não só o que se cita.")
        if off := [name for name in WHOLE if name not in on]:
            tell(f"O que ninguém cita coleta-se com `bling-collector recursos ligar {' '.join(off)}`.")
        if besides:
            said = _titles([each.name for each in besides])
            tell(f"Outro precisa de {said}, que por isso se coleta{'m' * (len(besides) > 1)}.")
    return 0


def switch(names: Collection[str], *, on: bool) -> int:
    """Liga ou desliga os recursos, ou nenhum. UsageError se um não existe, se são as notas, ou se `RECURSOS` decide."""
    return run_to_end(_switch(settings(), names, on=on))


async def _switch(settings: Settings, names: Collection[str], *, on: bool) -> int:
    asked = [_switchable(name, on=on) for name in names]
    if settings.recursos:
        raise UsageError("A variável RECURSOS diz o que se coleta. Mude-a, ou tire-a, e vale o que se liga aqui.")
    async with open_database(settings) as (engine, _), engine.begin() as connection:
        before = await _collected(connection)
        for name in asked:
            await control.switch(connection, name, SystemClock().now(), on=on)
        after = await _collected(connection)
    if began := [each for each in after if each not in before]:
        tell(f"A próxima execução passa a coletar {_titles(began)}, desde o começo da coleta.")
    if ended := [each for each in before if each not in after]:
        tell(f"Deixa-se de coletar {_titles(ended)}; o que já se tem fica como está.")
    same = [each for each in asked if each not in (*began, *ended)]
    if still := [each for each in same if each in after]:
        tell(
            f"Já se coleta: {_titles(still)}."
            if on
            else f"Outro recurso precisa de {_titles(still)}, que continua a ser coletado."
        )
    if already := [each for each in same if each not in after]:
        tell(f"Já não se coleta: {_titles(already)}.")
    return 0


async def _collected(connection: AsyncConnection) -> list[str]:
    """Os nomes do que se coleta, com os dos cadastros inteiros."""
    resources, whole = await collected(connection, None), await registers(connection, None)
    return [*(each.name for each in resources), *(name for name, each in WHOLE.items() if each.name in whole)]


def _switchable(name: str, *, on: bool) -> str:
    if name in WHOLE:
        return name
    resource = named(name)
    if resource is None:
        offered = ", ".join((*(each.name for each in RESOURCES), *WHOLE))
        raise UsageError(f"Não há recurso {name!r}; os que há são {offered}.")
    if resource.principal and not on:
        raise UsageError(f"{resource.title} coletam-se sempre: o marco de cada execução é o delas.")
    return resource.name


def _titles(names: Sequence[str]) -> str:
    return several([_title(name) for name in names])


def _title(name: str) -> str:
    if (resource := WHOLE.get(name)) is not None:
        return f"o cadastro inteiro de {lower_first(resource.title)}"
    found = named(name)
    return lower_first(found.title) if found is not None else name
