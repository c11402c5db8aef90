"""O grupo `alerts`."""

import click

from bling_collector.cli.process.arguments import as_json
from bling_collector.cli.screen.portuguese import Group


@click.group(cls=Group, invoke_without_command=True)
@as_json
@click.pass_context
def alerts(ctx: click.Context, json_: bool) -> int:
    """Os alarmes que estão soando; sai com 1 se há algum."""
    if ctx.invoked_subcommand is not None:
        return 0
    from bling_collector.cli import alerts as sounding

    return sounding.show(check=False, json_=json_)


@alerts.command("check")
@as_json
def alerts_check(json_: bool) -> int:
    """Confere os alarmes agora e diz aos destinos o que mudou."""
    from bling_collector.cli import alerts as sounding

    return sounding.show(check=True, json_=json_)


@alerts.command("test")
@as_json
def alerts_test(json_: bool) -> int:
    """Manda uma mensagem de teste a cada destino de ALERT_URLS."""
    from bling_collector.cli import alerts as sounding

    return sounding.test(json_=json_)
