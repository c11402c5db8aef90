"""CPF e CNPJ, também o de letras: a forma, os verificadores, a pontuação, a máscara, e quem emitiu uma chave."""

import random
from datetime import date

import pytest

from bling_collector.documentos import checks, is_chave, is_cnpj, issuer, masked, plain
from bling_collector.payload import documento
from bling_simulator.company.documents import access_key, make_cnpj

LETTERS = "12ABC34501DE35"
"""O exemplo da Receita Federal (IN 2.229/2024)."""


@pytest.mark.parametrize("written", [LETTERS, LETTERS.lower(), "12.ABC.345/01DE-35", " 12.abc.345/01de-35 "])
def test_a_lettered_cnpj_is_a_cnpj(written: str) -> None:
    assert documento(written) == plain(written) == LETTERS
    assert is_cnpj(plain(written))
    assert masked(written) == "**.ABC.345/01DE-**"


def test_the_check_digits_of_a_lettered_one() -> None:
    rng = random.Random(3)
    for document in [make_cnpj(rng, letters=True) for _ in range(200)]:
        assert checks(document)
        assert not checks(document[:-1] + str((int(document[-1]) + 1) % 10))


def test_who_issued_a_chave() -> None:
    for cnpj in ("91827364000103", LETTERS):
        key = access_key(uf_code="43", emitted=date(2026, 8, 1), cnpj=cnpj, serie=1, numero=7, code=1)
        assert is_chave(key)
        assert issuer(key) == issuer(key.lower()) == cnpj
    assert issuer(None) is issuer("") is issuer("9" * 43) is None
