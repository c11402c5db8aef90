"""Do JSON dos cadastros às linhas das tabelas."""

from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures import fixture

from bling_collector.db.models import categorias_produto as categorias_table
from bling_collector.db.models import contatos as contatos_table
from bling_collector.db.models import formas_pagamento as formas_table
from bling_collector.db.models import produtos as produtos_table
from bling_collector.etl.resource import Resource
from bling_collector.payload import UnreadableError
from bling_collector.streams.cadastros import contatos, formas_pagamento
from bling_collector.streams.produtos import categorias_produto, produtos
from bling_collector.streams.registry import RESOURCES


def test_a_contato_with_a_lettered_cnpj_and_the_general_endereco() -> None:
    document = fixture("contato")
    assert contatos.rows(document)[contatos_table] == [
        {
            "id": 14300000001,
            "nome": "Metalúrgica Pedra Lascada Ltda",
            "documento": "12ABC34501DE35",
            "email": "compras@pedralascada.example",
            "tipo_pessoa": "J",
            "municipio": "Bento Gonçalves",
            "uf": "RS",
            "codigo": None,
            "fantasia": "Pedra Lascada",
            "situacao": "A",
            "telefone": "(54) 5555-0101",
            "celular": None,
            "detalhe": document,
        }
    ]


def test_a_produto_without_what_is_not_of_the_register() -> None:
    document = fixture("produto")
    row = produtos.rows(document)[produtos_table][0]
    assert (row["id"], row["codigo"], row["preco_venda"], row["preco_custo"]) == (
        16698952209,
        "BLG-5",
        Decimal("3900.1"),
        Decimal("2100.05"),
    )
    assert (row["produto_pai_id"], row["situacao"], row["formato"], row["preferido"]) == (None, "A", "S", False)
    assert row["detalhe"].keys() == document.keys() - {"estoque", "imagemURL"}
    variation = produtos.rows(document | {"idProdutoPai": 7})[produtos_table][0]
    assert variation["produto_pai_id"] == 7


@pytest.mark.parametrize(("categoria", "expected"), [({"id": 3}, 3), ({"id": 0}, None), (None, None), ([], None)])
def test_the_categoria_comes_from_the_detail(categoria: Any, expected: int | None) -> None:
    assert produtos.categoria_id({"categoria": categoria}) == expected


UNREADABLE: list[tuple[Resource, dict[str, Any]]] = [
    (contatos.CONTATOS, {"nome": ["Fulano"]}),
    (contatos.CONTATOS, {"numeroDocumento": {"cpf": "123.456.789-09"}}),
    (contatos.CONTATOS, {"tipo": False}),
    (contatos.CONTATOS, {"endereco": "Rua das Fresas"}),
    (contatos.CONTATOS, {"endereco": {"geral": [{"uf": "RS"}]}}),
    (produtos.PRODUTOS, {"preco": "1.234"}),
    (produtos.PRODUTOS, {"precoCusto": {"valor": 1}}),
    (produtos.PRODUTOS, {"codigo": {"sku": "A"}}),
    (produtos.PRODUTOS, {"idProdutoPai": "x"}),
    (formas_pagamento.FORMAS_PAGAMENTO, {"tipoPagamento": "boleto"}),
    (formas_pagamento.FORMAS_PAGAMENTO, {"situacao": True}),
    (categorias_produto.CATEGORIAS_PRODUTO, {"categoriaPai": 4871300}),
    (categorias_produto.CATEGORIAS_PRODUTO, {"descricao": []}),
]
FILES = {"contatos": "contato", "produtos": "produto", "formas_pagamento": "forma_pagamento"}


@pytest.mark.parametrize(("stream", "wrong"), UNREADABLE)
def test_what_cannot_be_read_refuses_the_whole_record(stream: Resource, wrong: dict[str, Any]) -> None:
    document = fixture(FILES.get(stream.name, "categoria"))
    assert stream.read(document)
    with pytest.raises(UnreadableError, match=f"^{next(iter(wrong))}.* veio como") as refusal:
        stream.read(document | wrong)
    assert not any(word in str(refusal.value) for word in ("Fulano", "789-09", "Fresas"))
    assert stream.always
    for key in stream.always:
        with pytest.raises(UnreadableError, match=f"^{key} não veio$"):
            stream.read({name: value for name, value in document.items() if name != key})


def test_a_categoria_that_cannot_be_read_is_not_taken_for_none() -> None:
    with pytest.raises(UnreadableError, match=r"^categoria veio como texto, e não como objeto"):
        produtos.categoria_id({"categoria": "3"})


def test_a_categoria_and_its_parent() -> None:
    assert categorias_produto.rows(fixture("categoria"))[categorias_table] == [
        {"id": 4871311, "descricao": "Engrenagens retas", "categoria_pai_id": 4871300}
    ]
    top = categorias_produto.rows({"id": 1, "descricao": "Mãe", "categoriaPai": {"id": 0}})
    assert top[categorias_table][0]["categoria_pai_id"] is None


def test_the_tipo_pagamento_is_the_codigo_fiscal_of_the_forma() -> None:
    document = fixture("forma_pagamento")
    assert formas_pagamento.rows(document)[formas_table] == [
        {"id": 2094137, "descricao": "Boleto bancário", "tipo_pagamento": 15, "situacao": 1, "detalhe": document}
    ]


@pytest.mark.parametrize("stream", [contatos.CONTATOS, produtos.PRODUTOS], ids=lambda s: s.name)
def test_the_listings_do_not_stop_at_the_latest_included(stream: Resource) -> None:
    assert "criterio" in dict(stream.shows[0])


@pytest.mark.parametrize(
    "stream",
    [contatos.CONTATOS, produtos.PRODUTOS, categorias_produto.CATEGORIAS_PRODUTO, formas_pagamento.FORMAS_PAGAMENTO],
    ids=lambda s: s.name,
)
def test_every_column_of_the_mapping_exists_in_the_table(stream: Resource) -> None:
    for table, rows in stream.rows({"id": 1}).items():
        for row in rows:
            assert row.keys() <= set(table.c.keys())


def test_what_cites_a_contato_by_id_declares_it_speaks_of_people() -> None:
    by_cites = {resource.name for resource in RESOURCES for name, _ in resource.cites if name == "contatos"}
    by_column = {resource.name for resource in RESOURCES if "contato_id" in resource.table.c}
    assert by_cites - by_column, "há quem o cite por outro nome, ou de uma filha"
    silent = {resource.name for resource in RESOURCES if resource.person is None}
    assert (by_cites | by_column) & silent == set(), "falta `person` na declaração"
