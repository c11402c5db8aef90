"""Do JSON de um lançamento de caixa à linha da tabela."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures import fixture

from bling_collector.db.models import caixas_lancamentos
from bling_collector.payload import UnreadableError
from bling_collector.streams.financeiro import caixas
from bling_collector.streams.financeiro.caixas import CAIXAS, nameless_lancamento


def test_an_outgoing_entry() -> None:
    document = fixture("caixa")
    assert caixas.rows(document)[caixas_lancamentos] == [
        {
            "id": 700000012,
            "conta_id": 15400002,
            "data": date(2026, 2, 9),
            "competencia": date(2026, 2, 1),
            "valor": Decimal("-49.9"),
            "situacao": "R",
            "descricao": None,
            "contato_id": 14300000077,
            "categoria_id": 14700002,
            "origem_tipo": "bordero",
            "origem_id": 900000021,
            "detalhe": document,
        }
    ]


@pytest.mark.parametrize(
    ("side", "given", "kept"), [("D", 5, -5), ("D", -5, -5), ("C", 5, 5), ("C", -5, -5), ("D", None, None)]
)
def test_the_sign_is_that_of_the_side(side: str, given: Any, kept: Any) -> None:
    document = fixture("caixa") | {"debCred": side, "valor": given}
    assert caixas.rows(document)[caixas_lancamentos][0]["valor"] == kept


@pytest.mark.parametrize("side", [None, "", "X", {"veio": 1}])
def test_an_unknown_side_is_not_guessed(side: Any) -> None:
    with pytest.raises(UnreadableError, match="debCred"):
        caixas.rows(fixture("caixa") | {"debCred": side})


def test_the_id_of_the_listing_is_a_text() -> None:
    assert CAIXAS.key({"id": "700000012"}) == 700000012


def test_without_the_person_the_value_stays_and_nothing_says_who() -> None:
    kept = nameless_lancamento(fixture("caixa"))
    assert caixas.rows(kept)[caixas_lancamentos][0]["valor"] == Decimal("-49.9")
    assert kept["contato"] == {"id": 14300000077}
    assert not any(name in str(kept) for name in ("Eulália", "Prado", "ABC"))
