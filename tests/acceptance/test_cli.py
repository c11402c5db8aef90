"""A linha de comando como uma pessoa a usa: processos de verdade, um Bling num soquete, um PostgreSQL de verdade."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import collector_settings, rows, scalar, until
from tests.support.commands import Done, Terminal, variables_for

from bling_collector.cli import main
from bling_collector.cli.authorize import authorize_in_browser
from bling_collector.cli.commands import cli
from bling_collector.config import VARIABLES, Settings
from bling_collector.errors import ReauthorizeError, UsageError
from bling_collector.workplace.account import Account, open_account
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer, running
from bling_simulator.settings import SimulatorSettings


@pytest.fixture
def nowhere(tmp_path: Path) -> Terminal:
    """Um terminal sem nada configurado."""
    return Terminal(tmp_path)


@pytest.fixture
def terminal(tmp_path: Path, settings: Settings, server: RunningServer) -> Terminal:
    """Um terminal configurado para o simulador e o banco deste teste."""
    return Terminal(tmp_path, variables_for(settings, server))


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Digita o comando neste processo, numa pasta vazia e sem nenhuma variável do projeto."""
    monkeypatch.chdir(tmp_path)
    for variable in VARIABLES:
        monkeypatch.delenv(variable.upper(), raising=False)

    def type_(*arguments: str, **variables: str) -> Done:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        captured = capsys.readouterr()
        return Done(int(left.value.code or 0), captured.out, captured.err)

    return type_


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["runn"], "Não existe o comando runn. Seria run?"),
        (["backup"], "Não existe o comando backup. Seria db backup?"),
        (["db", "restor"], "Seria db restore ou"),
        (["db", "status"], "Não existe o comando status. Seria status?"),
        (["xyzzy"], "Não existe o comando xyzzy.\n"),
        (["run", "--foo"], "Não existe a opção --foo."),
        (["run", "sobra"], "Sobra um argumento: sobra."),
        (["run-full"], "Falta --data-inicio."),
        (["run", "--data-inicio"], "A opção --data-inicio pede um valor."),
        (["run", "--json=sim"], "A opção --json não leva valor."),
        (["run", "--data-inicio", "2025-02-30"], "'2025-02-30' não é uma data. Escreva AAAA-MM-DD"),
        (["run", "--data-inicio", "01/02/2025"], "não é uma data"),
        (["sync", "boato", "1"], "não serve: 'boato'; use um destes: nfe, "),
        (["sync", "nfe", "um"], "O valor de RECURSO/ID não serve: o id precisa ser um número inteiro, de 1 a"),
        (["sync", "nfe/" + "0" * 30 + "9" * 30], "o id precisa ser um número inteiro"),
        (["sync", "nfe/" + "1" * 5000], "o id precisa ser um número inteiro"),
        (["sync", "contatos/"], "o id precisa ser um número inteiro"),
        (["sync", "nfe", "12", "13"], "o id precisa ser um número inteiro"),
        (["sync", "nfe", "0"], "precisa ser um número inteiro, de 1 a 9223372036854775807."),
        (["contato", "export", "9" * 23], "precisa ser um número inteiro, de 1 a 9223372036854775807."),
        (["contato", "erase", "9" * 23, "--sim"], "precisa ser um número inteiro, de 1 a 9223372036854775807."),
        (["contato", "erase", "--", "-1"], "precisa ser um número inteiro, de 1 a 9223372036854775807."),
        (["serve", "--host", " "], "O valor de --host não serve: está vazio; o desta máquina é 127.0.0.1"),
        (["serve", "--port", "99999"], "precisa ser um número inteiro, de 1 a 65535."),
        (["reconcile"], "Falta BLING_CLIENT_ID."),
        (["run"], "Falta BLING_CLIENT_ID."),
        (["auth"], "Falta BLING_CLIENT_ID."),
    ],
)
def test_wrong_use_is_one_sentence_and_code_2(typed: Callable[..., Done], arguments: list[str], sentence: str) -> None:
    done = typed(*arguments)
    assert done.code == 2
    assert sentence in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


@pytest.mark.parametrize("arguments", [[], ["db"], ["contato"]], ids=" ".join)
def test_without_a_command_the_help_says_which_there_are(typed: Callable[..., Done], arguments: list[str]) -> None:
    done = typed(*arguments)
    assert done.code == 2
    assert done.err.startswith("Uso: bling-collector")
    assert "Comandos:" in done.err
    assert "Erro" not in done.err


