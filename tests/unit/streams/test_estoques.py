"""Do JSON do saldo de um produto às linhas da fotografia."""

from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures import fixture

from bling_collector.db.models import estoque_saldos
from bling_collector.payload import UnreadableError
from bling_collector.streams.estoque import estoques
from bling_collector.streams.estoque.estoques import ESTOQUES

PRODUTO = 16100000007


def test_uma_linha_por_deposito() -> None:
    assert estoques.rows(fixture("estoque_saldo"))[estoque_saldos] == [
        {
            "produto_id": PRODUTO,
            "deposito_id": 14886001,
            "saldo_fisico": Decimal("10.2"),
            "saldo_virtual": Decimal("8.2"),
        },
        {"produto_id": PRODUTO, "deposito_id": 14886002, "saldo_fisico": -2, "saldo_virtual": -2},
    ]
    assert ESTOQUES.key(fixture("estoque_saldo")) == PRODUTO


def test_sem_depositos_fica_o_total() -> None:
    saldo = fixture("estoque_saldo") | {"depositos": []}
    assert estoques.rows(saldo)[estoque_saldos] == [
        {
            "produto_id": PRODUTO,
            "deposito_id": 0,
            "saldo_fisico": Decimal("12.5"),
            "saldo_virtual": Decimal("10.5"),
        }
    ]


@pytest.mark.parametrize("change", [{"produto": {}}, {"depositos": {"veio": 1}}, {"depositos": [{"saldoFisico": 1}]}])
def test_o_que_nao_diz_de_que_e_nao_se_le(change: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError):
        estoques.rows(fixture("estoque_saldo") | change)
