"""Compras, propostas, ordens de produção e contratos: o que cada listagem mostra, e o que os liga ao resto."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from bling_simulator import Bling
from bling_simulator.clock import local_now
from bling_simulator.company.papers.contracts import ACTIVE, UNDER_REVIEW
from bling_simulator.company.papers.production import CLOSED, FINISHED
from bling_simulator.company.papers.purchases import CANCELLED, DONE
from bling_simulator.payload import Json

PURCHASES, QUOTES, PRODUCTION, CONTRACTS = "/pedidos/compras", "/propostas-comerciais", "/ordens-producao", "/contratos"


async def ids(client: httpx2.AsyncClient, path: str, **params: Any) -> set[int]:
    found: list[Json] = (await client.get(path, params=params)).json()["data"]
    return {row["id"] for row in found}


def some(bling: Bling, path: str, **wanted: Any) -> set[int]:
    details = {id_: entry.detail for id_, entry in bling.kept(path).entries.items()}
    return {i for i, each in details.items() if all(each[field] == value for field, value in wanted.items())}


@pytest.mark.parametrize("path", [PURCHASES, QUOTES])
async def test_the_period_has_two_ends(client: httpx2.AsyncClient, bling: Bling, path: str) -> None:
    everything, today = some(bling, path), local_now(bling.clock).date()
    newest = max(everything)
    bling.edit_dimension(path, newest, data=today.isoformat())
    assert await ids(client, path, dataInicial="2025-06-01") == everything
    span = {"dataInicial": "2025-12-01", "dataFinal": today.isoformat()}
    wanted = {id_ for id_ in everything if bling.kept(path).entries[id_].detail["data"] >= "2025-12-01"}
    assert await ids(client, path, **span) == wanted - {newest}
    assert await ids(client, path, **span | {"dataFinal": (today + timedelta(days=1)).isoformat()}) == wanted
    bling.configure(order_filters_are_ignored=True)
    assert await ids(client, path, **span) == everything


async def test_the_filters_of_the_purchases(client: httpx2.AsyncClient, bling: Bling) -> None:
    everything = some(bling, PURCHASES)
    cancelled = some(bling, PURCHASES, situacao={"id": 31 + CANCELLED, "valor": CANCELLED})
    assert cancelled < everything == await ids(client, PURCHASES)
    assert await ids(client, PURCHASES, valorSituacao=CANCELLED) == cancelled
    bling.configure(default_hides_cancelled_orders=True)
    assert await ids(client, PURCHASES) == everything - cancelled
    assert await ids(client, PURCHASES, valorSituacao=CANCELLED) == cancelled


async def test_what_arrived_says_in_which_note(client: httpx2.AsyncClient, bling: Bling) -> None:
    done = [
        entry.detail for entry in bling.kept(PURCHASES).entries.values() if entry.detail["situacao"]["valor"] == DONE
    ]
    assert done
    for order in done:
        (note,) = {item["notaFiscal"]["id"] for item in order["itens"]}
        assert bling.notes[note]["contato"]["id"] == order["fornecedor"]["id"]
        assert bling.notes[note]["dataEmissao"][:10] > order["data"]
    assert await ids(client, PURCHASES, **{"idsNotasFiscais[]": note}) >= {order["id"]}


async def test_a_quote_is_found_by_what_the_filter_calls_its_status(client: httpx2.AsyncClient, bling: Bling) -> None:
    assert await ids(client, QUOTES, situacao="Concluido") == some(bling, QUOTES, situacao="Concluído") != set()


@pytest.mark.parametrize("path", [QUOTES, PRODUCTION])
async def test_a_detail_comes_bare(client: httpx2.AsyncClient, bling: Bling, path: str) -> None:
    chosen = max(some(bling, path))
    bare = (await client.get(f"{path}/{chosen}")).json()
    assert bare["id"] == chosen
    bling.configure(bare_details_in_envelope=True)
    assert (await client.get(f"{path}/{chosen}")).json() == {"data": bare}
    bling.delete_dimension(path, chosen)
    assert (await client.get(f"{path}/{chosen}")).status_code == 404


async def test_the_production_that_is_closed(client: httpx2.AsyncClient, bling: Bling) -> None:
    everything = some(bling, PRODUCTION)
    closed = {i for i in everything if bling.kept(PRODUCTION).entries[i].detail["situacao"]["id"] in CLOSED}
    assert closed < everything == await ids(client, PRODUCTION)
    bling.configure(default_hides_closed_production=True)
    assert await ids(client, PRODUCTION) == everything - closed
    assert await ids(client, PRODUCTION, **{"idsSituacoes[]": FINISHED}) <= closed
    statuses = {e.detail["id"] for e in bling.kept("/situacoes/modulos/{modulo_id}").entries.values()}
    assert {bling.kept(PRODUCTION).entries[i].detail["situacao"]["id"] for i in everything} <= statuses
    numbers = {order["numero"]: order for order in bling.orders.values()}
    for id_ in everything:
        for sale in bling.kept(PRODUCTION).entries[id_].detail["vendas"]:
            assert numbers[sale["numero"]]["contato"]["id"] == sale["contato"]["id"]


async def test_the_contracts_under_review_cannot_be_asked_for(client: httpx2.AsyncClient, bling: Bling) -> None:
    chosen = min(some(bling, CONTRACTS, situacao=ACTIVE))
    bling.edit_dimension(CONTRACTS, chosen, situacao=UNDER_REVIEW)
    assert await ids(client, CONTRACTS) == some(bling, CONTRACTS, situacao=ACTIVE)
    assert chosen not in {i for s in range(4) for i in await ids(client, CONTRACTS, situacao=s)}
    assert (await client.get(CONTRACTS, params={"situacao": UNDER_REVIEW})).status_code == 400
    assert (await client.get(f"{CONTRACTS}/{chosen}")).json()["data"]["situacao"] == UNDER_REVIEW
    bling.configure(contracts_are_all_shown_by_default=True)
    assert await ids(client, CONTRACTS) == some(bling, CONTRACTS)
    assert await ids(client, CONTRACTS, dataCriacaoInicio="2026-01-01", dataCriacaoFinal="2026-12-31") < some(
        bling, CONTRACTS
    )
