"""O grupo `contato`."""

import click

from bling_collector.cli.process.arguments import ID, as_json
from bling_collector.cli.screen.portuguese import Group


@click.group(cls=Group)
def contato() -> None:
    """Os dados de uma pessoa, a pedido dela (LGPD)."""


@contato.command("export")
@click.argument("id", type=ID)
def contato_export(id: int) -> int:  # noqa: A002 — é o nome que o Bling dá
    """Escreve em JSON tudo o que se tem de um contato: o cadastro, as notas que o citam e o histórico."""
    from bling_collector.cli import titular

    return titular.export(id)


@contato.command("erase")
@click.argument("id", type=ID)
@click.option("--sim", is_flag=True, help="Não pergunta.")
@as_json
def contato_erase(id: int, sim: bool, json_: bool) -> int:  # noqa: A002 — é o nome que o Bling dá
    """Apaga quem o contato é; os valores, as datas, os números e as chaves das notas ficam."""
    from bling_collector.cli import titular

    return titular.erase(id, sure=sim, json_=json_)
