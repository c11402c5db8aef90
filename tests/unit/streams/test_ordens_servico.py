"""De uma ordem de serviço, que o Bling não descreve, à linha da tabela."""

from tests.fixtures import fixture

from bling_collector.db import models
from bling_collector.streams.registry import ALL, chosen
from bling_collector.streams.vendas.ordens_servico import nameless_ordem, rows


def test_uma_ordem_guarda_se_como_veio() -> None:
    document = fixture("ordem_servico")
    assert rows(document) == {
        models.ordens_servico: [
            {"id": 18200000401, "numero": "101", "contato_id": 14300000001, "detalhe": document},
        ]
    }
    assert rows({"id": 7, "outra": "forma"})[models.ordens_servico][0]["contato_id"] is None


def test_sem_a_pessoa_fica_o_numero_a_data_a_situacao_e_o_total() -> None:
    kept = nameless_ordem(fixture("ordem_servico"))
    assert kept.keys() == {"id", "numero", "data", "situacao", "total", "contato"}
    assert kept["contato"] == {"id": 14300000001}


def test_so_se_coleta_se_alguem_a_diz_pelo_nome() -> None:
    assert "ordens_servico" not in {resource.name for resource in chosen([ALL])}
    assert "ordens_servico" in {resource.name for resource in chosen([ALL, "ordens_servico"])}
    assert "ordens_servico" in {resource.name for resource in chosen(None, {"ordens_servico": True})}
