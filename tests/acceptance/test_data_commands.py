"""`db backup`, `db restore` e `contato`, como se usam: o que dizem e com que código saem."""

import asyncio
import io
import json
import os
import signal
import sys
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Row, text
from tests.support.variants import one_now

from bling_collector.cli import main
from bling_collector.db.connection.database import check_server
from bling_collector.db.copies.client_tools import PROGRAMS, find_tools
from bling_collector.db.copies.restore import restore
from bling_collector.db.embedded.binaries import BIN_VARIABLE
from bling_collector.db.run_lock import is_locked
from bling_collector.documentos import masked
from bling_collector.words import plural
from bling_collector.workplace.account import Account


@pytest.fixture
def command(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """O banco do teste no ambiente."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)
    return database_url


async def run(*arguments: str) -> int:
    """O código de saída. Noutra thread: o comando começa o seu próprio laço."""

    def work() -> int:
        with pytest.raises(SystemExit) as ended:
            main([*arguments])
        return int(ended.value.code or 0)

    return await asyncio.to_thread(work)


async def _notes(account: Account) -> int:
    async with account.engine.connect() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM nfe_cabecalho")) or 0)


async def _someone(account: Account) -> Row[tuple[int, str]]:
    """O `contato_id` e o `contato_nome` de uma nota."""
    async with account.engine.connect() as connection:
        query = "SELECT contato_id, contato_nome FROM nfe_cabecalho WHERE contato_nome IS NOT NULL AND contato_id > 0"
        return (await connection.execute(text(query))).first() or pytest.fail("nenhuma nota serve")


async def _named(account: Account, contato_id: int) -> bool:
    """Se o banco tem o nome do contato, no cadastro ou numa nota."""
    query = """
        SELECT EXISTS (SELECT FROM contatos WHERE id = :id AND nome IS NOT NULL)
            OR EXISTS (SELECT FROM nfe_cabecalho WHERE contato_id = :id AND contato_nome IS NOT NULL)"""
    async with account.engine.connect() as connection:
        return bool(await connection.scalar(text(query), {"id": contato_id}))


@pytest.mark.loaded(date(2026, 1, 1))
@pytest.mark.slow
async def test_backup_and_restore(account: Account, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    notes = await _notes(account)
    assert await run("db", "backup", "copia.dump") == 0
    assert "A autorização do Bling não vai nela" in capsys.readouterr().out
    assert await run("db", "backup", "copia.dump") == 2
    assert await run("db", "restore", "copia.dump") == 2
    said = capsys.readouterr().err
    assert f"tem {plural(notes, 'nota', 'notas')}, e restaurar apaga o que ele tem, sem volta" in said
    assert f"O banco {account.engine.url.database} em " in said
    assert "--sobrescrever" in said
    async with account.engine.begin() as connection:
        await connection.execute(text("TRUNCATE nfe_cabecalho CASCADE"))
    assert await run("db", "restore", "copia.dump", "--sobrescrever", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["arquivo"] == "copia.dump"
    assert answer["autorizado"] is True
    assert await _notes(account) == notes > 0


@pytest.mark.slow
@pytest.mark.loaded(date(2026, 1, 1))
async def test_the_erased_stay_erased_after_a_restore(
    account: Account, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await _someone(account)
    assert await run("db", "backup", "antes.dump") == 0
    assert await run("contato", "export", str(found.contato_id)) == 0
    assert found.contato_nome in capsys.readouterr().out
    assert await run("contato", "erase", str(found.contato_id)) == 2
    assert "Confirme com --sim" in capsys.readouterr().err
    assert await run("contato", "erase", str(found.contato_id), "--sim", "--json") == 0
    assert json.loads(capsys.readouterr().out)["contatos"] == [found.contato_id]
    assert await run("db", "restore", "antes.dump", "--sobrescrever") == 0
    capsys.readouterr()
    assert await run("contato", "export", str(found.contato_id)) == 0
    exported = capsys.readouterr().out
    assert json.loads(exported)["apagado_em"]
    assert found.contato_nome not in exported


class _Person(io.StringIO):
    """Alguém diante do terminal, que digita estas linhas."""

    def isatty(self) -> bool:
        return True


@pytest.mark.slow
@pytest.mark.loaded(date(2026, 1, 1))
@pytest.mark.bling(scale=0.005)
async def test_erasing_asks_in_portuguese_and_says_who(
    account: Account, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await _someone(account)
    async with account.engine.connect() as connection:
        query = text("SELECT contato_documento FROM nfe_cabecalho WHERE contato_id = :id LIMIT 1")
        documento = await connection.scalar(query, {"id": found.contato_id})
    for typed, erased in (("\n", False), ("n\n", False), ("", False), ("y\nSim\n", True)):
        monkeypatch.setattr(sys, "stdin", _Person(typed))
        assert await run("contato", "erase", str(found.contato_id)) == (0 if erased else 1)
        said = capsys.readouterr()
        assert f"sem volta, os dados pessoais de {found.contato_nome} ({masked(documento)}): contato" in said.err
        assert "Apagar? [s/N]" in said.err
        assert ("Responda s (sim) ou n (não)." in said.err) == typed.startswith("y")
        assert ("Nada foi apagado." in said.err) != erased
        assert await _named(account, found.contato_id) != erased


@pytest.mark.slow
@pytest.mark.loaded(date(2026, 1, 1))
@pytest.mark.skipif(sys.platform == "win32", reason="o pg_restore que mata é do sh")
async def test_a_restore_killed_halfway_changes_nothing_and_leaves_nothing(
    account: Account, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await _someone(account)
    assert await run("db", "backup", "antes.dump") == 0
    assert await run("contato", "erase", str(found.contato_id), "--sim") == 0
    async with account.engine.connect() as connection:
        tools = await find_tools(await check_server(connection))
    (tmp_path / "bin").mkdir()
    for name in PROGRAMS:
        (tmp_path / "bin" / name).symlink_to(tools.program(name))
    deadly, good = tmp_path / "bin" / "pg_restore", tools.program("pg_restore")
    deadly.unlink()
    dies = f'{good} "$@" | head -c 3000; sleep 1; kill -9 $PPID'
    deadly.write_text(f'#!/bin/sh\ncase "$*" in *--table=nfe_itens*) {dies};; *) exec {good} "$@";; esac\n')
    deadly.chmod(0o755)
    temporary = tmp_path / "tmp"
    temporary.mkdir()

    restoring = (sys.executable, "-m", "bling_collector", "db", "restore", "antes.dump", "--sobrescrever")
    environment = os.environ | {BIN_VARIABLE: str(tmp_path / "bin"), "TMPDIR": str(temporary)}
    process = await asyncio.create_subprocess_exec(*restoring, env=environment)
    assert await process.wait() == -signal.SIGKILL
    assert not await _named(account, found.contato_id)  # o banco é o de antes
    assert list(temporary.iterdir()) == []

    capsys.readouterr()
    assert await run("contato", "export", str(found.contato_id)) == 0
    exported = capsys.readouterr().out
    assert json.loads(exported)["apagado_em"]
    assert found.contato_nome not in exported
    assert not await _named(account, found.contato_id)


@pytest.mark.loaded(date(2026, 1, 1))
@pytest.mark.parametrize("which", one_now(["coleta", "reprocessamento"]))
@pytest.mark.slow
async def test_who_came_back_goes_away_when_a_service_already_running_runs(
    account: Account, command: str, which: str
) -> None:
    found = await _someone(account)
    assert await run("db", "backup", "antes.dump") == 0
    assert await run("contato", "erase", str(found.contato_id), "--sim") == 0
    await restore(account.engine, Path("antes.dump"), overwrite=True)  # e morreu aqui
    assert await _named(account, found.contato_id)
    await (account.pipeline.retry() if which == "coleta" else account.pipeline.reprocess())
    assert not await _named(account, found.contato_id)


@pytest.mark.loaded(date(2026, 1, 1))
@pytest.mark.slow
async def test_a_copy_from_before_erasures_were_remembered(account: Account, command: str) -> None:
    found = await _someone(account)
    assert await run("db", "backup", "nova.dump") == 0
    async with account.engine.begin() as connection:
        for statement in (
            "DROP TABLE alarmes, limites_bling, dados_apagados, nfe_busca, execucao_log, empresa, nfe_entradas",
            "DROP INDEX ix_nfe_cabecalho_faturamento, ix_nfe_cabecalho_sem_detalhe, ix_nfe_cabecalho_numeracao",
            "ALTER TABLE etl_controle DROP parar",
            "ALTER TABLE oauth_tokens DROP refused_at",
            "UPDATE alembic_version SET version_num = '0003'",
        ):
            await connection.execute(text(statement))
    assert await run("db", "backup", "velha.dump") == 0
    assert await run("db", "restore", "nova.dump", "--sobrescrever") == 0
    assert await run("contato", "erase", str(found.contato_id), "--sim") == 0
    assert await run("db", "restore", "velha.dump", "--sobrescrever") == 0
    assert not await _named(account, found.contato_id)
    assert await run("db", "restore", "nova.dump", "--sobrescrever") == 0
    assert not await _named(account, found.contato_id)


@pytest.mark.slow
async def test_no_run_begins_before_the_restore_is_over(account: Account, command: str) -> None:
    assert await run("db", "backup", "copia.dump") == 0
    seen = []

    async def then() -> None:
        seen.append(await is_locked(account.engine))

    await restore(account.engine, Path("copia.dump"), overwrite=True, then=then)
    assert seen == [True]
    assert not await is_locked(account.engine)


async def test_an_unknown_contact(account: Account, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("export", "77"), ("erase", "77", "--sim")):
        assert await run("contato", *words) == 2
        assert "não tem o contato 77" in capsys.readouterr().err
