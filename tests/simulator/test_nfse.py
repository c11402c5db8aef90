"""`/nfse`: as duas leituras do filtro de situação, e o que só o detalhe traz."""

import httpx2
import pytest

from bling_simulator import Bling

PATH = "/nfse"


async def ids(client: httpx2.AsyncClient, **params: int | str) -> set[int]:
    answer = await client.get(PATH, params={"limite": 100, **params})
    assert answer.status_code == 200, answer.text
    return {row["id"] for row in answer.json()["data"]}


def of(bling: Bling, *situacoes: int) -> set[int]:
    return {id_ for id_, each in bling.services.items() if each["situacao"] in situacoes}


async def test_the_default_shows_all_and_the_filter_goes_from_0_to_3(client: httpx2.AsyncClient, bling: Bling) -> None:
    assert all(of(bling, situacao) for situacao in range(4))
    assert await ids(client) == bling.services.keys()
    assert [await ids(client, situacao=each) for each in range(4)] == [of(bling, each) for each in range(4)]
    assert (await client.get(PATH, params={"situacao": 4})).status_code == 400


async def test_the_other_readings(client: httpx2.AsyncClient, bling: Bling) -> None:
    bling.configure(service_default_hides_cancelled=True, service_filter_starts_at_one=True)
    assert await ids(client) == bling.services.keys() - of(bling, 3)
    assert [await ids(client, situacao=each + 1) for each in range(4)] == [of(bling, each) for each in range(4)]
    assert (await client.get(PATH, params={"situacao": 0})).status_code == 400


async def test_the_link_and_the_codigo_only_come_in_the_detail(client: httpx2.AsyncClient, bling: Bling) -> None:
    (chosen,) = await ids(client, limite=1)
    row = (await client.get(PATH, params={"limite": 1})).json()["data"][0]
    detail = (await client.get(f"{PATH}/{chosen}")).json()["data"]
    assert detail.keys() - row.keys() == {"link", "codigoVerificacao"}
    assert (await client.get(f"{PATH}/configuracoes")).status_code == 404


async def test_the_period_is_of_days(client: httpx2.AsyncClient, bling: Bling) -> None:
    service_id = bling.add_service()
    day = bling.services[service_id]["dataEmissao"]
    assert service_id in await ids(client, dataEmissaoInicial=day, dataEmissaoFinal=day)
    assert {
        bling.services[id_]["dataEmissao"] for id_ in await ids(client, dataEmissaoInicial=day, dataEmissaoFinal=day)
    } == {day}


def test_a_pending_one_gets_its_number_when_issued(bling: Bling) -> None:
    service_id = bling.add_service(situacao=0)
    assert bling.services[service_id]["numero"] == ""
    bling.edit_service(service_id, situacao=1)
    assert bling.services[service_id]["numero"]
    bling.cancel_service(service_id)
    bling.delete_service(service_id)
    assert service_id not in bling.services
    with pytest.raises(KeyError):
        bling.edit_service(service_id, situacao=2)


def test_another_empresa_has_others(bling: Bling) -> None:
    before = set(bling.services)
    bling.become_another()
    assert bling.services
    assert not before & bling.services.keys()
