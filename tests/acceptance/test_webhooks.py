"""Os avisos do Bling: só os dele, guardados antes de qualquer trabalho, e o que apontam lido outra vez."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest
from tests.acceptance.service_fixtures import problem, serving
from tests.acceptance.test_estoques import assert_the_last_reading_is_bling
from tests.acceptance.test_worker import drain, worker
from tests.support.collecting import at_request, rows, scalar, until
from tests.support.fakes import FakeClock
from tests.support.truth import assert_equals_truth
from tests.support.variants import one_now

from bling_collector.db import events
from bling_collector.insight.alarms import NORMAL, SEM_AVISOS, read_alarms
from bling_collector.main import create_webhooks_app
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.webhooks import HEADER, Delivery

START = date(2021, 1, 1)
PATH = "/webhooks/bling"
EVENTS = "SELECT evento, recurso, registro_id, resultado FROM webhook_eventos ORDER BY id"
REFUSED = "SELECT motivo, quantos FROM webhook_recusas ORDER BY 1"


@pytest.fixture
async def http(account: Account, clock: FakeClock) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(account.settings, clock) as client:
        yield client


async def post(http: httpx2.AsyncClient, each: Delivery) -> httpx2.Response:
    return await http.post(PATH, content=each.body, headers=each.headers)


async def post_all(http: httpx2.AsyncClient, deliveries: list[Delivery]) -> list[int]:
    return [(await post(http, each)).status_code for each in deliveries]


def event(bling: Bling, name: str = "invoice.updated", data: Any = None, **changes: Any) -> dict[str, Any]:
    given = {"eventId": "e1", "date": "2026-02-20T21:00:00Z", "version": "v1", "event": name}
    return given | {"companyId": bling.profile["id"], "data": {"id": 1} if data is None else data} | changes


async def read_what_came(account: Account, clock: FakeClock) -> None:
    """O que um worker faz do que chegou, depois da espera."""
    clock.advance(10)
    async with worker(account, ()) as one:
        await one.announced()
        await drain(one)  # lê até que não haja nada cuja vez tenha chegado


@pytest.mark.slow
@pytest.mark.loaded(START)
@pytest.mark.bling(scale=0.02)
async def test_whatever_the_network_does_the_bank_ends_as_bling_is(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient
) -> None:
    sent = await everything_changes(account, bling, clock, http, rounds=3, changes=12)
    assert sent > 30


@pytest.mark.slow
@pytest.mark.loaded(START)
@pytest.mark.bling(scale=0.3)
async def test_ten_thousand_events(account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient) -> None:
    sent = await everything_changes(account, bling, clock, http, rounds=40, changes=210)
    assert sent > 10_000


async def everything_changes(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient, *, rounds: int, changes: int
) -> int:
    """Muda o que há, avisa como a rede entrega, e confere o que sobrou; devolve quantos avisos mandou."""
    chance, webhooks = random.Random(7), bling.webhooks
    issued = [id_ for id_, note in bling.notes.items() if note["tipo"] == 1 and note["situacao"] in (5, 6)]
    held = [row[0] for row in await rows(account.engine, "SELECT id FROM produtos WHERE excluida_em IS NULL")]
    last = 0
    deliveries: list[Delivery] = []
    for number in range(rounds):
        for note in chance.sample(issued, min(changes // 2, len(issued))):
            bling.edit_note(note, situacao=11 - bling.notes[note]["situacao"])
        for product in chance.sample(held, min(changes // 2, len(held))):
            bling.edit_product(product, preco=10 + number)
        last = bling.sell()
        deliveries += webhooks.pending()
    deleted, cancelled, *_ = issued
    bling.cancel_note(cancelled)
    deliveries += webhooks.pending()
    sent = webhooks.as_the_network_does(deliveries, repeated=0.2, forged=0.05)
    bling.counters.reset()

    codes = []
    for start in range(0, len(sent), 500):
        codes += await post_all(http, sent[start : start + 500])
        await read_what_came(account, clock)

    assert {*codes} <= {200, 401, 429}
    assert codes.count(200) == sum(not each.signature.endswith("0" * 64) for each in sent)
    kept = await rows(account.engine, "SELECT recurso, registro_id, count(*) FROM webhook_eventos GROUP BY 1, 2")
    assert sum(count for _, _, count in kept) == len(deliveries)
    assert await scalar(account.engine, "SELECT count(*) FROM webhook_eventos WHERE lido_em IS NULL") == 0
    folded = {f"/nfe/{id_}": count for recurso, id_, count in kept if recurso == "nfe"}
    assert {path: count for path, count in bling.counters.details.items() if count > folded.get(path, count)} == {}

    bling.delete_note(deleted)  # só agora, que por uma exclusão se pergunta também por outras
    await post_all(http, webhooks.pending())
    await read_what_came(account, clock)
    found = dict(await rows(account.engine, "SELECT registro_id, min(resultado) FROM webhook_eventos GROUP BY 1"))
    assert (found[str(last)], found[str(cancelled)]) == ("criado", "atualizado")
    gone = "SELECT resultado FROM webhook_eventos WHERE evento = 'invoice.deleted'"
    assert await rows(account.engine, gone) == [("excluído",)]
    await account.pipeline.run()  # o que as vendas citam: os contatos, os produtos, as categorias deles
    await assert_equals_truth(account.engine, bling)
    return len(sent)


SUPPLIERS = "/produtos/fornecedores"
ROWS = {
    "invoice": ("nfe_cabecalho", "id", "situacao", 2),
    "consumer_invoice": ("nfce_cabecalho", "id", "situacao", 2),
    "order": ("pedidos_venda", "id", "total", 777),
    "product": ("produtos", "id", "nome", "Outro"),
    "product_supplier": ("produtos_fornecedores", "id", "preco_custo", 777),
    "stock": ("estoque_totais", "produto_id", "saldo_fisico", 777),
    "virtual_stock": ("estoque_totais", "produto_id", "saldo_virtual", 777),
}
"""O aviso → a tabela da linha a que chega, o id nela, o que o teste muda, e para o quê."""
KINDS_AND_ACTIONS = [(kind, action) for kind in ROWS for action in ("updated", "created", "deleted")]
KINDS_AND_ACTIONS = [each for each in KINDS_AND_ACTIONS if each[0] != "virtual_stock" or each[1] == "updated"]


def make(bling: Bling, kind: str) -> int:
    if kind == "product_supplier":
        detail = next(iter(bling.kept(SUPPLIERS).entries.values())).detail | {"precoCusto": 777}
        return bling.add_dimension(SUPPLIERS, **detail | {"id": 0})
    made = {
        "invoice": lambda: bling.issue_note(situacao=2),
        "consumer_invoice": lambda: bling.issue_coupon(situacao=2),
        "order": lambda: bling.add_order(total=777),
        "product": lambda: bling.add_product("NOVO", nome="Outro"),
        "stock": lambda: with_balance(bling, bling.add_product("NOVO")),
    }
    return made[kind]()


def with_balance(bling: Bling, product: int) -> int:
    bling.edit_stock(product, saldoFisicoTotal=777)
    return product


def edit(bling: Bling, kind: str, id_: int) -> None:
    edits = {
        "invoice": lambda: bling.edit_note(id_, situacao=2),
        "consumer_invoice": lambda: bling.edit_coupon(id_, situacao=2),
        "order": lambda: bling.edit_order(id_, total=777),
        "product": lambda: bling.edit_product(id_, nome="Outro"),
        "product_supplier": lambda: bling.edit_dimension(SUPPLIERS, id_, precoCusto=777),
        "stock": lambda: bling.edit_stock(id_, saldoFisicoTotal=777),
        "virtual_stock": lambda: bling.edit_stock(id_, saldoVirtualTotal=777),
    }
    edits[kind]()


def delete(bling: Bling, kind: str, id_: int) -> None:
    deletes = {
        "invoice": bling.delete_note,
        "consumer_invoice": bling.delete_coupon,
        "order": bling.delete_order,
        "product": bling.erase_product,
        "product_supplier": lambda id_: bling.delete_dimension(SUPPLIERS, id_),
        "stock": bling.delete_product,
    }
    deletes[kind](id_)


@pytest.mark.loaded(date(2025, 6, 1))
@pytest.mark.bling(scale=0.01)
@pytest.mark.collector(
    recursos=("nfe", "nfce", "pedidos_venda", "produtos_todos", "produtos_fornecedores", "estoques"),
)
@pytest.mark.parametrize(("kind", "action"), one_now(KINDS_AND_ACTIONS))
async def test_an_event_of_each_kind_reaches_its_row(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient, kind: str, action: str
) -> None:
    table, key, column, expected = ROWS[kind]
    bling.webhooks.on = {kind}
    if action == "created":
        id_ = make(bling, kind)
    else:
        living = f"{column} IS NOT NULL" if table == "estoque_totais" else "excluida_em IS NULL"
        found = f"SELECT max({key}) FROM {table} WHERE {living} AND {column} <> :value"
        id_ = int(await scalar(account.engine, found, value=expected) or 0)
        (edit if action == "updated" else delete)(bling, kind, id_)
    sent = bling.webhooks.pending()
    assert await post_all(http, sent) == [200]
    await read_what_came(account, clock)
    said = await rows(account.engine, "SELECT evento, registro_id, resultado FROM webhook_eventos")
    assert [row[:2] for row in said] == [(f"{kind}.{action}", str(id_))]
    read = await rows(account.engine, f"SELECT {column} FROM {table} WHERE {key} = :id", id=id_)
    if kind == "stock" and action == "deleted":
        assert read == [(None,)]
    elif action == "deleted":
        gone = f"SELECT excluida_em IS NOT NULL FROM {table} WHERE {key} = :id"
        assert await rows(account.engine, gone, id=id_) == [(True,)]
    else:
        assert read == [(expected,)]


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 12, 1))
async def test_a_product_bling_says_deleted_and_still_lists(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient
) -> None:
    alive, deleted = [
        row[0]
        for row in await rows(account.engine, "SELECT id FROM produtos WHERE excluida_em IS NULL ORDER BY id LIMIT 2")
    ]
    gone = "SELECT count(*) FROM produtos WHERE excluida_em IS NOT NULL"
    before = await scalar(account.engine, gone)
    bling.delete_product(deleted)
    for product in (alive, deleted):
        said = event(bling, "product.deleted", {"id": product}, eventId=str(product))
        await post(http, bling.webhooks.sign(said))
    await read_what_came(account, clock)
    assert await rows(account.engine, "SELECT registro_id, resultado FROM webhook_eventos ORDER BY id") == [
        (str(alive), "igual"),
        (str(deleted), "excluído"),
    ]
    assert await scalar(account.engine, gone) == before + 1


@pytest.mark.loaded(date(2025, 12, 1))
async def test_many_of_one_record_are_one_reading(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient
) -> None:
    note = max(id_ for id_, each in bling.notes.items() if each["tipo"] == 1)
    for number in range(20):
        await post(http, bling.webhooks.sign(event(bling, data={"id": note, "tipo": 1}, eventId=f"e{number}")))
    bling.counters.reset()
    await read_what_came(account, clock)
    assert bling.counters.details == {f"/nfe/{note}": 1}
    assert await rows(account.engine, "SELECT DISTINCT resultado FROM webhook_eventos") == [("igual",)]


@pytest.mark.slow
@pytest.mark.bling(scale=0.3)
@pytest.mark.loaded(date(2026, 1, 1))
async def test_a_burst_of_a_day_is_listed_once(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient
) -> None:
    sold = [bling.sell() for _ in range(12)]
    products = list(await rows(account.engine, "SELECT id FROM produtos ORDER BY id LIMIT 20"))
    for note in sold:
        await post(http, bling.webhooks.sign(event(bling, "invoice.created", {"id": note}, eventId=str(note))))
    for (product,) in products:
        await post(http, bling.webhooks.sign(event(bling, "product.updated", {"id": product}, eventId=str(product))))
    bling.counters.reset()
    await read_what_came(account, clock)
    asked = bling.counters.requests
    assert asked["/nfe/{id}"] == 12
    assert asked["/nfe"] <= 2  # uma a uma eram, pelo menos, doze
    assert asked["/produtos"] == 1  # e vinte
    assert await scalar(account.engine, "SELECT count(*) FROM webhook_eventos WHERE lido_em IS NULL") == 0
    bling.counters.reset()
    await account.pipeline.look()
    assert asked["/nfe/{id}"] < 3  # só as que ainda não são finais


@pytest.mark.collector(recursos=("estoques",))
@pytest.mark.bling(scale=0.05)
@pytest.mark.parametrize("unreadable", one_now([False, True]))
async def test_what_moves_while_the_photograph_is_taken_is_in_it_or_is_said(
    account: Account,
    bling: Bling,
    clock: FakeClock,
    http: httpx2.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    unreadable: bool,
) -> None:
    await account.pipeline.run_full(date(2025, 6, 1))
    clock.advance(24 * 3600)
    monkeypatch.setattr("bling_collector.etl.listing.BATCH", 10)
    held: list[int] = []
    saldos = "^/estoques/saldos$"
    at_request(bling, monkeypatch, saldos, 4, lambda: held.append(bling.fail(saldos, "hold")))
    running = asyncio.create_task(account.pipeline.run())
    await until(lambda: _is(held))
    first = min(each["id"] for each in bling.stockroom.balances())
    bling.edit_stock(first, saldoFisicoTotal=555)
    await post(http, bling.webhooks.sign(event(bling, "stock.updated", {"produto": {"id": first}})))
    await read_what_came(account, clock)
    assert await rows(account.engine, EVENTS) == [("stock.updated", "estoques", str(first), "sem leitura")]
    alone = bling.fail(saldos, "server_error", query=f"^[^&]*{first}$") if unreadable else None
    bling.faults.remove(held[0])
    result = await running
    if alone is None:
        assert result.status == "success"
        await assert_the_last_reading_is_bling(account, bling)
    else:
        assert result.status == "partial"
        assert f"estoques/{first} mexeu-se enquanto se fotografava" in str(result.message)


async def _is(held: list[int]) -> bool:
    return bool(held)


@pytest.mark.slow
@pytest.mark.collector(recursos=("estoques",))
@pytest.mark.bling(scale=0.05)
async def test_the_photograph_of_today_has_the_balance_of_now(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient
) -> None:
    await account.pipeline.run_full(date(2025, 6, 1))
    photographs = await scalar(account.engine, "SELECT count(*) FROM estoque_totais")
    balances = list(bling.stockroom.balances())
    one, other = (each["id"] for each in balances[:2])
    bling.edit_stock(one, saldoVirtualTotal=777)
    for number, (name, id_) in enumerate((("stock", one), ("virtual_stock", other), ("stock", 10**12), ("stock", one))):
        given = event(bling, f"{name}.updated", {"produto": {"id": id_}}, eventId=str(number))
        await post(http, bling.webhooks.sign(given))
    bling.counters.reset()
    await read_what_came(account, clock)
    assert bling.counters.requests["/estoques/saldos"] <= 3  # um lote, e o que falta também pelos filtros suspeitos
    assert await scalar(account.engine, "SELECT count(*) FROM estoque_totais") == photographs
    await assert_the_last_reading_is_bling(account, bling)
    found = dict(await rows(account.engine, "SELECT registro_id, min(resultado) FROM webhook_eventos GROUP BY 1"))
    assert found == {str(one): "atualizado", str(other): "igual", str(10**12): "sem leitura"}

    clock.advance(24 * 3600)  # a de ontem já não muda
    bling.edit_stock(one, saldoVirtualTotal=333)
    await post(http, bling.webhooks.sign(event(bling, "stock.updated", {"produto": {"id": one}}, eventId="amanhã")))
    before = await rows(account.engine, "SELECT * FROM estoque_totais ORDER BY 1, 2")
    await read_what_came(account, clock)
    assert await rows(account.engine, "SELECT * FROM estoque_totais ORDER BY 1, 2") == before


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 12, 1))
async def test_an_answer_from_before_the_change_is_asked_again(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient
) -> None:
    note = max(id_ for id_, each in bling.notes.items() if each["tipo"] == 1)
    for number in range(3):  # muitos, que não param de chegar
        given = event(bling, data={"id": note}, eventId=str(number), date=clock.now().isoformat())
        await post(http, bling.webhooks.sign(given))
        clock.advance(0.4)
    bling.counters.reset()
    async with worker(account, ()) as one:
        for _ in range(4):
            await one.announced()
            await drain(one)
            clock.advance(6)
    assert {row[3] for row in await rows(account.engine, EVENTS)} == {"igual"}
    assert bling.counters.details[f"/nfe/{note}"] <= 2  # o que chegou tarde demais para a primeira leitura tem outra
    bling.edit_note(note, valorNota=777)  # só agora o Bling a mostra
    bling.counters.reset()
    await account.pipeline.look()
    assert {row[3] for row in await rows(account.engine, EVENTS)} == {"atualizado"}
    assert await scalar(account.engine, "SELECT total_nota FROM nfe_cabecalho WHERE id = :id", id=note) == 777
    await account.pipeline.look()
    assert bling.counters.details[f"/nfe/{note}"] == 1


@pytest.mark.loaded(date(2025, 12, 1))
async def test_an_event_is_one_reading_though_nothing_changed(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient
) -> None:
    notes = sorted(id_ for id_, each in bling.notes.items() if each["tipo"] == 1 and each["situacao"] == 6)[-3:]
    for number, note in enumerate([*notes, *notes]):
        fresh = event(bling, data={"id": note}, eventId=str(number), date=clock.now().isoformat())
        await post(http, bling.webhooks.sign(fresh))
    bling.counters.reset()
    clock.advance(1)
    async with worker(account, ()) as one:
        for _ in range(4):
            await one.announced()
            await drain(one)
            clock.advance(61)
    once = {f"/nfe/{note}": 1 for note in notes}
    assert bling.counters.details == once
    async with account.engine.connect() as connection:
        assert await events.readings(connection, clock.now() - timedelta(days=1)) == len(notes)

    for _ in range(2):  # uma olhada confirma o que se perguntou tão cedo, e a seguinte já não
        bling.counters.reset()
        await account.pipeline.look()
        assert bling.counters.details == once
        once = {}


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 12, 1))
async def test_what_fails_for_everyone_waits_and_is_not_lost(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient
) -> None:
    notes = sorted(id_ for id_, each in bling.notes.items() if each["tipo"] == 1)[-3:]
    for note in notes:
        await post(http, bling.webhooks.sign(event(bling, data={"id": note}, eventId=str(note))))
    bling.configure(requests_per_day=1)
    await read_what_came(account, clock)
    assert await scalar(account.engine, "SELECT count(*) FROM webhook_eventos WHERE lido_em IS NULL") >= 2
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0
    bling.configure(requests_per_day=0)
    clock.advance(24 * 3600)
    await read_what_came(account, clock)
    assert await scalar(account.engine, "SELECT count(*) FROM webhook_eventos WHERE lido_em IS NULL") == 0


@pytest.mark.slow
@pytest.mark.parametrize("request_number", [1, 4, 5])
@pytest.mark.loaded(date(2025, 12, 1))
async def test_a_reading_cut_anywhere_is_done_again_and_shows_once(
    account: Account,
    bling: Bling,
    clock: FakeClock,
    http: httpx2.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    request_number: int,
) -> None:
    notes = [id_ for id_, each in bling.notes.items() if each["tipo"] == 1 and each["situacao"] in (5, 6)][-3:]
    bling.webhooks.pending()
    for note in notes:
        bling.edit_note(note, situacao=11 - bling.notes[note]["situacao"])
    await post_all(http, bling.webhooks.pending())
    clock.advance(10)
    reading = asyncio.create_task(account.pipeline.read_announced("nfe", most=50))
    at_request(bling, monkeypatch, "^/nfe", request_number, reading.cancel)
    with pytest.raises(asyncio.CancelledError):
        await reading
    await read_what_came(account, clock)
    assert await scalar(account.engine, "SELECT count(*) FROM webhook_eventos WHERE lido_em IS NULL") == 3
    clock.advance(60)  # ninguém a acabou
    await read_what_came(account, clock)
    assert await scalar(account.engine, "SELECT count(*) FROM webhook_eventos WHERE lido_em IS NULL") == 0
    noted = "SELECT registro_id, count(*) FROM historico WHERE tabela = 'nfe_cabecalho' GROUP BY 1 ORDER BY 1"
    assert await rows(account.engine, noted) == [(note, 1) for note in sorted(notes)]


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 12, 1))
async def test_without_a_worker_the_next_run_reads_what_they_point_at(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient
) -> None:
    old = min(id_ for id_, each in bling.notes.items() if each["dataEmissao"] >= "2025-12-01" and each["tipo"] == 1)
    bling.cancel_note(old)
    codes = await post_all(
        http, bling.webhooks.as_the_network_does([bling.webhooks.sign(event(bling, data={"id": old}))])
    )
    assert set(codes) == {200}
    clock.advance(60)
    await account.pipeline.run()
    assert await scalar(account.engine, "SELECT situacao FROM nfe_cabecalho WHERE id = :id", id=old) == 2
    assert await rows(account.engine, EVENTS) == [("invoice.updated", "nfe", str(old), "atualizado")]
    assert await scalar(account.engine, "SELECT to_regnamespace('procrastinate') IS NULL")


@pytest.mark.loaded(date(2025, 12, 1))
async def test_what_is_from_before_the_collection_began_is_not_brought(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient
) -> None:
    old = min(id_ for id_, each in bling.notes.items() if each["tipo"] == 1 and each["dataEmissao"] < "2025-11-01")
    await post(http, bling.webhooks.sign(event(bling, data={"id": old, "tipo": 1})))
    await read_what_came(account, clock)
    assert await rows(account.engine, EVENTS) == [("invoice.updated", "nfe", str(old), "antigo")]
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho WHERE id = :id", id=old) == 0


@pytest.mark.collector(recursos=("nfe",))
@pytest.mark.bling(scale=0.005)
async def test_a_nota_of_a_kind_not_collected_is_not_read(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient
) -> None:
    await account.pipeline.run_full(date(2026, 2, 1))
    bought = bling.issue_note(tipo=0)
    await post(http, bling.webhooks.sign(event(bling, "invoice.created", {"id": bought}, eventId="sem o tipo")))
    await post(http, bling.webhooks.sign(event(bling, "invoice.created", {"id": bought, "tipo": 0}, eventId="com")))
    await read_what_came(account, clock)
    assert await rows(account.engine, EVENTS) == [
        ("invoice.created", "nfe", str(bought), "sem leitura"),
        ("invoice.created", "nfe_entrada", str(bought), "sem leitura"),
    ]


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 12, 1))
async def test_a_record_deleted_by_word_alone_stays(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient
) -> None:
    note = max(id_ for id_, each in bling.notes.items() if each["tipo"] == 1)
    await post(http, bling.webhooks.sign(event(bling, "invoice.deleted", {"id": note})))
    page = (await http.get("/", headers={"Accept": "text/html"})).text
    assert "O Bling avisou pela última vez" in page
    assert "Notas: " in page
    assert "1 aviso espera uma leitura" in page
    await read_what_came(account, clock)
    assert await rows(account.engine, EVENTS) == [("invoice.deleted", "nfe", str(note), "igual")]
    assert await scalar(account.engine, "SELECT excluida_em FROM nfe_cabecalho WHERE id = :id", id=note) is None


@pytest.mark.loaded(date(2025, 12, 1))
async def test_what_is_not_of_bling_or_not_ours_changes_nothing(
    account: Account, bling: Bling, http: httpx2.AsyncClient
) -> None:
    sign, good = bling.webhooks.sign, event(bling)
    refused: list[tuple[Delivery, int]] = [
        (sign(good, secret="outro segredo qualquer"), 401),
        (Delivery(sign(good).body + b" ", sign(good).signature), 401),
        (Delivery(sign(good).body, sign(good).signature.removeprefix("sha256=")), 401),
        (sign(event(bling, companyId="0" * 32)), 403),
        (sign(b'{"eventId": '), 422),
        (sign(b"[]"), 422),
        (sign(b"\xff\xfe"), 422),
        (sign(b'{"a":' * 5000), 422),
        (sign(event(bling, eventId="")), 422),
        (sign(event(bling, event=7)), 422),
        (sign(event(bling, eventId="x" * 201)), 422),
        (sign(b" " * (256 * 1024 + 1)), 413),
    ]
    for delivery, status in refused:
        said = problem(await post(http, delivery), status)
        assert said["detail"].endswith(".")
    assert problem(await http.post(PATH, content=sign(good).body), 401)["detail"].startswith(
        f"Falta o cabeçalho {HEADER}"
    )
    assert await rows(account.engine, EVENTS) == []
    assert await rows(account.engine, REFUSED) == [("assinatura", 4), ("conteúdo", 7), ("empresa", 1)]


@pytest.mark.loaded(date(2025, 12, 1))
async def test_what_is_odd_and_of_bling_is_kept(account: Account, bling: Bling, http: httpx2.AsyncClient) -> None:
    odd = [
        event(bling, "contact.updated", eventId="a"),
        event(bling, "stock.updated", {"produto": {"id": 5}}, eventId="b"),
        event(bling, "order.updated", {"id": "nada"}, eventId="c", date="9999-99-99"),
        event(bling, "invoice.updated", [], eventId="d", date="0001-01-01T00:00:00Z"),
        event(bling, "consumer_invoice.created", {"id": 10**30}, eventId="e", date=None),
        event(bling, "order.created", {"id": 8}, eventId="f", date="2026-02-20 18:00:00"),
        event(bling, "order.created", {"id": 8}, eventId="f"),
    ]
    answers = [await post(http, bling.webhooks.sign(each)) for each in odd]
    assert [each.status_code for each in answers] == [200] * len(odd)
    assert answers[-1].json() == {"status": "repetido"}
    assert await rows(account.engine, EVENTS) == [
        ("contact.updated", None, None, "desconhecido"),
        ("stock.updated", "estoques", "5", None),
        ("order.updated", "pedidos_venda", None, "sem leitura"),
        ("invoice.updated", "nfe", None, "sem leitura"),
        ("consumer_invoice.created", "nfce", None, "sem leitura"),
        ("order.created", "pedidos_venda", "8", None),
    ]
    assert await rows(
        account.engine, "SELECT event_id FROM webhook_eventos WHERE enviado_em IS NOT NULL ORDER BY 1"
    ) == [("a",), ("b",), ("f",)]


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 12, 1))
@pytest.mark.collector(allow_unauthenticated=False)
async def test_a_flood_waits_for_its_turn(
    account: Account, bling: Bling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bling_collector.jobs.tasks.MOST_A_DAY", 2)
    notes = sorted(id_ for id_, each in bling.notes.items() if each["tipo"] == 1)[-5:]
    async with serving(account.settings, clock) as http:
        for note in notes:
            await post(http, bling.webhooks.sign(event(bling, data={"id": note}, eventId=str(note))))
    await read_what_came(account, clock)
    await read_what_came(account, clock)
    left = "SELECT count(*) FROM webhook_eventos WHERE lido_em IS NULL"
    assert await scalar(account.engine, left) == 3
    clock.advance(24 * 3600)
    await read_what_came(account, clock)
    assert await scalar(account.engine, left) == 1
    await account.pipeline.look()
    assert await scalar(account.engine, left) == 0


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 12, 1))
async def test_what_changed_and_nobody_announced_is_said(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient
) -> None:
    async def look(*, announced: bool) -> int:
        """Uma venda, avisada ou não, e uma olhada um quarto de hora depois."""
        sold = bling.sell()
        if announced:
            await post(http, bling.webhooks.sign(event(bling, "invoice.created", {"id": sold}, eventId=str(sold))))
        clock.advance(900)
        await account.pipeline.look()
        return sold

    async def said() -> list[str]:
        clock.advance(61)
        await account.alarms.check()
        async with account.engine.connect() as connection:
            found = await events.unannounced(connection, clock.now())
        return [f"{each}: {silence.perdidos} perdidos, {silence.calado} calado" for each, silence in found.items()]

    await look(announced=False)  # ninguém ligou os avisos
    await look(announced=False)
    assert await said() == []
    await look(announced=True)
    before = bling.sell()  # o primeiro aviso chega entre esta e a olhada que a acha
    await look(announced=True)
    assert await said() == ["nfe: 1 perdidos, 0 calado"]
    await post(http, bling.webhooks.sign(event(bling, "invoice.created", {"id": before}, eventId="tarde")))
    assert await said() == []  # só se atrasou

    last = [await look(announced=False) for _ in range(4)][-1]
    await account.pipeline.look()  # a mesma falta conta uma vez
    clock.advance(1800)
    assert await said() == ["nfe: 4 perdidos, 3 calado"]
    async with account.engine.connect() as connection:
        (alarm,) = [each for each in await read_alarms(connection) if each.nome == SEM_AVISOS and each.estado != NORMAL]
    assert alarm.mensagem.startswith("O Bling já não avisa do que muda em notas. O Bling desliga")
    page = (await http.get("/", headers={"Accept": "text/html"})).text
    assert "desde então 3 mudanças sem aviso nenhum" in page
    assert "aba Webhooks" in page

    clock.advance(3600)
    await post(http, bling.webhooks.sign(event(bling, "invoice.updated", {"id": last}, eventId="voltou")))
    assert await said() == ["nfe: 3 perdidos, 0 calado"]
    async with account.engine.connect() as connection:
        (alarm,) = [each for each in await read_alarms(connection) if each.nome == SEM_AVISOS]
    assert alarm.estado == NORMAL


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 12, 1))
async def test_an_action_nobody_switched_on_is_not_missed(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient
) -> None:
    note = max(id_ for id_, each in bling.notes.items() if each["tipo"] == 1)
    for _ in range(2):
        await post(http, bling.webhooks.sign(event(bling, "invoice.created", {"id": note}, eventId=str(clock.now()))))
        clock.advance(900)
        await account.pipeline.look()
    today = max(id_ for id_, each in bling.notes.items() if each["tipo"] == 1)
    bling.edit_note(today, situacao=5)
    clock.advance(900)
    await account.pipeline.look()
    clock.advance(900)
    assert await rows(account.engine, "SELECT * FROM webhook_faltas") == []


@pytest.mark.loaded(date(2025, 12, 1))
async def test_alone_they_are_served_without_the_rest(account: Account, bling: Bling, clock: FakeClock) -> None:
    app = create_webhooks_app(account.settings, clock=clock)
    transport = httpx2.ASGITransport(app=app, client=("203.0.113.9", 5000))
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="https://avisos.example") as http,
    ):
        assert (await http.get("/health")).status_code == 200
        assert (await http.get("/status")).status_code == 404
        assert (await http.get("/docs")).status_code == 404
        assert (await post(http, bling.webhooks.sign(event(bling)))).status_code == 200
        forged = [await post(http, bling.webhooks.sign(event(bling), secret="x" * 20)) for _ in range(11)]
        assert [each.status_code for each in forged] == [401] * 10 + [429]
        assert (await post(http, bling.webhooks.sign(event(bling, eventId="e2")))).status_code == 200
