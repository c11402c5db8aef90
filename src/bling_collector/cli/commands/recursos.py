"""O grupo `recursos`."""

import click

from bling_collector.cli.process.arguments import as_json
from bling_collector.cli.screen.portuguese import Group


@click.group(cls=Group, invoke_without_command=True)
@as_json
@click.pass_context
def recursos(ctx: click.Context, json_: bool) -> int:
    """O que se coleta do Bling, quanto há de cada recurso, o que está provado e o que custa por dia."""
    if ctx.invoked_subcommand is not None:
        return 0
    from bling_collector.cli.recursos import show

    return show(json_=json_)


@recursos.command("ligar")
@click.argument("nomes", metavar="RECURSO...", nargs=-1, required=True)
def recursos_ligar(nomes: tuple[str, ...]) -> int:
    """Passa a coletar o recurso, desde o começo da coleta."""
    from bling_collector.cli.recursos import switch

    return switch(nomes, on=True)


@recursos.command("desligar")
@click.argument("nomes", metavar="RECURSO...", nargs=-1, required=True)
def recursos_desligar(nomes: tuple[str, ...]) -> int:
    """Deixa de coletar o recurso; o que já se tem dele fica."""
    from bling_collector.cli.recursos import switch

    return switch(nomes, on=False)
