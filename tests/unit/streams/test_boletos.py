"""Da resposta de GET /contas/receber/boletos às linhas das tabelas."""

from datetime import date
from decimal import Decimal

import pytest
from tests.fixtures import fixture

from bling_collector.db import models
from bling_collector.payload import UnreadableError
from bling_collector.streams.financeiro.boletos import BOLETOS, nameless_venda, rows


def test_the_boletos_of_a_nota() -> None:
    document = fixture("boleto")
    found = rows(document)
    assert found[models.boletos_origens] == [
        {
            "id": 16900000321,
            "contato_id": 14300000077,
            "venda_numero": "731",
            "nota_numero": "002447",
            "valor_total": Decimal("249.80"),
            "detalhe": document,
        }
    ]
    first, second = found[models.boletos]
    assert first == {
        "origem_id": 16900000321,
        "ordem": 1,
        "conta_id": 18003514411,
        "numero_externo": "BWbXB",
        "vencimento": date(2026, 2, 12),
        "valor": Decimal("124.90"),
        "situacao": 3,
    }
    assert (second["ordem"], second["numero_externo"], second["vencimento"]) == (2, None, None)


def test_without_boletos_there_are_no_lines_and_another_thing_is_refused() -> None:
    assert BOLETOS.read({"id": 1, "venda": {"numero": "7"}, "valorTotal": 0})[models.boletos] == []
    assert BOLETOS.read({"id": 1, "contas": []})[models.boletos] == []
    with pytest.raises(UnreadableError):
        BOLETOS.read({"id": 1, "pedido": 2})


def test_of_a_person_erased_the_code_that_opens_the_boleto_does_not_stay() -> None:
    kept = nameless_venda(fixture("boleto") | {"pagador": "Dalva"})
    assert "pagador" not in kept
    assert kept["contato"] == {"id": 14300000077}
    assert [each["numero_externo"] for each in rows(kept)[models.boletos]] == [None, None]
    assert [each["valor"] for each in rows(kept)[models.boletos]] == [Decimal("124.90")] * 2
    assert nameless_venda({"id": 1}) == {"id": 1}
