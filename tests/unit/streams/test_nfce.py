"""Do JSON das NFC-e às linhas das tabelas: as mesmas colunas das NF-e, em tabelas que são só delas."""

from datetime import date
from decimal import Decimal

import pytest
from tests.fixtures import fixture

from bling_collector.db.models import contatos, nfce_cabecalho, nfce_itens, nfce_pagamentos, nfe_cabecalho
from bling_collector.payload import UnreadableError
from bling_collector.streams.notas import nfce, nfe
from bling_collector.streams.notas.nfce import NFCE


def test_uma_venda_de_balcao() -> None:
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


def test_o_que_se_le_de_uma_nfce_e_o_que_se_le_de_uma_nfe() -> None:
    document = fixture("nfe")
    assert nfce.rows(document)[nfce_cabecalho] == nfe.rows(document)[nfe_cabecalho]
    assert nfce_cabecalho.c.keys() == nfe_cabecalho.c.keys()


def test_uma_nota_sem_linhas_e_com_valor_e_recusada() -> None:
    with pytest.raises(UnreadableError, match="itens"):
        NFCE.read(fixture("nfce") | {"itens": []})


@pytest.mark.parametrize(
    ("situacao", "final", "shows_more"), [(2, True, False), (6, True, False), (8, False, True), (1, False, True)]
)
def test_o_que_cada_situacao_quer_dizer(situacao: int, final: bool, shows_more: bool) -> None:
    row = {"situacao": situacao}
    assert (NFCE.is_final(row), NFCE.proves(row)) == (final, shows_more)
