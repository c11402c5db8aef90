"""A saída de um comando, seja de que codificação for, fechada ou sem quem a leia, não muda como ele acaba."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from tests.support.commands import COMMAND, Terminal, variables_for

from bling_collector.config import Settings
from bling_collector.workplace.account import Account
from bling_simulator.server import RunningServer

NAME = "Łukasz «Ação» 李 ✔"


@pytest.fixture
def terminal(tmp_path: Path, settings: Settings, server: RunningServer) -> Terminal:
    return Terminal(tmp_path, variables_for(settings, server))


async def _with_a_person(account: Account) -> int:
    """Uma carga, e o primeiro contato com um nome que quase nenhuma codificação tem."""
    await account.pipeline.run()
    async with account.engine.begin() as connection:
        found = await connection.exec_driver_sql(
            "UPDATE contatos SET nome = %s WHERE id = (SELECT min(id) FROM contatos) RETURNING id", (NAME,)
        )
        return int(found.scalar_one())


async def ended(terminal: Terminal, *arguments: str, encoding: str) -> tuple[int, bytes, bytes]:
    """O código e as saídas de um processo de verdade cuja saída tem outra codificação."""
    process = await terminal.start(*arguments, PYTHONIOENCODING=encoding)
    out, err = await process.communicate()
    return process.returncode or 0, out, err


@pytest.mark.slow
async def test_another_encoding_changes_no_exit_code_and_no_name(terminal: Terminal, account: Account) -> None:
    person = await _with_a_person(account)
    code, out, err = await ended(terminal, "run", encoding="cp1252")
    assert code == 0, err.decode("cp1252")
    assert "+ " in out.decode("cp1252"), "o ✔ tem um parecido"
    code, out, err = await ended(terminal, "contato", "export", str(person), encoding="cp1252")
    assert code == 0, err.decode("cp1252")
    assert json.loads(out)["contatos"][0]["nome"] == NAME, "e o nome vai inteiro"


@pytest.mark.slow
async def test_nobody_reads(terminal: Terminal, account: Account) -> None:
    """`comando | head -0`."""
    for arguments in (("run",), ("--help",)):
        process = await terminal.start(*arguments)
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe._transport.close()  # type: ignore[attr-defined]  # o asyncio não dá outro modo de largar um pipe
        assert await process.wait() == 0, arguments


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="o fechamento é o do shell")
async def test_outputs_closed_from_the_start(terminal: Terminal, account: Account) -> None:
    process = await asyncio.create_subprocess_shell(
        " ".join((*COMMAND, "run", "0<&- 1>&-")),
        cwd=terminal.folder,
        env=terminal._everything({}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert "requisições" in err.decode()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="só onde há um disco sempre cheio")
async def test_a_full_disk_is_said_and_only_costs_what_is_itself_the_output(
    terminal: Terminal, account: Account
) -> None:
    person = await _with_a_person(account)
    for arguments, expected in ((("run",), 0), (("contato", "export", str(person)), 1)):
        with Path("/dev/full").open("wb") as full:  # noqa: ASYNC230 — não espera por disco nenhum
            process = await asyncio.create_subprocess_exec(
                *COMMAND,
                *arguments,
                cwd=terminal.folder,
                env=terminal._everything({}),
                stdout=full,
                stderr=asyncio.subprocess.PIPE,
            )
            _, err = await process.communicate()
        assert process.returncode == expected, err.decode()
        assert "a saída não pôde ser escrita" in err.decode()


@pytest.mark.slow
async def test_installed_in_a_folder_of_odd_letters(
    terminal: Terminal, tmp_path: Path, empty_database_url: str
) -> None:
    there = tmp_path / "d'água 100%s \\ #1 李"
    there.mkdir()
    package = Path(__file__).parents[2] / "src" / "bling_collector"
    (there / "bling_collector").symlink_to(package)
    script = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bling_collector.cli import main; main()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, os.fspath(there), "db", "upgrade"),
        cwd=terminal.folder,
        env=terminal._everything({"DATABASE_URL": empty_database_url}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert "Banco pronto" in out.decode()
