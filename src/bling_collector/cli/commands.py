"""Os comandos, finos: cada um chama uma função e mostra o que ela devolve."""

import asyncio
import sys
import time
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from bling_collector import logs
from bling_collector.bootstrap import App, open_app, open_database, telling_who_watches
from bling_collector.cli import copies, report, terminal, titular
from bling_collector.cli.portuguese import Group, explain
from bling_collector.cli.signals import gentle_stop
from bling_collector.cli.terminal import emit_json, say
from bling_collector.clock import SystemClock, today
from bling_collector.config import Settings, load_settings
from bling_collector.db import schema
from bling_collector.errors import CollectorError
from bling_collector.etl.failures import load_failure, load_failures, unpark
from bling_collector.etl.numbering import load_numbering
from bling_collector.etl.pipeline import RunResult
from bling_collector.etl.reconcile import load_reconciliation
from bling_collector.etl.status import load_status
from bling_collector.etl.sync import RECURSOS
from bling_collector.etl.token_status import load_token_warning
from bling_collector.etl.windows import parse_day, refuse_impossible
from bling_collector.redaction import redact
from bling_collector.token_cipher import new_key

T = TypeVar("T")

as_json = click.option("--json", "json_", is_flag=True, help="Escreve o resultado em JSON.")

_PORT = click.IntRange(1, 65535)
_ID = click.IntRange(1, 2**63 - 1)


class _Day(click.ParamType[date]):
    name = "AAAA-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        return value if isinstance(value, date) else parse_day(value, param.opts[0] if param else "data")


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
    "--port", type=_PORT, default=8080, envvar="PORT", show_default=True, show_envvar=True, help="A porta do serviço."
)
def demo(serve: bool, port: int) -> int:
    """Seis anos de uma empresa simulada, conferidos."""
    from bling_collector.cli.demo import run_demo

    return _run(run_demo(serve=serve, port=port))


@cli.command()
@click.option("--host", default="127.0.0.1", envvar="HOST", show_default=True, show_envvar=True, help="Onde atender.")
@click.option(
    "--port", type=_PORT, default=8080, envvar="PORT", show_default=True, show_envvar=True, help="Em que porta."
)
@click.option("--sem-autenticacao", is_flag=True, help="Atende a outras máquinas sem API_TOKEN.")
def serve(host: str, port: int, sem_autenticacao: bool) -> int:
    """Atende em HTTP; as rotas estão em /docs."""
    from bling_collector.main import serve as serve_http

    settings = _settings()
    if sem_autenticacao:
        settings = settings.model_copy(update={"allow_unauthenticated": True})
    serve_http(settings, host, port)
    return 0


@cli.command()
@click.option("--data-inicio", type=_Day(), help="Primeiro dia; se omitido, desde a última execução.")
@click.option("--data-fim", type=_Day(), help="Último dia; se omitido, hoje.")
@as_json
def run(data_inicio: date | None, data_fim: date | None, json_: bool) -> int:
    """A coleta diária: o que é novo e o que mudou."""
    _refuse_impossible(data_inicio, data_fim)
    return _collect(lambda app, **how: app.pipeline.run(data_inicio, data_fim, **how), json_)


@cli.command("run-full")
@click.option("--data-inicio", type=_Day(), required=True, help="Primeiro dia.")
@click.option("--data-fim", type=_Day(), help="Último dia; se omitido, hoje.")
@as_json
def run_full(data_inicio: date, data_fim: date | None, json_: bool) -> int:
    """A carga histórica: todas as notas de um período."""
    _refuse_impossible(data_inicio, data_fim)
    return _collect(lambda app, **how: app.pipeline.run_full(data_inicio, data_fim, **how), json_)


@cli.command()
@click.option("--gerar-chave", is_flag=True, help="Só escreve uma chave nova para TOKEN_ENCRYPTION_KEY.")
def auth(gerar_chave: bool) -> int:
    """Autoriza o coletor na conta do Bling, pelo navegador."""
    from bling_collector.cli.authorize import authorize_in_browser

    if gerar_chave:
        click.echo(new_key())
        return 0

    async def authorize() -> int:
        settings = _settings()
        settings.credentials  # noqa: B018 — sem credenciais nada começa
        async with open_app(settings) as app:
            await authorize_in_browser(app.oauth)
        say("Autorizado; o token se renova sozinho.")
        say("Na primeira vez, rode `run-full --data-inicio AAAA-MM-DD`; depois, todo dia, `run`.")
        return 0

    return _run(authorize())


