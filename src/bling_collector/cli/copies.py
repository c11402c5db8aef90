"""`db backup` e `db restore`: o que se mostra a quem copia o banco e a quem o restaura."""

from datetime import UTC, datetime
from pathlib import Path

import click

from bling_collector.bootstrap import open_database
from bling_collector.cli.terminal import emit_json, number
from bling_collector.config import Settings
from bling_collector.db import schema
from bling_collector.db.backup import backup
from bling_collector.db.migrations import HEAD
from bling_collector.db.restore import restore
from bling_collector.etl.titular import erase_again


async def make_backup(settings: Settings, target: Path, *, with_tokens: bool, json_: bool) -> int:
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


async def restore_backup(settings: Settings, source: Path, *, overwrite: bool, json_: bool) -> int:
    """Restaura, põe as tabelas em dia e apaga outra vez quem já tinha pedido que o fizessem."""
    async with open_database(settings, upgrade=False) as (engine, _):

        async def put_in_order() -> None:
            await schema.upgrade(engine)
            await erase_again(engine, datetime.now(UTC))

        restored = await restore(engine, source, overwrite=overwrite, then=put_in_order)
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
