"""Do JSON das contas a receber e a pagar às linhas das tabelas."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures import fixture

from bling_collector.db.models import contas_borderos, contatos
from bling_collector.db.models import contas_pagar as contas_pagar_table
from bling_collector.db.models import contas_receber as contas_receber_table
from bling_collector.etl.resource import Resource
from bling_collector.payload import UnreadableError
from bling_collector.streams.financeiro import contas_pagar, contas_receber
from bling_collector.streams.financeiro.contas import nameless_conta
from bling_collector.streams.financeiro.contas_pagar import CONTAS_PAGAR
from bling_collector.streams.financeiro.contas_receber import CONTAS_RECEBER


def test_a_conta_receber_with_borderos_and_contato() -> None:
    document = fixture("conta_receber")
    rows = contas_receber.rows(document)
    assert rows[contas_receber_table] == [
        {
            "id": 18003514411,
            "situacao": 3,
            "vencimento": date(2026, 2, 12),
            "vencimento_lista": None,
            "data_emissao": date(2026, 1, 12),
            "valor": Decimal("164.8"),
            "saldo": Decimal("64.8"),
            "contato_id": 14300000001,
            "forma_pagamento_id": 2094137,
            "portador_id": 15400002,
            "categoria_id": None,
            "numero_documento": "002447/01",
            "competencia": None,
            "vendedor_id": 15596001,
            "origem_id": 9730200252,
            "origem_tipo": "notafiscal",
            "detalhe": document,
        }
    ]
    assert rows[contas_borderos] == [
        {"conta_tipo": "receber", "conta_id": 18003514411, "bordero_id": 900000001},
        {"conta_tipo": "receber", "conta_id": 18003514411, "bordero_id": 900000008},
    ]
    assert rows[contatos] == [
        {
            "id": 14300000001,
            "nome": "Metalúrgica Pedra Lascada Ltda",
            "documento": "12ABC34501DE35",
            "tipo_pessoa": "J",
        }
    ]


@pytest.mark.parametrize("nothing", [[], {}, "", None])
def test_a_conta_nobody_settled(nothing: Any) -> None:
    document = fixture("conta_receber") | {"borderos": nothing}
    assert contas_receber.rows(document)[contas_borderos] == []
    del document["borderos"]
    assert contas_receber.rows(document)[contas_borderos] == []


def test_a_bordero_repeated_or_as_an_object_is_a_single_one() -> None:
    document = fixture("conta_receber") | {"borderos": [7, "7", {"id": 7}, 8]}
    assert [row["bordero_id"] for row in contas_receber.rows(document)[contas_borderos]] == [7, 8]


@pytest.mark.parametrize("given", ["7", {"veio": 7}, [None], [0], ["sete"], [[7]]])
def test_borderos_that_cannot_be_read_refuse_the_conta(given: Any) -> None:
    with pytest.raises(UnreadableError, match="borderos"):
        contas_receber.rows(fixture("conta_receber") | {"borderos": given})


@pytest.mark.parametrize("missing", ["situacao", "valor"])
def test_a_piece_of_a_conta_is_refused(missing: str) -> None:
    document = fixture("conta_receber")
    del document[missing]
    with pytest.raises(UnreadableError, match=missing):
        CONTAS_RECEBER.read(document)


@pytest.mark.parametrize("resource", [CONTAS_RECEBER, CONTAS_PAGAR], ids=lambda resource: resource.name)
def test_a_part_paid_one_is_always_reread_and_an_open_one_weekly(resource: Resource) -> None:
    rows = [{"situacao": situacao} for situacao in range(1, 8)]
    assert [row["situacao"] for row in rows if not resource.is_final(row)] == [3]
    assert resource.drifts is not None
    assert [row["situacao"] for row in rows if resource.drifts(row)] == [1]


def test_without_the_person_the_values_stay_and_nothing_says_who() -> None:
    kept = nameless_conta(fixture("conta_receber"))
    row = contas_receber.rows(kept)[contas_receber_table][0]
    assert (row["saldo"], row["origem_id"], row["contato_id"]) == (Decimal("64.8"), 9730200252, 14300000001)
    assert len(contas_receber.rows(kept)[contas_borderos]) == 2
    said = str(kept)
    assert not any(name in said for name in ("Dalva", "dalva", "Pedra Lascada", "ABC", "url", "E1234"))
    assert nameless_conta({"borderos": [1]}) == {"borderos": [1]}


def test_a_conta_pagar() -> None:
    document = fixture("conta_pagar")
    rows = contas_pagar.rows(document)
    assert rows[contas_pagar_table] == [
        {
            "id": 17003514411,
            "situacao": 2,
            "vencimento": date(2026, 2, 5),
            "vencimento_lista": None,
            "data_emissao": None,
            "valor": Decimal("1249.9"),
            "saldo": 0,
            "contato_id": 14300000077,
            "forma_pagamento_id": 2094137,
            "portador_id": 15400002,
            "categoria_id": 14700002,
            "numero_documento": None,
            "competencia": date(2026, 1, 1),
            "detalhe": document,
        }
    ]
    assert rows[contas_borderos] == [{"conta_tipo": "pagar", "conta_id": 17003514411, "bordero_id": 900000021}]
    assert not any(name in str(nameless_conta(document)) for name in ("Eulália", "historico"))


def test_the_two_share_the_table_of_borderos() -> None:
    ours = [child.ours for resource in (CONTAS_RECEBER, CONTAS_PAGAR) for child in resource.children]
    assert ours == ["conta_tipo = 'receber'", "conta_tipo = 'pagar'"]


@pytest.mark.parametrize("resource", [CONTAS_RECEBER, CONTAS_PAGAR], ids=lambda resource: resource.name)
def test_the_vencimento_of_the_listing_is_kept_beside_that_of_the_detail(resource: Resource) -> None:
    document = {**fixture(resource.singular), **resource.of_list({"id": 1, "vencimento": "2026-01-31"})}
    (row,) = resource.rows(document)[resource.table]
    assert (row["vencimento_lista"], row["vencimento"] > date(2026, 1, 31)) == (date(2026, 1, 31), True)
    assert nameless_conta(document)["vencimentoNaLista"] == "2026-01-31"
