"""O estoque, sob cada leitura do que os documentos não sabem: a fotografia é inteira, ou não se guarda."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.commands import Terminal, variables_for
from tests.support.fakes import FakeClock
from tests.support.variants import one_now

from bling_collector.bootstrap import App
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer

START = date(2025, 6, 1)
DAY = 86_400.0
READINGS: list[dict[str, Any]] = [
    {},
    {"default_hides_zero_stock": True},
    {"unknown_stock_answers_400": True},
    {"default_hides_zero_stock": True, "unknown_stock_answers_400": True, "most_array_values": 20},
]
pytestmark = [pytest.mark.bling(scale=0.05), pytest.mark.collector(recursos=("nfe", "produtos", "estoques"))]


async def assert_the_last_reading_is_bling(app: App, bling: Bling) -> None:
    """Todo produto do banco que não foi excluído, e de que o Bling tem registro, em cada depósito."""
    held = {id_ for (id_,) in await rows(app.engine, "SELECT id FROM produtos WHERE excluida_em IS NULL")}
    found = await rows(
        app.engine,
        "SELECT produto_id, deposito_id, saldo_fisico, saldo_virtual FROM vw_estoque_atual ORDER BY 1, 2",
    )
    assert found == [
        (balance["id"], place["id"], place["saldoFisico"], place["saldoVirtual"])
        for balance in sorted(bling.stockroom.balances(), key=lambda each: each["id"])
        if balance["id"] in held
        for place in balance["depositos"]
    ]


@pytest.mark.parametrize("reading", one_now(READINGS), ids=lambda reading: next(iter(reading), "como se leu"))
async def test_cada_dia_tem_a_sua_leitura_inteira(
    app: App, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    result = await app.pipeline.run_full(START)
    assert result.status == "success", result.message
    await assert_the_last_reading_is_bling(app, bling)
    total = await scalar(app.engine, "SELECT count(*) FROM estoque_saldos")
    assert result.stats["estoques"] == total > 0
    changed = (await rows(app.engine, "SELECT min(produto_id) FROM estoque_saldos"))[0][0]
    clock.advance(DAY)
    bling.edit_stock(changed, depositos=[{"id": 14_886_001, "saldoFisico": -3, "saldoVirtual": -4}])
    assert (await app.pipeline.run()).status == "success"
    await assert_the_last_reading_is_bling(app, bling)
    days = await rows(app.engine, "SELECT dia, count(DISTINCT lido_em) FROM vw_estoque_por_dia GROUP BY 1 ORDER BY 1")
    assert days == [(date(2026, 2, 20), 1), (date(2026, 2, 21), 1)]
    assert await scalar(app.engine, "SELECT count(*) FROM estoque_saldos") > total


async def test_uma_execucao_um_pouco_mais_cedo_tambem_fotografa(app: App, clock: FakeClock) -> None:
    await app.pipeline.run_full(START)
    clock.advance(DAY - 3600)
    assert (await app.pipeline.run()).status == "success"
    assert await scalar(app.engine, "SELECT count(DISTINCT lido_em) FROM estoque_saldos") == 2


async def test_a_segunda_leitura_de_um_dia_e_a_que_vale_nele(app: App, bling: Bling, clock: FakeClock) -> None:
    await app.pipeline.run_full(START)
    product = await scalar(app.engine, "SELECT min(produto_id) FROM estoque_saldos")
    bling.edit_stock(product, depositos=[{"id": 14_886_001, "saldoFisico": 88, "saldoVirtual": 88}])
    clock.advance(600)
    assert (await app.pipeline.reconcile(repair=True)).status == "success"
    per_day = "SELECT dia, saldo_fisico FROM vw_estoque_por_dia WHERE produto_id = :id"
    assert await rows(app.engine, per_day, id=product) == [(date(2026, 2, 20), 88)]


@pytest.mark.parametrize("kind", ["server_error", "cut"])
async def test_uma_leitura_que_falha_a_meio_nao_se_guarda(app: App, bling: Bling, clock: FakeClock, kind: Any) -> None:
    await app.pipeline.run_full(START)
    total = await scalar(app.engine, "SELECT count(*) FROM estoque_saldos")
    clock.advance(DAY)
    bling.fail("^/estoques/saldos$", kind, after=1)
    result = await app.pipeline.run()
    assert result.status == "partial"
    assert "Saldos de estoque" in str(result.message) or "/estoques/saldos" in str(result.message)
    assert await scalar(app.engine, "SELECT count(*) FROM estoque_saldos") == total
    bling.faults.clear()
    assert (await app.pipeline.run()).status == "success"
    await assert_the_last_reading_is_bling(app, bling)


@pytest.mark.parametrize("refuses", [False, True])
async def test_o_exame_pergunta_por_um_produto_que_ninguem_tem(
    app: App, bling: Bling, server: RunningServer, tmp_path: Path, refuses: bool
) -> None:
    bling.configure(unknown_stock_answers_400=refuses)
    terminal = Terminal(tmp_path, variables_for(app.settings, server))
    done = await terminal.run("doctor", RECURSOS="estoques")
    assert "deixa ler «Estoques»" in done.out
    bling.configure(missing_scopes=frozenset({"/estoques/saldos"}))
    done = await terminal.run("doctor", RECURSOS="estoques")
    assert "falta ao aplicativo a de ler «Estoques»" in done.out