def test_a_simulator_on_a_busy_port_is_a_sentence_and_code_2(typed: Callable[..., Done]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        done = typed("simulator", "--port", str(busy.getsockname()[1]))
    assert (done.code, done.out) == (2, "")
    assert "está em uso. Escolha outra com --port" in done.err


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        ({"BLING_CLIENT_SECRET": "seu_client_secret"}, 2, "BLING_CLIENT_SECRET ainda tem o valor do modelo"),
        ({"DATABASE_URL": "mysql://a/b"}, 2, "o coletor só grava em PostgreSQL"),
        ({"DATABASE_URL": "isto não é um endereço"}, 2, "DATABASE_URL não é um endereço"),
        ({"DATABASE_URL": "postgresql://u:segredo@127.0.0.1:1/x"}, 1, "não atende"),
        ({"API_PAGE_SIZE": "500"}, 2, "API_PAGE_SIZE: o máximo é 100"),
        ({"API_RATE_LIMIT_DELAY": "devagar"}, 2, "API_RATE_LIMIT_DELAY: precisa ser um número"),
        ({"BLING_CLIENT_SECRET": "TODO"}, 2, "BLING_CLIENT_SECRET ainda tem o valor do modelo"),
        ({"BLING_API_BASE_URL": "lixo"}, 2, "BLING_API_BASE_URL: precisa ser um endereço"),
        ({"BLING_OAUTH_URL": "ftp://x/y"}, 2, "BLING_OAUTH_URL: precisa ser um endereço"),
        ({"BLING_AUTHORIZE_URL": "http://"}, 2, "BLING_AUTHORIZE_URL: precisa ser um endereço"),
        ({"LOG_LEVEL": "ALTO"}, 2, "LOG_LEVEL: use DEBUG, INFO, WARNING ou ERROR"),
    ],
)
def test_wrong_settings_are_one_sentence(
    typed: Callable[..., Done], changes: dict[str, str], code: int, sentence: str
) -> None:
    done = typed("run", **({"BLING_CLIENT_ID": "um-id", "BLING_CLIENT_SECRET": "outro"} | changes))
    assert done.code == code
    assert sentence in done.err
    assert "segredo" not in done.err + done.out
    assert "Traceback" not in done.err


def _commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in command.commands.items() if isinstance(command, click.Group) else ():
        yield from _commands(inner, (*path, name))


@pytest.mark.parametrize("path", list(_commands(cli)), ids=" ".join)
def test_the_help_is_in_portuguese(typed: Callable[..., Done], path: tuple[str, ...]) -> None:
    done = typed(*path, "--help")
    assert done.code == 0
    for word in ("Uso:", "Opções:", "Mostra esta ajuda e sai."):
        assert word in done.out
    english = (
        r"(?i)\b(usage|options?|commands?|args|show this|exit|env var|default|required|integer|range|text|path|x)\b"
    )
    assert not re.search(english, re.sub(r"--[\w-]+|`[^`]*`", "", done.out)), done.out


def test_a_failure_for_a_program_is_json(typed: Callable[..., Done]) -> None:
    done = typed("run", "--json")
    assert done.code == 2
    assert done.json["status"] == "error"
    assert "BLING_CLIENT_ID" in done.json["detail"]


@pytest.mark.parametrize(
    ("period", "sentence"),
    [
        (["--data-inicio", "2999-01-01"], "está no futuro"),
        (["--data-inicio", "2025-02-01", "--data-fim", "2025-01-01"], "vem antes de data_inicio"),
        (["--data-inicio", "1999-12-31"], "quando ainda não havia NF-e"),
    ],
)
async def test_an_impossible_period_changes_nothing(
    terminal: Terminal, account: Account, period: list[str], sentence: str
) -> None:
    for command in ("run", "run-full"):
        done = await terminal.run(command, *period)
        assert done.code == 2
        assert sentence in done.err
    assert await scalar(account.engine, "SELECT count(*) FROM etl_controle") == 0
    assert await scalar(account.engine, "SELECT count(*) FROM janelas_devidas") == 0


