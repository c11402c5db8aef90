"""Das linhas de GET /produtos/lotes, e do que há debaixo dela, às das tabelas."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from tests.fixtures import fixture

from bling_collector.db import models
from bling_collector.streams.produtos import produtos_lotes


def test_a_product_that_has_lots() -> None:
    document = fixture("produto_controle_lote")
    expected = {"id": 16240000011, "controla_lote": True, "detalhe": document}
    assert produtos_lotes.rows_of_controle(document) == {models.produtos_controle_lote: [expected]}


def test_a_lot() -> None:
    document = fixture("produto_lote")
    expected = {
        "id": 3300000021,
        "produto_id": 16240000011,
        "deposito_id": 14886001,
        "codigo": "L-7/26",
        "codigo_agregacao": None,
        "data_fabricacao": date(2026, 1, 5),
        "data_validade": date(2027, 1, 5),
        "dias_permitido_venda": 30,
        "situacao": "I",
        "detalhe": document,
    }
    assert produtos_lotes.rows(document) == {models.produtos_lotes: [expected]}


@pytest.mark.parametrize(("status", "situacao"), [(1, "A"), ("2", "I"), ("A", "A"), ("", None), (None, None)])
def test_the_row_says_the_status_by_number_and_the_filter_by_letter(status: object, situacao: str | None) -> None:
    (row,) = produtos_lotes.rows(fixture("produto_lote") | {"status": status})[models.produtos_lotes]
    assert row["situacao"] == situacao


def test_the_balance_of_a_lot_and_what_came_into_it() -> None:
    saldo, lancamento = fixture("produto_lote_saldo"), fixture("produto_lote_lancamento")
    (row,) = produtos_lotes.rows_of_saldo(saldo)[models.produtos_lotes_saldos]
    assert (row["id"], row["produto_id"], row["deposito_id"]) == (3300000021, 16240000011, 14886001)
    assert row["saldo"] == Decimal("12.35")
    (row,) = produtos_lotes.rows_of_lancamento(lancamento)[models.produtos_lotes_lancamentos]
    assert row == {
        "id": 3400000031,
        "lote_id": 3300000021,
        "tipo": 1,
        "data": datetime(2026, 1, 6, 8, 30),  # noqa: DTZ001 - hora de Brasília
        "quantidade": 7,
        "origem_id": None,
        "observacao": "Compra",
        "detalhe": lancamento,
    }
