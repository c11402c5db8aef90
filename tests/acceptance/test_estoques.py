"""O estoque, sob cada leitura do que os documentos não sabem: cada fotografia diz de todo produto."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.commands import Terminal, variables_for
from tests.support.fakes import FakeClock
from tests.support.variants import one_now

from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.company.goods.stockroom import MAIN
from bling_simulator.server import RunningServer

START = date(2025, 6, 1)
DAY = 86_400.0
_NOTHING = {"id": None, "saldoFisico": None, "saldoVirtual": None}
READINGS: list[dict[str, Any]] = [
    {},
    {"default_hides_zero_stock": True},
    {"unknown_stock_answers_400": True},
    {"default_hides_zero_stock": True, "unknown_stock_answers_400": True, "most_array_values": 20},
    {"default_hides_zero_stock": True, "produto_stock_filter_is_physical": True},
    {"stockless_match_no_filter": True},
]
pytestmark = [pytest.mark.bling(scale=0.05), pytest.mark.collector(recursos=("estoques",))]


async def assert_the_last_reading_is_bling(account: Account, bling: Bling) -> None:
    """Todo produto que não foi excluído, vendido ou não, em cada depósito; vazio, se o Bling não tem registro."""
    living = {id_: each.detail for id_, each in sorted(bling.company.products.entries.items()) if not each.deleted}
    balances = {each["id"]: each for each in bling.stockroom.balances()}
    places = {id_: balances[id_]["depositos"] if id_ in balances else [_NOTHING] for id_ in living}
    expected = [
        (id_, living[id_]["codigo"] or None, place["id"], place["saldoFisico"], place["saldoVirtual"])
        for id_, found in places.items()
        for place in found
    ]
    seen = "SELECT produto_id, codigo, deposito_id, saldo_fisico, saldo_virtual FROM vw_estoque_atual ORDER BY 1, 3"
    assert await rows(account.engine, seen) == expected
    per_day = (
        "SELECT produto_id, deposito_id, saldo_fisico, saldo_virtual FROM vw_estoque_por_dia"
        " WHERE dia = (SELECT max(dia) FROM vw_estoque_por_dia) ORDER BY 1, 2"
    )
    assert await rows(account.engine, per_day) == [(id_, *saldo) for id_, _, *saldo in expected]
    totals = "SELECT produto_id, saldo_fisico, saldo_virtual FROM estoque_totais WHERE lido_em = (SELECT max(lido_em) "
    assert await rows(account.engine, f"{totals} FROM estoque_totais) ORDER BY 1") == [
        (id_, balances.get(id_, {}).get("saldoFisicoTotal"), balances.get(id_, {}).get("saldoVirtualTotal"))
        for id_ in living
    ]


@pytest.mark.parametrize("reading", one_now(READINGS), ids=lambda reading: next(iter(reading), "como se leu"))
async def test_each_day_has_its_whole_reading(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    await assert_the_last_reading_is_bling(account, bling)
    total = await scalar(account.engine, "SELECT count(*) FROM estoque_totais")
    assert result.stats["estoques"] == total > 0
    changed = (await rows(account.engine, "SELECT min(produto_id) FROM estoque_saldos"))[0][0]
    clock.advance(DAY)
    bling.edit_stock(changed, depositos=[{"id": MAIN, "saldoFisico": -3, "saldoVirtual": -4}])
    assert (await account.pipeline.run()).status == "success"
    await assert_the_last_reading_is_bling(account, bling)
    days = await rows(
        account.engine, "SELECT dia, count(DISTINCT lido_em) FROM vw_estoque_por_dia GROUP BY 1 ORDER BY 1"
    )
    assert days == [(date(2026, 2, 20), 1), (date(2026, 2, 21), 1)]
    assert await scalar(account.engine, "SELECT count(*) FROM estoque_totais") == 2 * total


@pytest.mark.slow
async def test_what_was_included_today_is_photographed_today(account: Account, bling: Bling, clock: FakeClock) -> None:
    """Vendido ou não: o que não se fotografa hoje não se sabe nunca mais. Custa duas requisições."""
    await account.pipeline.run_full(START)
    asked = []
    for _ in range(7):
        clock.advance(DAY)
        bling.counters.reset()
        assert (await account.pipeline.run()).status == "success"
        asked.append(bling.counters.requests["/produtos"])
        new = bling.add_product("NOVO", estoque={"minimo": 0, "maximo": 0, "saldoVirtualTotal": 7})
        clock.advance(DAY)
        assert (await account.pipeline.run()).status == "success"
        last = "lido_em = (SELECT max(lido_em) FROM estoque_totais)"
        assert await scalar(account.engine, f"SELECT count(*) FROM estoque_totais WHERE produto_id = {new} AND {last}")
    assert sorted(asked)[:4] == [3] * 4, "o que mudou, e os ativos e os inativos incluídos"
    assert max(asked) > 3, "a listagem de todos, e a dos excluídos, uma vez por semana"
    await assert_the_last_reading_is_bling(account, bling)


async def test_one_that_is_all_reserved_does_not_prove_that_the_zeroed_are_shown(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """O filtro pelo físico mostra o que a linha, que diz o virtual, dá por zerado; os que ele esconde existem."""
    nothing = {"estoque": {"minimo": 0, "maximo": 0, "saldoVirtualTotal": 0}}
    for codigo, physical in (("RESERVADO", 3), ("ZERADO", 0)):
        new = bling.add_product(codigo, **nothing)
        place = {"id": MAIN, "saldoFisico": physical, "saldoVirtual": 0}
        bling.edit_stock(new, saldoFisicoTotal=physical, saldoVirtualTotal=0, depositos=[place])
    bling.configure(default_hides_zero_stock=True, produto_stock_filter_is_physical=True)
    await account.pipeline.run_full(date(2021, 1, 1))
    said = "SELECT count(*) FROM produtos WHERE nao_encontrado_em IS NOT NULL AND id = ANY(:ids)"
    living = [id_ for id_, each in bling.company.products.entries.items() if not each.deleted]
    assert await scalar(account.engine, said, ids=living) == 0
    await assert_the_last_reading_is_bling(account, bling)


@pytest.mark.slow
async def test_a_run_a_little_earlier_also_takes_its_photograph(account: Account, clock: FakeClock) -> None:
    await account.pipeline.run_full(START)
    clock.advance(DAY - 3600)
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT count(DISTINCT lido_em) FROM estoque_saldos") == 2


@pytest.mark.slow
async def test_the_second_reading_of_a_day_is_the_one_that_counts(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    await account.pipeline.run_full(START)
    product = await scalar(account.engine, "SELECT min(produto_id) FROM estoque_saldos")
    bling.edit_stock(product, depositos=[{"id": MAIN, "saldoFisico": 88, "saldoVirtual": 88}])
    clock.advance(600)
    assert (await account.pipeline.reconcile(repair=True)).status == "success"
    per_day = "SELECT dia, saldo_fisico FROM vw_estoque_por_dia WHERE produto_id = :id"
    assert await rows(account.engine, per_day, id=product) == [(date(2026, 2, 20), 88)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["server_error", "cut"])
async def test_a_reading_that_fails_halfway_is_not_kept(
    account: Account, bling: Bling, clock: FakeClock, kind: Any
) -> None:
    bling.configure(default_hides_zero_stock=True)  # também se pergunta pelos zerados e pelos negativos
    await account.pipeline.run_full(START)
    total = await scalar(account.engine, "SELECT count(*) FROM estoque_saldos")
    clock.advance(DAY)
    bling.fail("^/estoques/saldos$", kind, after=1)
    result = await account.pipeline.run()
    assert result.status == "partial"
    assert "Saldos de estoque" in str(result.message) or "/estoques/saldos" in str(result.message)
    assert await scalar(account.engine, "SELECT count(*) FROM estoque_saldos") == total
    bling.faults.clear()
    assert (await account.pipeline.run()).status == "success"
    await assert_the_last_reading_is_bling(account, bling)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["server_error", "cut"])
async def test_a_produto_that_cannot_be_read_is_owed_and_the_others_are_not(
    account: Account, bling: Bling, clock: FakeClock, kind: Any
) -> None:
    await account.pipeline.run_full(START)
    held = "SELECT count(*) FROM estoque_totais WHERE lido_em = (SELECT max(lido_em) FROM estoque_totais)"
    total = await scalar(account.engine, held)
    product = await scalar(account.engine, "SELECT produto_id FROM estoque_saldos ORDER BY 1 LIMIT 1")
    bling.fail("^/estoques/saldos$", kind, query=str(product))
    for day in range(2):
        clock.advance(DAY)
        assert (await account.pipeline.run()).status == "partial"
        assert await rows(account.engine, "SELECT recurso, recurso_id, tentativas FROM pendencias") == [
            ("estoques", str(product), day + 1)
        ]
        assert await scalar(account.engine, held) == total - 1
    bling.faults.clear()
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_the_last_reading_is_bling(account, bling)


@pytest.mark.slow
async def test_without_the_listing_of_produtos_the_known_ones_are_photographed(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    await account.pipeline.run_full(START)
    bling.fail("^/produtos$", "server_error")
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "partial"
    bling.faults.clear()
    await assert_the_last_reading_is_bling(account, bling)
    assert await scalar(account.engine, "SELECT count(DISTINCT lido_em) FROM estoque_totais") == 2


@pytest.mark.slow
@pytest.mark.bling(scale=0.1)
async def test_with_almost_none_on_record_the_reading_is_whole_and_cheap(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O 400 de um lote sem nenhum registro é uma resposta, e não uma falha de que se esgotem as que se aceitam."""
    monkeypatch.setattr("bling_simulator.company.goods.stockroom._WITHOUT_RECORD", 0.95)
    monkeypatch.setattr("bling_collector.etl.strategies.batches.BATCH", 10)
    bling.configure(unknown_stock_answers_400=True)
    bling.counters.reset()
    assert (await account.pipeline.run_full(START)).status == "success"
    await assert_the_last_reading_is_bling(account, bling)
    assert bling.counters.requests["/estoques/saldos"] < await scalar(
        account.engine, "SELECT count(*) FROM estoque_totais"
    )


