"""Os pedidos de venda, sob cada leitura do que os documentos não sabem."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from tests.support.collecting import at_request, rows, scalar, until
from tests.support.fakes import FakeClock
from tests.support.proving import execute
from tests.support.variants import one_now

from bling_collector.db import control
from bling_collector.payload import measured
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.clock import local_now
from bling_simulator.company.sales.statuses import CANCELLED, CUSTOM, GIVEN_UP

START = date(2024, 1, 1)
DAY = 86_400.0
READINGS: list[dict[str, Any]] = [
    {},
    {"default_hides_cancelled_orders": True},
    {"order_list_final_date_excludes_today": False},
    {"order_filters_are_ignored": True},
    {"money_has_float_noise": True, "order_status_value_is_always_zero": True},
]
pytestmark = [pytest.mark.collector(recursos=("nfe", "pedidos_venda"))]
_COLUMNS = "id, numero, data, situacao_id, contato_id, vendedor_id, nota_fiscal_id, total_produtos, total, frete"


async def assert_equals_the_orders(account: Account, bling: Bling, *, since: date = START) -> None:
    """Cada pedido vivo desde `since`, com os seus itens e parcelas, é o do Bling; e não há outro."""
    expected = {id_: order for id_, order in bling.orders.items() if order["data"] >= since.isoformat()}
    found = await rows(account.engine, f"SELECT {_COLUMNS} FROM pedidos_venda WHERE excluida_em IS NULL ORDER BY id")
    assert found == [
        (
            id_,
            order["numero"],
            date.fromisoformat(order["data"]),
            order["situacao"]["id"],
            *(order[name]["id"] or None for name in ("contato", "vendedor", "notaFiscal")),
            *(measured(value) for value in (order["totalProdutos"], order["total"], order["transporte"]["frete"])),
        )
        for id_, order in sorted(expected.items())
    ]
    for table, name, value in (
        ("pedidos_venda_itens", "itens", "quantidade * valor_unitario"),
        ("pedidos_venda_parcelas", "parcelas", "valor"),
    ):
        held = await rows(
            account.engine,
            f"SELECT pedido_id, array_agg(f.id ORDER BY ordem), sum({value}) FROM {table} f "
            "JOIN pedidos_venda p ON p.id = pedido_id WHERE excluida_em IS NULL GROUP BY 1 ORDER BY 1",
        )
        assert held == [
            (
                id_,
                [line["id"] for line in order[name]],
                sum(line.get("quantidade", 1) * line["valor"] for line in order[name]),
            )
            for id_, order in sorted(expected.items())
            if order[name]
        ]


def _worth(line: dict[str, Any]) -> Any:
    return line.get("quantidade", 1) * line["valor"]


@pytest.mark.parametrize("reading", one_now(READINGS), ids=lambda reading: next(iter(reading), "como se leu"))
@pytest.mark.bling(scale=0.05)
async def test_the_load_equals_bling_and_what_changes_is_seen(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    new = bling.add_order(ordered_on=local_now(bling.clock).date())
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    await assert_equals_the_orders(account, bling)
    ids = sorted(id_ for id_, order in bling.orders.items() if order["data"] >= START.isoformat())
    old, cancelled, deleted = ids[0], ids[1], new
    clock.advance(DAY)
    bling.edit_order(old, situacao=CUSTOM)
    bling.cancel_order(cancelled)
    bling.delete_order(deleted)
    clock.advance(DAY)
    result = await account.pipeline.run()
    assert result.status == "success", result.message
    await assert_equals_the_orders(account, bling)
    assert await scalar(account.engine, "SELECT excluida_em IS NOT NULL FROM pedidos_venda WHERE id = :id", id=deleted)
    assert (await account.pipeline.reconcile()).status == "success"


@pytest.mark.bling(scale=0.02)
@pytest.mark.collector(recursos=("pedidos_venda", "situacoes_modulos", "situacoes"))
@pytest.mark.slow
async def test_the_situations_taken_from_cancelado_may_hide_too(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    bling.configure(default_hides_cancelled_orders=True)
    ids = sorted(id_ for id_, order in bling.orders.items() if order["data"] >= START.isoformat())
    bling.edit_order(ids[0], situacao=GIVEN_UP)
    assert (await account.pipeline.run_full(START)).status == "success"
    assert bling.counters.requests["/situacoes/modulos"] == 1
    await assert_equals_the_orders(account, bling)
    clock.advance(DAY)
    bling.edit_order(ids[-1], situacao=GIVEN_UP)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_orders(account, bling)
    clock.advance(DAY)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    assert bling.counters.requests["/pedidos/vendas"] < 12, "a história já não se deve"


@pytest.mark.bling(scale=0.02)
@pytest.mark.collector(recursos=("pedidos_venda",))
@pytest.mark.slow
async def test_a_situation_that_bling_does_not_know_takes_no_other_with_it(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    bling.configure(default_hides_cancelled_orders=True)
    for situacao in (CANCELLED, GIVEN_UP):
        bling.add_order(ordered_on=START + timedelta(days=20), situacao=situacao)
    await execute(
        account.engine,
        f"INSERT INTO situacoes (id, id_herdado, detalhe, extraido_em) "
        f"SELECT id, 12, '{{}}', now() FROM unnest(ARRAY[{GIVEN_UP}, 999]) id",
    )
    refused = '{"error": {"type": "VALIDATION_ERROR", "message": "Não foi possível", "fields": []}}'
    bling.fail("^/pedidos/vendas$", "body", status=400, body=refused, query=r"idsSituacoes(\[|%5B)(\]|%5D)=999")
    assert (await account.pipeline.run_full(START)).status == "success"
    whole = bling.counters.requests["/pedidos/vendas"]
    await assert_equals_the_orders(account, bling)
    asked: list[int] = []
    for _ in range(2):
        clock.advance(DAY)
        bling.counters.reset()
        assert (await account.pipeline.run()).status == "success"
        asked.append(bling.counters.requests["/pedidos/vendas"])
    assert max(asked) < whole, (asked, whole, "a história relê-se uma vez só: depois, só a parte do dia")
    await assert_equals_the_orders(account, bling)


@pytest.mark.bling(scale=0.02)
@pytest.mark.collector(recursos=("pedidos_venda",))
async def test_that_none_of_the_suspected_situations_is_known_stops_nothing(account: Account, bling: Bling) -> None:
    await execute(
        account.engine,
        "INSERT INTO situacoes (id, id_herdado, detalhe, extraido_em) SELECT 999, 12, '{}', now()",
    )
    for id_ in [id_ for id_, order in bling.orders.items() if order["situacao"]["id"] in (CANCELLED, GIVEN_UP)]:
        bling.edit_order(id_, situacao=CUSTOM)
    refused = '{"error": {"type": "VALIDATION_ERROR", "message": "Não foi possível", "fields": []}}'
    bling.fail("^/pedidos/vendas$", "body", status=400, body=refused, query="idsSituacoes")
    assert (await account.pipeline.run_full(START)).status == "success"
    await assert_equals_the_orders(account, bling)


@pytest.mark.bling(scale=0.02)
@pytest.mark.collector(recursos=("pedidos_venda",))
async def test_one_deleted_long_ago_is_seen_by_the_next_run(account: Account, bling: Bling, clock: FakeClock) -> None:
    """Um excluído não está entre os alterados: só a listagem do dia dele o mostra."""
    old = bling.add_order(ordered_on=local_now(bling.clock).date() - timedelta(days=118))
    await account.pipeline.run_full(START)
    bling.delete_order(old)
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_orders(account, bling)


@pytest.mark.bling(scale=0.02)
@pytest.mark.slow
async def test_one_that_answers_and_no_listing_shows_is_kept_and_refreshed(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    await account.pipeline.run_full(START)
    chosen = max(bling.orders)
    clock.advance(DAY)
    bling.unlisted.add(("/pedidos/vendas", chosen))
    bling.edit_order(chosen, situacao=CUSTOM)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_orders(account, bling)
    assert (await account.pipeline.reconcile()).found.ids == {}


@pytest.mark.bling(scale=0.05)
@pytest.mark.slow
async def test_a_pedido_whose_itens_changed_loses_those_that_left(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    await account.pipeline.run_full(START)
    changed = next(
        id_ for id_, order in bling.orders.items() if len(order["itens"]) > 1 and order["data"] >= START.isoformat()
    )
    clock.advance(DAY)
    bling.edit_order(changed, itens=bling.orders[changed]["itens"][1:])
    clock.advance(3600)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_orders(account, bling)


@pytest.mark.bling(scale=0.05)
@pytest.mark.slow
async def test_a_resource_turned_on_later_brings_its_whole_history(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """Num banco que já coletava as notas, a primeira execução com os pedidos os traz desde o começo da coleta."""
    notes = type(account.pipeline)(
        account.engine, account.client, account.oauth, account.clock, _only(account, "nfe"), None
    )
    await notes.run_full(START)
    assert await scalar(account.engine, "SELECT count(*) FROM pedidos_venda") == 0
    clock.advance(DAY)
    result = await account.pipeline.run()
    assert result.status == "success", result.message
    assert result.data_referencia == local_now(bling.clock).date()
    await assert_equals_the_orders(account, bling)
    clock.advance(DAY)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    assert bling.counters.requests["/pedidos/vendas"] < 12, "a história já não se deve"


def _only(account: Account, *names: str) -> Any:
    from dataclasses import replace

    return replace(account.settings, recursos=names)


@pytest.mark.slow
@pytest.mark.bling(scale=0.05)
@pytest.mark.collector(recursos=("pedidos_venda",))
async def test_without_the_notas_their_mark_does_not_move(account: Account, bling: Bling) -> None:
    result = await account.pipeline.run_full(START)
    assert (result.status, result.data_referencia) == ("success", None)
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho") == 0
    await assert_equals_the_orders(account, bling)
    assert result.stats["pedidos_venda"] == sum(order["data"] >= START.isoformat() for order in bling.orders.values())
    day = await scalar(
        account.engine,
        "SELECT posicao AT TIME ZONE 'America/Sao_Paulo' FROM checkpoints WHERE recurso = 'pedidos_venda.marco'",
    )
    assert day.date() == local_now(bling.clock).date()


@pytest.mark.slow
@pytest.mark.bling(scale=0.02)
@pytest.mark.collector(recursos=("pedidos_venda",))
async def test_rereading_the_history_never_asks_for_more_than_a_year(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    await account.pipeline.run_full(date(2024, 1, 1))
    clock.advance(6 * DAY)
    for _turn in range(4):
        clock.advance(DAY)
        assert (await account.pipeline.run()).status == "success"
    assert bling.counters.statuses[400] == 0


@pytest.mark.slow
@pytest.mark.bling(scale=0.02)
@pytest.mark.collector(recursos=("pedidos_venda",))
async def test_a_repairing_reconciliation_does_not_trust_the_checkpoint(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """Uma mudança que a linha da listagem não mostra e que o ponto de leitura já deixou para trás."""
    await account.pipeline.run_full(START)
    changed = next(
        id_ for id_, order in bling.orders.items() if len(order["itens"]) > 1 and order["data"] >= START.isoformat()
    )
    clock.advance(DAY)
    bling.edit_order(changed, itens=bling.orders[changed]["itens"][1:])
    clock.advance(DAY)
    async with account.engine.begin() as connection:
        await control.move_checkpoint(connection, "pedidos_venda", clock.now())
    assert (await account.pipeline.reconcile(repair=True)).status == "success"
    await assert_equals_the_orders(account, bling)


@pytest.mark.slow
@pytest.mark.collector(recursos=("pedidos_venda", "produtos"))
async def test_the_produtos_that_pedidos_cite_come_by_id(account: Account, bling: Bling, clock: FakeClock) -> None:
    """Também o que já não tem o SKU que tinha; de um que o Bling já não mostra fica a linha que só diz isso."""
    sold = next(order for order in reversed([*bling.orders.values()]) if order["itens"])
    item = sold["itens"][0] | {"produto": {"id": 7}}
    bling.edit_order(sold["id"], itens=[item, *sold["itens"][1:]])
    assert (await account.pipeline.run_full(START)).status == "success"
    lacking = (
        "SELECT DISTINCT i.produto_id FROM pedidos_venda_itens i LEFT JOIN produtos p ON p.id = i.produto_id"
        " WHERE i.produto_id IS NOT NULL AND p.detalhe IS NULL"
    )
    assert await rows(account.engine, lacking) == [(7,)]
    assert await scalar(account.engine, "SELECT nao_encontrado_em IS NOT NULL FROM produtos WHERE id = 7")
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    bling.fail("^/produtos$", "server_error", query="idsProdutos")
    assert (await account.pipeline.run()).status == "success", "depois do dia seguinte, espera a semana"
    assert await rows(account.engine, lacking) == [(7,)]


@pytest.mark.slow
@pytest.mark.bling(scale=0.05)
@pytest.mark.collector(recursos=("pedidos_venda",))
async def test_many_that_no_listing_shows_are_found_out_little_by_little(
    account: Account, bling: Bling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await account.pipeline.run_full(START)
    clock.advance(DAY)
    year = [id_ for id_, order in sorted(bling.orders.items()) if order["data"] >= "2025-03-01"]
    bling.unlisted |= {("/pedidos/vendas", id_) for id_ in year[:-5]}
    stop, known = asyncio.Event(), "SELECT count(*) FROM pedidos_venda WHERE resumo_lista = ''"
    at_request(bling, monkeypatch, r"^/pedidos/vendas/\d+$", 55, stop.set)
    assert len(year) > 60
    assert (await account.pipeline.run_full(date(2025, 3, 1), stop=stop)).status != "success"
    assert 0 < await scalar(account.engine, known) < len(year) - 5
    assert (await account.pipeline.run_full(date(2025, 3, 1))).status == "success"
    assert await scalar(account.engine, known) == len(year) - 5
    await assert_equals_the_orders(account, bling)


async def test_what_was_read_while_a_run_went_on_is_not_overwritten_by_what_it_had_read_before(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """Um lote espera até se encher; o que entretanto mudou, e um aviso fez ler, já está gravado mais novo."""
    await account.pipeline.run_full(START)
    clock.advance(DAY)
    first, last = sorted(bling.orders)[-2:]
    for order in (first, last):
        bling.edit_order(order, observacoes="mudou antes")
    late = bling.fail(f"^/pedidos/vendas/{last}$", "hold")
    running = asyncio.create_task(account.pipeline.run())
    await until(lambda: _is_asked(bling, first))
    bling.edit_order(first, observacoes="mudou depois")
    assert await account.pipeline.sync("pedido_venda", first) == "atualizado"
    bling.faults.remove(late)
    assert (await running).status == "success"
    told = "SELECT detalhe ->> 'observacoes' FROM pedidos_venda WHERE id = :id"
    assert await scalar(account.engine, told, id=first) == "mudou depois"
    assert await scalar(account.engine, told, id=last) == "mudou antes"
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_orders(account, bling)


async def _is_asked(bling: Bling, order: int) -> bool:
    return bling.counters.details[f"/pedidos/vendas/{order}"] > 1
