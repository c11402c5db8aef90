"""De uma ordem de serviço, que o Bling não descreve, à linha da tabela."""

from tests.fixtures import fixture

from bling_collector.db import models
from bling_collector.streams.registry import ALL, chosen
from bling_collector.streams.vendas.ordens_servico import nameless_ordem, rows


def test_an_ordem_is_kept_as_it_came() -> None:
    document = fixture("ordem_servico")
    assert rows(document) == {
        models.ordens_servico: [
            {"id": 18200000401, "numero": "101", "contato_id": 14300000001, "detalhe": document},
        ]
    }
    assert rows({"id": 7, "outra": "forma"})[models.ordens_servico][0]["contato_id"] is None


def test_without_the_person_number_date_situacao_and_total_stay() -> None:
    kept = nameless_ordem(fixture("ordem_servico"))
    assert kept.keys() == {"id", "numero", "data", "situacao", "total", "contato"}
    assert kept["contato"] == {"id": 14300000001}


def test_it_is_collected_only_if_someone_names_it() -> None:
    assert "ordens_servico" not in {resource.name for resource in chosen([ALL])}
    assert "ordens_servico" in {resource.name for resource in chosen([ALL, "ordens_servico"])}
    assert "ordens_servico" in {resource.name for resource in chosen(None, {"ordens_servico": True})}
