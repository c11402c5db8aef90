"""O ruído dos 32 bits sai; um número que não o tem fica como está."""

import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bling_collector.payload import measured


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("49.9000015259", "49.9"),
        ("0.100000001490116", "0.1"),
        ("131072.015625", "131072.02"),
        ("-7.30000019073486", "-7.3"),
        ("1234.123456", "1234.123456"),
        ("0.333333", "0.333333"),
        ("19.99", "19.99"),
        ("1.125", "1.125"),
        ("0", "0"),
        ("123456789.12", "123456789.12"),
    ],
)
def test_o_numero_que_se_quis_dizer(said: str, meant: str) -> None:
    assert measured(Decimal(said)) == Decimal(meant)


@given(st.integers(-9_999_999, 9_999_999), st.integers(10, 15))
def test_um_valor_em_centavos_volta_do_ruido_igual(cents: int, digits: int) -> None:
    value = Decimal(cents) / 100
    (noisy,) = struct.unpack("f", struct.pack("f", value))
    assert measured(Decimal(f"{noisy:.{digits}g}")) == value


@given(st.decimals(-(10**12), 10**12, places=2))
def test_um_valor_sem_ruido_fica_como_esta(value: Decimal) -> None:
    assert measured(value) == value


@pytest.mark.parametrize("value", [None, "", "dez", {"id": 1}, True])
def test_o_que_nao_e_numero_continua_sem_ser(value: object) -> None:
    assert measured(value) is None
