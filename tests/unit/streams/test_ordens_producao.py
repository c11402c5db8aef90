"""Do JSON das ordens de produção às linhas das tabelas."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures import fixture

from bling_collector.db.models import ordens_producao as ordens_table
from bling_collector.db.models import ordens_producao_itens, ordens_producao_vendas
from bling_collector.payload import UnreadableError
from bling_collector.streams.producao import ordens_producao
from bling_collector.streams.producao.ordens_producao import ORDENS_PRODUCAO, is_closed, nameless_ordem
from bling_collector.streams.registry import chosen

ORDER = 6100000101


def test_an_ordem_with_what_is_made_and_for_whom() -> None:
    document = fixture("ordem_producao")
    rows = ordens_producao.rows(document)
    assert rows[ordens_table] == [
        {
            "id": ORDER,
            "numero": 7,
            "situacao_id": 18158,
            "situacao_valor": 1,
            "situacao_nome": "Não iniciado",
            "data_previsao_inicio": date(2026, 1, 12),
            "data_previsao_final": date(2026, 1, 20),
            "data_inicio": None,
            "data_fim": None,
            "responsavel": "Oficina",
            "deposito_origem_id": None,
            "deposito_destino_id": 14886000011,
            "detalhe": document,
        }
    ]
    assert rows[ordens_producao_itens] == [
        {
            "ordem_producao_id": ORDER,
            "ordem": 1,
            "produto_id": 88001,
            "codigo_produto": "ENG-20",
            "nome": "Engrenagem 20 dentes",
            "quantidade": Decimal("2.5"),
        }
    ]
    assert rows[ordens_producao_vendas] == [
        {"ordem_producao_id": ORDER, "ordem": 1, "numero": 196, "contato_id": 14300000001},
        {"ordem_producao_id": ORDER, "ordem": 2, "numero": 197, "contato_id": 14300000077},
        {"ordem_producao_id": ORDER, "ordem": 3, "numero": 198, "contato_id": None},
    ]


@pytest.mark.parametrize("nothing", [[], {}, "", None])
def test_an_ordem_that_is_of_no_venda(nothing: Any) -> None:
    document = fixture("ordem_producao") | {"vendas": nothing}
    assert ordens_producao.rows(document)[ordens_producao_vendas] == []
    del document["vendas"]
    assert ORDENS_PRODUCAO.read(document)[ordens_producao_vendas] == []


@pytest.mark.parametrize("missing", ["itens vendas observacoes", "situacao"])
def test_a_piece_of_an_ordem_is_refused(missing: str) -> None:
    document = fixture("ordem_producao")
    for name in missing.split():
        document.pop(name, None)
    with pytest.raises(UnreadableError, match=missing.split(maxsplit=1)[0]):
        ORDENS_PRODUCAO.read(document)


@pytest.mark.parametrize(
    ("nome", "closed"),
    [
        ("Finalizado", True), ("Finalizada", True), ("Cancelado", True), ("Finalizado parcial", False),
        ("Finalizada parcialmente", False), ("Em produção", False), ("Pausado", False), ("Na pintura", False),
        ("", False), (None, False),
    ],
)  # fmt: skip
def test_what_is_already_closed(nome: str | None, closed: bool) -> None:
    assert is_closed({"situacao": {"id": 1, "valor": 1, "nome": nome}}) is closed


def test_without_the_person_the_numbers_stay_and_nothing_says_who() -> None:
    document = fixture("ordem_producao")
    kept = nameless_ordem(document)
    rows, before = ordens_producao.rows(kept), ordens_producao.rows(document)
    for table in (ordens_producao_itens, ordens_producao_vendas):
        assert rows[table] == before[table]
    assert not any(name in str(kept) for name in ("Dalva", "Eulália"))
    assert nameless_ordem({"observacoes": "Dalva", "numero": 7}) == {"numero": 7}


def test_the_contatos_are_those_of_all_the_vendas() -> None:
    person, document = ORDENS_PRODUCAO.person, fixture("ordem_producao")
    assert person is not None
    assert person.contatos(document) == {14300000001, 14300000077}
    as_object = {str(place): sale for place, sale in enumerate(document["vendas"])}
    assert person.contatos({"vendas": as_object}) == {14300000001, 14300000077}
    assert person.contatos({"vendas": ""}) == person.contatos({}) == set()


def test_who_asks_for_them_asks_for_their_situacoes_and_modulos() -> None:
    names = [resource.name for resource in chosen(["ordens_producao"])]
    assert names == ["situacoes_modulos", "situacoes", "ordens_producao"]
