"""Os pedidos da empresa de referência saem das notas dela e fecham com elas."""

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from bling_simulator import Bling, ManualClock, SimulatorSettings
from bling_simulator.company.sales.statuses import CUSTOM
from bling_simulator.payload import Json

ZERO_DATE = "0000-00-00"


@pytest.fixture(scope="module")
def bling() -> Bling:
    return Bling(SimulatorSettings(), ManualClock())


@pytest.fixture(scope="module")
def orders(bling: Bling) -> list[Json]:
    return list(bling.orders.values())


@pytest.fixture(scope="module")
def pairs(bling: Bling, orders: list[Json]) -> list[tuple[Json, Json]]:
    """Cada pedido com a sua nota."""
    return [(order, bling.notes[order["notaFiscal"]["id"]]) for order in orders if order["notaFiscal"]["id"]]


def test_most_outgoing_notes_have_one_order(bling: Bling, pairs: list[tuple[Json, Json]]) -> None:
    outgoing = [note for note in bling.notes.values() if note["tipo"] == 1 and note["contato"]["id"]]
    assert len({note["id"] for _, note in pairs}) == len(pairs)
    assert all(note["tipo"] == 1 for _, note in pairs)
    assert 0.88 < len(pairs) / len(outgoing) < 0.96


def test_the_order_agrees_with_its_note(pairs: list[tuple[Json, Json]]) -> None:
    for order, note in pairs:
        assert order["contato"] == {field: note["contato"][field] for field in order["contato"]}
        assert (order["loja"]["id"], order["numeroLoja"]) == (note["loja"]["id"], note["numeroPedidoLoja"])
        assert order["vendedor"] == note["vendedor"]
        assert order["total"] == note["valorNota"]
        assert order["totalProdutos"] == sum((line["valorTotal"] for line in note["itens"]), Decimal(0))
        assert [(parcel["dataVencimento"], parcel["valor"]) for parcel in order["parcelas"]] == [
            (parcel["data"], parcel["valor"]) for parcel in note["parcelas"]
        ]
        lead = date.fromisoformat(note["dataEmissao"][:10]) - date.fromisoformat(order["data"])
        assert 0 <= lead.days <= 5
    assert sum(order["data"] == note["dataEmissao"][:10] for order, note in pairs) > len(pairs) / 3


def test_the_sums_close(orders: list[Json]) -> None:
    for order in orders:
        lines = sum(((item["valor"] * item["quantidade"]) for item in order["itens"]), Decimal(0))
        assert abs(lines - order["totalProdutos"]) <= Decimal("0.005") * len(order["itens"])
        off = order["desconto"]["valor"]
        if order["desconto"]["unidade"] == "PERCENTUAL":
            off = (order["totalProdutos"] * off / 100).quantize(Decimal("0.01"))
        extra = order["transporte"]["frete"] + order["tributacao"]["totalIPI"] + order["outrasDespesas"]
        assert order["totalProdutos"] + extra - off == order["total"]
        if order["parcelas"]:
            assert sum(parcel["valor"] for parcel in order["parcelas"]) == order["total"]
    assert {order["desconto"]["unidade"] for order in orders} == {"REAL", "PERCENTUAL"}


def test_what_the_orders_reference(bling: Bling, orders: list[Json]) -> None:
    assert {order["contato"]["id"] for order in orders} <= bling.contacts.keys()
    assert {order["vendedor"]["id"] for order in orders} == bling.sellers.keys() | {0}
    for order in orders:
        for item in order["itens"]:
            product = item["produto"]["id"]
            assert bling.products[product]["codigo"] == item["codigo"] if product else True
    assert any(item["produto"]["id"] == 0 for order in orders for item in order["itens"])
    assert any(order["taxas"]["taxaComissao"] for order in orders if order["loja"]["id"])
    assert any(item["comissao"]["valor"] for order in orders for item in order["itens"])


def test_statuses(orders: list[Json], pairs: list[tuple[Json, Json]]) -> None:
    count = Counter(order["situacao"]["id"] for order in orders)
    assert count.keys() == {6, 9, 12, 15, 18, 21, 24, CUSTOM}
    assert {order["situacao"]["valor"] for order in orders} <= set(range(13))
    assert all((order["situacao"]["id"] == 12) == (note["situacao"] == 2) for order, note in pairs)
    loose = [order for order in orders if not order["notaFiscal"]["id"]]
    assert {6, 12, 15} <= {order["situacao"]["id"] for order in loose}


def test_dates_may_be_zero(orders: list[Json]) -> None:
    assert 0.1 < sum(order["dataPrevista"] == ZERO_DATE for order in orders) / len(orders) < 0.2
    assert any(order["dataSaida"] == ZERO_DATE for order in orders)
    assert any(parcel["dataVencimento"] == ZERO_DATE for order in orders for parcel in order["parcelas"])
    assert max(order["data"] for order in orders) <= "2026-02-20"


def test_ids_and_numbers(bling: Bling, orders: list[Json]) -> None:
    ids, numbers = [order["id"] for order in orders], [order["numero"] for order in orders]
    assert ids == sorted(set(ids))
    assert numbers == sorted(set(numbers))
    assert 10 < numbers[-1] - numbers[0] + 1 - len(numbers) < len(numbers) / 10
    assert 2**32 < ids[0] < ids[-1] < min(bling.notes)
    assert [order["data"] for order in orders] == sorted(order["data"] for order in orders)


@pytest.mark.parametrize("volumes", [{}, {2025: (1, 0)}, {2025: (2, 2)}, {2024: (10, 2), 2025: (40, 1)}])
def test_tiny_companies(volumes: dict[int, tuple[int, int]]) -> None:
    settings = SimulatorSettings(volumes=volumes)
    bling, twin = Bling(settings, ManualClock()), Bling(settings, ManualClock())
    twin.delete_note(twin.issue_note())
    for note_id in list(twin.notes):
        twin.cancel_note(note_id)
    assert bling.orders == twin.orders
    assert len(bling.orders) <= sum(count for count, _ in volumes.values()) * 7 / 6


def test_another_company_has_other_orders_of_its_own_notes() -> None:
    bling = Bling(SimulatorSettings(scale=0.05), ManualClock())
    before = bling.orders
    bling.become_another()
    assert not before.keys() & bling.orders.keys()
    assert {order["notaFiscal"]["id"] for order in bling.orders.values()} <= bling.notes.keys() | {0}
    for order_id, order in bling.orders.items():
        assert order["id"] == order_id


def test_what_is_sold_has_an_order_whenever_one_looks() -> None:
    """Vender antes ou depois de olhar os pedidos dá nos mesmos pedidos."""
    clock = ManualClock()
    early, late = (Bling(SimulatorSettings(scale=0.05), clock) for _ in range(2))
    known = len(early.orders)
    for _ in range(12):
        clock.advance(3_600)
        early.sell()
        late.sell()
    assert early.orders == late.orders
    sold = list(early.orders.values())[known:]
    assert 6 < len(sold) <= 12
    for order in sold:
        note = early.notes[order["notaFiscal"]["id"]]
        assert (order["data"], order["total"]) == (note["dataEmissao"][:10], note["valorNota"])
