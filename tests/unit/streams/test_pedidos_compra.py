"""Do JSON dos pedidos de compra às linhas das tabelas."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures import fixture

from bling_collector.db.models import pedidos_compra as pedidos_table
from bling_collector.db.models import pedidos_compra_itens, pedidos_compra_parcelas
from bling_collector.payload import UnreadableError
from bling_collector.streams.compras import pedidos_compra
from bling_collector.streams.compras.pedidos_compra import PEDIDOS_COMPRA, nameless_pedido_compra


def test_a_pedido_with_itens_and_parcelas() -> None:
    document = fixture("pedido_compra")
    rows = pedidos_compra.rows(document)
    assert rows[pedidos_table] == [
        {
            "id": 8400000058,
            "numero": 12,
            "data": date(2026, 1, 12),
            "data_prevista": None,
            "situacao_id": 31,
            "situacao_valor": 3,
            "fornecedor_id": 14300000077,
            "nota_fiscal_id": None,
            "ordem_compra": None,
            "total_produtos": Decimal("149.8"),
            "total": Decimal("164.8"),
            "desconto": 5,
            "desconto_unidade": "PERCENTUAL",
            "total_icms": Decimal("5.55"),
            "total_ipi": 0,
            "frete": 15,
            "categoria_id": None,
            "detalhe": document,
        }
    ]
    first, second = rows[pedidos_compra_itens]
    assert first == {
        "pedido_id": 8400000058,
        "ordem": 1,
        "produto_id": 88001,
        "codigo_produto": "ACO-1045",
        "codigo_fornecedor": "F-0071",
        "descricao": "Aço SAE 1045",
        "unidade": "KG",
        "quantidade": Decimal("2.5"),
        "valor_unitario": Decimal("49.9"),
        "aliquota_ipi": 0,
        "nota_fiscal_id": 9730200252,
        "quantidade_na_nota": 1,
    }
    assert (second["ordem"], second["produto_id"], second["nota_fiscal_id"]) == (2, None, None)
    assert rows[pedidos_compra_parcelas] == [
        {
            "pedido_id": 8400000058,
            "ordem": 1,
            "data_vencimento": date(2026, 2, 12),
            "valor": Decimal("164.8"),
            "forma_pagamento_id": 2094137,
        }
    ]


def test_the_nota_in_the_cabecalho_and_absent_parcelas_are_read() -> None:
    document = fixture("pedido_compra") | {"notaFiscal": {"id": 5}}
    del document["parcelas"]
    rows = PEDIDOS_COMPRA.read(document)
    assert (rows[pedidos_table][0]["nota_fiscal_id"], rows[pedidos_compra_parcelas]) == (5, [])


def test_a_piece_of_a_pedido_is_refused() -> None:
    document = fixture("pedido_compra")
    del document["itens"]
    with pytest.raises(UnreadableError, match="itens"):
        PEDIDOS_COMPRA.read(document)


@pytest.mark.parametrize("itens", [[], None, "", "não veio"])
def test_a_pedido_without_itens_is_whole_if_they_add_up_to_nothing(itens: Any) -> None:
    document = {**fixture("pedido_compra"), "itens": itens, "totalProdutos": 0}
    if itens == "não veio":
        del document["itens"]
    assert PEDIDOS_COMPRA.read(document)[pedidos_compra_itens] == []
    with pytest.raises(UnreadableError, match="itens não veio, ou veio sem linhas, e totalProdutos é 9"):
        PEDIDOS_COMPRA.read(document | {"totalProdutos": 9})
    alone = {key: document[key] for key in ("id", "totalProdutos")}
    with pytest.raises(UnreadableError, match="parcelas"):  # a linha da listagem
        PEDIDOS_COMPRA.read(alone)
    with pytest.raises(UnreadableError, match="totalProdutos"):
        PEDIDOS_COMPRA.read({key: document[key] for key in document if key not in ("itens", "totalProdutos")})


def test_only_the_fulfilled_and_the_cancelled_no_longer_change_silently() -> None:
    rows: list[dict[str, Any]] = [{"situacao": {"valor": valor}} for valor in range(4)]
    assert [PEDIDOS_COMPRA.is_final(row) for row in rows] == [False, True, True, False]
    emitted = PEDIDOS_COMPRA.emitted
    assert emitted is not None
    assert [emitted.group(row) for row in (*rows, {}, {"situacao": {"valor": ""}})] == ["0", "1", "2", "3", "", ""]


def test_without_the_person_the_values_stay_and_nothing_says_who() -> None:
    document = fixture("pedido_compra")
    kept = nameless_pedido_compra(document)
    rows, before = pedidos_compra.rows(kept), pedidos_compra.rows(document)
    assert rows[pedidos_compra_itens] == before[pedidos_compra_itens]
    assert rows[pedidos_table][0] | {"detalhe": None} == before[pedidos_table][0] | {"detalhe": None}
    assert "Eulália" not in str(kept)
    assert nameless_pedido_compra({"parcelas": [{"valor": 1, "observacao": "Dalva"}]}) == {"parcelas": [{"valor": 1}]}
    assert PEDIDOS_COMPRA.person is not None
    assert PEDIDOS_COMPRA.person.contatos(document) == {14300000077}
