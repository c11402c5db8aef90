"""Do JSON das propostas comerciais às linhas das tabelas."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures import fixture

from bling_collector.db.models import propostas as propostas_table
from bling_collector.db.models import propostas_itens
from bling_collector.payload import UnreadableError
from bling_collector.streams.vendas import propostas
from bling_collector.streams.vendas.propostas import PROPOSTAS, nameless_proposta


def test_a_proposta_with_itens() -> None:
    document = fixture("proposta")
    rows = propostas.rows(document)
    assert rows[propostas_table] == [
        {
            "id": 3300000066,
            "numero": 13,
            "data": date(2026, 1, 12),
            "situacao": "Aguardando",
            "contato_id": 14300000001,
            "loja_id": None,
            "vendedor_id": 15596001,
            "total_produtos": Decimal("159.8"),
            "total_outros_itens": 0,
            "total": Decimal("149.8"),
            "desconto": 10,
            "outras_despesas": 0,
            "frete": 15,
            "data_proximo_contato": date(2026, 2, 1),
            "detalhe": document,
        }
    ]
    first, second = rows[propostas_itens]
    assert first == {
        "proposta_id": 3300000066,
        "ordem": 1,
        "produto_id": 88001,
        "codigo_produto": "ENG-20",
        "descricao": "Engrenagem 20 dentes",
        "unidade": "UN",
        "quantidade": Decimal("2.2"),
        "valor_unitario": Decimal("49.9"),
        "desconto": Decimal("1.2"),
    }
    assert (second["produto_id"], second["codigo_produto"], second["descricao"]) == (None, None, "Serviço de corte")


def test_a_piece_of_a_proposta_is_refused() -> None:
    document = fixture("proposta")
    del document["itens"]
    with pytest.raises(UnreadableError, match="itens"):
        PROPOSTAS.read(document)


@pytest.mark.parametrize("itens", [[], None, "", "não veio"])
def test_a_proposta_without_itens_is_whole_if_they_add_up_to_nothing(itens: Any) -> None:
    document = {**fixture("proposta"), "itens": itens, "totalProdutos": 0}
    if itens == "não veio":
        del document["itens"]
    assert PROPOSTAS.read(document)[propostas_itens] == []
    with pytest.raises(UnreadableError, match="itens não veio, ou veio sem linhas, e totalProdutos é 9"):
        PROPOSTAS.read(document | {"totalProdutos": 9})
    alone = {key: document[key] for key in ("id", "totalProdutos")}
    with pytest.raises(UnreadableError, match="parcelas"):  # a linha da listagem
        PROPOSTAS.read(alone)
    with pytest.raises(UnreadableError, match="totalProdutos"):
        PROPOSTAS.read({key: document[key] for key in document if key not in ("itens", "totalProdutos")})


@pytest.mark.parametrize(
    ("situacao", "final"),
    [
        ("Concluído", True), ("Concluido", True), ("CONCLUÍDO ", True), ("Não aprovado", True), ("Aprovado", False),
        ("Rascunho", False), ("463301", False), (463301, False), (None, False),
    ],
)  # fmt: skip
def test_which_situacoes_a_proposta_no_longer_leaves(situacao: str | int | None, final: bool) -> None:
    row = {"situacao": situacao}
    assert PROPOSTAS.is_final(row) is final
    said = propostas.rows({"id": 1, **row})[propostas_table][0]["situacao"]
    assert PROPOSTAS.emitted is not None
    assert (said or "") == PROPOSTAS.emitted.group(row), "a conferência conta as mesmas dos dois lados"


def test_without_the_person_the_values_stay_and_nothing_says_who() -> None:
    document = fixture("proposta")
    kept = nameless_proposta(document)
    rows, before = propostas.rows(kept), propostas.rows(document)
    assert rows[propostas_itens] == before[propostas_itens]
    assert rows[propostas_table][0] | {"detalhe": None} == before[propostas_table][0] | {"detalhe": None}
    assert "Dalva" not in str(kept)
    assert nameless_proposta({"itens": [{"valor": 1, "descricaoDetalhada": "Dalva"}]}) == {"itens": [{"valor": 1}]}
