"""`db`: as tabelas em dia, a cópia do banco e a volta dela."""

from datetime import UTC, datetime
from pathlib import Path

import click

from bling_collector.bootstrap import open_database
from bling_collector.cli.portuguese import Group
from bling_collector.cli.running import as_json, run_to_end, settings
from bling_collector.cli.terminal import emit_json, number
from bling_collector.config import Settings
from bling_collector.db import schema
from bling_collector.db.backup import backup
from bling_collector.db.migrations import HEAD
from bling_collector.db.restore import restore
from bling_collector.etl.titular import erase_again


@click.group(cls=Group)
def db() -> None:
    """O banco de dados."""


@db.command("upgrade")
def db_upgrade() -> int:
    """Põe as tabelas na última versão; as do primeiro coletor são assumidas com as suas linhas."""
    return run_to_end(_upgrade())


@db.command("init")
def db_init() -> int:
    """Cria as tabelas num banco vazio (num banco que já as tem, o mesmo que `upgrade`)."""
    return run_to_end(_upgrade())


@db.command("backup")
@click.argument("arquivo", type=click.Path(path_type=Path))
@click.option("--com-tokens", is_flag=True, help="Copia também a autorização do Bling, que é um segredo.")
@as_json
def db_backup(arquivo: Path, com_tokens: bool, json_: bool) -> int:
    """Copia o banco inteiro para um arquivo (do pg_dump, que só o dono lê)."""
    return run_to_end(_backup(settings(), arquivo, with_tokens=com_tokens, json_=json_))


@db.command("restore")
@click.argument("arquivo", type=click.Path(path_type=Path))
@click.option("--sobrescrever", is_flag=True, help="Apaga os dados que o banco tem.")
@click.option("--com-tokens", is_flag=True, help="Usa a autorização da cópia: ninguém a usou desde então.")
@as_json
def db_restore(arquivo: Path, sobrescrever: bool, com_tokens: bool, json_: bool) -> int:
    """Põe no banco o que está numa cópia: tudo, ou nada."""
    return run_to_end(_restore(settings(), arquivo, overwrite=sobrescrever, with_tokens=com_tokens, json_=json_))


async def _upgrade() -> int:
    async with open_database(settings(), upgrade=False) as (engine, _):
        before, now = await schema.upgrade(engine)
    if before == now:
        click.echo(f"O banco já está em dia (revisão {now}).")
    else:
        click.echo(f"Banco pronto: revisão {now}" + (f", antes {before}." if before else "."))
    return 0


async def _backup(settings: Settings, target: Path, *, with_tokens: bool, json_: bool) -> int:
    """Copia; o banco é copiado como está, sem migrar."""
    async with open_database(settings, upgrade=False) as (engine, _):
        size = await backup(engine, target, with_tokens=with_tokens)
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
    """Restaura, põe as tabelas em dia e apaga outra vez quem já tinha pedido que o fizessem."""
    async with open_database(settings, upgrade=False) as (engine, _):

        async def put_in_order() -> None:
            await schema.upgrade(engine)
            await erase_again(engine, datetime.now(UTC))

        restored = await restore(engine, source, overwrite=overwrite, with_tokens=with_tokens, then=put_in_order)
    if json_:
        emit_json(
            {
                "arquivo": str(source),
                "revisao_da_copia": restored.revision,
                "revisao": HEAD,
                "autorizado": restored.has_tokens,
            }
        )
        return 0
    click.echo(f"✔ Banco restaurado de {source} (revisão {HEAD}).")
    if not restored.has_tokens:
        click.echo("  Falta a autorização do Bling: rode `bling-collector auth`.")
    return 0
