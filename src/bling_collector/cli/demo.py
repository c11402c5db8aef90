"""A demonstração: um Bling simulado, um PostgreSQL de verdade e as notas de 2021 até hoje, do nada à conferência."""

import asyncio
import errno
import shutil
import socket
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import click
import httpx2

from bling_collector import logs
from bling_collector.api.pace import PER_SECOND
from bling_collector.cli.process.signals import gentle_stop
from bling_collector.cli.screen.progress import progress
from bling_collector.cli.screen.terminal import mark, say, table
from bling_collector.config import Secret, Settings
from bling_collector.db import control
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.embedded.postgres import embedded_postgres
from bling_collector.db.reports.coverage import read_years
from bling_collector.errors import CollectorError, RunInProgressError, UsageError
from bling_collector.runs.request import RunResult
from bling_collector.streams.registry import ALL, asked
from bling_collector.words import day, duration, money, number, plural, share
from bling_collector.workplace.account import Account, open_account
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer, running
from bling_simulator.server import serve as serve_bling
from bling_simulator.settings import SimulatorSettings
from bling_simulator.webhooks import Post, posting_to

_PACE = 110
"""Requisições por segundo, para que a carga leve cerca de um minuto; o Bling simulado aceita um pouco mais."""
_START = date(2021, 1, 1)
_BETWEEN_SALES = 30.0
"""Segundos entre uma venda e outra, enquanto o painel está aberto."""
_AGENDA = "* * * * * look; */10 * * * * run"
"""O que o worker faz por si enquanto o painel está aberto: as notas chegam pelos avisos, e o que elas citam, assim."""


def serve_simulator(host: str, port: int, requests_per_second: int, redirect_uri: str) -> None:
    """Atende como se fosse o Bling, até Ctrl-C."""
    settings = SimulatorSettings(requests_per_second=requests_per_second, redirect_uri=redirect_uri)
    check_free(host, port, "--port ou --host")
    say(f"Bling simulado em http://{host}:{port}/Api/v3 — Ctrl-C encerra. Para usá-lo, no ambiente do coletor:")
    click.echo(f"BLING_API_BASE_URL=http://{host}:{port}/Api/v3")
    click.echo(f"BLING_OAUTH_URL=http://{host}:{port}/Api/v3/oauth/token")
    click.echo(f"BLING_AUTHORIZE_URL=http://{host}:{port}/Api/v3/oauth/authorize")
    click.echo(f"BLING_CLIENT_ID={settings.client_id}")
    click.echo(f"BLING_CLIENT_SECRET={settings.client_secret}")
    serve_bling(host, port, settings)


async def run_demo(*, serve: bool, port: int) -> int:
    """Coleta a empresa simulada inteira e a compara com o Bling; devolve o código de saída."""
    logs.configure("ERROR", stream=sys.stderr, json=False)
    if serve:
        check_free("127.0.0.1", port, "`PORT=8090 make demo`, ou com --port")  # antes da carga, que leva um minuto
    say("Demonstração: as notas de uma empresa simulada, de 2021 até hoje, num PostgreSQL de verdade.")
    say("Nada aqui toca os seus dados: o banco é temporário e o Bling é um simulador nesta máquina.\n")
    say("  Criando o banco, e a empresa simulada…")
    with tempfile.TemporaryDirectory(prefix="bling-demo-") as folder:
        _let_through(Path(folder))
        simulator = SimulatorSettings(requests_per_second=_PACE + 30, requests_per_10s=0, goes_on=True)
        async with embedded_postgres(Path(folder)) as postgres, running(simulator) as bling:
            say("✔ PostgreSQL embutido e Bling simulado no ar.")
            settings = _settings(simulator, bling, postgres.url)
            async with open_account(settings, per_second=_PACE) as account:
                await _authorize(account, bling.bling)
                say("✔ Coletor autorizado.")
                result, seconds = await _load(account)
                complete = await _compare(account.engine, bling.bling, result, seconds)
                if serve and complete:
                    await _serve(account, bling.bling, settings, port)
    return 0 if complete else 1


def _let_through(folder: Path) -> None:
    """O root roda o servidor com outra conta, que precisa atravessar a pasta."""
    folder.chmod(0o711)


_WHY_NOT = {
    errno.EADDRINUSE: "A porta {port} está em uso",
    errno.EACCES: "O sistema não deixa esta conta usar a porta {port}",
    errno.EADDRNOTAVAIL: "O endereço {host} não é desta máquina",
}


