"""Os dados de uma pessoa: o que se mostra, e a pergunta antes de apagar."""

import sys
from datetime import UTC, datetime

import click

from bling_collector.cli.process.running import run_to_end, settings
from bling_collector.cli.screen.streams import failure
from bling_collector.cli.screen.terminal import confirm, emit_json, say
from bling_collector.config import Settings
from bling_collector.db.resources.erasure import Titular
from bling_collector.documentos import masked
from bling_collector.errors import UsageError
from bling_collector.insight.words import besides
from bling_collector.privacy.titular import erase_person, export_person, load_person, names_of
from bling_collector.words import agreed, plural, several
from bling_collector.workplace.database import open_database


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
        cited = plural(len(person.notas), "nota que o cita", "notas que o citam")
        what = several([_contacts(person.contatos), cited, *besides(_counted(person))])
        who = _who(await names_of(engine, person), person.documento)
        if not sure:
            if not sys.stdin.isatty():
                raise UsageError(f"Isto apaga, sem volta, os dados pessoais de {who}: {what}. Confirme com --sim.")
            say(f"Isto apaga, sem volta, os dados pessoais de {who}: {what}.")
            if not confirm("Apagar?"):
                say("Nada foi apagado.")
                return 1
        done = await erase_person(engine, contato_id, datetime.now(UTC))
    if json_:
        said = {"contatos": done.contatos, "notas": done.notas, "restam": done.restam}
        more = {"registros": done.registros, "documentos": done.documentos}
        emit_json(said | {name: what for name, what in more.items() if what})
        return 0
    click.echo(f"✔ Dados pessoais apagados, de {who}: {what}. Cópias do banco feitas antes ainda os têm.")
    if done.documentos:
        kept = plural(len(done.documentos), "XML de nota, que traz", "XML de notas, que trazem")
        click.echo(f"  Fica guardado, como a lei manda: {kept} o nome e o documento.")
    if done.restam:
        click.echo(f"  O documento ainda aparece em notas de outros contatos: {', '.join(map(str, done.restam))}.")
    return 0


def _who(names: list[str], documento: str | None) -> str:
    """Quem é, sem dizer o documento a quem não o conhece."""
    name = " ou ".join(names) or "alguém de que não se guarda o nome"
    return f"{name} ({masked(documento)})" if documento else name


def _counted(person: Titular) -> dict[str, int]:
    return {recurso: len(ids) for recurso, ids in person.others.items()}


def _contacts(ids: list[int]) -> str:
    same = " (o mesmo documento)" if len(ids) > 1 else ""
    return f"{agreed(len(ids), 'contato', 'contatos')} {', '.join(map(str, ids))}{same}"