@pytest.mark.slow
@pytest.mark.collector(recursos=("estoques", "produtos_fornecedores"))
async def test_each_day_is_worth_what_it_cost_then(account: Account, bling: Bling, clock: FakeClock) -> None:
    await account.pipeline.run_full(START)
    link, product, cost = (
        await rows(account.engine, "SELECT id, produto_id, preco_custo FROM produtos_fornecedores WHERE padrao")
    )[0]
    clock.advance(DAY)
    bling.edit_dimension("/produtos/fornecedores", link, precoCusto=cost + 1)
    assert (await account.pipeline.run()).status == "success"
    per_day = "SELECT DISTINCT dia, preco_custo FROM vw_estoque_por_dia WHERE produto_id = :id ORDER BY 1"
    days = (date(2026, 2, 20), date(2026, 2, 21))
    assert await rows(account.engine, per_day, id=product) == list(zip(days, (cost, cost + 1), strict=True))
    wrong = "SELECT count(*) FROM vw_estoque_por_dia WHERE valor_custo IS DISTINCT FROM saldo_fisico * preco_custo"
    assert await scalar(account.engine, wrong) == 0


@pytest.mark.parametrize("refuses", [False, True])
async def test_the_doctor_asks_for_a_produto_nobody_has(
    account: Account, bling: Bling, server: RunningServer, tmp_path: Path, refuses: bool
) -> None:
    bling.configure(unknown_stock_answers_400=refuses)
    terminal = Terminal(tmp_path, variables_for(account.settings, server))
    done = await terminal.run("doctor", RECURSOS="estoques")
    assert "deixa ler «Estoques»" in done.out
    bling.configure(missing_scopes=frozenset({"/estoques/saldos"}))
    done = await terminal.run("doctor", RECURSOS="estoques")
    assert "falta ao aplicativo a de ler «Estoques»" in done.out
