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
def test_the_number_that_was_meant(said: str, meant: str) -> None:
    assert measured(Decimal(said)) == Decimal(meant)


@given(st.integers(-9_999_999, 9_999_999), st.integers(10, 15))
def test_a_value_in_cents_comes_back_from_the_noise_the_same(cents: int, digits: int) -> None:
    value = Decimal(cents) / 100
    (noisy,) = struct.unpack("f", struct.pack("f", value))
    assert measured(Decimal(f"{noisy:.{digits}g}")) == value


@given(st.decimals(-(10**12), 10**12, places=2))
def test_a_value_without_noise_stays_as_it_is(value: Decimal) -> None:
    assert measured(value) == value


@pytest.mark.parametrize("value", [None, "", "dez", {"id": 1}, True])
def test_what_is_no_number_still_is_none(value: object) -> None:
    assert measured(value) is None