@cli.command()
@as_json
def status(json_: bool) -> int:
    """A última execução, o que se deve e a autorização."""

    async def show() -> int:
        async with open_database(_settings()) as (engine, _):
            situation = await load_status(engine)
        if json_:
            emit_json(situation)
        else:
            report.status(situation)
        return 0

    return _run(show())


@cli.command()
@click.option("--data-inicio", type=_Day(), help="Primeiro dia; se omitido, o do começo da coleta.")
@click.option("--data-fim", type=_Day(), help="Último dia; se omitido, hoje.")
@click.option("--repair", is_flag=True, help="Busca o que falta e o que mudou, e marca o que sumiu.")
@click.option("--numeracao", is_flag=True, help="Em vez disso, as lacunas da numeração, sem perguntar ao Bling.")
@click.option("--serie", type=int, help="Com --numeracao, só esta série.")
@as_json
def reconcile(
    data_inicio: date | None, data_fim: date | None, repair: bool, numeracao: bool, serie: int | None, json_: bool
) -> int:
    """Confere, nota por nota, o banco com o Bling."""
    if serie is not None and not numeracao:
        raise click.UsageError("--serie só vale com --numeracao.")
    if numeracao and (repair or data_inicio or data_fim):
        raise click.UsageError("--numeracao olha só o que o banco tem: não leva --repair nem datas.")
    if numeracao:
        return _run(_numbering(serie, json_))
    _refuse_impossible(data_inicio, data_fim)
    return _run(_reconcile(data_inicio, data_fim, repair, json_))


@cli.group(invoke_without_command=True)
@as_json
@click.pass_context
def failures(ctx: click.Context, json_: bool) -> int:
    """O que se deve: o que não pôde ser salvo, desde quando e por quê."""
    if ctx.invoked_subcommand is not None:
        return 0

    async def show() -> int:
        async with open_database(_settings()) as (engine, _):
            owed = await load_failures(engine)
        if json_:
            emit_json(owed)
        else:
            report.failures(owed)
        return 0

    return _run(show())


@failures.command("show")
@click.argument("nome", metavar="RECURSO/ID")
@as_json
def failures_show(nome: str, json_: bool) -> int:
    """Uma pendência inteira."""

    async def show() -> int:
        async with open_database(_settings()) as (engine, _):
            failure = await load_failure(engine, nome)
        if json_:
            emit_json(failure)
        else:
            report.failure(failure)
        return 0

    return _run(show())


@failures.command("retry")
@click.argument("nome", metavar="[RECURSO/ID]", required=False)
@as_json
def failures_retry(nome: str | None, json_: bool) -> int:
    """Tenta agora o que está pendente, também o estacionado."""

    async def retry(app: App, **how: Any) -> RunResult:
        await unpark(app.engine, nome)
        return await app.pipeline.retry(**how)

    return _collect(retry, json_)


@cli.group(invoke_without_command=True)
@as_json
@click.pass_context
def alerts(ctx: click.Context, json_: bool) -> int:
    """Os alarmes que estão soando; sai com 1 se há algum."""
    if ctx.invoked_subcommand is not None:
        return 0
    from bling_collector.cli.alerts import show_alarms

    return _run(show_alarms(_settings(), check=False, json_=json_))


@alerts.command("check")
@as_json
def alerts_check(json_: bool) -> int:
    """Confere os alarmes agora e avisa o que mudou."""
    from bling_collector.cli.alerts import show_alarms

    return _run(show_alarms(_settings(), check=True, json_=json_))


@alerts.command("test")
@as_json
def alerts_test(json_: bool) -> int:
    """Manda um aviso de teste a cada destino de ALERT_URLS."""
    from bling_collector.cli.alerts import send_test

    return _run(send_test(_settings(), json_=json_))


