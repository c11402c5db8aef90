"""A interface de controle faz por HTTP o que a alça faz."""

from collections.abc import AsyncIterator
from json import loads

import httpx2
import pytest
from fastapi import FastAPI

from bling_simulator import Bling


@pytest.fixture
async def control(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://bling.test/_control") as client:
        yield client


async def test_truth(control: httpx2.AsyncClient, bling: Bling) -> None:
    truth = (await control.get("/truth")).json()
    totals = bling.totals_by_year()
    assert truth["years"].keys() == {str(year) for year in totals}
    assert truth["notes"] == sum(total.notes for total in totals.values())
    assert truth["years"]["2024"]["cancelled"] == totals[2024].cancelled
    assert truth["years"]["2024"]["by_situacao"]["6"]["value"] == float(totals[2024].value[6])
    whole = (await control.get("/truth", params={"completa": True})).json()
    assert {note["id"] for note in whole["details"]} == bling.notes.keys()


async def test_notes(control: httpx2.AsyncClient, bling: Bling) -> None:
    line = {"codigo": "A", "descricao": "Peça", "quantidade": 2, "valor": 1.15}
    fields = {"emitted_at": "2026-02-21T23:59:59", "lines": [line], "situacao": 5}
    created = await control.post("/notes", json=fields)
    assert created.status_code == 201
    note_id = created.json()["id"]
    assert bling.notes[note_id]["dataEmissao"] == "2026-02-21 23:59:59"
    assert str(bling.notes[note_id]["valorNota"]) == "2.30"
    assert (await control.patch(f"/notes/{note_id}", json={"numeroPedidoLoja": "7"})).status_code == 204
    assert bling.notes[note_id]["numeroPedidoLoja"] == "7"
    assert (await control.post(f"/notes/{note_id}/cancel")).status_code == 204
    assert bling.notes[note_id]["situacao"] == 2
    assert (await control.delete(f"/notes/{note_id}")).status_code == 204
    assert note_id not in bling.notes


@pytest.mark.parametrize("path", ["contacts", "products"])
async def test_registers(control: httpx2.AsyncClient, bling: Bling, path: str) -> None:
    created = await control.post(f"/{path}", json={"codigo": "X-1", "nome": "Um"})
    record_id = created.json()["id"]
    assert (await control.patch(f"/{path}/{record_id}", json={"nome": "Dois"})).status_code == 204
    register = bling.contacts if path == "contacts" else bling.products
    assert (register[record_id]["codigo"], register[record_id]["nome"]) == ("X-1", "Dois")
    assert (await control.delete(f"/{path}/{record_id}")).status_code == 204
    entries = (bling.company.contacts if path == "contacts" else bling.company.products).entries
    assert entries[record_id].deleted


async def test_sellers(control: httpx2.AsyncClient, bling: Bling) -> None:
    seller_id = (await control.post("/sellers", json={"descontoLimite": 5})).json()["id"]
    assert (await control.patch(f"/sellers/{seller_id}", json={"descontoLimite": 7})).status_code == 204
    assert bling.sellers[seller_id]["descontoLimite"] == 7
    assert (await control.delete(f"/sellers/{seller_id}")).status_code == 204
    assert bling.sellers[seller_id]["contato"]["situacao"] == "E"


async def test_orders(control: httpx2.AsyncClient, bling: Bling) -> None:
    line = {"codigo": "A", "descricao": "Peça", "quantidade": 2, "valor": 1.15}
    created = await control.post("/orders", json={"ordered_on": "2026-02-03", "lines": [line], "situacao": 15})
    assert created.status_code == 201
    order_id = created.json()["id"]
    order = bling.orders[order_id]
    assert (order["data"], str(order["total"]), order["situacao"]["id"]) == ("2026-02-03", "2.30", 15)
    assert (await control.patch(f"/orders/{order_id}", json={"numeroLoja": "7"})).status_code == 204
    assert bling.orders[order_id]["numeroLoja"] == "7"
    assert (await control.post(f"/orders/{order_id}/cancel")).status_code == 204
    assert bling.orders[order_id]["situacao"]["id"] == 12
    assert (await control.delete(f"/orders/{order_id}")).status_code == 204
    assert order_id not in bling.orders


async def test_settings(control: httpx2.AsyncClient, bling: Bling) -> None:
    body = {"requests_per_second": 7, "missing_scopes": ["/contatos"], "latency": 0}
    changed = (await control.patch("/settings", json=body)).json()
    assert bling.settings.requests_per_second == changed["requests_per_second"] == 7
    assert bling.settings.missing_scopes == {"/contatos"}
    assert (await control.get("/settings")).json() == changed


async def test_tokens(control: httpx2.AsyncClient, client: httpx2.AsyncClient) -> None:
    pair = (await control.post("/tokens", params={"jwt": True})).json()
    client.headers["Authorization"] = f"Bearer {pair['access_token']}"
    assert (await client.get("/nfe")).status_code == 200
    await control.post("/tokens/expire")
    assert "has expired" in (await client.get("/nfe")).text
    await control.post("/tokens/revoke")
    assert "is invalid" in (await client.get("/nfe")).text
    assert len((await control.post("/tokens/code")).json()["code"]) == 40


async def test_faults(control: httpx2.AsyncClient, client: httpx2.AsyncClient) -> None:
    created = await control.post("/faults", json={"path": "^/nfe$", "kind": "bad_gateway", "times": 1})
    assert created.status_code == 201
    assert [(await client.get("/nfe")).status_code for _ in range(2)] == [502, 200]
    (listed,) = (await control.get("/faults")).json()
    assert (listed["id"], listed["fired"]) == (created.json()["id"], 1)
    assert (await control.delete(f"/faults/{listed['id']}")).status_code == 204
    await control.post("/faults", json={"path": "x"})
    await control.delete("/faults")
    assert (await control.get("/faults")).json() == []


async def test_counters(control: httpx2.AsyncClient, client: httpx2.AsyncClient) -> None:
    await client.get("/nfe")
    assert (await control.get("/counters")).json()["requests"] == {"/nfe": 1}
    await control.delete("/counters")
    assert (await control.get("/counters")).json()["total"] == 0


async def test_forgiving_a_blocked_address(
    control: httpx2.AsyncClient, client: httpx2.AsyncClient, bling: Bling
) -> None:
    bling.configure(token_calls_per_minute=1)
    assert [(await client.post("/oauth/token")).status_code for _ in range(2)] == [400, 403]
    await control.post("/forgive")
    assert (await client.get("/nfe")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "/notes/1", {"situacao": 2}, 404),
        ("DELETE", "/notes/1", None, 404),
        ("POST", "/notes", {"emitted_at": "ontem"}, 422),
        ("POST", "/notes", {"contact_id": 1}, 404),
        ("DELETE", "/contacts/1", None, 404),
        ("POST", "/products", {}, 422),
        ("DELETE", "/sellers/1", None, 404),
        ("POST", "/sellers", {"contato": {"id": 1}}, 404),
        ("PATCH", "/orders/1", {"situacao": 9}, 404),
        ("POST", "/orders/1/cancel", None, 404),
        ("DELETE", "/orders/1", None, 404),
        ("POST", "/orders", {"ordered_on": "ontem"}, 422),
        ("POST", "/orders", {"apelido": "x"}, 404),
        ("DELETE", "/faults/9", None, 404),
        ("POST", "/faults", {"path": "("}, 422),
        ("POST", "/faults", {"path": "a", "kind": "terremoto"}, 422),
        ("PATCH", "/settings", {"nada": 1}, 422),
    ],
)
async def test_refusals(
    control: httpx2.AsyncClient, method: str, path: str, body: dict[str, object] | None, status: int
) -> None:
    assert (await control.request(method, path, json=body)).status_code == status


async def test_control_is_described(control: httpx2.AsyncClient) -> None:
    said = (await control.get("/openapi.json")).json()
    assert said["servers"] == [{"url": "/_control"}]
    assert {"/truth", "/faults", "/notes/{note_id}/cancel"} <= said["paths"].keys()
    assert (await control.get("/docs")).status_code == 200


async def test_one_resource_of_the_webhooks_is_switched_off_alone(control: httpx2.AsyncClient, bling: Bling) -> None:
    product = next(each["id"] for each in bling.stockroom.balances())

    async def announced(state: str, recurso: str, preco: int) -> list[str]:
        assert (await control.put(f"/webhooks/{state}", params={"recurso": recurso})).status_code == 204
        bling.edit_product(product, preco=preco)
        bling.edit_stock(product, saldoVirtualTotal=preco)
        return [loads(each.body)["event"] for each in bling.webhooks.pending()]

    bling.webhooks.pending()
    assert await announced("off", "product", 1) == ["virtual_stock.updated"]
    assert await announced("off", "", 2) == []
    assert await announced("on", "product", 3) == ["product.updated"]
