"""Do JSON das logísticas, dos serviços e do que se despacha às linhas das tabelas."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures import fixture

from bling_collector.db import models
from bling_collector.payload import UnreadableError
from bling_collector.streams.logistica import logisticas, logisticas_objetos, logisticas_remessas, logisticas_servicos
from bling_collector.streams.logistica.volumes import volumes
from bling_collector.streams.notas.nfe import rows as rows_of_nota
from bling_collector.streams.vendas.pedidos_venda import rows as rows_of_pedido


def test_a_logistica() -> None:
    document = fixture("logistica")
    expected = {
        "id": 6423813176,
        "descricao": "Correios",
        "tipo_integracao": "Correios",
        "integracao_nativa": True,
        "situacao": "H",
        "integracao_id": 770001,
    }
    assert logisticas.rows(document) == {models.logisticas: [expected | {"detalhe": document}]}


def test_a_servico_and_what_stays_of_it_without_the_carrier() -> None:
    document = fixture("logistica_servico")
    expected = {
        "id": 6423900005,
        "logistica_id": 6423813145,
        "descricao": "Transportadora",
        "codigo": "TR-1",
        "codigo_servico": "13112",
        "ativo": True,
        "frete_item": Decimal("12.45"),
        "estimativa_entrega": 5,
        "transportador_id": 14300000077,
    }
    assert logisticas_servicos.rows(document) == {models.logisticas_servicos: [expected | {"detalhe": document}]}
    named = document | {"transportador": {"id": 7, "nome": "Eulália Prado"}, "responsavel": "Eulália"}
    bare = logisticas_servicos.nameless_servico(named)
    assert bare["transportador"] == {"id": 7}
    assert not bare.keys() & {"responsavel", "aliases"}


def test_a_shipped_objeto() -> None:
    document = fixture("logistica_objeto")
    expected = {
        "id": 500300051101,
        "pedido_venda_id": 5003514411,
        "nota_fiscal_id": 9730200252,
        "servico_id": 6423900005,
        "codigo_rastreamento": "EC272330554BR",
        "situacao": 1,
        "ultima_alteracao": datetime(2026, 2, 11, 16, 40, 33),  # noqa: DTZ001 - hora de Brasília
        "data_saida": date(2026, 2, 10),
        "prazo_entrega_previsto": 15,
        "frete_previsto": Decimal("59.9"),
        "valor_declarado": Decimal("164.8"),
    }
    assert logisticas_objetos.rows(document) == {models.logisticas_objetos: [expected | {"detalhe": document}]}
    blank = {"codigo": "", "situacao": 8, "ultimaAlteracao": "0000-00-00 00:00:00"}
    unposted = document | {"notaFiscal": {"id": 0}, "dataSaida": "0000-00-00", "rastreamento": blank}
    row = logisticas_objetos.rows(unposted)[models.logisticas_objetos][0]
    names = ("nota_fiscal_id", "codigo_rastreamento", "ultima_alteracao", "data_saida")
    assert [row[name] for name in names] == [None] * 4


def test_a_remessa_and_what_it_carried() -> None:
    document = fixture("logistica_remessa")
    expected = {
        "id": 733100021,
        "logistica_id": 6423813145,
        "numero_plp": "749fdc73",
        "descricao": "Remessa_18092023",
        "situacao": 3,
        "data_criacao": date(2023, 9, 18),
    }
    children = [{"remessa_id": 733100021, "objeto_id": objeto_id} for objeto_id in (500300051101, 500300051102)]
    assert logisticas_remessas.rows(document) == {
        models.logisticas_remessas: [expected | {"detalhe": document}],
        models.logisticas_remessas_objetos: children,
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([5, {"id": "6"}, 5], [5, 6]),
        ({"1": 5, "2": 6}, [5, 6]),
        ([], []),
        ("", []),
        (None, []),
    ],
)
def test_the_objetos_of_a_remessa_however_they_come(given: Any, expected: list[int]) -> None:
    """A linha, que é o que há de uma cujo detalhe não responde, só traz os ids."""
    found = logisticas_remessas.rows({"id": 1, "objetos": given})[models.logisticas_remessas_objetos]
    assert [row["objeto_id"] for row in found] == expected


@pytest.mark.parametrize("given", [3, "5", [0], [{}], {"veio": "outra coisa"}, ["texto"]])
def test_objetos_that_cannot_be_read_are_not_none(given: Any) -> None:
    with pytest.raises(UnreadableError, match=r"^objetos não veio como uma lista de ids"):
        logisticas_remessas.rows({"id": 1, "objetos": given})


def test_an_objeto_that_does_not_say_its_id_is_the_one_asked_for() -> None:
    resource = logisticas_objetos.LOGISTICAS_OBJETOS
    assert resource.key_of(7)({"rastreamento": {}}) == 7
    assert resource.key_of(7)({"id": 8}) == 8, "este é outro"
    assert logisticas.LOGISTICAS.key_of(7)({"descricao": "Correios"}) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            [{"id": 5, "servico": "PAC", "codigoRastreamento": "EC1BR"}, {"id": "6"}],
            [(5, "PAC", "EC1BR"), (6, None, None)],
        ),
        ({"1": {"id": 5}}, [(5, None, None)]),
        ([{"id": 0, "servico": "", "codigoRastreamento": ""}], [(None, None, None)]),
        ([{"id": {"veio": "outra coisa"}}, "texto"], [(None, None, None)]),
        (3, []),
        (None, []),
    ],
)
def test_the_volumes_of_a_document_however_strangely_they_come(given: Any, expected: list[Any]) -> None:
    found = volumes({"id": 9, "transporte": {"volumes": given}}, "pedido")
    assert [(row["objeto_id"], row["servico"], row["codigo_rastreamento"]) for row in found] == expected
    assert [row["ordem"] for row in found] == list(range(1, len(expected) + 1))
    assert {(row["documento_tipo"], row["documento_id"]) for row in found} <= {("pedido", 9)}


def test_the_pedido_and_the_nota_bring_their_own() -> None:
    pedido = fixture("pedido_venda")
    assert rows_of_pedido(pedido)[models.transporte_volumes][0]["objeto_id"] == 5
    nota = fixture("nfe") | {"transporte": {"volumes": [{"id": 77}]}}
    (row,) = rows_of_nota(nota)[models.transporte_volumes]
    assert (row["documento_tipo"], row["documento_id"], row["objeto_id"]) == ("nota", nota["id"], 77)
