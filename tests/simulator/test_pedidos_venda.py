"""`/pedidos/vendas`: o que a lista mostra, o que o detalhe acrescenta e as armadilhas dos períodos."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from bling_simulator import Bling, ManualClock
from bling_simulator.clock import local_now
from bling_simulator.company.invoices.lines import line_of
from bling_simulator.payload import Json

PATH = "/pedidos/vendas"


async def rows(client: httpx2.AsyncClient, **params: Any) -> list[Json]:
    found: list[Json] = []
    while page := (await client.get(PATH, params={**params, "pagina": 1 + len(found) // 100})).json()["data"]:
        found.extend(page)
        if len(page) < 100:
            break
    return found


async def ids(client: httpx2.AsyncClient, **params: Any) -> set[int]:
    return {row["id"] for row in await rows(client, **params)}


def some(bling: Bling, **wanted: Any) -> set[int]:
    return {id_ for id_, order in bling.orders.items() if all(order[field] == value for field, value in wanted.items())}


async def test_everything_newest_first_also_cancelled(client: httpx2.AsyncClient, bling: Bling) -> None:
    found = await rows(client)
    assert {row["id"] for row in found} == bling.orders.keys()
    assert [row["data"] for row in found] == sorted((row["data"] for row in found), reverse=True)


async def test_second_reading_of_the_default(client: httpx2.AsyncClient, bling: Bling) -> None:
    cancelled = {id_ for id_, order in bling.orders.items() if order["situacao"]["id"] == 12}
    assert cancelled
    bling.configure(default_hides_cancelled_orders=True)
    assert await ids(client) == bling.orders.keys() - cancelled
    assert await ids(client, **{"idsSituacoes[]": 12}) == cancelled
    assert await ids(client, **{"idsSituacoes[]": [9, 12]}) > cancelled


async def test_row_and_detail(client: httpx2.AsyncClient, bling: Bling) -> None:
    row = (await rows(client))[0]
    detail = (await client.get(f"{PATH}/{row['id']}")).json()["data"]
    assert row.items() <= detail.items()
    assert row.keys() == {
        "id", "numero", "numeroLoja", "data", "dataSaida", "dataPrevista", "totalProdutos", "total", "contato",
        "situacao", "loja",
    }  # fmt: skip
    assert detail.keys() - row.keys() == {
        "numeroPedidoCompra", "outrasDespesas", "observacoes", "observacoesInternas", "desconto", "categoria",
        "notaFiscal", "tributacao", "transporte", "vendedor", "intermediador", "taxas", "itens", "parcelas",
    }  # fmt: skip
    assert Decimal(str(detail["total"])) == Decimal(str(bling.orders[row["id"]]["total"]))


async def test_exact_filters(client: httpx2.AsyncClient, bling: Bling) -> None:
    order = next(o for o in bling.orders.values() if o["numeroLoja"] and o["vendedor"]["id"])
    assert await ids(client, numero=order["numero"]) == {order["id"]}
    assert await ids(client, idContato=order["contato"]["id"]) == some(bling, contato=order["contato"])
    assert await ids(client, idLoja=order["loja"]["id"]) == some(bling, loja=order["loja"])
    assert await ids(client, idVendedor=order["vendedor"]["id"]) == some(bling, vendedor=order["vendedor"])
    assert order["id"] in await ids(client, **{"numerosLojas[]": [order["numeroLoja"], "outro"]})
    assert await ids(client, numeroLoja="x", idsSituacoes=12) == bling.orders.keys()
    assert await ids(client, idControleCaixa=1) == set()
    assert await ids(client, idUnidadeNegocio=1) == set()
    assert (await client.get(PATH, params={"numero": "um"})).status_code == 400


async def test_order_dates_need_both_ends(client: httpx2.AsyncClient, bling: Bling) -> None:
    inside = {id_ for id_, order in bling.orders.items() if "2025-03-01" <= order["data"] <= "2025-03-31"}
    assert inside
    assert await ids(client, dataInicial="2025-03-01", dataFinal="2025-03-31") == inside
    assert await ids(client, dataInicial="2025-03-01") == bling.orders.keys()
    assert await ids(client, dataFinal="2025-03-31") == bling.orders.keys()


async def test_expected_dates_leave_zero_dates_out(client: httpx2.AsyncClient, bling: Bling) -> None:
    span = {"dataPrevistaInicial": "2025-03-01", "dataPrevistaFinal": "2025-06-30"}
    inside = {id_ for id_, order in bling.orders.items() if "2025-03-01" <= order["dataPrevista"] <= "2025-06-30"}
    assert inside
    assert await ids(client, **span) == inside
    assert await ids(client, dataPrevistaInicial="2025-03-01") == bling.orders.keys()


@pytest.mark.parametrize("prefix", ["data", "dataPrevista", "dataAlteracao"])
@pytest.mark.parametrize(
    ("first", "last", "status"),
    [("2023-01-01", "2023-12-31", 200), ("2023-01-01", "2024-01-02", 400), ("01/01/2023", "31/01/2023", 400)],
)
async def test_ranges(
    client: httpx2.AsyncClient, bling: Bling, prefix: str, first: str, last: str, status: int
) -> None:
    params = {f"{prefix}Inicial": first, f"{prefix}Final": last}
    assert (await client.get(PATH, params=params)).status_code == status
    bling.configure(order_filters_are_ignored=True)
    assert await ids(client, **params) == bling.orders.keys()


async def test_a_final_date_of_today_leaves_today_out(
    client: httpx2.AsyncClient, bling: Bling, clock: ManualClock
) -> None:
    clock.advance(3 * 86_400)
    client.headers["Authorization"] = f"Bearer {bling.grant()['access_token']}"
    today = local_now(clock).date()
    yesterday, tomorrow = today - timedelta(days=1), today + timedelta(days=1)
    new, old = bling.add_order(), bling.add_order(ordered_on=yesterday)
    assert bling.orders[new]["data"] == str(today)
    assert await ids(client, dataInicial=yesterday, dataFinal=today) == {old}
    assert await ids(client, dataInicial=today, dataFinal=today) == set()
    assert await ids(client, dataInicial=yesterday, dataFinal=tomorrow) == {old, new}
    bling.configure(order_list_final_date_excludes_today=False)
    assert await ids(client, dataInicial=yesterday, dataFinal=today) == {old, new}


async def test_changes_by_moment_or_day(client: httpx2.AsyncClient, bling: Bling, clock: ManualClock) -> None:
    clock.advance(90 * 86_400)
    client.headers["Authorization"] = f"Bearer {bling.grant()['access_token']}"
    edited, cancelled, *_ = bling.orders
    bling.edit_order(edited, observacoes="Mudou")
    clock.advance(60)
    bling.cancel_order(cancelled)
    now = local_now(clock)
    since = {"dataAlteracaoInicial": str(now - timedelta(hours=1))}
    assert await ids(client, **since) == bling.orders.keys()
    assert await ids(client, **since, dataAlteracaoFinal=str(now)) == {edited, cancelled}
    assert await ids(client, **since, dataAlteracaoFinal=str(now - timedelta(seconds=30))) == {edited}
    assert await ids(client, dataAlteracaoInicial=now.date(), dataAlteracaoFinal=now.date()) == {edited, cancelled}


async def test_the_handle(client: httpx2.AsyncClient, bling: Bling) -> None:
    contact = min(bling.contacts)
    sku = next(p["codigo"] for p in bling.products.values() if p["codigo"])
    line = line_of(codigo=sku, descricao="Peça", quantidade=3, valor=Decimal("1.10"))
    newest = max(order["numero"] for order in bling.orders.values())
    order_id = bling.add_order(
        ordered_on=date(2025, 4, 1), contact_id=contact, lines=[line], situacao=15, notaFiscal={"id": min(bling.notes)}
    )
    detail = (await client.get(f"{PATH}/{order_id}")).json()["data"]
    assert (detail["data"], detail["total"], detail["numero"]) == ("2025-04-01", 3.3, newest + 1)
    assert (detail["contato"]["id"], detail["situacao"]) == (contact, {"id": 15, "valor": 3})
    assert bling.products[detail["itens"][0]["produto"]["id"]]["codigo"] == sku
    bling.edit_order(order_id, itens=[], situacao={"id": 777})
    assert bling.orders[order_id]["situacao"] == {"id": 777, "valor": 0}
    bling.cancel_order(order_id)
    assert (await client.get(f"{PATH}/{order_id}")).json()["data"]["situacao"]["id"] == 12
    bling.delete_order(order_id)
    assert (await client.get(f"{PATH}/{order_id}")).status_code == 404
    assert order_id not in await ids(client)
    anonymous = bling.add_order(contact_id=0)
    assert (bling.orders[anonymous]["numero"], bling.orders[anonymous]["contato"]["id"]) == (newest + 2, 0)


def test_refusals(bling: Bling) -> None:
    count = len(bling.orders)
    with pytest.raises(KeyError):
        bling.add_order(contact_id=1)
    with pytest.raises(KeyError):
        bling.add_order(apelido="x")
    with pytest.raises(KeyError):
        bling.edit_order(min(bling.orders), apelido="x")
    assert len(bling.orders) == count


async def test_float_noise(client: httpx2.AsyncClient, bling: Bling) -> None:
    line = line_of(codigo="A", descricao="Peça", quantidade=Decimal("1.7"), valor=Decimal("49.90"))
    order_id = bling.add_order(lines=[line], total=Decimal("49.90"))
    bling.configure(money_has_float_noise=True)
    row = (await rows(client))[0]
    detail = (await client.get(f"{PATH}/{order_id}")).json()["data"]
    assert row["total"] == detail["itens"][0]["valor"] == 49.9000015259
    assert detail["itens"][0]["quantidade"] == 1.7
    for answered in await rows(client):
        assert round(Decimal(str(answered["total"])), 2) == bling.orders[answered["id"]]["total"]


async def test_status_value_may_be_always_zero(client: httpx2.AsyncClient, bling: Bling) -> None:
    assert {row["situacao"]["valor"] for row in await rows(client)} > {0, 1, 2}
    bling.configure(order_status_value_is_always_zero=True)
    assert {row["situacao"]["valor"] for row in await rows(client)} == {0}
    detail = (await client.get(f"{PATH}/{min(bling.orders)}")).json()["data"]
    assert detail["situacao"]["valor"] == 0
