"""Os comandos, finos: cada um chama uma função e mostra o que ela devolve."""

from datetime import date

import click

from bling_collector.bootstrap import open_app, open_database
from bling_collector.cli import report
from bling_collector.cli.alerts import alerts
from bling_collector.cli.database import db
from bling_collector.cli.portuguese import Group
from bling_collector.cli.proof import failures, reconcile, reprocess
from bling_collector.cli.running import (
    ID,
    PORT,
    Day,
    as_json,
    collect,
    refuse_impossible_period,
    run_to_end,
    settings,
    settings_to_collect,
)
from bling_collector.cli.terminal import emit_json, say
from bling_collector.cli.titular import contato
from bling_collector.etl.status import load_status
from bling_collector.etl.sync import RECURSOS
from bling_collector.token_cipher import TokenCipher, new_key


@click.group(cls=Group)
@click.option("-v", "--verbose", is_flag=True, help="Mostra o log e, nas falhas, a pilha inteira.")
@click.version_option(package_name="bling_collector", message="%(prog)s %(version)s", help="Mostra a versão e sai.")
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
    """Seis anos de uma empresa simulada, conferidos."""
    from bling_collector.cli.demo import run_demo

    return run_to_end(run_demo(serve=serve, port=port))


@cli.command()
@click.option("--host", default="127.0.0.1", envvar="HOST", show_default=True, show_envvar=True, help="Onde atender.")
@click.option(
    "--port", type=PORT, default=8080, envvar="PORT", show_default=True, show_envvar=True, help="Em que porta."
)
@click.option("--sem-autenticacao", is_flag=True, help="Atende a outras máquinas sem API_TOKEN.")
def serve(host: str, port: int, sem_autenticacao: bool) -> int:
    """Atende em HTTP; as rotas estão em /docs."""
    from bling_collector.main import serve as serve_http

    found = settings()
    if sem_autenticacao:
        found = found.model_copy(update={"allow_unauthenticated": True})
    serve_http(found, host, port)
    return 0


@cli.command()
@click.option("--data-inicio", type=Day(), help="Primeiro dia; se omitido, desde a última execução.")
@click.option("--data-fim", type=Day(), help="Último dia; se omitido, hoje.")
@as_json
def run(data_inicio: date | None, data_fim: date | None, json_: bool) -> int:
    """A coleta diária: o que é novo e o que mudou."""
    refuse_impossible_period(data_inicio, data_fim)
    return collect(lambda app, **how: app.pipeline.run(data_inicio, data_fim, **how), json_)


@cli.command("run-full")
@click.option("--data-inicio", type=Day(), required=True, help="Primeiro dia.")
@click.option("--data-fim", type=Day(), help="Último dia; se omitido, hoje.")
@as_json
def run_full(data_inicio: date, data_fim: date | None, json_: bool) -> int:
    """A carga histórica: todas as notas de um período."""
    refuse_impossible_period(data_inicio, data_fim)
    return collect(lambda app, **how: app.pipeline.run_full(data_inicio, data_fim, **how), json_)


@cli.command()
@click.option("--gerar-chave", is_flag=True, help="Só escreve uma chave nova para TOKEN_ENCRYPTION_KEY.")
def auth(gerar_chave: bool) -> int:
    """Autoriza o coletor na conta do Bling, pelo navegador."""
    from bling_collector.cli.authorize import authorize_in_browser

    if gerar_chave:
        click.echo(new_key())
        return 0

    async def authorize() -> int:
        async with open_app(settings_to_collect()) as app:
            await authorize_in_browser(app.oauth)
        say("Autorizado; o token se renova sozinho.")
        say("Na primeira vez, rode `run-full --data-inicio AAAA-MM-DD`; depois, todo dia, `run`.")
        return 0

    return run_to_end(authorize())


@cli.command()
@as_json
def status(json_: bool) -> int:
    """A última execução, o que se deve e a autorização."""

    async def show() -> int:
        found = settings()
        async with open_database(found) as (engine, _):
            situation = await load_status(engine, TokenCipher(found.token_keys))
        if json_:
            emit_json(situation)
        else:
            report.status(situation)
        return 0

    return run_to_end(show())


@cli.command()
@click.argument("recurso", type=click.Choice(list(RECURSOS)))
@click.argument("id", type=ID)
@as_json
def sync(recurso: str, id: int, json_: bool) -> int:  # noqa: A002 — é o nome que o Bling dá
    """Busca e salva uma nota, um contato ou um produto."""

    async def one() -> int:
        async with open_app(settings_to_collect()) as app:
            verdict = await app.pipeline.sync(recurso, id)
        if json_:
            emit_json({"recurso": recurso, "id": id, "resultado": verdict})
        else:
            click.echo(f"✔ {recurso} {id}: {verdict}.")
        return 0

    return run_to_end(one())


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Onde atender.")
@click.option("--port", type=PORT, default=8099, show_default=True, help="Em que porta.")
@click.option("--requests-per-second", default=3, show_default=True, help="O limite da conta; 0 desliga.")
@click.option(
    "--redirect-uri",
    default="http://localhost:8000/callback",
    show_default=True,
    help="Para onde volta a autorização: o padrão é onde `auth` espera.",
)
def simulator(host: str, port: int, requests_per_second: int, redirect_uri: str) -> int:
    """Um Bling simulado, com a empresa de demonstração."""
    from bling_collector.cli.demo import serve_simulator

    serve_simulator(host, port, requests_per_second, redirect_uri)
    return 0


@cli.command()
@as_json
def doctor(json_: bool) -> int:
    """Diz em palavras o que falta para coletar."""
    from bling_collector.doctor import Finding, examine

    async def check() -> list[Finding]:
        findings = []
        async for finding in examine(settings()):
            findings.append(finding)
            if not json_:
                click.echo(f"{'✔' if finding.ok else '✘'} {finding.nome}: {finding.detalhe}")
        return findings

    findings = run_to_end(check())
    if json_:
        emit_json([{"nome": f.nome, "ok": f.ok, "detalhe": f.detalhe} for f in findings])
    return next((f.exit_code for f in findings if not f.ok), 0)


for command in (reconcile, failures, alerts, reprocess, db, contato):
    cli.add_command(command)
