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


def test_o_total_e_uma_linha_por_deposito() -> None:
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


def test_de_um_deposito_repetido_vale_o_ultimo_saldo() -> None:
    twice = [{"id": 1, "saldoFisico": 1, "saldoVirtual": 1}, {"id": 1, "saldoFisico": 2, "saldoVirtual": 2}]
    found = estoques.rows(fixture("estoque_saldo") | {"depositos": twice})[estoque_saldos]
    assert found == [{"produto_id": PRODUTO, "deposito_id": 1, "saldo_fisico": 2, "saldo_virtual": 2}]


def test_de_um_sem_registro_o_saldo_e_vazio_e_nao_zero() -> None:
    assert ESTOQUES.snapshot is not None
    assert estoques.rows(ESTOQUES.snapshot.none(7)) == {
        estoque_totais: [{"produto_id": 7, "saldo_fisico": None, "saldo_virtual": None}],
        estoque_saldos: [],
    }


@pytest.mark.parametrize("change", [{"produto": {}}, {"depositos": {"veio": 1}}, {"depositos": [{"saldoFisico": 1}]}])
def test_o_que_nao_diz_de_que_e_nao_se_le(change: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError):
        estoques.rows(fixture("estoque_saldo") | change)
