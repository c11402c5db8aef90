"""O que uma execução deixa ver de si enquanto corre: o andamento, os registros, e o pedido de que pare."""

import asyncio
import logging
from typing import Any

import pytest
from sqlalchemy import text
from tests.support.collecting import rows, scalar, until

from bling_collector import logs
from bling_collector.db import control
from bling_collector.runs import journal
from bling_collector.runs.request import INTERRUPTED
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

pytestmark = pytest.mark.bling(scale=0.02)
LINES = "SELECT nivel, mensagem FROM execucao_log WHERE run_id = :run ORDER BY id"


@pytest.mark.slow
async def test_the_lines_of_a_run_are_kept_whatever_the_log_shows(account: Account) -> None:
    logging.getLogger("bling_collector").warning("antes")
    first = await account.pipeline.run()
    second = await account.pipeline.run()
    logging.getLogger("bling_collector").warning("depois")
    said = [message for _, message in await rows(account.engine, LINES, run=first.run_id)]
    assert said[0] == "Autorização"
    assert any(line.startswith("Notas de ") for line in said)
    assert said[-1] == f"Execução {first.run_id}: completa. Tudo em dia."
    assert [level for level, _ in await rows(account.engine, LINES, run=second.run_id)].count("info") > 3
    assert await scalar(account.engine, "SELECT count(*) FROM execucao_log WHERE mensagem IN ('antes', 'depois')") == 0
    assert logging.getLogger("bling_collector").level == logging.NOTSET


@pytest.mark.slow
async def test_a_problem_is_a_line_without_secrets(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logging.getLogger("bling_collector.teste")
    secret = account.settings.bling_client_secret
    assert secret

    def sink(progress: Any) -> None:
        log.error("CPF 529.982.247-25 e %s", secret.get_secret_value(), exc_info=ValueError("senha=abacaxi-azul"))

    result = await account.pipeline.run(sink=sink)
    level, said = next(row for row in await rows(account.engine, LINES, run=result.run_id) if row[0] == "erro")
    assert said.startswith("CPF *** e *** (ValueError: senha=***")
    assert level == "erro"


@pytest.mark.slow
async def test_the_lines_of_a_run_are_few(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST_LINES", 5)
    log = logging.getLogger("bling_collector.teste")

    def sink(progress: Any) -> None:
        for number in range(3):
            log.info("linha %d", number)
            log.warning("aviso %d", number)

    result = await account.pipeline.run(sink=sink)
    found = await rows(account.engine, LINES, run=result.run_id)
    assert len(found) == 10
    assert sum(level == "aviso" for level, _ in found[6:]) == 4


@pytest.mark.slow
async def test_old_lines_go(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bling_collector.db.run_log.KEPT_RUNS", 2)
    numbers = [(await account.pipeline.run()).run_id for _ in range(4)]
    kept = [run for (run,) in await rows(account.engine, "SELECT DISTINCT run_id FROM execucao_log ORDER BY 1")]
    assert kept == numbers[-2:]


def test_the_destination_of_the_log_keeps_its_level(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, handlers = root.level, list(root.handlers)
    try:
        logs.configure("ERROR", json=False)
        logging.getLogger("bling_collector").setLevel(logging.INFO)
        logging.getLogger("bling_collector.x").info("isto não")
        logging.getLogger("bling_collector.x").error("isto sim")
    finally:
        logging.getLogger("bling_collector").setLevel(logging.NOTSET)
        root.setLevel(before)
        root.handlers[:] = handlers
    said = capsys.readouterr().err
    assert "isto sim" in said
    assert "isto não" not in said


@pytest.mark.slow
@pytest.mark.bling(latency=0.02)
async def test_a_run_stops_when_the_database_says_so(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quem pede pode estar noutro processo: só escreve no banco."""
    monkeypatch.setattr(journal, "BEAT", 0.05)
    began: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        account.pipeline.run_full(account.clock.now().date().replace(2021, 1, 1), on_start=began.set_result)
    )
    run_id = await began
    progress = text("SELECT requisicoes FROM etl_controle WHERE id = :id")

    async def moved() -> bool:
        async with account.engine.connect() as connection:
            return int(await connection.scalar(progress, {"id": run_id}) or 0) > 3

    await until(moved)
    async with account.engine.begin() as connection:
        assert await control.ask_to_stop(connection, run_id)
    result = await running
    assert result.status == "partial"
    assert result.message
    assert result.message.startswith(INTERRUPTED.rstrip("."))
    async with account.engine.begin() as connection:
        assert not await control.ask_to_stop(connection, run_id)
    assert (await account.pipeline.run()).status == "success"


@pytest.mark.slow
async def test_a_database_that_refuses_the_lines_does_not_stop_the_run(account: Account) -> None:
    async with account.engine.begin() as connection:
        await connection.execute(text("DROP TABLE execucao_log"))
    assert (await account.pipeline.run()).status == "success"
