"""A empresa que a resposta do Bling diz, com ou sem o envelope."""

from datetime import date

import pytest

from bling_collector.empresa import Empresa, read_empresa
from bling_collector.payload import Json

SAID = {
    "id": "436C56A5679921F5F13A3D6433561773",
    "nome": "Engrenagens Sol do Vale Ltda",
    "cnpj": "58.273.641/0001-07",
    "email": "conta@soldovale.example",
    "dataContrato": "2024-12-31",
    "plano": "Mercúrio",
}


@pytest.mark.parametrize("body", [{"data": SAID}, SAID])
def test_what_is_kept_of_the_empresa_is_all_that_bling_said(body: Json) -> None:
    assert read_empresa(body) == Empresa(
        bling_id="436c56a5679921f5f13a3d6433561773",
        nome="Engrenagens Sol do Vale Ltda",
        cnpj="58273641000107",
        email="conta@soldovale.example",
        data_contrato=date(2024, 12, 31),
        detalhe=SAID,
    )


@pytest.mark.parametrize("body", [{}, {"data": []}, {"data": {"nome": "Sem id"}}, {"error": {"type": "FORBIDDEN"}}])
def test_without_the_id_or_the_cnpj_it_is_not_known(body: Json) -> None:
    assert read_empresa(body) is None
