"""`/nfce`: o padrão que esconde, o filtro que só existe lá, e a chave de um cupom."""

import httpx2
import pytest

from bling_simulator import Bling
from bling_simulator.company.documents import is_access_key

PATH = "/nfce"


async def ids(client: httpx2.AsyncClient, **params: int | str) -> set[int]:
    answer = await client.get(PATH, params={"limite": 100, **params})
    assert answer.status_code == 200, answer.text
    return {row["id"] for row in answer.json()["data"]}


def of(bling: Bling, *situacoes: int) -> set[int]:
    return {id_ for id_, coupon in bling.coupons.items() if coupon["situacao"] in situacoes}


async def test_the_default_hides_the_cancelled(client: httpx2.AsyncClient, bling: Bling) -> None:
    assert of(bling, 2)
    assert of(bling, 8)
    assert await ids(client) == bling.coupons.keys() - of(bling, 2)
    assert await ids(client, situacao=2) == of(bling, 2)
    assert await ids(client, situacao=12) == of(bling, 8)
    assert (await client.get(PATH, params={"situacao": 13})).status_code == 400


async def test_the_other_readings(client: httpx2.AsyncClient, bling: Bling) -> None:
    bling.configure(coupon_default_hides_cancelled=False, coupon_default_hides_contingency=True)
    assert await ids(client) == bling.coupons.keys() - of(bling, 8)
    bling.configure(coupon_filter_12_answers_400=True)
    assert (await client.get(PATH, params={"situacao": 12})).status_code == 400


async def test_the_row_does_not_bring_the_value_and_the_detail_does(client: httpx2.AsyncClient, bling: Bling) -> None:
    coupon_id = bling.issue_coupon()
    row = next(row for row in (await client.get(PATH)).json()["data"] if row["id"] == coupon_id)
    detail = (await client.get(f"{PATH}/{coupon_id}")).json()["data"]
    assert "valorNota" not in row
    assert detail["valorNota"] > 0
    assert row.items() <= detail.items()


def test_the_chaves_are_of_model_65(bling: Bling) -> None:
    keys = [coupon["chaveAcesso"] for coupon in bling.coupons.values() if coupon["chaveAcesso"]]
    assert all(is_access_key(key) and key[20:22] == "65" for key in keys)
    assert not bling.notes.keys() & bling.coupons.keys()


def test_it_edits_cancels_and_deletes(bling: Bling) -> None:
    coupon_id = bling.issue_coupon(situacao=1)
    assert bling.coupons[coupon_id]["chaveAcesso"] == ""
    bling.edit_coupon(coupon_id, situacao=6)
    assert is_access_key(bling.coupons[coupon_id]["chaveAcesso"])
    bling.cancel_coupon(coupon_id)
    assert bling.coupons[coupon_id]["situacao"] == 2
    bling.delete_coupon(coupon_id)
    assert coupon_id not in bling.coupons


@pytest.mark.parametrize("another", [False, True])
def test_the_empresa_is_the_issuer(bling: Bling, another: bool) -> None:
    before = set(bling.coupons)
    if another:
        bling.become_another()
        assert not before & bling.coupons.keys()
    keys = {coupon["chaveAcesso"][6:20] for coupon in bling.coupons.values() if coupon["chaveAcesso"]}
    assert keys == {bling.profile["cnpj"]}
