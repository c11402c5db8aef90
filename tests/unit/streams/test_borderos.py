"""Do JSON de um borderô às linhas das tabelas."""

from datetime import date
from decimal import Decimal

import pytest
from tests.fixtures import fixture

from bling_collector.db.models import borderos as borderos_table
from bling_collector.db.models import borderos_pagamentos
from bling_collector.payload import UnreadableError
from bling_collector.streams.financeiro import borderos
from bling_collector.streams.financeiro.borderos import BORDEROS


def test_a_bordero_of_two_contas() -> None:
    document = fixture("bordero")
    rows = borderos.rows(document)
    assert rows[borderos_table] == [
        {
            "id": 900000001,
            "data": date(2026, 2, 9),
            "portador_id": 15400002,
            "categoria_id": None,
            "historico": "Recebimento conjunto",
            "detalhe": document,
        }
    ]
    first, second = rows[borderos_pagamentos]
    assert first == {
        "bordero_id": 900000001,
        "ordem": 1,
        "contato_id": 14300000001,
        "numero_documento": "002447/01",
        "valor_pago": Decimal("102.4"),
        "juros": 2,
        "desconto": 0,
        "acrescimo": 0,
        "tarifa": Decimal("1.5"),
    }
    assert (second["contato_id"], second["numero_documento"], second["valor_pago"]) == (None, None, Decimal("49.9"))


@pytest.mark.parametrize("missing", ["data", "historico portador categoria pagamentos"])
def test_a_piece_of_a_bordero_is_refused(missing: str) -> None:
    document = fixture("bordero")
    for name in missing.split():
        document.pop(name, None)
    with pytest.raises(UnreadableError, match=missing.split(maxsplit=1)[0]):
        BORDEROS.read(document)
