"""De um anúncio à linha da tabela, e o que vai com o pedido dele."""

import pytest
from tests.fixtures import fixture

from bling_collector.db import models
from bling_collector.payload import UnreadableError
from bling_collector.streams.produtos.anuncios import ANUNCIOS, rows


def test_an_anuncio_and_what_the_listing_says_of_it() -> None:
    document = fixture("anuncio")
    expected = {
        "id": 90210003,
        "loja_id": 204561377,
        "tipo_integracao": "MercadoLivre",
        "produto_id": 16100000007,
        "titulo": "Engrenagem reta módulo 2",
        "situacao": 4,
    }
    assert rows(document) == {models.anuncios: [expected | {"detalhe": document}]}
    with pytest.raises(UnreadableError, match=r"^titulo veio como objeto"):
        rows(document | {"titulo": {"id": 1}})


def test_without_the_listing_the_situacao_is_that_of_the_detail() -> None:
    document = {"id": 1, "titulo": "Coroa", "status": 2, "produto": {"id": 0}}
    row = rows(document)[models.anuncios][0]
    assert (row["situacao"], row["produto_id"], row["loja_id"]) == (2, None, None)


def test_the_detail_is_asked_with_what_the_listing_said() -> None:
    row = {"id": 1, "titulo": "Coroa", "situacao": 1, "idLoja": 204561377, "tipoIntegracao": "MercadoLivre"}
    assert ANUNCIOS.params_of(row) == (("idLoja", "204561377"), ("tipoIntegracao", "MercadoLivre"))