@cli.command()
@click.option("--data-inicio", type=_Day(), help="Primeiro dia das notas a refazer.")
@click.option("--data-fim", type=_Day(), help="Último dia das notas a refazer.")
@as_json
def reprocess(data_inicio: date | None, data_fim: date | None, json_: bool) -> int:
    """Refaz as linhas a partir do JSON guardado, sem o Bling."""
    _refuse_impossible(data_inicio, data_fim)
    return _collect(lambda app, **how: app.pipeline.reprocess(data_inicio, data_fim, **how), json_, offline=True)


@cli.command()
@click.argument("recurso", type=click.Choice(list(RECURSOS)))
@click.argument("id", type=_ID)
@as_json
def sync(recurso: str, id: int, json_: bool) -> int:  # noqa: A002 — é o nome que o Bling dá
    """Busca e salva uma nota, um contato ou um produto."""

    async def one() -> int:
        settings = _settings()
        settings.credentials  # noqa: B018 — sem credenciais nada começa
        async with open_app(settings) as app:
            verdict = await app.pipeline.sync(recurso, id)
        if json_:
            emit_json({"recurso": recurso, "id": id, "resultado": verdict})
        else:
            click.echo(f"✔ {recurso} {id}: {verdict}.")
        return 0

    return _run(one())


@cli.group()
def db() -> None:
    """O banco de dados."""


@db.command("upgrade")
def db_upgrade() -> int:
    """Põe as tabelas na última versão; as do primeiro coletor são assumidas com as suas linhas."""
    return _run(_upgrade())


@db.command("init")
def db_init() -> int:
    """Cria as tabelas num banco vazio (num banco que já as tem, o mesmo que `upgrade`)."""
    return _run(_upgrade())


@db.command("backup")
@click.argument("arquivo", type=click.Path(path_type=Path))
@click.option("--com-tokens", is_flag=True, help="Copia também a autorização do Bling, que é um segredo.")
@as_json
def db_backup(arquivo: Path, com_tokens: bool, json_: bool) -> int:
    """Copia o banco inteiro para um arquivo (do pg_dump, que só o dono lê)."""
    return _run(copies.make_backup(_settings(), arquivo, with_tokens=com_tokens, json_=json_))


@db.command("restore")
@click.argument("arquivo", type=click.Path(path_type=Path))
@click.option("--sobrescrever", is_flag=True, help="Apaga os dados que o banco tem.")
@as_json
def db_restore(arquivo: Path, sobrescrever: bool, json_: bool) -> int:
    """Põe no banco o que está numa cópia: tudo, ou nada."""
    return _run(copies.restore_backup(_settings(), arquivo, overwrite=sobrescrever, json_=json_))


@cli.group()
def contato() -> None:
    """Os dados de uma pessoa, a pedido dela (LGPD)."""


@contato.command("export")
@click.argument("id", type=_ID)
def contato_export(id: int) -> int:  # noqa: A002 — é o nome que o Bling dá
    """Escreve em JSON tudo o que se tem de um contato: o cadastro, as notas que o citam e o histórico."""
    return _run(titular.export(_settings(), id))


@contato.command("erase")
@click.argument("id", type=_ID)
@click.option("--sim", is_flag=True, help="Não pergunta.")
@as_json
def contato_erase(id: int, sim: bool, json_: bool) -> int:  # noqa: A002 — é o nome que o Bling dá
    """Apaga quem o contato é; os valores, as datas, os números e as chaves das notas ficam."""
    return _run(titular.erase(_settings(), id, sure=sim, json_=json_))


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Onde atender.")
@click.option("--port", type=_PORT, default=8099, show_default=True, help="Em que porta.")
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
        async for finding in examine(_settings()):
            findings.append(finding)
            if not json_:
                click.echo(f"{'✔' if finding.ok else '✘'} {finding.nome}: {finding.detalhe}")
        return findings

    findings = _run(check())
    if json_:
        emit_json([{"nome": f.nome, "ok": f.ok, "detalhe": f.detalhe} for f in findings])
    return next((f.exit_code for f in findings if not f.ok), 0)


