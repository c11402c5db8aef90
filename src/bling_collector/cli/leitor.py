"""O leitor: um usuário do banco para as ferramentas de análise."""

import click

from bling_collector.cli.database import door
from bling_collector.cli.process.running import run_to_end, settings
from bling_collector.cli.screen.terminal import emit_json, say
from bling_collector.config import Settings
from bling_collector.db import readers
from bling_collector.db.connection.database import address, address_for, in_schema, quoted, shown, tools_port
from bling_collector.words import plural
from bling_collector.workplace.database import open_database


def make(name: str, *, everything: bool, json_: bool) -> int:
    """Faz o leitor, ou repõe as permissões dele."""
    return run_to_end(_make(settings(), name, everything=everything, json_=json_))


def remove(name: str, *, json_: bool) -> int:
    """Tira o leitor."""
    return run_to_end(_remove(settings(), name, json_=json_))


async def _make(settings: Settings, name: str, *, everything: bool, json_: bool) -> int:
    readers.check_name(name)
    async with open_database(settings) as (engine, embedded):
        place = in_schema(engine, None) if everything else engine
        async with place.begin() as connection:
            reader = await connection.run_sync(readers.make, name, everything=everything, ours=embedded)
        port = await tools_port(engine) if embedded else None
    reached = shown(address_for(address(engine), name, port=port)) if port or not embedded else None
    if json_:
        emit_json({"leitor": name, "senha": reader.password, "url": reached, "schemas": reader.schemas})
        return 0
    done = "pronto" if reader.password else "já havia, e as permissões dele estão em dia"
    click.echo(
        f"✔ O leitor {name} {done}: lê {plural(reader.tables, 'tabela ou view', 'tabelas e views')} de "
        f"{', '.join(reader.schemas)}, e nada grava."
    )
    click.echo(f"  Não lê: {', '.join(reader.hidden)}.")
    click.echo(f"  Endereço: {reached}" if reached else f"  {door(None)}")
    if reader.password:
        click.echo(f"  Senha:    {reader.password}")
        click.echo("  A senha não se mostra outra vez, nem está guardada: quem a perde tira o leitor e faz outro.")
    else:
        click.echo("  A senha é a de antes.")
    for schema in reader.can_create:
        say(
            f"⚠ No schema {schema} todo usuário deste banco pode criar tabelas, e o leitor também. Fecha-o: "
            f"REVOKE CREATE ON SCHEMA {quoted(schema)} FROM PUBLIC."
        )
    return 0


async def _remove(settings: Settings, name: str, *, json_: bool) -> int:
    readers.check_name(name)
    async with open_database(settings, upgrade=False) as (engine, _), engine.begin() as connection:
        removed = await connection.run_sync(readers.remove, name)
    if json_:
        emit_json({"leitor": name, "sessoes_fechadas": removed.sessions, "fica_em": removed.elsewhere})
        return 0
    if removed.elsewhere:
        click.echo(f"✔ O leitor {name} já não lê este banco.")
        click.echo(f"  O usuário fica, porque lê outros deste servidor: {', '.join(removed.elsewhere)}.")
    else:
        click.echo(f"✔ O leitor {name} já não existe.")
    if removed.sessions:
        click.echo(
            f"  Tinha {plural(removed.sessions, 'sessão aberta, que se fechou', 'sessões abertas, que se fecharam')}."
        )
    return 0
