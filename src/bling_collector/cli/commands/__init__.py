"""O que se pode digitar. Cada comando carrega só aquilo de que precisa, e só quando é chamado: a ajuda, a versão e um
engano de digitação respondem na hora. Um grupo de comandos é um módulo daqui; o que cada um faz está na pasta acima."""

from dataclasses import replace
from datetime import date

import click

from bling_collector import __version__
from bling_collector.cli.commands.alerts import alerts
from bling_collector.cli.commands.contato import contato
from bling_collector.cli.commands.db import db
from bling_collector.cli.commands.empresas import empresas
from bling_collector.cli.commands.failures import failures
from bling_collector.cli.commands.plan import plan
from bling_collector.cli.commands.recursos import recursos
from bling_collector.cli.process.arguments import (
    PORT,
    Host,
    Record,
    as_json,
    first_day,
    last_day,
    only_recursos,
    refuse_impossible_period,
)
from bling_collector.cli.screen.portuguese import Command, Group, refuse_company


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
    refuse_company()
    from bling_collector.cli.demo import run_demo
    from bling_collector.cli.process.running import run_to_end

    return run_to_end(run_demo(serve=serve, port=port))


@cli.command()
@click.option(
    "--host", type=Host(), default="127.0.0.1", envvar="HOST", show_default=True, show_envvar=True, help="Onde atender."
)
@click.option(
    "--port", type=PORT, default=8080, envvar="PORT", show_default=True, show_envvar=True, help="Em que porta."
)
@click.option("--sem-autenticacao", is_flag=True, help="Atende a outras máquinas sem API_TOKEN.")
@click.option("--with-worker", is_flag=True, help="Também coleta nas horas de SCHEDULE, como `worker`.")
def serve(host: str, port: int, sem_autenticacao: bool, with_worker: bool) -> int:
    """Atende em HTTP; as rotas estão em /docs."""
    from bling_collector.cli.process.running import at_work, settings
    from bling_collector.serving import serve as serve_http

    found = settings()
    if sem_autenticacao:
        found = replace(found, allow_unauthenticated=True)
    at_work()
    serve_http(found, host, port, with_worker=with_worker)
    return 0


@cli.command("serve-webhooks")
@click.option(
    "--host", type=Host(), default="127.0.0.1", envvar="HOST", show_default=True, show_envvar=True, help="Onde atender."
)
@click.option(
    "--port", type=PORT, default=8081, envvar="PORT", show_default=True, show_envvar=True, help="Em que porta."
)
def serve_webhooks(host: str, port: int) -> int:
    """Atende só aos avisos do Bling, conferidos pela assinatura."""
    from bling_collector.cli.process.running import at_work, settings_to_collect
    from bling_collector.serving import serve_webhooks as serve_http

    found = settings_to_collect()
    at_work()
    serve_http(found, host, port)
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


cli.add_command(plan)
cli.add_command(recursos)


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
@click.option("--host", type=Host(), default="127.0.0.1", show_default=True, help="Onde atender.")
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
    refuse_company()
    from bling_collector.cli.demo import serve_simulator
    from bling_collector.cli.process.running import at_work

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
    if numeracao and (repair or data_inicio or data_fim):
        raise click.UsageError("--numeracao olha só o que o banco tem: não leva --repair nem datas.")
    refuse_impossible_period(data_inicio, data_fim)
    from bling_collector.cli import proof

    if numeracao:
        return proof.numbering(serie, recursos=recursos, json_=json_)
    return proof.reconcile(
        data_inicio, data_fim, repair=repair, accept_deletions=aceitar_exclusoes, recursos=recursos, json_=json_
    )


cli.add_command(failures)


@cli.command(cls=Command)
@first_day("Primeiro dia das notas a refazer.")
@last_day("Último dia das notas a refazer.")
@as_json
def reprocess(data_inicio: date | None, data_fim: date | None, json_: bool) -> int:
    """Refaz as linhas a partir do JSON guardado, sem o Bling."""
    refuse_impossible_period(data_inicio, data_fim)
    from bling_collector.cli.collecting import collect

    return collect(lambda account, **how: account.pipeline.reprocess(data_inicio, data_fim, **how), json_, offline=True)


cli.add_command(alerts)
cli.add_command(db)
cli.add_command(empresas)


@cli.command(cls=Command)
@click.argument("pasta", required=False)
@click.option(
    "--formato", type=click.Choice(["parquet", "csv", "xlsx"]), help="Se omitido, o de EXPORT_FORMAT, que é parquet."
)
@click.option("--incremental", is_flag=True, help="Só escreve o que mudou desde a exportação que lá está.")
@as_json
def exportar(pasta: str | None, formato: str | None, incremental: bool, json_: bool) -> int:
    """Escreve as tabelas e as views em arquivos, por mês, numa pasta ou na nuvem (`gs://`, `s3://`).

    Sem PASTA, exporta para EXPORT_TO. Um `manifesto.json` diz quais arquivos valem.
    """
    from bling_collector.cli import export

    return export.export(pasta, formato, incremental=incremental, json_=json_)


cli.add_command(contato)
