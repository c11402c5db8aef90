"""Vários processos no mesmo banco: um que morre com kill -9, e quatro ao mesmo tempo."""

import asyncio
from collections import Counter
from datetime import date, datetime
from decimal import Decimal

import pytest
from tests.support.collecting import at_request, rows, scalar, until
from tests.support.one_run import OneRun
from tests.support.proving import oldest_period_held
from tests.support.truth import assert_equals_truth

from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.company.invoices.lines import line_of
from bling_simulator.server import RunningServer

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("pattern", "number"),
    [("^/nfe$", 3), (r"^/nfe/\d+$", 80), (r"^/contatos/\d+$", 20), ("^/produtos$", 2)],
    ids=["na-lista", "nas-notas", "nos-contatos", "nos-produtos"],
)
@pytest.mark.bling(scale=0.03)
async def test_after_kill_9_midway_the_next_run_completes(
    server: RunningServer,
    bling: Bling,
    account: Account,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    pattern: str,
    number: int,
) -> None:
    run = await OneRun.start(server, database_url, "2021-01-01")
    await run.ready()
    at_request(bling, monkeypatch, pattern, number, run.kill)
    assert await run.finish() == {}
    assert await rows(account.engine, "SELECT status FROM etl_controle") == [("running",)]
    result = await account.pipeline.run()
    assert (result.status, result.message) == ("success", None)
    assert result.data_referencia == date(2026, 2, 20)
    assert await rows(account.engine, "SELECT status FROM etl_controle ORDER BY id") == [("error",), ("success",)]
    await assert_equals_truth(account.engine, bling)


def add_twins_without_stock(bling: Bling, most: int) -> None:
    """Dá um gêmeo sem saldo a até `most` produtos que têm saldo e estão nas notas."""
    sold = {line["codigo"] for note in bling.notes.values() if note["tipo"] == 1 for line in note["itens"]} - {""}
    stocked = [p["codigo"] for p in bling.products.values() if p["estoque"]["saldoVirtualTotal"] > 0]
    for sku in sorted(sold.intersection(stocked))[:most]:
        bling.add_product(sku, estoque={"saldoVirtualTotal": 0})


@pytest.mark.parametrize("number", [4, 7, 9])
@pytest.mark.bling(scale=0.03, default_hides_zero_stock=True)
async def test_kill_9_while_asking_again_by_stock_filter_loses_no_produto(
    server: RunningServer,
    bling: Bling,
    account: Account,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    """O padrão esconde os produtos sem saldo: onde quer que se morra depois de o descobrir, nenhum se perde."""
    add_twins_without_stock(bling, 3)
    run = await OneRun.start(server, database_url, "2021-01-01")
    await run.ready()
    at_request(bling, monkeypatch, "^/produtos$", number, run.kill)
    assert await run.finish() == {}
    result = await account.pipeline.run()
    assert (result.status, result.message) == ("success", None)
    await assert_equals_truth(account.engine, bling)


@pytest.mark.loaded(date(2021, 1, 1))
@pytest.mark.parametrize("number", [4, 5, 6])
@pytest.mark.bling(scale=0.03)
async def test_kill_9_while_rereading_those_already_stored_loses_none(
    server: RunningServer,
    bling: Bling,
    account: Account,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    """Um produto novo revela que o padrão esconde: os gêmeos dos que já se tinham são devidos desde então."""
    bling.configure(default_hides_zero_stock=True)
    add_twins_without_stock(bling, 3)
    bling.add_product("NOVO-SEM-SALDO", estoque={"saldoVirtualTotal": 0})
    bling.issue_note(lines=[line_of(codigo="NOVO-SEM-SALDO", descricao="Peça", quantidade=1, valor=Decimal("1.00"))])
    run = await OneRun.start(server, database_url)
    await run.ready()
    at_request(bling, monkeypatch, "^/produtos$", number, run.kill)
    assert await run.finish() == {}
    result = await account.pipeline.run()
    assert (result.status, result.message) == ("success", None)
    await assert_equals_truth(account.engine, bling)


@pytest.mark.parametrize("number", [1, 5])
@pytest.mark.bling(scale=0.03, default_hides_all_but_authorised=True)
async def test_kill_9_on_finding_that_the_listing_hides_situacoes_loses_none(
    server: RunningServer,
    bling: Bling,
    account: Account,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    """A janela mais nova já tinha sido quitada sem o que só a seguinte revelou: volta a ser devida."""
    for note in [n for n in bling.notes.values() if n["situacao"] not in (2, 6) and n["dataEmissao"] > "2025-03"]:
        bling.edit_note(note["id"], situacao=6)
    rejected = bling.issue_note(situacao=4, emitted_at=datetime(2025, 6, 10, 9, 0))  # noqa: DTZ001 — hora de Brasília
    bling.issue_note(situacao=5, emitted_at=datetime(2024, 6, 10, 9, 0))  # noqa: DTZ001 — hora de Brasília
    run = await OneRun.start(server, database_url, "2021-01-01")
    await run.ready()
    running = asyncio.create_task(run.finish())
    with oldest_period_held(bling):
        await until(lambda: rows(account.engine, "SELECT 1 FROM checkpoints WHERE recurso = 'nfe.escondidas'"))
        at_request(bling, monkeypatch, "^/nfe$", number, run.kill)
    assert await running == {}
    result = await account.pipeline.run()
    assert (result.status, result.message) == ("success", None)
    assert await rows(account.engine, "SELECT situacao FROM nfe_cabecalho WHERE id = :id", id=rejected) == [(4,)]
    await assert_equals_truth(account.engine, bling)


async def test_four_at_once_are_one_run_one_renewal_and_three_refusals(
    server: RunningServer, bling: Bling, account: Account, database_url: str
) -> None:
    async with account.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE oauth_tokens SET expires_at = '2026-02-20 21:00:00+00'")
    bling.counters.reset()
    runs = [await OneRun.start(server, database_url, "2021-01-01") for _ in range(4)]
    await asyncio.gather(*(run.ready() for run in runs))
    answers = await asyncio.gather(*(run.finish() for run in runs))
    assert Counter(answer.get("status") or answer["error"] for answer in answers) == {
        "success": 1,
        "RunInProgressError": 3,
    }
    assert all("em curso" in answer["message"] for answer in answers if "error" in answer)
    assert bling.counters.token_calls == 1
    assert await scalar(account.engine, "SELECT count(*) FROM etl_controle") == 1
    await assert_equals_truth(account.engine, bling)
