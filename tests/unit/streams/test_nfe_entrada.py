"""Das notas de entrada às linhas das tabelas: da linha da listagem o cabeçalho; do detalhe, o mais."""

from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures import fixture

from bling_collector.db.models import (
    contatos,
    nfe_cabecalho,
    nfe_entrada_cabecalho,
    nfe_entrada_detalhes,
    nfe_entrada_itens,
    nfe_entrada_pagamentos,
)
from bling_collector.payload import UnreadableError
from bling_collector.streams.notas import nfe, nfe_entrada
from bling_collector.streams.notas.nfe_entrada import NFE_ENTRADA, NFE_ENTRADA_DETALHES

_LISTED = ("id", "tipo", "situacao", "numero", "dataEmissao", "dataOperacao", "chaveAcesso", "contato")


def entrada(**fields: Any) -> dict[str, Any]:
    """Uma nota de entrada inteira."""
    return fixture("nfe") | {"tipo": 0, "situacao": 7} | fields


def listed(**fields: Any) -> dict[str, Any]:
    """A linha da listagem dela."""
    document = entrada(**fields)
    return {name: document[name] for name in (*_LISTED, "naturezaOperacao", "loja")}


def test_the_row_gives_the_cabecalho_with_the_serie_of_the_chave() -> None:
    row = listed()
    found = nfe_entrada.rows(row)
    (header,) = found[nfe_entrada_cabecalho]
    (whole,) = nfe.rows(entrada())[nfe_cabecalho]
    assert header == {name: whole[name] for name in header.keys() - {"detalhe"}} | {"detalhe": row}
    assert header["serie"] == 1
    assert "total_nota" not in header
    assert [each["id"] for each in found[contatos]] == [14300000001]


@pytest.mark.parametrize("chave", ["", "4326", None])
def test_without_a_chave_the_serie_is_not_known(chave: str | None) -> None:
    (header,) = nfe_entrada.rows(listed(chaveAcesso=chave))[nfe_entrada_cabecalho]
    assert header["serie"] is None


def test_the_serie_of_a_chave_with_letters() -> None:
    (header,) = nfe_entrada.rows(listed(chaveAcesso="43260212ABC34501DE3555007000002447123456789" + "0"))[
        nfe_entrada_cabecalho
    ]
    assert header["serie"] == 7


def test_the_detail_gives_itens_parcelas_and_what_the_cabecalho_lacked() -> None:
    document = entrada()
    found = nfe_entrada.detail_rows(document)
    assert found.keys() == {nfe_entrada_detalhes, nfe_entrada_itens, nfe_entrada_pagamentos, contatos}
    (row,) = found[nfe_entrada_detalhes]
    assert (row["id"], row["numero"], row["contato_id"]) == (16698952210, "002447", 14300000001)
    assert len(found[nfe_entrada_itens]) == 5
    completed = nfe_entrada._completed(document)
    assert (completed["total_nota"], completed["cfop"]) == (Decimal("988.35"), "vários")
    assert not completed.keys() & {"serie", "situacao", "detalhe", "resumo_lista", "extraido_em"}
    assert {*completed} | {*nfe_entrada.rows(listed())[nfe_entrada_cabecalho][0]} == {
        *nfe.rows(document)[nfe_cabecalho][0]
    }


def test_a_row_without_a_date_and_a_detail_without_a_value_are_refused() -> None:
    with pytest.raises(UnreadableError, match="dataEmissao"):
        NFE_ENTRADA.read(listed(dataEmissao="0000-00-00 00:00:00"))
    with pytest.raises(UnreadableError, match="valorNota"):
        NFE_ENTRADA_DETALHES.read(entrada(valorNota=None))


def test_an_outgoing_one_is_refused() -> None:
    assert NFE_ENTRADA.refused(entrada()) is None
    assert "não é de entrada" in str(NFE_ENTRADA.refused(entrada(tipo=1)))


def test_the_imported_are_asked_for_first() -> None:
    assert NFE_ENTRADA.suspects[0] == (("situacao", "7"),)
    assert len(NFE_ENTRADA.suspects) == len({*NFE_ENTRADA.suspects}) == 9
