"""O ruído dos 32 e dos 64 bits sai; um número que não o tem fica como está; o dinheiro fica em centavos."""

import struct
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bling_collector.payload import measured, money

WRITTEN: tuple[Callable[[float], str], ...] = (repr, "{:.10f}".format, "{:.14g}".format, "{:.17g}".format)
"""Como se escreve um float: o mais curto que o dá de volta, com dez casas (medido), e com os algarismos do PHP."""
as_json = st.sampled_from(WRITTEN)


def in_32_bits(value: Decimal) -> float:
    (noisy,) = struct.unpack("f", struct.pack("f", value))
    return float(noisy)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("49.9000015259", "49.9"),
        ("49.900001525878906", "49.9"),
        ("0.100000001490116", "0.1"),
        ("12.34560012817383", "12.3456"),
        ("131072.015625", "131072.02"),
        ("319949.3125", "319949.31"),
        ("-7.30000019073486", "-7.3"),
        ("59.97000000000001", "59.97"),
        ("1099.8999999999999", "1099.9"),
        ("1099.8999999999978", "1099.9"),
        ("49.899999999999999", "49.9"),
        ("0.30000000000000004", "0.3"),
        ("123456789.12000002", "123456789.12"),
    ],
)
def test_the_number_that_was_meant(said: str, meant: str) -> None:
    assert measured(Decimal(said)) == Decimal(meant)
    assert measured(said) == Decimal(meant), "também como texto"


@pytest.mark.parametrize(
    "said",
    [
        *("1234.123456", "0.333333", "12.345678", "19.99", "1.125", "0", "123456789.12", "33.3333333333"),
        *(
            "8192.0977",
            "0.0283726994",
            "12345.6789",
            "12345.0625",
            "1.0000001",
            "0.0000000001",
            "99999.0000000001",
            "5.30001",
        ),
        *("33.333333333333336", "12345678.87654321", "10000000000.123456", "1" * 39 + "." + "3" * 40),
    ],
)
def test_a_number_that_is_no_noise_stays_as_it_is(said: str) -> None:
    assert measured(Decimal(said)) == Decimal(said)


@given(st.integers(-9_999_999, 9_999_999), as_json)
def test_a_value_in_cents_comes_back_from_32_bits_the_same(cents: int, write: Callable[[float], str]) -> None:
    value = Decimal(cents) / 100
    noisy = Decimal(write(in_32_bits(value)))
    assert measured(noisy) == money(noisy) == value


@given(st.integers(1, 99_999), st.integers(3, 6), as_json)
def test_a_price_of_five_digits_comes_back_from_32_bits_the_same(
    digits: int, places: int, write: Callable[[float], str]
) -> None:
    value = Decimal(digits).scaleb(-places)
    noisy = Decimal(write(in_32_bits(value)))
    assume(len(noisy.normalize().as_tuple().digits) >= 10)  # com menos, o número também pode ser exato
    assert measured(noisy) == value


@given(st.integers(-(10**13), 10**13))
def test_a_great_value_in_32_bits_is_the_nearest_cent(cents: int) -> None:
    kept = Decimal(in_32_bits(Decimal(cents) / 100))
    assert money(kept) == kept.quantize(Decimal("0.01"), ROUND_HALF_UP)


@given(st.lists(st.integers(1, 9_999_999), min_size=1, max_size=40), st.sampled_from([repr, "{:.17g}".format]))
def test_a_sum_of_cents_comes_back_from_64_bits_the_same(cents: list[int], write: Callable[[float], str]) -> None:
    total = 0.0
    for each in cents:
        total += each / 100
    noisy = Decimal(write(total))
    assert measured(noisy) == money(noisy) == Decimal(sum(cents)) / 100


@given(st.decimals(1, 99_999, places=10) | st.decimals(-1, 1, places=7) | st.decimals(-65_000, 65_000, places=4))
def test_an_exact_price_is_never_touched(value: Decimal) -> None:
    assume(Decimal(f"{in_32_bits(value):.{len(value.normalize().as_tuple().digits)}g}") != value or abs(value) < 1)
    assert measured(value) == value


@given(st.decimals(-(10**12), 10**12, places=2))
def test_a_value_without_noise_stays_as_it_is(value: Decimal) -> None:
    assert measured(value) == money(value) == value


@pytest.mark.parametrize(
    ("said", "cents"),
    [("0.005", "0.01"), ("-0.005", "-0.01"), ("2.675", "2.68"), ("2.6749999999999998", "2.68"), ("2.6749", "2.67")],
)
def test_half_a_cent_is_one(said: str, cents: str) -> None:
    assert money(Decimal(said)) == Decimal(cents)


@pytest.mark.parametrize("value", [None, "", "dez", {"id": 1}, True])
def test_what_is_no_number_still_is_none(value: object) -> None:
    assert measured(value) is money(value) is None
