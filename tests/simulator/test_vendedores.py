"""Os vendedores: cada um é um contato da empresa, e a situação é a do contato."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from bling_simulator import Bling, ManualClock, SimulatorSettings
from bling_simulator.clock import local_now
from bling_simulator.company import generate_company


async def ids(client: httpx2.AsyncClient, **params: Any) -> list[int]:
    answer = await client.get("/vendedores", params=params)
    return [row["id"] for row in answer.json()["data"]]


@pytest.mark.parametrize("scale", [0.05, 1])
def test_the_company_has_sellers_of_every_situation(scale: float) -> None:
    company = generate_company(SimulatorSettings(scale=scale))
    sellers = [entry.detail for entry in company.sellers.entries.values()]
    assert "".join(seller["contato"]["situacao"] for seller in sellers) == "AAAISEA"
    for seller in sellers:
        contact = company.contacts.entries[seller["contato"]["id"]].detail
        assert seller["contato"] == {field: contact[field] for field in ("id", "nome", "situacao")}
    cited = {note["vendedor"]["id"] for note in company.notes.values()} - {0}
    assert cited < company.sellers.entries.keys()
    assert {entry.detail["vendedor"]["id"] for entry in company.contacts.entries.values()} == cited | {0}


def test_a_company_without_sales_also_has_them() -> None:
    assert generate_company(SimulatorSettings(volumes={})).sellers.entries


async def test_by_default_only_the_active(client: httpx2.AsyncClient, bling: Bling) -> None:
    by_letter = {
        letter: {id_ for id_, seller in bling.sellers.items() if seller["contato"]["situacao"] == letter}
        for letter in "AISE"
    }
    assert await ids(client) == sorted(by_letter["A"], reverse=True)
    for letter, expected in by_letter.items():
        assert set(await ids(client, situacaoContato=letter)) == expected
    assert await ids(client, situacaoContato="T") == sorted(bling.sellers, reverse=True)
    assert (await client.get("/vendedores", params={"situacaoContato": "X"})).status_code == 400


async def test_row_and_detail(client: httpx2.AsyncClient, bling: Bling) -> None:
    row = (await client.get("/vendedores")).json()["data"][0]
    detail = (await client.get(f"/vendedores/{row['id']}")).json()["data"]
    assert row.items() <= detail.items()
    assert detail.keys() - row.keys() == {"comissoes"}
    assert any(seller["comissoes"] for seller in bling.sellers.values())
    bling.configure(seller_rows_without_name=True)
    row = (await client.get("/vendedores")).json()["data"][0]
    assert row["contato"].keys() == {"id", "situacao"}
    assert (await client.get(f"/vendedores/{row['id']}")).json()["data"] == detail


async def test_filters(client: httpx2.AsyncClient, bling: Bling) -> None:
    first = bling.sellers[min(bling.sellers)]
    contact = first["contato"]
    assert await ids(client, idContato=contact["id"]) == [first["id"]]
    assert first["id"] in await ids(client, nomeContato=contact["nome"].upper())
    shop = next(seller for seller in bling.sellers.values() if seller["loja"]["id"])
    assert await ids(client, idLoja=shop["loja"]["id"]) == [shop["id"]]


async def test_changes_need_both_ends(client: httpx2.AsyncClient, bling: Bling, clock: ManualClock) -> None:
    everyone = await ids(client, situacaoContato="T")
    clock.advance(90 * 86_400)
    client.headers["Authorization"] = f"Bearer {bling.grant()['access_token']}"
    first, second = everyone[:2]
    bling.edit_seller(first, descontoLimite=3)
    bling.edit_contact(bling.sellers[second]["contato"]["id"], nome="Outro nome")
    assert bling.sellers[second]["contato"]["nome"] == "Outro nome"
    since, until = str(local_now(clock) - timedelta(hours=1)), str(local_now(clock))
    assert await ids(client, situacaoContato="T", dataAlteracaoInicial=since) == everyone
    both = {"dataAlteracaoInicial": since, "dataAlteracaoFinal": until}
    assert await ids(client, situacaoContato="T", **both) == [first, second]


async def test_a_deleted_one_stays_in_the_whole_list(client: httpx2.AsyncClient, bling: Bling) -> None:
    seller = bling.add_seller(descontoLimite=9)
    contact = bling.sellers[seller]["contato"]["id"]
    assert bling.contacts[contact]["nome"] == bling.sellers[seller]["contato"]["nome"]
    assert (await ids(client))[0] == seller
    bling.delete_seller(seller)
    assert seller not in await ids(client)
    assert seller in await ids(client, situacaoContato="E")
    assert seller in await ids(client, situacaoContato="T")
    assert bling.contacts[contact]["situacao"] == "E"
    assert (await client.get(f"/vendedores/{seller}")).status_code == 404
    bling.configure(deleted_detail_answers_200=True)
    assert (await client.get(f"/vendedores/{seller}")).json()["data"]["descontoLimite"] == 9


def test_who_is_added_is_a_contact(bling: Bling) -> None:
    contact = min(bling.contacts)
    seller = bling.add_seller(contato={"id": contact})
    assert bling.sellers[seller]["contato"]["nome"] == bling.contacts[contact]["nome"]
    with pytest.raises(KeyError):
        bling.add_seller(contato={"id": 1})
    with pytest.raises(KeyError):
        bling.edit_seller(min(bling.sellers), apelido="x")
