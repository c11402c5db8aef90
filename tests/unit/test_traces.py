"""Por onde se reconhece uma pessoa no que é de outros."""

from typing import Any

import pytest

from bling_collector.db.resources.erasure import Erased, identifying, written
from bling_collector.etl.resource import Resource
from bling_collector.streams.registry import RESOURCES
from bling_collector.traces import Traces, contatos_in, folded

HER, OTHER = 501, 502
CPF, OTHERS = "52998224725", "111.444.777-35"
TRACES = Traces.of([HER], written(CPF), ["Zybélina  Zanetti", "Ana", None])


@pytest.mark.parametrize("name", ["zybelina zanetti", "ZYBÉLINA ZANETTI", " Zybe\u0301lina\u00a0Zanetti "])
def test_the_name_is_the_same_without_accents_or_capitals(name: str) -> None:
    assert TRACES.without({"transporte": {"etiqueta": {"nome": name, "cep": "95010-000"}}}) == {
        "transporte": {"etiqueta": {}}
    }
    assert TRACES.without({"obs": name}) == {"obs": ""}
    assert folded(name) == "zybelina zanetti"


def test_a_short_name_is_not_searched_for() -> None:
    assert TRACES.without({"etiqueta": {"nome": "Ana"}}) == {"etiqueta": {"nome": "Ana"}}


@pytest.mark.parametrize("key", ["contato", "fornecedor", "transportador"])
@pytest.mark.parametrize("id_", [HER, str(HER)])
def test_the_contato_is_found_by_id_at_any_depth(key: str, id_: Any) -> None:
    hers = {"id": id_, "nome": "Z"}
    document = {"a": [{"b": {key: hers}}, {key: [{"id": OTHER, "nome": "Q"}, hers]}]}
    assert set(contatos_in(document)) == {HER, OTHER}
    assert list(TRACES.excerpts(document)) == [hers, hers]
    assert TRACES.without(document) == {
        "a": [{"b": {key: {"id": id_}}}, {key: [{"id": OTHER, "nome": "Q"}, {"id": id_}]}]
    }


def test_the_same_id_under_another_key_is_of_something_else() -> None:
    document = {"id": HER, "loja": {"id": HER, "nome": "Centro"}, "vendedor": {"id": HER}}
    assert list(contatos_in(document)) == []
    assert TRACES.without(document) == document


@pytest.mark.parametrize("key", ["numeroDocumento", "cnpj", "cpf", "cpf_cnpj", "CPFCNPJ", "documento"])
@pytest.mark.parametrize("said", [CPF, "529.982.247-25", " 529982247-25 ", int(CPF)])
def test_the_documento_says_whose_the_object_is(key: str, said: Any) -> None:
    hers = {"id": 9, "nome": "Outro Nome", key: said}
    assert list(TRACES.excerpts({"quem": hers})) == [hers]
    assert TRACES.without({"quem": hers}) == {"quem": {"id": 9}}


@pytest.mark.parametrize("namesake", [{"cnpj": OTHERS}, {"numeroDocumento": OTHERS}, {"id": OTHER}])
def test_an_identified_namesake_stays_and_the_name_says_nothing_any_more(namesake: dict[str, Any]) -> None:
    document = {
        "contato": {"nome": "Zybélina Zanetti", **namesake},
        "etiqueta": {"nome": "Zybélina Zanetti"},
        "transporte": {"contato": {"id": HER, "nome": "Zybélina Zanetti"}},
    }
    assert TRACES.without(document) == document | {"transporte": {"contato": {"id": HER}}}


def test_from_a_line_of_another_only_the_text_goes() -> None:
    """O item cujo código é o documento dela continua a ser um item, com o preço."""
    item = {"codigo": CPF, "descricao": "Zybélina Zanetti", "valor": 10}
    assert TRACES.without({"itens": [item]}) == {"itens": [{"codigo": "", "descricao": "", "valor": 10}]}


def test_a_longer_number_is_not_the_documento() -> None:
    document = {"chave": f"431026{CPF}0550010000001231000001234", "id": int(CPF), "total": 529.98}
    assert TRACES.without(document) == document


@pytest.mark.parametrize(
    ("documento", "expected"),
    [
        ("529.982.247-25", CPF),
        ("12.abc.345/01de-35", "12ABC34501DE35"),
        ("RNE (V) 1.5", "RNE (V) 1.5"),
        *((each, None) for each in (None, "", "12", "12-3", "ISENTO", "00000000000", "111.111.111-11")),
    ],
)
def test_only_a_documento_that_says_whose_it_is_joins_records(documento: str | None, expected: str | None) -> None:
    assert identifying(documento) == expected


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_no_resource_keeps_the_erased_contato_it_cites(resource: Resource) -> None:
    """Seja de quem for o registro, e numa chave que ninguém conhece."""
    document = {"id": 1, "novo": [{"contato": {"id": HER, "nome": "Zybélina", "email": "z@z"}}]}
    kept = resource.without(document, Erased(frozenset({HER}), frozenset()))
    assert kept == {"id": 1, "novo": [{"contato": {"id": HER}}]}
    assert resource.without(document, Erased(frozenset({OTHER}), frozenset())) == document
