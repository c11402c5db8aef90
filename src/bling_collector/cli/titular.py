"""Os dados de uma pessoa: o que se mostra, e a pergunta antes de apagar."""

import sys
from datetime import UTC, datetime

import click

from bling_collector.cli.running import run_to_end, settings
from bling_collector.cli.streams import failure
from bling_collector.cli.terminal import emit_json
from bling_collector.cli.words import number
from bling_collector.config import Settings
from bling_collector.errors import UsageError
from bling_collector.etl.titular import erase_person, export_person, load_person
from bling_collector.opening import open_database


def export(contato_id: int) -> int:
    """Escreve em JSON tudo o que se tem de um contato."""
    return run_to_end(_export(settings(), contato_id))


def erase(contato_id: int, *, sure: bool, json_: bool) -> int:
    """Apaga quem o contato é; pergunta, a não ser que `sure`."""
    return run_to_end(_erase(settings(), contato_id, sure=sure, json_=json_))


async def _export(settings: Settings, contato_id: int) -> int:
    async with open_database(settings) as (engine, _):
        emit_json(await export_person(engine, contato_id, datetime.now(UTC)))
    return int(failure() is not None)  # um documento pela metade não serve a ninguém


async def _erase(settings: Settings, contato_id: int, *, sure: bool, json_: bool) -> int:
    """Pergunta, a não ser que `sure`; sem terminal em que perguntar, recusa."""
    async with open_database(settings) as (engine, _):
        person = await load_person(engine, contato_id)
        what = f"{_list('contato', person.contatos)} e {number(len(person.notas))} nota(s) que o citam"
        if not sure:
            if not sys.stdin.isatty():
                raise UsageError(f"Isto apaga os dados pessoais ({what}), sem volta. Confirme com --sim.")
            click.confirm(f"Apagar os dados pessoais ({what})? Não há volta.", abort=True, err=True)
        done = await erase_person(engine, contato_id, datetime.now(UTC))
    if json_:
        emit_json({"contatos": done.contatos, "notas": done.notas, "restam": done.restam})
        return 0
    click.echo(f"✔ Dados pessoais apagados: {what}. Cópias do banco feitas antes ainda os têm.")
    if done.restam:
        click.echo(f"  O documento ainda aparece em notas de outros contatos: {', '.join(map(str, done.restam))}.")
    return 0


def _list(noun: str, ids: list[int]) -> str:
    return f"{noun} {ids[0]}" if len(ids) == 1 else f"{noun}s {', '.join(map(str, ids))} (o mesmo documento)"
