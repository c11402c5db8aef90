"""De uma estrutura às linhas das tabelas."""

from decimal import Decimal

import pytest
from tests.fixtures import fixture

from bling_collector.db import models
from bling_collector.payload import UnreadableError
from bling_collector.streams.produtos.produtos_componentes import PRODUTOS_COMPONENTES, rows


def test_a_composite_produto_and_its_componentes_in_order() -> None:
    document = fixture("produto_componente")
    assert rows(document) == {
        models.produtos_estruturas: [
            {"id": 16100000007, "tipo_estoque": "V", "lancamento_estoque": "M", "detalhe": document}
        ],
        models.produtos_componentes: [
            {"produto_id": 16100000007, "ordem": 1, "componente_id": 16100000011, "quantidade": Decimal("2.1")},
            {"produto_id": 16100000007, "ordem": 2, "componente_id": None, "quantidade": 1},
        ],
    }


def test_an_estrutura_that_says_nothing_of_one_is_only_a_piece() -> None:
    with pytest.raises(UnreadableError, match=r"^componentes nem tipoEstoque nem lancamentoEstoque não veio$"):
        PRODUTOS_COMPONENTES.read({"id": 1, "nome": "Kit"})
    assert PRODUTOS_COMPONENTES.read({"id": 1, "tipoEstoque": "F"})[models.produtos_componentes] == []
    assert rows({"id": 1, "componentes": []})[models.produtos_componentes] == []
