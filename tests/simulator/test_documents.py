from datetime import date
from random import Random

import pytest

from bling_simulator.company.documents import (
    access_key,
    format_document,
    is_access_key,
    is_cnpj,
    is_cpf,
    make_cnpj,
    make_cpf,
)


def test_known_check_digits() -> None:
    """Exemplos dos manuais da Receita e da NF-e."""
    assert is_cpf("11144477735")
    assert is_cnpj("11222333000181")
    assert is_access_key("43171207364617000135550000000120141000120146")


@pytest.mark.parametrize(
    ("check", "digits"),
    [(is_cpf, "11144477734"), (is_cpf, "1114447773"), (is_cnpj, "11222333000182"), (is_access_key, "4" * 43)],
)
def test_wrong_digits_are_refused(check: object, digits: str) -> None:
    assert callable(check)
    assert not check(digits)


def test_made_documents_are_valid() -> None:
    rng = Random(1)
    assert all(is_cpf(make_cpf(rng)) and is_cnpj(make_cnpj(rng)) for _ in range(500))


def test_access_key_layout() -> None:
    key = access_key(uf_code="43", emitted=date(2025, 3, 9), cnpj="11222333000181", serie=2, numero=447, code=12345678)
    assert is_access_key(key)
    assert key[:43] == "43" + "2503" + "11222333000181" + "55" + "002" + "000000447" + "1" + "12345678"


@pytest.mark.parametrize(
    ("digits", "formatted"),
    [("11222333000181", "11.222.333/0001-81"), ("11144477735", "111.444.777-35"), ("", ""), ("AB12", "AB12")],
)
def test_formatting(digits: str, formatted: str) -> None:
    assert format_document(digits) == formatted
