"""O banco: as tabelas em dia, a cópia e a volta dela."""

from datetime import UTC, datetime
from pathlib import Path

import click

from bling_collector.cli.running import run_to_end, settings
from bling_collector.cli.screen.terminal import emit_json, say
from bling_collector.config import Settings
from bling_collector.db import broker, schema
from bling_collector.db.copies.backup import backup as copy_database
from bling_collector.db.copies.restore import named
from bling_collector.db.copies.restore import restore as restore_database
from bling_collector.db.migrations import HEAD
from bling_collector.errors import DatabaseError
from bling_collector.insight.account.empresa import load_empresa
from bling_collector.privacy.titular import erase_again
from bling_collector.words import number
from bling_collector.workplace.database import open_database


def upgrade() -> int:
    """Põe as tabelas na última versão."""
    return run_to_end(_upgrade(settings()))


def backup(target: Path, *, with_tokens: bool, json_: bool) -> int:
    """Copia o banco como está, sem migrar."""
    return run_to_end(_backup(settings(), target, with_tokens=with_tokens, json_=json_))


def restore(source: Path, *, overwrite: bool, with_tokens: bool, json_: bool) -> int:
    """Restaura, põe as tabelas em dia e apaga outra vez quem já tinha pedido que o fizessem."""
    return run_to_end(_restore(settings(), source, overwrite=overwrite, with_tokens=with_tokens, json_=json_))


async def _upgrade(settings: Settings) -> int:
    async with open_database(settings, upgrade=False) as (engine, _):
        before, now = await schema.upgrade(engine)
        try:
            await broker.upgrade(engine)
        except DatabaseError as error:  # só faz falta a quem roda o worker
            say(f"⚠ {error}")
    if before == now:
        click.echo(f"O banco já está em dia (revisão {now}).")
    else:
        click.echo(f"Banco pronto: revisão {now}" + (f", antes {before}." if before else "."))
    return 0


async def _backup(settings: Settings, target: Path, *, with_tokens: bool, json_: bool) -> int:
    async with open_database(settings, upgrade=False) as (engine, _):
        size = await copy_database(engine, target, with_tokens=with_tokens)
    if json_:
        emit_json({"arquivo": str(target), "bytes": size, "tokens": with_tokens})
        return 0
    click.echo(f"✔ Cópia pronta: {target} ({number(max(1, round(size / 1024)))} KiB).")
    if with_tokens:
        click.echo("  A autorização do Bling vai nela: guarde-a como se guarda uma senha.")
    else:
        click.echo("  A autorização do Bling não vai nela. Os dados dos clientes vão: guarde-a bem.")
    return 0


async def _restore(settings: Settings, source: Path, *, overwrite: bool, with_tokens: bool, json_: bool) -> int:
    async with open_database(settings, upgrade=False) as (engine, _):

        async def put_in_order() -> None:
            await schema.upgrade(engine)
            await erase_again(engine, datetime.now(UTC))

        restored = await restore_database(
            engine, source, overwrite=overwrite, with_tokens=with_tokens, then=put_in_order
        )
        where = named(engine)
        whose = await load_empresa(engine)
    if json_:
        emit_json(
            {
                "arquivo": str(source),
                "revisao_da_copia": restored.revision,
                "revisao": HEAD,
                "autorizado": restored.has_tokens,
                "empresa": whose,
            }
        )
        return 0
    click.echo(f"✔ Banco {where} restaurado de {source} (revisão {HEAD}).")
    if whose is not None:
        click.echo(f"  Os dados são de {whose.nome}.")
    if not restored.has_tokens:
        click.echo("  Falta a autorização do Bling: rode `bling-collector auth`.")
    return 0
