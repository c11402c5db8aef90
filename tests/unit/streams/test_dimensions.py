"""Do JSON dos cadastros pequenos às linhas das tabelas."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Table
from tests.fixtures import fixture

from bling_collector.db import models
from bling_collector.payload import UnreadableError
from bling_collector.streams.cadastros import (
    canais_venda,
    categorias_financeiras,
    contas_financeiras,
    depositos,
    naturezas_operacao,
    situacoes,
    tipos_contato,
)
from bling_collector.streams.produtos import categorias_lojas, grupos_produto, produtos_fornecedores, produtos_lojas

CASES: list[tuple[Any, str, Table, dict[str, Any]]] = [
    (
        depositos,
        "deposito",
        models.depositos,
        {
            "id": 14886000018,
            "descricao": "Expedição do marketplace",
            "situacao": 1,
            "padrao": False,
            "desconsiderar_saldo": True,
        },
    ),
    (
        naturezas_operacao,
        "natureza_operacao",
        models.naturezas_operacao,
        {"id": 15102000081, "descricao": "Devolução de venda", "situacao": 0, "padrao": 8},
    ),
    (
        contas_financeiras,
        "conta_financeira",
        models.contas_financeiras,
        {
            "id": 14200300054,
            "descricao": "Recebimentos do marketplace",
            "tipo": "integracao-pagamento",
            "alias_integracao": "BlingPagamentos",
            "situacao": None,
        },
    ),
    (
        categorias_financeiras,
        "categoria_financeira",
        models.categorias_financeiras,
        {
            "id": 14640100208,
            "categoria_pai_id": 14640100203,
            "descricao": "Venda de mercadorias",
            "tipo": 2,
            "situacao": None,
        },
    ),
    (
        produtos_fornecedores,
        "produto_fornecedor",
        models.produtos_fornecedores,
        {
            "id": 16600000003,
            "produto_id": 16100000007,
            "fornecedor_id": 14300000001,
            "descricao": "Engrenagem reta módulo 2",
            "codigo": "F-0042",
            "preco_custo": Decimal("49.9"),
            "preco_compra": Decimal("45.9"),
            "padrao": True,
        },
    ),
    (
        produtos_lojas,
        "produto_loja",
        models.produtos_lojas,
        {
            "id": 1830000009,
            "produto_id": 16100000007,
            "loja_id": 204561377,
            "codigo": "MLB1234567890",
            "preco": Decimal("25.99"),
            "preco_promocional": 0,
        },
    ),
    (
        categorias_lojas,
        "categoria_loja",
        models.categorias_lojas,
        {
            "id": 55310026,
            "loja_id": 204561377,
            "categoria_produto_id": 4871311,
            "codigo": "MLB384",
            "descricao": "Engrenagens retas e afins",
        },
    ),
    (tipos_contato, "tipo_contato", models.tipos_contato, {"id": 1483003, "descricao": "Transportador"}),
    (
        grupos_produto,
        "grupo_produto",
        models.grupos_produto,
        {"id": 318203, "nome": "Engrenagens", "grupo_pai_id": 318200},
    ),
]


@pytest.mark.parametrize(("module", "name", "table", "expected"), CASES, ids=[name for _, name, _, _ in CASES])
def test_the_row_of_each_one(module: Any, name: str, table: Table, expected: dict[str, Any]) -> None:
    document = fixture(name)
    assert module.rows(document) == {table: [expected | {"detalhe": document}]}
    with pytest.raises(UnreadableError, match=r"^id veio como objeto"):
        module.rows(document | {"id": {"id": 1}})


def test_a_modulo_and_a_situacao_of_it() -> None:
    module, status = fixture("situacao_modulo"), fixture("situacao")
    assert situacoes.rows_of_modulo(module) == {
        models.situacoes_modulos: [{"id": 98310, "nome": "Vendas", "descricao": "Pedidos de Venda", "detalhe": module}]
    }
    expected = {"id": 463218, "modulo_id": None, "nome": "Aguardando retirada", "cor": "#40C4E9", "id_herdado": 15}
    assert situacoes.rows(status) == {models.situacoes: [expected | {"detalhe": status}]}
    told = {"idModulo": 98310, **status}
    assert situacoes.rows(told) == {models.situacoes: [expected | {"modulo_id": 98310, "detalhe": told}]}
    assert situacoes.rows({"id": 6, "nome": "Em aberto", "idHerdado": 0})[models.situacoes][0]["id_herdado"] is None


def test_a_grupo_that_is_in_no_other() -> None:
    row = {"id": 1, "nome": "Mecânica", "grupoProdutoPai": {"id": 0, "nome": ""}}
    assert grupos_produto.rows(row)[models.grupos_produto][0]["grupo_pai_id"] is None


@pytest.mark.parametrize(("told", "expected"), [("1", 1), ("2", 0), (1, 1), (0, 0)])
def test_filter_and_detail_number_the_situacao_of_a_categoria_differently(told: Any, expected: int) -> None:
    rows = categorias_financeiras.rows({"situacao": told, **fixture("categoria_financeira")})
    assert rows[models.categorias_financeiras][0]["situacao"] == expected


def test_the_filter_says_the_situacao_of_a_conta() -> None:
    rows = contas_financeiras.rows({"situacao": "4", **fixture("conta_financeira")})
    assert rows[models.contas_financeiras][0]["situacao"] == 4


def test_a_canal_and_its_filiais_in_order() -> None:
    document = fixture("canal_venda")
    rows = canais_venda.rows(document)
    assert rows[models.canais_venda] == [
        {
            "id": 204561377,
            "descricao": "Sol do Vale no Mercado Livre",
            "tipo": "MercadoLivre",
            "situacao": 1,
            "detalhe": document,
        }
    ]
    assert rows[models.canais_venda_filiais] == [
        {
            "canal_id": 204561377,
            "ordem": 1,
            "cnpj": "12ABC34501DE35",
            "id_unidade_negocio": 770101,
            "unidade_negocio": "Matriz",
            "deposito_id": 14886000011,
            "padrao": True,
        },
        {
            "canal_id": 204561377,
            "ordem": 2,
            "cnpj": None,
            "id_unidade_negocio": None,
            "unidade_negocio": None,
            "deposito_id": None,
            "padrao": False,
        },
    ]