@pytest.mark.parametrize("command", ["run", "run-full", "reconcile", "reprocess"])
async def test_an_impossible_period_is_refused_before_the_database(
    terminal: Terminal, empty_database_url: str, empty_engine: AsyncEngine, command: str
) -> None:
    period = ("--data-inicio", "2025-02-01", "--data-fim", "2025-01-01")
    done = await terminal.run(command, *period, DATABASE_URL=empty_database_url)
    assert (done.code, "vem antes de data_inicio" in done.err) == (2, True)
    assert await rows(empty_engine, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


async def test_without_authorization_the_code_is_3(terminal: Terminal) -> None:
    done = await terminal.run("run")
    assert done.code == 3
    assert "Autorize com `bling-collector auth`" in done.err
    assert done.err.count("Ainda não há autorização") == 1


async def test_a_load_from_nothing_to_the_status(terminal: Terminal, account: Account, bling: Bling) -> None:
    notes = sum(totals.notes for totals in bling.totals_by_year().values())

    loaded = await terminal.run("run-full", "--data-inicio", "2021-01-01", "--json")
    assert loaded.code == 0
    assert loaded.json["status"] == "success"
    assert loaded.json["stats"]["nfes"] == notes
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho") == notes
    assert "requisições" in loaded.err  # o andamento, em linhas simples fora de um terminal

    again = await terminal.run("run")
    assert again.code == 0
    assert "✔ Tudo coletado: 0 notas" in again.out

    status = await terminal.run("status", "--json")
    assert status.code == 0
    assert status.json["last_successful_run"]["run_id"] == loaded.json["run_id"] + 1
    assert status.json["owed"]["pendencias"] == 0
    said = await terminal.run("status")
    assert "Coberto sem lacuna até" in said.out
    assert "Autorizado" in said.out


@pytest.mark.slow
async def test_a_failing_note_is_partial_and_code_1(terminal: Terminal, account: Account, bling: Bling) -> None:
    broken = next(id_ for id_, note in bling.notes.items() if note["tipo"] == 1)
    bling.fail(rf"/nfe/{broken}$", "body", status=400, body='{"error": {"type": "UNKNOWN_ERROR", "message": "ops"}}')
    done = await terminal.run("run-full", "--data-inicio", "2021-01-01")
    assert done.code == 1
    assert "◐ Coletado em parte" in done.out
    assert "1 registro pendente" in done.err
    assert await rows(account.engine, "SELECT recurso, recurso_id FROM pendencias") == [("nfe", str(broken))]

    bling.faults.clear()
    healed = await terminal.run("run")
    assert healed.code == 0
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no Windows Ctrl-C interrompe na hora")
@pytest.mark.bling(latency=0.02)
@pytest.mark.parametrize("asked", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
async def test_a_signal_ends_the_run_gently(
    terminal: Terminal, account: Account, bling: Bling, asked: signal.Signals
) -> None:
    process = await terminal.start("run-full", "--data-inicio", "2021-01-01", "--json")
    await _until(lambda: bling.counters.requests["/nfe/{id}"] > 10)
    process.send_signal(asked)
    out, err = await process.communicate()
    assert process.returncode == 1
    assert json.loads(out)["status"] == "partial"
    assert "Parando" in err.decode()
    assert await rows(account.engine, "SELECT status FROM etl_controle") == [("partial",)]

    assert (await terminal.run("run")).code == 0
    notes = sum(totals.notes for totals in bling.totals_by_year().values())
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho") == notes


@pytest.mark.skipif(sys.platform == "win32", reason="lá não há SIGTERM que se ouça")
@pytest.mark.slow
async def test_what_is_told_to_stop_undoes_what_it_began_and_says_so(
    terminal: Terminal, account: Account, tmp_path: Path
) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'nfe_cabecalho'::regclass"
    async with account.engine.begin() as connection:
        await connection.execute(text("LOCK TABLE nfe_cabecalho IN ACCESS EXCLUSIVE MODE"))
        process = await terminal.start("exportar", str(tmp_path / "saida"), "--formato", "csv")
        await until(lambda: scalar(account.engine, waiting))
        process.send_signal(signal.SIGTERM)
        _, err = await process.communicate()
    assert (process.returncode, err.decode().strip()) == (1, "Interrompido.")
    assert os.listdir(tmp_path) == []  # noqa: PTH208 — num teste assíncrono o ruff não quer Path.iterdir


@pytest.mark.slow
async def test_db_init_and_upgrade(terminal: Terminal, empty_database_url: str) -> None:
    made = await terminal.run("db", "init", DATABASE_URL=empty_database_url)
    again = await terminal.run("db", "upgrade", DATABASE_URL=empty_database_url)
    assert made.code == again.code == 0
    assert "Banco pronto: revisão" in made.out
    assert "já está em dia" in again.out


@pytest.mark.slow
async def test_doctor_says_what_is_missing_and_changes_nothing(terminal: Terminal, empty_database_url: str) -> None:
    done = await terminal.run("doctor", "--json", DATABASE_URL=empty_database_url)
    assert done.code == 1
    findings = {each["nome"]: each for each in done.json}
    assert findings["Credenciais"]["ok"]
    assert findings["Bling"]["ok"]
    assert "bling-collector db upgrade" in findings["Esquema"]["detalhe"]

    ready = await terminal.run("db", "init", DATABASE_URL=empty_database_url)
    assert ready.code == 0
    done = await terminal.run("doctor", DATABASE_URL=empty_database_url)
    assert done.code == 3
    assert "✘ Autorização: ainda não foi dada. Rode `bling-collector auth`." in done.out


# --- a autorização pelo navegador ----------------------------------------------------------------------


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


async def _consent(url: str, decision: str) -> httpx2.Response:
    """O que a pessoa faz: abre a página do Bling, decide, e o navegador segue a volta."""
    async with httpx2.AsyncClient(follow_redirects=True, trust_env=False, timeout=60) as browser:
        page = await browser.get(url)
        assert page.status_code == 200
        query = dict(httpx2.URL(url).params)
        form = {"client_id": query["client_id"], "state": query["state"], "decisao": decision}
        return await browser.post(str(page.url), data=form)


@pytest.mark.slow
async def test_the_browser_flow_saves_the_token(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    port = _free_port()
    simulator = SimulatorSettings(scale=0.01, redirect_uri=f"http://localhost:{port}/callback")
    async with running(simulator) as bling:
        assert account.settings.database_url is not None
        async with open_account(collector_settings(bling.api_url, account.settings.database_url)) as fresh:
            waiting = asyncio.create_task(authorize_in_browser(fresh.oauth, port=port))
            url = await _printed(capsys)
            async with httpx2.AsyncClient(trust_env=False, timeout=60) as stranger:
                forged = await stranger.get(f"http://localhost:{port}/callback?code=x&state=alheio")
            assert forged.status_code == 400
            assert not waiting.done()  # o `state` de outro não encerra a espera

            page = await _consent(url, "autorizar")
            token = await waiting
            assert page.status_code == 200
            assert "Pronto!" in page.text
            assert (await fresh.oauth.get_valid_access_token()).access_token == token.access_token


@pytest.mark.slow
async def test_the_browser_flow_denied_or_forgotten(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    port = _free_port()
    simulator = SimulatorSettings(scale=0.01, redirect_uri=f"http://localhost:{port}/callback")
    async with running(simulator) as bling:
        assert account.settings.database_url is not None
        async with open_account(collector_settings(bling.api_url, account.settings.database_url)) as fresh:
            waiting = asyncio.create_task(authorize_in_browser(fresh.oauth, port=port))
            url = await _printed(capsys)
            page = await _consent(url, "negar")
            assert page.status_code == 400
            with pytest.raises(ReauthorizeError):
                await waiting
            with pytest.raises(ReauthorizeError, match="Ninguém autorizou"):
                await authorize_in_browser(fresh.oauth, port=port, wait=0.01)


async def test_a_busy_port_is_a_sentence(account: Account) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(UsageError, match="está ocupada"),
    ):
        await authorize_in_browser(account.oauth, port=taken.getsockname()[1])


async def _printed(capsys: pytest.CaptureFixture[str]) -> str:
    found: list[str] = []

    def printed() -> bool:
        found.extend(line for line in capsys.readouterr().out.splitlines() if line.startswith("http"))
        return bool(found)

    await _until(printed)
    return found[0]


async def _until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 — a condição é de outro processo
            await asyncio.sleep(0.02)


@pytest.mark.slow
async def test_the_demonstration(nowhere: Terminal) -> None:
    done = await nowhere.run_apart("demo", "--no-serve")
    assert done.code == 0
    assert (found := re.search(r"✔ (\S+) de (\S+) notas, iguais ao centavo\.", done.out)), done.out
    assert found[1] == found[2]
    assert int(found[1].replace(".", "")) > 2926, "a empresa continua até hoje"
    assert [line.split()[:3] for line in done.out.splitlines() if line.startswith("2025")] == [
        ["2025", "1.200", "1.200"]
    ]
