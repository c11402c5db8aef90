"""Do JSON do saldo de um produto às linhas da fotografia."""

from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures import fixture

from bling_collector.db.models import estoque_saldos, estoque_totais
from bling_collector.payload import UnreadableError
from bling_collector.streams.estoque import estoques
from bling_collector.streams.estoque.estoques import ESTOQUES

PRODUTO = 16100000007


def test_the_total_and_one_row_per_deposito() -> None:
    found = estoques.rows(fixture("estoque_saldo"))
    assert found[estoque_totais] == [
        {"produto_id": PRODUTO, "saldo_fisico": Decimal("12.5"), "saldo_virtual": Decimal("10.5")}
    ]
    assert found[estoque_saldos] == [
        {
            "produto_id": PRODUTO,
            "deposito_id": 14886001,
            "saldo_fisico": Decimal("10.2"),
            "saldo_virtual": Decimal("8.2"),
        },
        {"produto_id": PRODUTO, "deposito_id": 14886002, "saldo_fisico": -2, "saldo_virtual": -2},
    ]
    assert ESTOQUES.key(fixture("estoque_saldo")) == PRODUTO


def test_of_a_repeated_deposito_the_last_saldo_counts() -> None:
    twice = [{"id": 1, "saldoFisico": 1, "saldoVirtual": 1}, {"id": 1, "saldoFisico": 2, "saldoVirtual": 2}]
    found = estoques.rows(fixture("estoque_saldo") | {"depositos": twice})[estoque_saldos]
    assert found == [{"produto_id": PRODUTO, "deposito_id": 1, "saldo_fisico": 2, "saldo_virtual": 2}]


def test_of_one_without_a_record_the_saldo_is_empty_and_not_zero() -> None:
    assert ESTOQUES.snapshot is not None
    assert estoques.rows(ESTOQUES.snapshot.none(7)) == {
        estoque_totais: [{"produto_id": 7, "saldo_fisico": None, "saldo_virtual": None}],
        estoque_saldos: [],
    }


@pytest.mark.parametrize("change", [{"produto": {}}, {"depositos": {"veio": 1}}, {"depositos": [{"saldoFisico": 1}]}])
def test_what_does_not_say_of_what_it_is_cannot_be_read(change: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError):
        estoques.rows(fixture("estoque_saldo") | change)
