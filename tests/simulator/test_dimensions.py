"""Os cadastros pequenos: o que as listagens escondem, e os ids a que as notas e os pedidos se referem."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from bling_simulator import Bling, ManualClock, SimulatorSettings
from bling_simulator.clock import local_now
from bling_simulator.company import generate_company


async def ids(client: httpx2.AsyncClient, path: str, **params: Any) -> set[int]:
    return {row["id"] for row in (await client.get(path, params=params)).json()["data"]}


def of(bling: Bling, path: str, **fields: Any) -> set[int]:
    return {
        id_
        for id_, entry in bling.dimensions[path].entries.items()
        if all(entry.detail[field] == value for field, value in fields.items())
    }


def test_everything_the_documents_cite_is_there(bling: Bling) -> None:
    shops, natures = bling.dimensions["/canais-venda"].entries, bling.dimensions["/naturezas-operacoes"].entries
    assert {note["loja"]["id"] for note in bling.notes.values()} - {0} <= shops.keys()
    assert {order["loja"]["id"] for order in bling.orders.values()} - {0} <= shops.keys()
    assert {note["naturezaOperacao"]["id"] for note in bling.notes.values()} <= natures.keys()
    statuses = bling.dimensions["/situacoes/modulos/{modulo_id}"].entries
    assert {order["situacao"]["id"] for order in bling.orders.values()} <= statuses.keys()
    kinds = bling.dimensions["/contatos/tipos"].entries
    assert {kind["id"] for contact in bling.contacts.values() for kind in contact["tiposContato"]} <= kinds.keys()
    deposits = bling.dimensions["/depositos"].entries
    branches = [branch for entry in shops.values() for branch in entry.detail["filiais"]]
    assert {branch["deposito"]["id"] for branch in branches} <= deposits.keys()
    ignored = {id_ for id_, entry in deposits.items() if entry.detail["desconsiderarSaldo"]}
    for balance in bling.stockroom.balances():
        kept = {each["id"]: each["saldoFisico"] for each in balance["depositos"]}
        assert kept.keys() <= deposits.keys()
        assert sum(kept[id_] for id_ in kept.keys() - ignored) == balance["saldoFisicoTotal"]
    lots = bling.dimensions["/produtos/lotes"].entries
    assert {lot.detail["deposito"]["id"] for lot in lots.values()} <= deposits.keys()


def test_the_same_seed_gives_the_same_registers() -> None:
    one, other = (generate_company(SimulatorSettings(scale=0.02)).first_dimensions() for _ in range(2))
    assert {path: register.entries for path, register in one.items()} == {
        path: register.entries for path, register in other.items()
    }
    assert next(iter(one["/depositos"].entries.values())) is not next(iter(other["/depositos"].entries.values()))


@pytest.mark.parametrize(
    ("path", "active", "inactive", "shown"),
    [("/depositos", 1, 0, False), ("/naturezas-operacoes", 1, 0, True), ("/canais-venda", 1, 2, True)],
)
async def test_the_inactive_are_hidden_by_default(
    client: httpx2.AsyncClient, bling: Bling, path: str, active: int, inactive: int, *, shown: bool
) -> None:
    assert of(bling, path, situacao=inactive)
    assert await ids(client, path) == of(bling, path, situacao=active)
    assert await ids(client, path, situacao=active) == of(bling, path, situacao=active)
    assert await ids(client, path, situacao=inactive) == of(bling, path, situacao=inactive)
    assert (await client.get(path, params={"situacao": 7})).status_code == 400
    bling.configure(default_hides_inactive=False)
    assert (await ids(client, path) == of(bling, path)) is shown, "o dos depósitos está escrito; o dos outros, não"


async def test_row_and_detail(client: httpx2.AsyncClient, bling: Bling) -> None:
    row = (await client.get("/canais-venda")).json()["data"][0]
    detail = (await client.get(f"/canais-venda/{row['id']}")).json()["data"]
    assert row.items() <= detail.items()
    assert detail.keys() - row.keys() == {"filiais"}
    deposit = (await client.get("/depositos")).json()["data"][0]
    assert (await client.get(f"/depositos/{deposit['id']}")).json()["data"] == deposit


@pytest.mark.parametrize("path", ["/naturezas-operacoes", "/contatos/tipos"])
async def test_what_has_no_detail(client: httpx2.AsyncClient, path: str) -> None:
    row = (await client.get(path)).json()["data"][0]
    assert (await client.get(f"{path}/{row['id']}")).status_code == 404


async def test_what_has_no_pages_ignores_them(client: httpx2.AsyncClient, bling: Bling) -> None:
    every = of(bling, "/contatos/tipos")
    assert await ids(client, "/contatos/tipos", pagina=9, limite=1) == every


async def test_filters(client: httpx2.AsyncClient, bling: Bling) -> None:
    assert await ids(client, "/depositos", descricao="FÁBRICA") == of(bling, "/depositos", descricao="Loja de fábrica")
    assert await ids(client, "/canais-venda", **{"tipos[]": "MercadoLivre"}) == of(
        bling, "/canais-venda", tipo="MercadoLivre"
    )
    assert await ids(client, "/naturezas-operacoes", descricao="exporta") == of(
        bling, "/naturezas-operacoes", descricao="Exportação"
    )
    assert len(await ids(client, "/grupos-produtos", nomePai="mecânica")) == 2


async def test_only_the_filters_know_the_situation_of_an_account(client: httpx2.AsyncClient, bling: Bling) -> None:
    path = "/contas-contabeis"
    assert await ids(client, path) == of(bling, path, situacao=1)
    for situacao in range(1, 5):
        assert await ids(client, path, situacoes=situacao) == of(bling, path, situacao=situacao) != set()
    bling.configure(default_hides_inactive=False)
    assert await ids(client, path) == of(bling, path)
    row = (await client.get(path)).json()["data"][0]
    assert (await client.get(f"{path}/{row['id']}")).json()["data"] == row
    assert "situacao" not in row


async def test_the_detail_of_a_category_says_the_situation_with_other_numbers(
    client: httpx2.AsyncClient, bling: Bling
) -> None:
    path = "/categorias/receitas-despesas"
    assert await ids(client, path, tipo=0) == of(bling, path)
    assert await ids(client, path, situacao=1) == of(bling, path, situacao=1)
    inactive = await ids(client, path, situacao=2)
    assert inactive == of(bling, path, situacao=0) != set()
    assert (await client.get(f"{path}/{min(inactive)}")).json()["data"]["situacao"] == 0
    assert await ids(client, path, tipo=2) == of(bling, path, tipo=2)


async def test_the_statuses_are_listed_by_their_module(client: httpx2.AsyncClient, bling: Bling) -> None:
    path = "/situacoes/modulos/{modulo_id}"
    modules = await ids(client, "/situacoes/modulos")
    assert modules == of(bling, "/situacoes/modulos")
    found = {module: await ids(client, f"/situacoes/modulos/{module}") for module in modules}
    assert found == {module: of(bling, path, modulo=module) for module in modules}
    assert set() in found.values()
    assert (await client.get("/situacoes/modulos/1")).status_code == 404
    one = (await client.get("/situacoes/463218")).json()["data"]
    assert one == {"id": 463218, "nome": "Aguardando retirada", "idHerdado": 15, "cor": "#40C4E9"}
    assert (await client.get("/situacoes/98310")).status_code == 404
    assert (await client.get("/situacoes")).status_code == 404
    bling.configure(missing_scopes=frozenset({path}))
    assert (await client.get("/situacoes/modulos")).status_code == 200
    assert (await client.get("/situacoes/modulos/98310")).status_code == 403
    assert (await client.get("/situacoes/6")).status_code == 403


def test_a_product_has_one_default_supplier_and_costs_what_its_detail_says(bling: Bling) -> None:
    supplies = [entry.detail for entry in bling.dimensions["/produtos/fornecedores"].entries.values()]
    defaults = {each["produto"]["id"]: each for each in supplies if each["padrao"]}
    live = {id_ for id_, entry in bling.company.products.entries.items() if not entry.deleted}
    assert len(defaults) == sum(each["padrao"] for each in supplies) < len(supplies)
    assert defaults.keys() == live
    for product, supply in defaults.items():
        assert supply["precoCusto"] == bling.products[product]["fornecedor"]["precoCusto"]
        assert supply["fornecedor"]["id"] in bling.contacts
    links = [entry.detail for entry in bling.dimensions["/produtos/lojas"].entries.values()]
    assert {link["produto"]["id"] for link in links} < live
    assert {link["loja"]["id"] for link in links} <= of(bling, "/canais-venda", situacao=1)


async def test_what_changed_in_the_shops(client: httpx2.AsyncClient, bling: Bling, clock: ManualClock) -> None:
    path = "/produtos/lojas"
    first, *_ = of(bling, path)
    clock.advance(90 * 86_400)
    client.headers["Authorization"] = f"Bearer {bling.grant()['access_token']}"
    bling.edit_dimension(path, first, preco=1)
    since, until = str(local_now(clock) - timedelta(hours=1)), str(local_now(clock))
    assert await ids(client, path, dataAlteracaoInicial=since, dataAlteracaoFinal=until) == {first}
    product = bling.dimensions[path].entries[first].detail["produto"]["id"]
    assert await ids(client, path, idProduto=product) == {first}
    assert await ids(client, path, idLoja=1) == set()


async def test_what_is_done_to_them(client: httpx2.AsyncClient, bling: Bling) -> None:
    added = bling.add_dimension("/depositos", descricao="Novo", situacao=1, padrao=False, desconsiderarSaldo=False)
    assert added in await ids(client, "/depositos")
    bling.edit_dimension("/depositos", added, situacao=0)
    assert added not in await ids(client, "/depositos")
    bling.delete_dimension("/depositos", added)
    assert (await client.get(f"/depositos/{added}")).status_code == 404
    with pytest.raises(KeyError):
        bling.edit_dimension("/depositos", min(of(bling, "/depositos")), apelido="x")
    bling.configure(missing_scopes=frozenset({"/depositos"}))
    assert (await client.get("/depositos")).status_code == 403
