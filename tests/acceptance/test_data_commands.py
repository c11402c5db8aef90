"""`db backup`, `db restore` e `contato`, como se usam: o que dizem e com que código saem."""

import asyncio
import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from bling_collector.bootstrap import App
from bling_collector.cli.commands import main


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


async def _notes(app: App) -> int:
    async with app.engine.connect() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM nfe_cabecalho")) or 0)


async def test_backup_and_restore(app: App, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    await app.pipeline.run_full(date(2026, 1, 1))
    notes = await _notes(app)
    assert await run("db", "backup", "copia.dump") == 0
    assert "A autorização do Bling não vai nela" in capsys.readouterr().out
    assert await run("db", "backup", "copia.dump") == 2
    assert await run("db", "restore", "copia.dump") == 2
    assert "--sobrescrever" in capsys.readouterr().err
    async with app.engine.begin() as connection:
        await connection.execute(text("TRUNCATE nfe_cabecalho CASCADE"))
    assert await run("db", "restore", "copia.dump", "--sobrescrever", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["arquivo"] == "copia.dump"
    assert said["autorizado"] is True
    assert await _notes(app) == notes > 0


async def test_the_erased_stay_erased_after_a_restore(
    app: App, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await app.pipeline.run_full(date(2026, 1, 1))
    async with app.engine.connect() as connection:
        query = "SELECT contato_id, contato_nome FROM nfe_cabecalho WHERE contato_nome IS NOT NULL AND contato_id > 0"
        found = (await connection.execute(text(query))).first()
    assert found is not None
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


async def test_an_unknown_contact(app: App, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("export", "77"), ("erase", "77", "--sim")):
        assert await run("contato", *words) == 2
        assert "não tem o contato 77" in capsys.readouterr().err
