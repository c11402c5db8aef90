"""Dos campos customizados e dos módulos deles às linhas das tabelas."""

from tests.fixtures import fixture

from bling_collector.db import models
from bling_collector.streams.cadastros.campos_customizados import CAMPOS_CUSTOMIZADOS, rows, rows_of_modulo


def test_a_modulo() -> None:
    document = fixture("campo_customizado_modulo")
    expected = {"id": 12345602, "nome": "Produtos", "modulo": "Produtos", "agrupador": "Categoria"}
    assert rows_of_modulo(document) == {models.campos_customizados_modulos: [expected | {"detalhe": document}]}


def test_a_campo_and_its_opcoes_in_order() -> None:
    document = fixture("campo_customizado")
    expected = {
        "id": 7700118,
        "modulo_id": 12345602,
        "nome": "Tratamento térmico",
        "situacao": 1,
        "tipo_campo_id": 9002,
        "obrigatorio": False,
    }
    assert rows(document) == {
        models.campos_customizados: [expected | {"detalhe": document}],
        models.campos_customizados_opcoes: [
            {"campo_id": 7700118, "ordem": 1, "id": 8800200, "nome": "Cementado"},
            {"campo_id": 7700118, "ordem": 2, "id": 8800201, "nome": "Temperado"},
        ],
    }


def test_the_opcoes_of_an_active_one_may_change_unseen_by_the_listing() -> None:
    assert CAMPOS_CUSTOMIZADOS.drifts is not None
    assert CAMPOS_CUSTOMIZADOS.drifts({"id": 1, "situacao": 1})
    assert not CAMPOS_CUSTOMIZADOS.drifts({"id": 1, "situacao": "0"})
