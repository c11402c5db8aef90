"""Do JSON dos contratos às linhas da tabela."""

from datetime import date
from decimal import Decimal

import pytest
from tests.fixtures import fixture

from bling_collector.db.models import contratos as contratos_table
from bling_collector.payload import UnreadableError
from bling_collector.streams.vendas import contratos
from bling_collector.streams.vendas.contratos import CONTRATOS, nameless_contrato


def test_a_contrato() -> None:
    document = fixture("contrato")
    assert contratos.rows(document)[contratos_table] == [
        {
            "id": 2700000034,
            "numero": "25",
            "descricao": "Manutenção na casa de Dalva",
            "data": date(2025, 2, 19),
            "data_fim": "2027-05",
            "situacao": 1,
            "valor": Decimal("59.99"),
            "contato_id": 14300000001,
            "vendedor_id": None,
            "categoria_id": 14700001,
            "conta_financeira_id": 15400002,
            "forma_pagamento_id": 2094137,
            "produto_id": 88001,
            "tipo_manutencao": 1,
            "emitir_ordem_servico": False,
            "desconto": Decimal("4.99"),
            "desconto_data_fim": None,
            "cobranca_data_base": date(2025, 2, 22),
            "cobranca_contato_id": 14300000077,
            "vencimento_tipo": 1,
            "vencimento_dia": 10,
            "periodicidade": 3,
            "detalhe": document,
        }
    ]


def test_a_contrato_without_nota_or_end() -> None:
    document = fixture("contrato") | {"dataFim": "", "cobranca": {"dataBase": "0000-00-00", "contato": []}}
    del document["notaFiscal"], document["desconto"]
    row = CONTRATOS.read(document)[contratos_table][0]
    empty = ("data_fim", "cobranca_data_base", "cobranca_contato_id", "periodicidade", "produto_id", "desconto")
    assert [row[name] for name in empty] == [None] * len(empty)


def test_a_piece_of_a_contrato_is_refused() -> None:
    document = fixture("contrato")
    listed = ("id", "descricao", "data", "numero", "valor", "situacao", "contato")
    with pytest.raises(UnreadableError, match="cobranca"):
        CONTRATOS.read({name: document[name] for name in listed})
    with pytest.raises(UnreadableError, match="situacao"):
        CONTRATOS.read({name: value for name, value in document.items() if name != "situacao"})


def test_only_one_under_review_appears_in_no_listing() -> None:
    documents = [{"situacao": situacao} for situacao in range(5)]
    assert [CONTRATOS.is_listable(each) for each in documents] == [True, True, True, True, False]


def test_without_the_person_the_values_stay_and_nothing_says_who() -> None:
    document = fixture("contrato")
    kept = nameless_contrato(document)
    without = {"detalhe": None, "descricao": None}
    assert contratos.rows(kept)[contratos_table][0] | without == contratos.rows(document)[contratos_table][0] | without
    assert "Dalva" not in str(kept)
    assert nameless_contrato({"observacoes": "Dalva", "valor": 1}) == {"valor": 1}
