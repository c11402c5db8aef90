"""O que se pode digitar. Cada comando carrega só aquilo de que precisa, e só quando é chamado: a ajuda, a versão e um
engano de digitação respondem na hora."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import click

from bling_collector import __version__
from bling_collector.cli.arguments import (
    ID,
    PORT,
    Record,
    as_json,
    first_day,
    last_day,
    only_recursos,
    refuse_impossible_period,
)
from bling_collector.cli.screen.portuguese import Command, Group


@click.group(cls=Group)
@click.option("-v", "--verbose", is_flag=True, help="Mostra o log e, nas falhas, a pilha inteira.")
@click.version_option(__version__, message="%(prog)s %(version)s", help="Mostra a versão e sai.")
def cli(verbose: bool) -> None:
    """Copia as notas, os contatos e os produtos do Bling para o PostgreSQL.

    Comece por `demo`, que não precisa de nada, ou por `doctor`, que diz o que falta.
    """


@cli.command()
@click.option("--serve/--no-serve", default=True, help="Depois da carga, atende em HTTP até Ctrl-C (é o padrão).")
@click.option(
    "--port", type=PORT, default=8080, envvar="PORT", show_default=True, show_envvar=True, help="A porta do serviço."
)
def demo(serve: bool, port: int) -> int:
    """As notas de uma empresa simulada, de 2021 até hoje, conferidas."""
    from bling_collector.cli.demo import run_demo
    from bling_collector.cli.running import run_to_end

    return run_to_end(run_demo(serve=serve, port=port))


@cli.command()
@click.option("--host", default="127.0.0.1", envvar="HOST", show_default=True, show_envvar=True, help="Onde atender.")
@click.option(
    "--port", type=PORT, default=8080, envvar="PORT", show_default=True, show_envvar=True, help="Em que porta."
)
@click.option("--sem-autenticacao", is_flag=True, help="Atende a outras máquinas sem API_TOKEN.")
@click.option("--with-worker", is_flag=True, help="Também coleta nas horas de SCHEDULE, como `worker`.")
def serve(host: str, port: int, sem_autenticacao: bool, with_worker: bool) -> int:
    """Atende em HTTP; as rotas estão em /docs."""
    from bling_collector.cli.running import at_work, settings
    from bling_collector.serving import serve as serve_http

    found = settings()
    if sem_autenticacao:
        found = replace(found, allow_unauthenticated=True)
    at_work()
    serve_http(found, host.strip(), port, with_worker=with_worker)
    return 0


@cli.command("serve-webhooks")
@click.option("--host", default="127.0.0.1", envvar="HOST", show_default=True, show_envvar=True, help="Onde atender.")
@click.option(
    "--port", type=PORT, default=8081, envvar="PORT", show_default=True, show_envvar=True, help="Em que porta."
)
def serve_webhooks(host: str, port: int) -> int:
    """Atende só aos avisos do Bling, conferidos pela assinatura."""
    from bling_collector.cli.running import at_work, settings_to_collect
    from bling_collector.serving import serve_webhooks as serve_http

    found = settings_to_collect()
    at_work()
    serve_http(found, host.strip(), port)
    return 0


@cli.command()
def worker() -> int:
    """Coleta nas horas que SCHEDULE diz, até Ctrl-C ou SIGTERM."""
    from bling_collector.cli.worker import work

    return work()


@cli.command()
@first_day("Primeiro dia; se omitido, desde a última execução.")
@last_day("Último dia; se omitido, hoje.")
@only_recursos
@as_json
def run(data_inicio: date | None, data_fim: date | None, recursos: tuple[str, ...] | None, json_: bool) -> int:
    """A coleta diária: o que é novo e o que mudou."""
    refuse_impossible_period(data_inicio, data_fim)
    from bling_collector.cli.collecting import collect

    return collect(lambda account, **how: account.pipeline.run(data_inicio, data_fim, recursos=recursos, **how), json_)


@cli.command("run-full")
@first_day("Primeiro dia.", required=True)
@last_day("Último dia; se omitido, hoje.")
@only_recursos
@as_json
def run_full(data_inicio: date, data_fim: date | None, recursos: tuple[str, ...] | None, json_: bool) -> int:
    """A carga histórica: tudo o que se coleta, de um período."""
    refuse_impossible_period(data_inicio, data_fim)
    from bling_collector.cli.collecting import collect

    return collect(
        lambda account, **how: account.pipeline.run_full(data_inicio, data_fim, recursos=recursos, **how), json_
    )


@cli.group(invoke_without_command=True)
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


@cli.command()
@click.option("--gerar-chave", is_flag=True, help="Só escreve uma chave nova para TOKEN_ENCRYPTION_KEY.")
@click.option("--trocar-empresa", is_flag=True, help="Aceita a conta de outra empresa, se nada foi coletado ainda.")
def auth(gerar_chave: bool, trocar_empresa: bool) -> int:
    """Autoriza o coletor na conta do Bling, pelo navegador."""
    if gerar_chave:
        from bling_collector.auth.token_cipher import new_key

        click.echo(new_key())
        return 0
    from bling_collector.cli.authorize import authorize

    return authorize(another_company=trocar_empresa)


@cli.command()
@as_json
def status(json_: bool) -> int:
    """A última execução, o que se deve e a autorização."""
    from bling_collector.cli import status as situation

    return situation.show(json_=json_)


@cli.command()
@click.argument("registro", nargs=-1, required=True, metavar="RECURSO/ID")
@as_json
@click.pass_context
def sync(ctx: click.Context, registro: tuple[str, ...], json_: bool) -> int:
    """Busca e salva um registro só: `nfe/123`, `contatos/55`, `produtos/7`."""
    (parameter,) = (each for each in ctx.command.params if each.name == "registro")
    recurso, id_ = Record().convert("/".join(registro), parameter, ctx)  # também `contato 55`
    from bling_collector.cli.collecting import sync_one

    return sync_one(recurso, id_, json_=json_)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Onde atender.")
@click.option("--port", type=PORT, default=8099, show_default=True, help="Em que porta.")
@click.option(
    "--requests-per-second",
    type=click.IntRange(0, 1000),
    default=3,
    show_default=True,
    help="O limite da conta; 0 desliga.",
)
@click.option(
    "--redirect-uri",
    default="http://localhost:8000/callback",
    show_default=True,
    help="Para onde volta a autorização: o padrão é onde `auth` espera.",
)
def simulator(host: str, port: int, requests_per_second: int, redirect_uri: str) -> int:
    """Um Bling simulado, com uma empresa inventada cujas notas vão de 2021 a fevereiro de 2026."""
    from bling_collector.cli.demo import serve_simulator
    from bling_collector.cli.running import at_work

    at_work()
    serve_simulator(host, port, requests_per_second, redirect_uri)
    return 0


@cli.command()
@as_json
def doctor(json_: bool) -> int:
    """Diz em palavras o que falta para coletar."""
    from bling_collector.cli import doctor as examination

    return examination.show(json_=json_)


@cli.command(cls=Command)
@first_day("Primeiro dia; se omitido, o do começo da coleta.")
@last_day("Último dia; se omitido, hoje.")
@click.option("--repair", is_flag=True, help="Busca o que falta e o que mudou, e marca o que sumiu.")
@click.option(
    "--aceitar-exclusoes", is_flag=True, help="Com --repair: o que sumiu foi mesmo excluído, seja quanto for."
)
@click.option("--numeracao", is_flag=True, help="Em vez disso, as lacunas da numeração, sem perguntar ao Bling.")
@click.option("--serie", type=int, help="Com --numeracao, só esta série.")
@only_recursos
@as_json
def reconcile(
    data_inicio: date | None,
    data_fim: date | None,
    repair: bool,
    aceitar_exclusoes: bool,
    numeracao: bool,
    serie: int | None,
    recursos: tuple[str, ...] | None,
    json_: bool,
) -> int:
    """Confere, registro por registro, o banco com o Bling."""
    if serie is not None and not numeracao:
        raise click.UsageError("--serie só vale com --numeracao.")
    if aceitar_exclusoes and not repair:
        raise click.UsageError("--aceitar-exclusoes só vale com --repair.")
    if numeracao and (repair or data_inicio or data_fim or recursos):
        raise click.UsageError("--numeracao olha só o que o banco tem: não leva --repair, --recursos nem datas.")
    refuse_impossible_period(data_inicio, data_fim)
    from bling_collector.cli import proof

    if numeracao:
        return proof.numbering(serie, json_=json_)
    return proof.reconcile(
        data_inicio, data_fim, repair=repair, accept_deletions=aceitar_exclusoes, recursos=recursos, json_=json_
    )


@cli.group(cls=Group, invoke_without_command=True)
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


@cli.command(cls=Command)
@first_day("Primeiro dia das notas a refazer.")
@last_day("Último dia das notas a refazer.")
@as_json
def reprocess(data_inicio: date | None, data_fim: date | None, json_: bool) -> int:
    """Refaz as linhas a partir do JSON guardado, sem o Bling."""
    refuse_impossible_period(data_inicio, data_fim)
    from bling_collector.cli.collecting import collect

    return collect(lambda account, **how: account.pipeline.reprocess(data_inicio, data_fim, **how), json_, offline=True)


@cli.group(cls=Group, invoke_without_command=True)
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
    """Confere os alarmes agora e avisa o que mudou."""
    from bling_collector.cli import alerts as sounding

    return sounding.show(check=True, json_=json_)


@alerts.command("test")
@as_json
def alerts_test(json_: bool) -> int:
    """Manda um aviso de teste a cada destino de ALERT_URLS."""
    from bling_collector.cli import alerts as sounding

    return sounding.test(json_=json_)


@cli.group(cls=Group)
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


@cli.group(cls=Group)
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
