"""O grupo `db`."""

from pathlib import Path

import click

from bling_collector.cli.process.arguments import as_json
from bling_collector.cli.screen.portuguese import Group


@click.group(cls=Group)
def db() -> None:
    """O banco de dados."""


@db.command("upgrade")
def db_upgrade() -> int:
    """Põe as tabelas na última versão; as do primeiro coletor são assumidas com as suas linhas."""
    from bling_collector.cli import database

    return database.upgrade()


@db.command("init")
def db_init() -> int:
    """Cria as tabelas num banco vazio (num banco que já as tem, o mesmo que `upgrade`)."""
    from bling_collector.cli import database

    return database.upgrade()


@db.command("backup")
@click.argument("arquivo", type=click.Path(path_type=Path))
@click.option("--com-tokens", is_flag=True, help="Copia também a autorização do Bling, que é um segredo.")
@as_json
def db_backup(arquivo: Path, com_tokens: bool, json_: bool) -> int:
    """Copia o banco inteiro para um arquivo (do pg_dump, que só o dono lê)."""
    from bling_collector.cli import database

    return database.backup(arquivo, with_tokens=com_tokens, json_=json_)


@db.command("restore")
@click.argument("arquivo", type=click.Path(path_type=Path))
@click.option("--sobrescrever", is_flag=True, help="Apaga os dados que o banco tem.")
@click.option("--com-tokens", is_flag=True, help="Usa a autorização da cópia: ninguém a usou desde então.")
@as_json
def db_restore(arquivo: Path, sobrescrever: bool, com_tokens: bool, json_: bool) -> int:
    """Põe no banco o que está numa cópia: tudo, ou nada."""
    from bling_collector.cli import database

    return database.restore(arquivo, overwrite=sobrescrever, with_tokens=com_tokens, json_=json_)


@db.command("leitor")
@click.argument("nome")
@click.option("--todas", is_flag=True, help="De todas as empresas deste banco, também das que vierem.")
@click.option("--remover", is_flag=True, help="Tira o leitor, com as permissões e as sessões dele.")
@as_json
def db_leitor(nome: str, todas: bool, remover: bool, json_: bool) -> int:
    """Faz um usuário do banco que só lê, e nenhum segredo, para as ferramentas de análise; se já o fez, repõe-lhe as
    permissões."""
    if todas and remover:
        raise click.UsageError("--remover tira o leitor de tudo: não leva --todas.")
    from bling_collector.cli import leitor

    if remover:
        return leitor.remove(nome, json_=json_)
    return leitor.make(nome, everything=todas, json_=json_)


@db.command("url")
@click.option("--senha", is_flag=True, help="Mostra também a senha.")
@as_json
def db_url(senha: bool, json_: bool) -> int:
    """Diz o endereço do banco, sem a senha."""
    from bling_collector.cli import database

    return database.url(password=senha, json_=json_)


@db.command("psql", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("argumentos", nargs=-1, type=click.UNPROCESSED)
def db_psql(argumentos: tuple[str, ...]) -> int:
    """Abre o psql no banco, com os argumentos dele: `db psql -c 'SELECT 1'`. O código de saída é o do psql."""
    from bling_collector.cli import database

    return database.psql(argumentos)


@db.command("abrir")
@click.option(
    "--porta", type=click.IntRange(1024, 65535), default=5433, show_default=True, help="Em que porta de 127.0.0.1."
)
def db_abrir(porta: int) -> int:
    """Abre o PostgreSQL embutido às ferramentas desta máquina, com senha, enquanto `serve` ou `worker` está no ar."""
    from bling_collector.cli import database

    return database.open_door(porta)


@db.command("fechar")
def db_fechar() -> int:
    """Fecha o que `db abrir` abriu."""
    from bling_collector.cli import database

    return database.open_door(None)