def _settings() -> Settings:
    settings = load_settings()
    verbose = click.get_current_context().find_root().params.get("verbose")
    level = settings.log_level if verbose else "CRITICAL"
    logs.configure(level, stream=sys.stderr, json=False, secrets=settings.secrets)
    return settings


def _run(work: Coroutine[Any, Any, T]) -> T:
    # O psycopg assíncrono não funciona com o laço padrão do Windows.
    factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


def _refuse_impossible(inicio: date | None, fim: date | None) -> None:
    """Recusa o período antes de abrir o banco: um engano de digitação não cria tabelas."""
    refuse_impossible(inicio, fim, today=today(SystemClock()))


async def _reconcile(inicio: date | None, fim: date | None, repair: bool, json_: bool) -> int:
    settings = _settings()
    settings.credentials  # noqa: B018 — sem credenciais nada começa
    async with _opened(settings) as app:
        with terminal.progress() as sink, gentle_stop() as stop:
            result = await app.pipeline.reconcile(inicio, fim, repair=repair, sink=sink, stop=stop)
        situation = await load_reconciliation(app.engine)
    if json_:
        emit_json(report.as_json(result) | {"encontrado": result.found.as_json(), "conferencia": situation})
    else:
        report.reconciliation(result, situation)
    return result.exit_code


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[App]:
    """As peças para coletar; se o banco não abre, é dito também a quem acompanha de longe."""
    async with AsyncExitStack() as stack:
        async with telling_who_watches(settings):
            app = await stack.enter_async_context(open_app(settings))
        yield app


async def _numbering(serie: int | None, json_: bool) -> int:
    async with open_database(_settings()) as (engine, _):
        series = await load_numbering(engine, serie)
    if json_:
        emit_json(series)
    else:
        report.numbering(series)
    return 0


def _collect(start: Callable[..., Coroutine[Any, Any, RunResult]], json_: bool, *, offline: bool = False) -> int:
    async def collect() -> int:
        began = time.monotonic()
        settings = _settings()
        if not offline:
            settings.credentials  # noqa: B018 — sem credenciais nada começa
        async with _opened(settings) as app:
            with terminal.progress() as sink, gentle_stop() as stop:
                result = await start(app, sink=sink, stop=stop)
            if warning := await load_token_warning(app.engine, app.clock.now()):
                say(f"⚠ {warning}")
        if json_:
            emit_json(report.as_json(result))
        else:
            report.result(result, time.monotonic() - began, redone=offline)
        return result.exit_code

    return _run(collect())


async def _upgrade() -> int:
    async with open_database(_settings(), upgrade=False) as (engine, _):
        before, now = await schema.upgrade(engine)
    if before == now:
        click.echo(f"O banco já está em dia (revisão {now}).")
    else:
        click.echo(f"Banco pronto: revisão {now}" + (f", antes {before}." if before else "."))
    return 0


def main(arguments: list[str] | None = None) -> None:
    """O ponto de entrada; termina o processo com o código de saída do comando."""
    arguments = sys.argv[1:] if arguments is None else arguments
    verbose, json_ = bool({"-v", "--verbose"} & set(arguments)), "--json" in arguments
    try:
        code = cli.main(arguments, prog_name="bling-collector", standalone_mode=False)
    except click.UsageError as error:
        say(f"Erro: {explain(error)}")
        say(f"Veja `{error.ctx.command_path if error.ctx else 'bling-collector'} --help`.")
        code = 2
    except CollectorError as error:
        if verbose:
            say(redact(traceback.format_exc()))
        if json_:
            emit_json({"status": "error", "title": error.title, "detail": redact(str(error))})
        say(f"Erro: {redact(str(error))}")
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("Interrompido.")
        code = 1
    except Exception as error:  # noqa: BLE001 — a última fronteira: a cadeia de causas, e não uma pilha, para a pessoa
        if verbose:
            say(redact(traceback.format_exc()))
        say(f"Erro inesperado: {redact(' ← '.join(_chain(error)))}. Rode de novo com -v para ver a pilha.")
        code = 1
    sys.exit(code or 0)


def _chain(error: BaseException | None) -> list[str]:
    causes = []
    while error is not None:
        causes.append(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else '—'}")
        error = error.__cause__ or error.__context__
    return causes
