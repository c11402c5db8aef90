"""`/estoques/saldos`: o que se pede, o que falta, e as duas leituras de cada dúvida."""

from typing import Any

import httpx2
import pytest

from bling_simulator import Bling
from bling_simulator.payload import Json

PATH = "/estoques/saldos"


async def rows(client: httpx2.AsyncClient, **params: Any) -> list[Json]:
    found: list[Json] = (await client.get(PATH, params=params)).json()["data"]
    return found


async def test_only_what_is_asked_and_all_at_once(client: httpx2.AsyncClient, bling: Bling) -> None:
    balances = {each["id"]: each for each in bling.stockroom.balances()}
    some = list(balances)[:120]
    found = await rows(client, **{"idsProdutos[]": some, "limite": 10})
    assert {row["produto"]["id"] for row in found} == {*some}
    assert found[0].keys() == {"produto", "saldoFisicoTotal", "saldoVirtualTotal", "depositos"}
    first = balances[some[0]]
    by_sku = await rows(client, **{"codigos[]": first["produto"]["codigo"]})
    assert first["id"] in {row["produto"]["id"] for row in by_sku}
    assert (await client.get(PATH)).status_code == 400
    assert (await client.get(f"{PATH}/{some[0]}")).status_code == 404


async def test_the_virtual_total_leaves_one_place_out(bling: Bling) -> None:
    balances = list(bling.stockroom.balances())
    assert any(sum(p["saldoFisico"] for p in each["depositos"]) != each["saldoFisicoTotal"] for each in balances)
    assert {each["saldoFisicoTotal"] > 0 for each in balances} == {True, False}


@pytest.mark.parametrize("hides", [False, True])
async def test_both_readings_of_the_default(client: httpx2.AsyncClient, bling: Bling, hides: bool) -> None:
    bling.configure(default_hides_zero_stock=hides)
    balances = {each["id"]: each["saldoFisicoTotal"] for each in bling.stockroom.balances()}
    asked = {"idsProdutos[]": [*balances]}
    plain = {row["produto"]["id"] for row in await rows(client, **asked)}
    assert plain == ({id_ for id_, total in balances.items() if total > 0} if hides else balances.keys())
    by_class = [await rows(client, **asked, filtroSaldoEstoque=n) for n in range(3)]
    assert sum(map(len, by_class)) == len(balances)


@pytest.mark.parametrize("refuses", [False, True])
async def test_both_readings_of_what_has_no_record(client: httpx2.AsyncClient, bling: Bling, refuses: bool) -> None:
    bling.configure(unknown_stock_answers_400=refuses)
    known = {each["id"] for each in bling.stockroom.balances()}
    without = [id_ for id_ in bling.products if id_ not in known]
    assert without
    answer = await client.get(PATH, params={"idsProdutos[]": without})
    assert answer.status_code == (400 if refuses else 200)
    assert len(await rows(client, **{"idsProdutos[]": [*without, min(known)]})) == 1


async def test_an_edited_one(client: httpx2.AsyncClient, bling: Bling) -> None:
    product = next(bling.stockroom.balances())["id"]
    bling.edit_stock(product, saldoFisicoTotal=77)
    assert (await rows(client, **{"idsProdutos[]": product}))[0]["saldoFisicoTotal"] == 77
    with pytest.raises(KeyError):
        bling.edit_stock(product, nada=1)
    bling.delete_product(product)
    assert await rows(client, **{"idsProdutos[]": product}) == []
