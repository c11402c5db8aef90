"""Contatos, produtos e os recursos pequenos."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from bling_simulator import Bling, ManualClock
from bling_simulator.clock import local_now
from bling_simulator.company.documents import format_document
from bling_simulator.company.register import Entry


async def ids(client: httpx2.AsyncClient, path: str, **params: Any) -> set[int]:
    found: set[int] = set()
    page = 1
    while rows := (await client.get(path, params={**params, "pagina": page})).json()["data"]:
        found |= {row["id"] for row in rows}
        page += 1
    return found


def alive(bling: Bling, register: str) -> set[int]:
    return {record_id for record_id, entry in entries(bling, register).items() if not entry.deleted}


def deleted(bling: Bling, register: str) -> set[int]:
    return entries(bling, register).keys() - alive(bling, register)


def entries(bling: Bling, register: str) -> dict[int, Entry]:
    return (bling.company.contacts if register == "contacts" else bling.company.products).entries


@pytest.mark.parametrize(("path", "register"), [("/contatos", "contacts"), ("/produtos", "products")])
async def test_default_shows_only_the_latest(
    client: httpx2.AsyncClient, bling: Bling, path: str, register: str
) -> None:
    found = await ids(client, path)
    assert len(found) == bling.settings.latest_included
    assert found < alive(bling, register)
    newest = bling.add_contact() if register == "contacts" else bling.add_product("NOVO-1")
    assert newest in await ids(client, path)


async def test_contact_criteria(client: httpx2.AsyncClient, bling: Bling) -> None:
    bought = {note["contato"]["id"] for note in bling.notes.values()}
    assert await ids(client, "/contatos", criterio=1) == alive(bling, "contacts")
    assert await ids(client, "/contatos", criterio=2) == deleted(bling, "contacts")
    assert await ids(client, "/contatos", criterio=4) == alive(bling, "contacts") - bought
    assert (await client.get("/contatos", params={"criterio": 5})).status_code == 400


async def test_product_criteria(client: httpx2.AsyncClient, bling: Bling) -> None:
    live = alive(bling, "products")
    active = {product_id for product_id in live if bling.products[product_id]["situacao"] == "A"}
    assert await ids(client, "/produtos", criterio=2) == active
    assert await ids(client, "/produtos", criterio=3) == live - active
    assert await ids(client, "/produtos", criterio=4) == deleted(bling, "products")
    assert await ids(client, "/produtos", criterio=5) == bling.products.keys()


async def test_document_is_formatted_in_the_list_and_bare_in_the_detail(
    client: httpx2.AsyncClient, bling: Bling
) -> None:
    contact = next(c for c in bling.contacts.values() if c["tipo"] == "J" and c["situacao"] == "A")
    document = format_document(contact["numeroDocumento"])
    found = await client.get("/contatos", params={"criterio": 1, "numeroDocumento": document})
    (row,) = found.json()["data"]
    detail = (await client.get(f"/contatos/{contact['id']}")).json()["data"]
    assert row["numeroDocumento"] == document
    assert detail["numeroDocumento"] == contact["numeroDocumento"]
    assert row.keys() == {"id", "nome", "codigo", "situacao", "numeroDocumento", "telefone", "celular"}
    assert {"email", "endereco", "tipo", "pais"} <= detail.keys()


async def test_contact_filters(client: httpx2.AsyncClient, bling: Bling) -> None:
    some = sorted(alive(bling, "contacts"))[:3]
    contact = bling.contacts[some[0]]
    assert await ids(client, "/contatos", criterio=1, **{"idsContatos[]": some}) == set(some)
    assert some[0] in await ids(client, "/contatos", criterio=1, pesquisa=contact["nome"][:12].upper())
    everyone = await ids(client, "/contatos", criterio=1)
    by_kind = [await ids(client, "/contatos", criterio=1, tipoPessoa=kind) for kind in (1, 2, 3)]
    assert set.union(*by_kind) == everyone
    assert sum(map(len, by_kind)) == len(everyone)
    abroad = await ids(client, "/contatos", criterio=1, uf="EX")
    assert abroad == by_kind[2]
    suppliers = await ids(client, "/contatos", criterio=1, idTipoContato=1_483_002)
    assert len(suppliers) == 4
    sellers = {c["vendedor"]["id"] for c in bling.contacts.values()} - {0}
    assert await ids(client, "/contatos", criterio=1, idVendedor=min(sellers))


async def test_product_filters(client: httpx2.AsyncClient, bling: Bling) -> None:
    live = [bling.products[product_id] for product_id in sorted(alive(bling, "products"))]
    skus = [live[0]["codigo"], live[1]["codigo"]]
    found = await ids(client, "/produtos", criterio=2, **{"codigos[]": skus})
    assert found <= {p["id"] for p in live if p["codigo"] in skus}
    both = await ids(client, "/produtos", criterio=5, **{"codigos[]": skus, "idsProdutos[]": live[0]["id"]})
    assert both == {live[0]["id"]}
    category = live[5]["categoria"]["id"] or live[6]["categoria"]["id"]
    in_category = await ids(client, "/produtos", criterio=5, idCategoria=category)
    assert in_category == {p["id"] for p in bling.products.values() if p["categoria"]["id"] == category}
    kits = await ids(client, "/produtos", criterio=5, tipo="E")
    assert len(kits) == 3
    assert await ids(client, "/produtos", criterio=5, tipo="PS") == bling.products.keys() - kits
    assert await ids(client, "/produtos", criterio=5, tipo="V") == set()
    assert live[3]["id"] in await ids(client, "/produtos", criterio=5, nome=live[3]["nome"].lower())


@pytest.mark.parametrize("sku", ["P&B-40", "C++90", "EIXO#3", "50%-AÇO", 'COROA "X"', "POLIA 1/2", "CÓD;9,5"])
async def test_odd_skus_survive_the_query_string(client: httpx2.AsyncClient, bling: Bling, sku: str) -> None:
    product_id = bling.add_product(sku)
    assert product_id in await ids(client, "/produtos", criterio=5, **{"codigos[]": [sku, "outro"]})
    assert product_id in await ids(client, "/produtos", codigo=sku)


async def test_legacy_sku_filter_finds_old_ones_and_near_matches(client: httpx2.AsyncClient, bling: Bling) -> None:
    exact = bling.add_product("ROD-10")
    near = bling.add_product("rod-10-P")
    gone = bling.add_product("ROD-10")
    bling.delete_product(gone)
    rows = (await client.get("/produtos", params={"codigo": "ROD-10"})).json()["data"]
    assert [row["id"] for row in rows] == [near, exact]
    oldest = min(alive(bling, "products"))
    assert oldest in await ids(client, "/produtos", codigo=bling.products[oldest]["codigo"])


async def test_stock_filter(client: httpx2.AsyncClient, bling: Bling) -> None:
    balance = {p["id"]: p["estoque"]["saldoVirtualTotal"] for p in bling.products.values()}
    positive = {product_id for product_id, amount in balance.items() if amount > 0}
    assert await ids(client, "/produtos", criterio=5, filtroSaldoEstoque=1) == positive
    assert await ids(client, "/produtos", criterio=5) == balance.keys()
    bling.configure(default_hides_zero_stock=True)
    assert await ids(client, "/produtos", criterio=5) == positive


async def test_category_only_in_the_product_detail(client: httpx2.AsyncClient, bling: Bling) -> None:
    rows = (await client.get("/produtos", params={"criterio": 2})).json()["data"]
    detail = (await client.get(f"/produtos/{rows[0]['id']}")).json()["data"]
    assert "categoria" not in rows[0]
    assert rows[0]["precoCusto"] == detail["fornecedor"]["precoCusto"]
    assert "categoria" in detail
    assert detail["codigo"] == bling.products[detail["id"]]["codigo"]


@pytest.mark.parametrize(("path", "register"), [("/contatos", "contacts"), ("/produtos", "products")])
async def test_changes_need_both_ends(
    client: httpx2.AsyncClient, bling: Bling, clock: ManualClock, path: str, register: str
) -> None:
    criterio = 1 if register == "contacts" else 5
    chosen = min(alive(bling, register))
    clock.advance(90 * 86_400)
    client.headers["Authorization"] = f"Bearer {bling.grant()['access_token']}"
    change = bling.edit_contact if register == "contacts" else bling.edit_product
    change(chosen, nome="Outro nome")
    since, until = str(local_now(clock) - timedelta(hours=1)), str(local_now(clock))
    lone = await ids(client, path, criterio=criterio, dataAlteracaoInicial=since)
    both = await ids(client, path, criterio=criterio, dataAlteracaoInicial=since, dataAlteracaoFinal=until)
    assert lone == await ids(client, path, criterio=criterio)
    assert both == {chosen}
    today = until[:10]
    bare = await ids(client, path, criterio=criterio, dataAlteracaoInicial=today, dataAlteracaoFinal=today)
    assert bare == {chosen}
    included = {"dataInclusaoInicial": today, "dataInclusaoFinal": today}
    assert await ids(client, path, criterio=criterio, **included) == set()


@pytest.mark.parametrize(("path", "register"), [("/contatos", "contacts"), ("/produtos", "products")])
async def test_deleted_detail(client: httpx2.AsyncClient, bling: Bling, path: str, register: str) -> None:
    gone = min(deleted(bling, register))
    assert (await client.get(f"{path}/{gone}")).status_code == 404
    bling.configure(deleted_detail_answers_200=True)
    assert (await client.get(f"{path}/{gone}")).json()["data"]["id"] == gone


async def test_payment_methods(client: httpx2.AsyncClient, bling: Bling) -> None:
    everything = bling.company.payment_methods
    assert await ids(client, "/formas-pagamentos") == everything.keys()
    inactive = await ids(client, "/formas-pagamentos", situacao=0)
    assert inactive
    assert all(everything[method_id]["situacao"] == 0 for method_id in inactive)
    (pix,) = (await client.get("/formas-pagamentos", params={"tiposPagamentos[]": 17})).json()["data"]
    assert pix["descricao"] == "PIX"
    assert await ids(client, "/formas-pagamentos", descricao="boleto")
    detail = (await client.get(f"/formas-pagamentos/{pix['id']}")).json()["data"]
    assert {"destino", "taxas", "condicao"} <= detail.keys() - pix.keys()


async def test_categories_and_company(client: httpx2.AsyncClient, bling: Bling) -> None:
    assert await ids(client, "/categorias/produtos") == bling.company.categories.keys()
    child = next(c for c in bling.company.categories.values() if c["categoriaPai"]["id"])
    assert (await client.get(f"/categorias/produtos/{child['id']}")).json()["data"] == child
    profile = (await client.get("/empresas/me/dados-basicos")).json()["data"]
    assert len(profile["id"]) == 32
    assert profile["cnpj"] == "91827364000103"
