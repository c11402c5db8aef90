"""Do JSON das NFC-e às linhas das tabelas: as mesmas colunas das NF-e, em tabelas que são só delas."""

from datetime import date
from decimal import Decimal

import pytest
from tests.fixtures import fixture

from bling_collector.db.models import contatos, nfce_cabecalho, nfce_itens, nfce_pagamentos, nfe_cabecalho
from bling_collector.payload import UnreadableError
from bling_collector.streams.notas import nfce, nfe
from bling_collector.streams.notas.nfce import NFCE


def test_a_sale_over_the_counter() -> None:
    rows = nfce.rows(fixture("nfce"))
    (header,) = rows[nfce_cabecalho]
    assert (header["id"], header["numero"], header["serie"], header["situacao"]) == (16700100452, "000318", 1, 6)
    assert (header["total_produtos"], header["total_nota"], header["cfop"]) == (
        Decimal("31.9"),
        Decimal("31.9"),
        "5102",
    )
    assert (header["contato_id"], header["contato_nome"], header["contato_documento"]) == (
        None,
        "Consumidor Final",
        None,
    )
    assert header["data_operacao"] is None
    assert [(each["codigo_produto"], each["ordem"], each["valor_total"]) for each in rows[nfce_itens]] == [
        ("ROL-6204", 1, 27),
        (None, 2, Decimal("4.9")),
    ]
    assert rows[nfce_pagamentos] == [
        {
            "nfe_id": 16700100452,
            "valor": Decimal("31.9"),
            "forma_pagamento_id": 2094000,
            "data_vencimento": date(2026, 2, 3),
            "numero_parcela": 1,
        }
    ]
    assert rows[contatos] == [], "quem não se identifica não é um contato"


def test_what_is_read_of_an_nfce_is_what_is_read_of_an_nfe() -> None:
    document = fixture("nfe")
    assert nfce.rows(document)[nfce_cabecalho] == nfe.rows(document)[nfe_cabecalho]
    assert nfce_cabecalho.c.keys() == nfe_cabecalho.c.keys()


def test_a_nota_with_value_and_no_lines_is_refused() -> None:
    with pytest.raises(UnreadableError, match="itens"):
        NFCE.read(fixture("nfce") | {"itens": []})


@pytest.mark.parametrize(
    ("situacao", "final", "shows_more"), [(2, True, False), (6, True, False), (8, False, True), (1, False, True)]
)
def test_what_each_situacao_means(situacao: int, final: bool, shows_more: bool) -> None:
    row = {"situacao": situacao}
    assert (NFCE.is_final(row), NFCE.proves(row)) == (final, shows_more)