def check_free(host: str, port: int, otherwise: str) -> None:
    """UsageError se não se pode atender nesse endereço; `otherwise` é como se escolhe outro."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            if sys.platform != "win32":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        raise UsageError(f"Não há máquina chamada {host}. Escolha outra com --host.") from None
    except OSError as error:
        why = _WHY_NOT.get(error.errno or 0, f"A porta {port} não se deixa usar (erro {error.errno} do sistema)")
        raise UsageError(f"{why.format(host=host, port=port)}. Escolha outra com {otherwise}.") from None


def _settings(simulator: SimulatorSettings, bling: RunningServer, database_url: str) -> Settings:
    return Settings(
        bling_client_id=simulator.client_id,
        bling_client_secret=Secret(simulator.client_secret),
        database_url=Secret(database_url),
        bling_api_base_url=bling.api_url,
        bling_oauth_url=f"{bling.api_url}/oauth/token",
        bling_authorize_url=f"{bling.api_url}/oauth/authorize",
        api_rate_limit_delay=1 / _PACE,
    )


async def _authorize(account: Account, bling: Bling) -> None:
    """O que a pessoa faz na página do Bling: consente, e o Bling devolve um código."""
    url = await account.oauth.start_authorization()
    state = parse_qs(urlsplit(url).query)["state"][0]
    await account.oauth.exchange_authorization_code(bling.authorise(), state)


async def _load(account: Account) -> tuple[RunResult, float]:
    say(f"  Carga histórica desde {day(_START)}, com o limite do Bling simulado aumentado…")
    began = time.monotonic()
    with progress() as sink, gentle_stop() as stop:
        result = await account.pipeline.run_full(_START, sink=sink, stop=stop)
    return result, time.monotonic() - began


async def _compare(engine: AsyncEngine, bling: Bling, result: RunResult, seconds: float) -> bool:
    """Mostra a tabela por ano e diz se o coletado é igual ao que o Bling tem."""
    there = {y: (t.notes, t.cancelled, sum(t.value.values(), Decimal(0))) for y, t in bling.totals_by_year().items()}
    async with engine.connect() as connection:
        here = await read_years(connection)
    rows = [
        [
            str(year),
            number(notes),
            number(here.get(year, (0, 0, Decimal(0)))[0]),
            number(here.get(year, (0, 0, Decimal(0)))[1]),
            money(here.get(year, (0, 0, Decimal(0)))[2]),
        ]
        for year, (notes, _, _) in sorted(there.items())
    ]
    total_there, total_here = sum(t[0] for t in there.values()), sum(t[0] for t in here.values())
    footer = [
        "Total",
        number(total_there),
        number(total_here),
        number(sum(t[1] for t in here.values())),
        money(sum((t[2] for t in here.values()), Decimal(0))),
    ]
    click.echo()
    table(["Ano", "No Bling", "Coletadas", "Canceladas", "Valor"], rows, footer=footer)
    click.echo()
    requests = plural(result.requisicoes, "requisição", "requisições")
    held = share(total_here, total_there, "nota", "notas")
    click.echo(
        f"{requests} em {duration(seconds)}. O Bling, que aceita {PER_SECOND} por "
        f"segundo, levaria {duration(result.requisicoes * 0.35)}."
    )
    complete = there == here and result.status == "success"
    if complete:
        click.echo(f"{mark(ok=True)} {held}, iguais ao centavo.")
    else:
        click.echo(f"{mark(ok=False)} O coletado difere do que o Bling tem. {result.message or ''}")
    return complete


async def _serve(account: Account, bling: Bling, settings: Settings, port: int) -> None:
    from bling_collector.serving import serving

    click.echo()
    say(f"O painel está em http://localhost:{port} — abra-o no navegador. Ctrl-C encerra e apaga tudo.")
    say("O resto da empresa (pedidos, contas, caixa, estoque…) chega agora, em alguns minutos, e o painel o mostra.")
    say("Depois ela continua a vender: o Bling avisa, a nota chega em segundos, e a página a mostra sozinha.")
    url = settings.database_url.get_secret_value() if settings.database_url else ""
    typed = "bling-collector" if shutil.which("bling-collector") else sys.argv[0]
    say(f"Para olhar o banco noutro terminal: DATABASE_URL='{url}' {typed} status")
    selling = asyncio.create_task(_keep_selling(account, bling, port))
    try:
        await serving(replace(settings, schedule=_AGENDA), "127.0.0.1", port, with_worker=True)
    finally:
        selling.cancel()
        with suppress(asyncio.CancelledError):
            await selling


async def _keep_selling(account: Account, bling: Bling, port: int) -> None:
    await collect_the_rest(account)
    bling.webhooks.pending()  # o que já houve não se avisa
    async with httpx2.AsyncClient(trust_env=False, timeout=5) as http:
        post = posting_to(http, f"http://127.0.0.1:{port}/webhooks/bling")
        while True:
            await account.clock.sleep(_BETWEEN_SALES)
            await sell_and_announce(bling, post)


async def collect_the_rest(account: Account) -> None:
    """Liga tudo o que se pode coletar, e coleta-o desde o começo."""
    async with account.engine.begin() as connection:
        for recurso in sorted(asked((ALL,))):
            await control.switch(connection, recurso, account.clock.now(), on=True)
    with suppress(CollectorError):  # o que não der certo o painel mostra, e a execução seguinte o retoma
        while True:
            try:
                await account.pipeline.run()
            except RunInProgressError:  # uma olhada do worker, que dura pouco
                await account.clock.sleep(1)
            else:
                return


async def sell_and_announce(bling: Bling, post: Post) -> int:
    """Uma venda da empresa simulada, de que o Bling avisa; devolve o id da nota."""
    note = bling.sell()
    await bling.webhooks.deliver(post)
    return note
