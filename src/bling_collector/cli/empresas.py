"""As empresas de um banco: `empresas add`, `list`, `show`, `token` e `remove`."""

import sys
from pathlib import Path

import click

from bling_collector.cli.process.running import run_to_end, settings_of_all
from bling_collector.cli.screen import report
from bling_collector.cli.screen.terminal import ask, confirm, emit_json, say
from bling_collector.clock import SystemClock
from bling_collector.config import Settings
from bling_collector.config.companies import PRINCIPAL, company
from bling_collector.db.companies import access
from bling_collector.db.companies import schemas as companies
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.copies.backup import backup
from bling_collector.errors import UsageError
from bling_collector.insight.companies import load_companies, load_company
from bling_collector.words import upper_first
from bling_collector.workplace import companies as management
from bling_collector.workplace.database import connected


def add(name: str) -> int:
    """Cria a empresa e diz o que vem a seguir."""

    async def work(settings: Settings) -> int:
        management.checked(name)
        async with connected(settings) as (engine, _):
            await management.add(engine, name)
            found = await load_company(engine, settings.of(name), SystemClock().now())
        click.echo(f"✔ Empresa {name} criada, no schema {companies.schema_named(name)}.")
        if found.autorizada:  # um coletor só dela já estava nesse schema
            say("O que havia no schema ficou como estava, e a autorização com ele.")
        else:
            say(f"Autorize-a na conta dela do Bling: `bling-collector auth --empresa {name}`.")
        return 0

    return run_to_end(work(settings_of_all()))


def show_all(*, json_: bool) -> int:
    """As empresas, cada uma com a sua frase."""

    async def work(settings: Settings) -> int:
        now = SystemClock().now()
        async with connected(settings) as (engine, _):
            names = await companies.names(engine)
            found = await load_companies(engine, settings, names, now)
        if unknown := sorted(settings.of_companies.keys() - {*names}):
            say(f"⚠ Há variáveis de empresas que não existem aqui, e de nada servem: {', '.join(unknown)}.")
        if json_:
            emit_json(found)
        else:
            report.companies(found, now)
        return 0

    return run_to_end(work(settings_of_all()))


def show(name: str, *, json_: bool) -> int:
    """Uma empresa inteira."""

    async def work(settings: Settings) -> int:
        now, theirs = SystemClock().now(), _named(settings, name)
        async with connected(settings) as (engine, _):
            await companies.check_exists(engine, theirs.empresa)
            found = await load_company(engine, theirs, now)
            has_token = await access.known(companies.of_company(engine, theirs.empresa)) is not None
        if json_:
            emit_json({"empresa": found, "schema": companies.schema_of(name), "tem_token": has_token})
        else:
            report.company(found, now, has_token=has_token)
        return 0

    return run_to_end(work(settings_of_all()))


def token(name: str, *, revoke: bool) -> int:
    """Dá à empresa um token que só abre as páginas e as rotas dela, ou acaba com o que ela tem."""

    async def work(settings: Settings) -> int:
        theirs = _named(settings, name)
        async with connected(settings) as (engine, _):
            await companies.check_exists(engine, theirs.empresa)
            ours = companies.of_company(engine, theirs.empresa)
            if revoke:
                had = await access.revoke(ours)
                click.echo(f"✔ O token de {name} já não abre nada." if had else f"A empresa {name} não tinha token.")
                return 0
            given = await access.give(ours, name, SystemClock().now())
        click.echo(given)
        say(
            f"É o único que abre só a empresa {name}, em /e/{name}/; não se mostra outra vez, e o anterior já não vale."
        )
        if settings.api_token is None:
            say("Enquanto API_TOKEN não existir, o serviço não pede token a ninguém.")
        return 0

    return run_to_end(work(settings_of_all()))


def remove(name: str, *, export: Path | None, sure: str | None, json_: bool) -> int:
    """Apaga a empresa e tudo o que é dela; pergunta duas vezes, a não ser que `sure` repita o nome."""

    async def work(settings: Settings) -> int:
        if sure is not None and sure != name:
            raise UsageError(f"--sim repete o nome da empresa que se tira: {name}. Nada foi apagado.")
        theirs = _named(settings, name)
        async with connected(settings) as (engine, _):
            if name != PRINCIPAL:
                await companies.check_exists(engine, name)
                if sure is None and not _confirmed(name, await _what(engine, theirs)):
                    say("Nada foi apagado.")
                    return 1

            async def copy() -> None:
                if export is not None:
                    await backup(companies.of_company(engine, name), export)
                    say(f"✔ Cópia pronta: {export}.")

            await management.remove(engine, name, before=copy)
        if json_:
            emit_json({"empresa": name, "copia": str(export) if export else None})
        else:
            click.echo(f"✔ A empresa {name} foi apagada.")
        return 0

    return run_to_end(work(settings_of_all()))


def _named(settings: Settings, name: str) -> Settings:
    """As configurações da empresa. UsageError se isso não é nome de uma."""
    try:
        company(name)
    except ValueError as error:
        raise UsageError(upper_first(f"{error}.")) from None
    return settings.of(name)


async def _what(engine: AsyncEngine, settings: Settings) -> str:
    found = await load_company(engine, settings, SystemClock().now())
    return f"{settings.company} ({found.titulo})" if found.titulo else settings.company


def _confirmed(name: str, what: str) -> bool:
    """Pergunta duas vezes; sem terminal em que perguntar, recusa."""
    warning = f"Isto apaga, sem volta, a empresa {what}: as tabelas, o histórico e a autorização dela."
    if not sys.stdin.isatty():
        raise UsageError(f"{warning} Confirme com --sim {name}.")
    say(warning)
    return confirm("Apagar?") and ask(f"Escreva o nome dela ({name}) para confirmar: ") == name
