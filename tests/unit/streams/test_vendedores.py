"""Do JSON dos vendedores às linhas das tabelas."""

from decimal import Decimal

from tests.fixtures import fixture

from bling_collector.db.models import vendedores as vendedores_table
from bling_collector.db.models import vendedores_comissoes as comissoes_table
from bling_collector.streams.cadastros import vendedores


def test_a_vendedor_and_its_comissoes_in_order() -> None:
    document = fixture("vendedor")
    rows = vendedores.rows(document)
    assert rows[vendedores_table] == [
        {
            "id": 15596001,
            "nome": "Dalva Figueira Prado",
            "contato_id": 14300000001,
            "situacao": "A",
            "loja_id": None,
            "desconto_limite": Decimal("7.5"),
            "detalhe": document,
        }
    ]
    assert rows[comissoes_table] == [
        {"vendedor_id": 15596001, "ordem": 1, "desconto_maximo": 0, "aliquota": 5},
        {"vendedor_id": 15596001, "ordem": 2, "desconto_maximo": Decimal("10.5"), "aliquota": Decimal("2.25")},
    ]


def test_the_row_of_a_vendedor_without_nome_or_comissoes_is_read_too() -> None:
    row = {"id": 1, "descontoLimite": 0, "loja": {"id": 7}, "contato": {"id": 2, "situacao": "E"}}
    assert vendedores.rows(row)[vendedores_table][0] | {"detalhe": None} == {
        "id": 1,
        "nome": None,
        "contato_id": 2,
        "situacao": "E",
        "loja_id": 7,
        "desconto_limite": 0,
        "detalhe": None,
    }


def test_a_percentage_loses_the_noise_of_32_bits() -> None:
    """O Bling guarda-as como o dinheiro, em 32 bits."""
    noisy = Decimal("2.34999990463")
    vendedor = {"id": 1, "descontoLimite": noisy, "comissoes": [{"descontoMaximo": noisy, "aliquota": noisy}]}
    rows = vendedores.rows(vendedor)
    assert rows[vendedores_table][0]["desconto_limite"] == Decimal("2.35")
    (comissao,) = rows[comissoes_table]
    assert (comissao["desconto_maximo"], comissao["aliquota"]) == (Decimal("2.35"), Decimal("2.35"))
