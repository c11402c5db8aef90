"""A autorização pelo navegador: um servidor local na porta 8000 espera o Bling voltar com o código."""

import asyncio
import os
import socket
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import escape
from urllib.parse import parse_qs, urlsplit

import click
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from bling_collector.auth.authorization import Authorization
from bling_collector.auth.token_endpoint import callback_error
from bling_collector.auth.tokens import Token
from bling_collector.cli.process.running import run_to_end, settings_to_collect
from bling_collector.cli.screen.terminal import say
from bling_collector.db import control
from bling_collector.db.companies.schemas import sharing
from bling_collector.errors import CollectorError, ReauthorizeError, UsageError
from bling_collector.insight.account.empresa import load_empresa
from bling_collector.insight.companies import same_account
from bling_collector.runs.confirm import forget_empresa
from bling_collector.workplace.account import open_account

PORT = 8000
WAIT = 300.0
"""Segundos de espera pela pessoa."""
_PAGE = """<!doctype html><html lang="pt-BR"><meta charset="utf-8"><title>bling-collector</title>
<body style="font: 18px system-ui; max-width: 34em; margin: 15vh auto; padding: 0 1em"><h1>{title}</h1><p>{text}</p>"""


def authorize(*, another_company: bool = False) -> int:
    """Autoriza pelo navegador e diz o que vem a seguir.

    Com `another_company` o banco, se ainda nada tem, passa a ser da empresa da conta que se autorizar.
    """

    async def work() -> int:
        async with open_account(settings_to_collect()) as account:
            if another_company:
                await forget_empresa(account.engine)
            await authorize_in_browser(account.oauth)
            async with account.engine.begin() as connection:
                await control.ask_the_refused_again(connection)
            whose = await load_empresa(account.engine)
            say(f"Autorizado, na conta de {whose.nome}." if whose else "Autorizado.")
            say("Pergunta-se agora ao Bling, uma vez, o que muda de uma conta para outra (dez segundos).")
            with suppress(CollectorError):  # o que não se souber agora, a coleta o aprende
                await account.pipeline.first_look(again=True)
            shared = (await sharing(account.engine)).get(account.settings.company)
        if shared:
            say(f"⚠ {same_account(shared)}")
        say("O token se renova sozinho.")
        say("Na primeira vez, rode `run-full --data-inicio AAAA-MM-DD`; depois, todo dia, `run`.")
        return 0

    return run_to_end(work())


async def authorize_in_browser(oauth: Authorization, *, port: int = PORT, wait: float = WAIT) -> Token:
    """Abre a página do Bling, espera a pessoa autorizar e guarda o primeiro par de tokens.

    ReauthorizeError se ninguém autoriza a tempo, ou se a pessoa recusa; UsageError se a porta está ocupada.
    """
    outcome: asyncio.Future[Token] = asyncio.get_running_loop().create_future()
    url = await oauth.start_authorization()
    state = parse_qs(urlsplit(url).query)["state"][0]

    async def callback(request: Request) -> HTMLResponse:
        query = request.query_params
        if not {"code", "error"} & query.keys():
            return _page("Esperando a autorização", "Volte à página do Bling e autorize o aplicativo.")
        if query.get("state") != state:  # a volta de outra autorização não encerra a espera desta
            return _page("Não foi possível autorizar", "Esta autorização não é a que o terminal espera.", status=400)
        try:
            if "error" in query:
                raise ReauthorizeError(str(callback_error(query["error"], query.get("error_description", ""))))
            token = await oauth.exchange_authorization_code(query.get("code", ""), state)
        except CollectorError as error:
            _settle(outcome, error)
            return _page("Não foi possível autorizar", str(error), status=400)
        _settle(outcome, token)
        return _page("Pronto!", "O coletor está autorizado. Pode fechar esta página e voltar ao terminal.")

    app = Starlette(routes=[Route("/{path:path}", callback)])
    server = _Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    listeners = _listen(port)
    serving = asyncio.create_task(server.serve(sockets=listeners))
    try:
        say("Autorize o coletor no Bling. Se o navegador não abrir sozinho, abra este endereço:")
        click.echo(url)
        say(f"Esperando por até {wait / 60:.0f} minutos em http://localhost:{port} …")
        _open_browser(url)
        return await asyncio.wait_for(outcome, wait)
    except TimeoutError:
        raise ReauthorizeError(
            f"Ninguém autorizou em {wait / 60:.0f} minutos. Rode `bling-collector auth` de novo quando puder."
        ) from None
    finally:
        server.should_exit = True
        await asyncio.wait([serving])
        for listener in listeners:
            listener.close()


class _Server(uvicorn.Server):
    """Ctrl-C é de quem chamou."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(port: int) -> list[socket.socket]:
    """Os soquetes de `localhost`, que pode ser IPv4 ou IPv6. UsageError se a porta está ocupada."""
    try:
        listeners = [socket.create_server(("127.0.0.1", port))]
    except OSError as error:
        raise UsageError(
            f"A porta {port} está ocupada, e é nela que o Bling devolve a autorização. Libere-a."
        ) from error
    with suppress(OSError):  # nem toda máquina tem IPv6
        listeners.append(socket.create_server(("::1", port), family=socket.AF_INET6))
    return listeners


def _settle(outcome: "asyncio.Future[Token]", value: Token | CollectorError) -> None:
    if outcome.done():
        return
    if isinstance(value, Token):
        outcome.set_result(value)
    else:
        outcome.set_exception(value)


def _open_browser(url: str) -> None:
    """Sem tela não há navegador, e um navegador de texto tomaria o terminal."""
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(url)


def _page(title: str, text: str, *, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=escape(title), text=escape(text)), status_code=status)
