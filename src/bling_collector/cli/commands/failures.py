"""O grupo `failures`."""

import click

from bling_collector.cli.process.arguments import as_json
from bling_collector.cli.screen.portuguese import Group


@click.group(cls=Group, invoke_without_command=True)
@as_json
@click.pass_context
def failures(ctx: click.Context, json_: bool) -> int:
    """O que se deve, desde quando e por quê."""
    if ctx.invoked_subcommand is not None:
        return 0
    from bling_collector.cli import proof

    return proof.failures(json_=json_)


@failures.command("show")
@click.argument("nome", metavar="RECURSO/ID")
@as_json
def failures_show(nome: str, json_: bool) -> int:
    """Uma pendência inteira."""
    from bling_collector.cli import proof

    return proof.failure(nome, json_=json_)


@failures.command("retry")
@click.argument("nome", metavar="[RECURSO/ID]", required=False)
@as_json
def failures_retry(nome: str | None, json_: bool) -> int:
    """Tenta agora o que está pendente, também o estacionado."""
    from bling_collector.cli.collecting import retry

    return retry(nome, json_=json_)
