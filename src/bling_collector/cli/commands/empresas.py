"""O grupo `empresas`."""

from pathlib import Path

import click

from bling_collector.cli.process.arguments import as_json
from bling_collector.cli.screen.portuguese import Group


@click.group(cls=Group)
def empresas() -> None:
    """As empresas deste banco: a principal e as que se criam aqui, cada uma com as suas tabelas."""


@empresas.command("add")
@click.argument("nome", metavar="NOME")
def empresas_add(nome: str) -> int:
    """Cria uma empresa, no schema empresa_NOME."""
    from bling_collector.cli import empresas as companies

    return companies.add(nome)


@empresas.command("list")
@as_json
def empresas_list(json_: bool) -> int:
    """As empresas, a que mais pede atenção primeiro; sai com 1 se uma não está bem."""
    from bling_collector.cli import empresas as companies

    return companies.show_all(json_=json_)


@empresas.command("show")
@click.argument("nome", metavar="NOME")
@as_json
def empresas_show(nome: str, json_: bool) -> int:
    """Uma empresa: a situação e os endereços dela."""
    from bling_collector.cli import empresas as companies

    return companies.show(nome, json_=json_)


@empresas.command("token")
@click.argument("nome", metavar="NOME")
@click.option("--revogar", is_flag=True, help="Acaba com o token da empresa.")
def empresas_token(nome: str, revogar: bool) -> int:
    """Dá um token que só abre as páginas e as rotas da empresa; o de antes deixa de valer."""
    from bling_collector.cli import empresas as companies

    return companies.token(nome, revoke=revogar)


@empresas.command("remove")
@click.argument("nome", metavar="NOME")
@click.option(
    "--exportar", metavar="ARQUIVO", type=click.Path(path_type=Path), help="Antes, copia a empresa para aqui."
)
@click.option("--sim", metavar="NOME", help="Não pergunta; repita o nome da empresa.")
@as_json
def empresas_remove(nome: str, exportar: Path | None, sim: str | None, json_: bool) -> int:
    """Apaga a empresa e tudo o que é dela; pergunta duas vezes."""
    from bling_collector.cli import empresas as companies

    return companies.remove(nome, export=exportar, sure=sim, json_=json_)
