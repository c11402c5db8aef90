"""Os avisos do Bling: só os dele, guardados antes de qualquer trabalho, e o que apontam lido outra vez."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx2
import pytest
from tests.acceptance.service_fixtures import problem, serving
from tests.acceptance.test_worker import drain, worker
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.truth import assert_equals_truth

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
        await one.beat()
        await drain(one)


@pytest.mark.loaded(START)
@pytest.mark.bling(scale=0.02)
async def test_whatever_the_network_does_the_bank_ends_as_bling_is(
    account: Account, bling: Bling, clock: FakeClock, http: httpx2.AsyncClient
) -> None:
    webhooks = bling.webhooks
    outgoing = sorted(id_ for id_, note in bling.notes.items() if note["tipo"] == 1 and note["situacao"] == 6)
    old, older, *_ = outgoing
    bling.edit_note(old, situacao=5)
    first = webhooks.pending()
    bling.edit_note(old, valorNota=bling.notes[old]["valorNota"])
    bling.cancel_note(older)
    bling.delete_note(outgoing[2])
    sold = bling.sell()
    sent = webhooks.as_the_network_does([*first, *webhooks.pending()], repeated=0.5, forged=0.3)

    codes = await post_all(http, sent)

    assert set(codes) == {200, 401}
    await read_what_came(account, clock)
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho WHERE id = :id", id=sold) == 1
    found = dict(await rows(account.engine, "SELECT registro_id, max(resultado) FROM webhook_eventos GROUP BY 1"))
    assert found[str(sold)] == "criado"
    assert found[str(outgoing[2])] == "excluído"
    assert found[str(older)] == "atualizado"
    assert await scalar(account.engine, "SELECT count(*) FROM webhook_eventos WHERE lido_em IS NULL") == 0
    await account.pipeline.run()  # o que a venda cita: o contato, os produtos, a categoria deles
    await assert_equals_truth(account.engine, bling)


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
        ("stock.updated", "estoques", "5", "sem leitura"),
        ("order.updated", "pedidos_venda", None, "sem leitura"),
        ("invoice.updated", "nfe", None, "sem leitura"),
        ("consumer_invoice.created", "nfce", None, "sem leitura"),
        ("order.created", "pedidos_venda", "8", None),
    ]
    assert await rows(
        account.engine, "SELECT event_id FROM webhook_eventos WHERE enviado_em IS NOT NULL ORDER BY 1"
    ) == [("a",), ("b",), ("f",)]


@pytest.mark.loaded(date(2025, 12, 1))
@pytest.mark.collector(allow_unauthenticated=False)
async def test_a_flood_waits_for_its_turn(
    account: Account, bling: Bling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bling_collector.jobs.worker.MOST_AN_HOUR", 2)
    notes = sorted(id_ for id_, each in bling.notes.items() if each["tipo"] == 1)[-5:]
    async with serving(account.settings, clock) as http:
        for note in notes:
            await post(http, bling.webhooks.sign(event(bling, data={"id": note}, eventId=str(note))))
    await read_what_came(account, clock)
    await read_what_came(account, clock)
    left = "SELECT count(*) FROM webhook_eventos WHERE lido_em IS NULL"
    assert await scalar(account.engine, left) == 3
    clock.advance(3600)
    await read_what_came(account, clock)
    assert await scalar(account.engine, left) == 1
    await account.pipeline.look()
    assert await scalar(account.engine, left) == 0


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
