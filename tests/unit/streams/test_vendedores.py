"""Do JSON dos vendedores às linhas das tabelas."""

from decimal import Decimal

from tests.fixtures import fixture

from bling_collector.db.models import vendedores as vendedores_table
from bling_collector.db.models import vendedores_comissoes as comissoes_table
from bling_collector.streams.cadastros import vendedores


def test_um_vendedor_e_as_suas_comissoes_em_ordem() -> None:
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


def test_a_linha_de_um_vendedor_sem_nome_nem_comissoes_tambem_se_le() -> None:
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


def test_uma_percentagem_perde_o_ruido_dos_32_bits() -> None:
    """O Bling guarda-as como o dinheiro, em 32 bits."""
    noisy = Decimal("2.34999990463")
    vendedor = {"id": 1, "descontoLimite": noisy, "comissoes": [{"descontoMaximo": noisy, "aliquota": noisy}]}
    rows = vendedores.rows(vendedor)
    assert rows[vendedores_table][0]["desconto_limite"] == Decimal("2.35")
    (comissao,) = rows[comissoes_table]
    assert (comissao["desconto_maximo"], comissao["aliquota"]) == (Decimal("2.35"), Decimal("2.35"))
