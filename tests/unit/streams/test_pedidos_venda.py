"""Do JSON dos pedidos de venda às linhas das tabelas."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures import fixture

from bling_collector.db.models import contatos, pedidos_venda_itens, pedidos_venda_parcelas
from bling_collector.db.models import pedidos_venda as pedidos_table
from bling_collector.payload import UnreadableError
from bling_collector.streams.vendas import pedidos_venda
from bling_collector.streams.vendas.pedidos_venda import PEDIDOS_VENDA, nameless_pedido


def test_a_pedido_with_itens_parcelas_and_contato() -> None:
    document = fixture("pedido_venda")
    rows = pedidos_venda.rows(document)
    assert rows[pedidos_table] == [
        {
            "id": 5003514411,
            "numero": 196,
            "numero_loja": "LJ-77",
            "data": date(2026, 1, 12),
            "data_saida": date(2026, 1, 13),
            "data_prevista": None,
            "situacao_id": 9,
            "situacao_valor": 1,
            "contato_id": 14300000001,
            "loja_id": None,
            "vendedor_id": 15596001,
            "nota_fiscal_id": 9730200252,
            "total_produtos": Decimal("149.8"),
            "total": Decimal("164.8"),
            "desconto": 0,
            "desconto_unidade": "REAL",
            "outras_despesas": 0,
            "frete": 15,
            "taxa_comissao": Decimal("12.5"),
            "custo_frete": 3,
            "detalhe": document,
        }
    ]
    first, second = rows[pedidos_venda_itens]
    assert (first["ordem"], first["produto_id"], first["valor_unitario"]) == (1, 88001, Decimal("49.9"))
    assert (second["ordem"], second["produto_id"], second["codigo_produto"]) == (2, None, None)
    assert rows[pedidos_venda_parcelas] == [
        {
            "pedido_id": 5003514411,
            "ordem": 1,
            "id": 91,
            "data_vencimento": date(2026, 2, 12),
            "valor": Decimal("164.8"),
            "forma_pagamento_id": 2094137,
        }
    ]
    assert rows[contatos] == [
        {
            "id": 14300000001,
            "nome": "Metalúrgica Pedra Lascada Ltda",
            "documento": "12ABC34501DE35",
            "tipo_pessoa": "J",
        }
    ]


def test_a_pedido_without_a_contato_brings_none() -> None:
    assert pedidos_venda.rows(fixture("pedido_venda") | {"contato": {"id": 0}})[contatos] == []


def test_a_piece_of_a_pedido_is_refused() -> None:
    document = fixture("pedido_venda")
    del document["itens"]
    with pytest.raises(UnreadableError, match="itens"):
        PEDIDOS_VENDA.read(document)


@pytest.mark.parametrize("itens", [[], None, "", "não veio"])
def test_a_pedido_without_itens_is_whole_if_they_add_up_to_nothing(itens: Any) -> None:
    document = {**fixture("pedido_venda"), "itens": itens, "totalProdutos": 0}
    if itens == "não veio":
        del document["itens"]
    assert PEDIDOS_VENDA.read(document)[pedidos_venda_itens] == []
    with pytest.raises(UnreadableError, match="itens não veio, ou veio sem linhas, e totalProdutos é 9"):
        PEDIDOS_VENDA.read(document | {"totalProdutos": 9})
    alone = {key: document[key] for key in ("id", "totalProdutos")}
    with pytest.raises(UnreadableError, match="parcelas"):  # a linha da listagem
        PEDIDOS_VENDA.read(alone)
    with pytest.raises(UnreadableError, match="totalProdutos"):
        PEDIDOS_VENDA.read({key: document[key] for key in document if key not in ("itens", "totalProdutos")})


def test_without_the_person_the_values_stay_and_nothing_says_who() -> None:
    kept = nameless_pedido(fixture("pedido_venda"))
    assert pedidos_venda.rows(kept)[pedidos_table][0]["total"] == Decimal("164.8")
    assert len(pedidos_venda.rows(kept)[pedidos_venda_itens]) == 2
    said = str(kept)
    assert not any(name in said for name in ("Dalva", "Pedra Lascada", "12ABC34501DE35", "Moendas", "95700"))
    assert nameless_pedido({"parcelas": [{"valor": 1, "observacoes": "Dalva"}]}) == {"parcelas": [{"valor": 1}]}
