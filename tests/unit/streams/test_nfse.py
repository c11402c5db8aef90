"""Do JSON das NFS-e às linhas das tabelas."""

from datetime import date
from decimal import Decimal

import pytest
from tests.fixtures import fixture

from bling_collector.db.models import contatos
from bling_collector.db.models import nfse as nfse_table
from bling_collector.payload import UnreadableError
from bling_collector.streams.notas import nfse
from bling_collector.streams.notas.nfse import NFSE, nameless_nfse


def test_an_nfse_and_its_contato() -> None:
    document = fixture("nfse")
    rows = nfse.rows(document)
    assert rows[nfse_table] == [
        {
            "id": 9900123456,
            "numero": "202600000000042",
            "numero_rps": "42",
            "serie": "1",
            "situacao": 2,
            "data_emissao": date(2026, 2, 3),
            "valor": Decimal("380.5"),
            "contato_id": 14300000001,
            "contato_nome": "Metalúrgica Pedra Lascada Ltda",
            "contato_documento": "12345678000195",
            "contato_email": "compras@pedralascada.example",
            "link": "https://nfse.vale.example/ver?codigo=A1B2C3D4E",
            "codigo_verificacao": "A1B2C3D4E",
            "detalhe": document,
        }
    ]
    (contato,) = rows[contatos]
    assert contato == {
        "id": 14300000001,
        "nome": "Metalúrgica Pedra Lascada Ltda",
        "documento": "12345678000195",
        "tipo_pessoa": None,
        "email": "compras@pedralascada.example",
    }


def test_a_pending_one_has_no_number_link_or_codigo_yet() -> None:
    document = fixture("nfse") | {
        "situacao": 0,
        "numero": "",
        "link": "",
        "codigoVerificacao": "",
        "contato": {"id": 0},
    }
    rows = nfse.rows(document)
    (row,) = rows[nfse_table]
    assert (row["numero"], row["link"], row["codigo_verificacao"], row["contato_id"]) == (None, None, None, None)
    assert (row["situacao"], row["numero_rps"]) == (0, "42")
    assert rows[contatos] == []


@pytest.mark.parametrize("missing", ["situacao", "dataEmissao", "valor"])
def test_a_piece_of_a_nota_is_refused(missing: str) -> None:
    document = fixture("nfse")
    del document[missing]
    with pytest.raises(UnreadableError, match=missing):
        NFSE.read(document)


def test_without_the_person_the_values_stay_and_nothing_says_who() -> None:
    kept = nameless_nfse(fixture("nfse") | {"campoNovo": "Metalúrgica Pedra Lascada"})
    assert kept["contato"] == {"id": 14300000001}
    assert (kept["valor"], kept["numero"], kept["situacao"]) == (Decimal("380.5"), "202600000000042", 2)
    assert not {"link", "campoNovo"} & kept.keys()
    assert "Pedra" not in str(kept)
