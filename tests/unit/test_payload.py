"""O JSON lido e escrito sem perder um centavo, e a leitura dos campos: certa, ou recusada."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bling_collector import payload
from bling_collector.payload import Fields, UnreadableError, digest, dumps, loads

NUMBERS = ["0.1", "1.10", "-0.0", "1E+2", "123456789012345678901234567890.12", "1e-30", "9223372036854775807", "4.35"]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_goes_and_comes_back_the_same(number: str) -> None:
    value = loads(f'{{"v": {number}}}')["v"]
    assert str(loads(dumps({"v": value}))["v"]) == str(value)
    assert Decimal(value) == Decimal(number)
    assert not isinstance(value, float)


@given(value=st.decimals(allow_nan=False, allow_infinity=False) | st.integers(-(2**200), 2**200))
def test_any_number_goes_and_comes_back_exact(value: Decimal | int) -> None:
    again = loads(dumps({"v": value}))["v"]
    assert Decimal(again) == Decimal(value)
    assert Decimal(again).as_tuple() == Decimal(value).as_tuple()


@given(words=st.text(alphabet=st.characters(exclude_categories=[])))
def test_any_text_becomes_json_that_postgresql_accepts(words: str) -> None:
    text = dumps({"t": words, words: 1})
    expected = payload.storable(words)
    assert json.loads(text) == {"t": expected, expected: 1} or expected == "t"
    assert text.isascii()
    text.replace("\\\\", "").encode("ascii")
    assert "\\u0000" not in text.replace("\\\\", "")
    expected.encode("utf-8")


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", '{"a": Infinity}', "<html>", '{"a": 1e99999999999999999999}', "9" * 5000]
)
def test_what_is_not_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        loads(text)


def test_dates_become_text_and_the_rest_is_refused() -> None:
    assert loads(dumps({"d": date(2026, 2, 3), "h": datetime(2026, 2, 3, 9, 5)})) == {  # noqa: DTZ001 — hora local do Bling
        "d": "2026-02-03",
        "h": "2026-02-03T09:05:00",
    }
    with pytest.raises(TypeError, match="set"):
        dumps({"x": {1}})


def test_bytes_become_what_postgresql_reads_as_bytea() -> None:
    assert dumps({"conteudo": b"\x1f\x8b\x00a"}) == '{"conteudo": "\\\\x1f8b0061"}'


def test_the_digest_depends_on_everything_but_the_order_of_the_keys() -> None:
    one, other = loads('{"a": 1, "b": {"c": [1, 2], "d": "é"}}'), loads('{"b": {"d": "é", "c": [1, 2]}, "a": 1}')
    assert digest(one) == digest(other)
    assert len(digest(one)) == 32
    changed = [
        '{"a": 2, "b": {"c": [1, 2], "d": "é"}}',
        '{"a": 1, "b": {"c": [2, 1], "d": "é"}}',
        '{"a": 1, "b": null}',
    ]
    assert len({digest(one), *(digest(loads(text)) for text in changed)}) == 4


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12, Decimal(12)),
        (Decimal("1.50"), Decimal("1.50")),
        (" 1.50 ", Decimal("1.50")),
        ("-3", Decimal(-3)),
        ("1e3", Decimal(1000)),
        ("1,50", Decimal("1.50")),
        ("1.234,56", Decimal("1234.56")),
        ("1,234.56", Decimal("1234.56")),
        ("-12.345.678,9", Decimal("-12345678.9")),
        ("1.234.567", Decimal(1234567)),
        ("1,234,567", Decimal(1234567)),
        ("1234,567", Decimal("1234.567")),
        ("0,125", Decimal("0.125")),
        ("0.125", Decimal("0.125")),
        ("1234.500", Decimal("1234.500")),
        ("R$ 1.234,56", Decimal("1234.56")),
        ("1.234", None),  # mil e tantos, ou um e pouco?
        ("-12,500", None),
        ("12.34,56", None),
        ("1.234,56,7", None),
        ("1 234,56", None),
        ("١٢", None),
        ("12,5%", None),
        ("1e400000", None),
        (Decimal("1e40"), None),
        (Decimal("1e-41"), None),
        (Decimal("1e39"), Decimal("1e39")),
        ("", None),
        ("NaN", None),
        ("Infinity", None),
        ("1_000", None),
        (True, None),
        (None, None),
        ([], None),
        ({}, None),
    ],
)
def test_decimal(value: Any, expected: Decimal | None) -> None:
    assert payload.decimal(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 7),
        ("16698952210", 16698952210),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        (-(2**63), -(2**63)),
        (Decimal("2.0"), 2),
        (Decimal("2.5"), None),
        (Decimal("1e999999999"), None),
        (Decimal("-1e999999999"), None),
        (Decimal("1e-999999999"), None),
        ("1e18", 10**18),
        ("1e19", None),
        ("x", None),
        (False, None),
    ],
)
def test_integer(value: Any, expected: int | None) -> None:
    assert payload.integer(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-02-03 09:52:12", "2026-02-03T09:52:12"),
        ("2026-02-03T09:52:12-03:00", "2026-02-03T09:52:12"),
        ("2026-02-03 09:52", "2026-02-03T09:52:00"),
        (" 2026-02-03 ", "2026-02-03T00:00:00"),
        ("0000-00-00", None),
        ("0000-00-00 00:00:00", None),
        ("2026-02-03T12:52:12Z", "2026-02-03T09:52:12"),
        ("2026-02-03T09:52:12.000-0300", "2026-02-03T09:52:12"),
        ("2026-02-03 09:52:12 +00:00", "2026-02-03T06:52:12"),
        ("2018-01-15T10:00:00-02:00", "2018-01-15T10:00:00"),  # havia horário de verão
        ("03/02/2026", "2026-02-03T00:00:00"),
        ("31/12/2025 10:00:00", "2025-12-31T10:00:00"),
        ("00/00/0000", None),
        ("-0001-11-30 00:00:00", None),
        ("12/31/2025", None),
        ("3/2/2026", None),
        ("2026-02-30", None),
        ("2026-02-03 25:00:00", None),
        ("2026-02-03 e mais", None),
        ("2026-02-03Z", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("", None),
        (20260203, None),
        (None, None),
    ],
)
def test_local_datetime(value: Any, expected: str | None) -> None:
    found = payload.local_datetime(value)
    assert (found.isoformat() if found else None) == expected
    assert payload.local_date(value) == (date.fromisoformat(expected[:10]) if expected else None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12.345.678/0001-95", "12345678000195"),
        ("123.456.789-09", "12345678909"),
        ("12.abc.345/01de-35", "12ABC34501DE35"),
        ("AB-123 x", "AB-123 x"),
        ("1234", "1234"),
        ("", None),
        (12345678909, "12345678909"),
        (None, None),
    ],
)
def test_documento(value: Any, expected: str | None) -> None:
    assert payload.documento(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"),
        (" a ", " a "),
        ("  ", None),
        ("\x00", None),
        ("a\x00b", "ab"),
        ("\ud800", "\ufffd"),
        (0, "0"),
        (True, None),
    ],
)
def test_text(value: Any, expected: str | None) -> None:
    assert payload.text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), (1, True), ("true", True), (" 1 ", True), (False, False), ("0", False), ("", None), ("N", None)],
)
def test_boolean(value: Any, expected: bool | None) -> None:
    assert payload.boolean(value) is expected


def test_part_and_objects_do_not_stumble() -> None:
    assert payload.part({"a": {"b": 1}}, "a", "b") == 1
    assert payload.part({"a": [1]}, "a", "b") is None
    assert payload.part(None, "a") is None
    assert payload.objects([{"a": 1}, 2, None, {}]) == [{"a": 1}, {}]
    assert payload.objects({"a": 1}) == []
    assert payload.objects({"10": {"a": 3}, "2": {"a": 2}, "1": 5}) == [{"a": 2}, {"a": 3}]


def test_a_day_that_is_another_in_another_zone_is_not_guessed() -> None:
    assert payload.local_datetime("2026-01-01T01:00:00Z") == datetime(2025, 12, 31, 22)  # noqa: DTZ001 — hora de Brasília
    assert payload.local_date("2026-01-01T01:00:00Z") is None
    assert payload.local_date("2026-03-05T00:00:00-03:00") == date(2026, 3, 5)


BLANKS: tuple[Any, ...] = (None, "", "  ", "\x00")
CASES: dict[str, tuple[list[Any], dict[str, Any], list[Any]]] = {
    # método: (o que é vazio, o que se lê, o que se recusa)
    "text": ([*BLANKS], {"7": 7, " a ": " a "}, [True, {}, {"a": 1}, [], ["a"]]),
    "documento": ([*BLANKS], {"12345678909": "123.456.789-09"}, [False, {"a": 1}, ["a"]]),
    "decimal": ([*BLANKS], {"1234.56": "1.234,56", "0": 0}, ["mil", "1.234", True, {}, [1], "NaN", Decimal("1e99")]),
    "integer": ([*BLANKS], {"2": "2", "-5": -5}, ["um", 1.5, "1,5", 2**31, False, {"id": 6, "valor": 6}, [6]]),
    "boolean": (
        [*BLANKS],
        {"True": "1", "False": 0},
        [2, "sim", "S", {}, {"a": 1}, [], [True], Decimal("0.5")],
    ),
    "id": ([*BLANKS], {str(2**63 - 1): 2**63 - 1}, [2**63, "x", True, {}, []]),
    "reference": (
        [*BLANKS, {}, [], {"id": 0}, {"id": "0"}, {"id": None}, {"id": ""}],
        {"5": {"id": "5"}},
        [5, "5", 0, True, [5], [{"id": 5}], {"id": "x"}, {"id": {"id": 5}}, {"id": False}],
    ),
    "local_datetime": (
        [*BLANKS, "0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00-03:00", "-0001-11-30 00:00:00"],
        {"2025-12-31 10:00:00": "2025-12-31T13:00:00Z"},
        ["2026-02-30", "ontem", 20260203, 1767186000, True, {"date": "2026-02-03"}, ["2026-02-03"], "31/13/2025"],
    ),
    "local_date": ([*BLANKS, "0000-00-00"], {"2025-12-31": "31/12/2025"}, ["2026-01-01T01:00:00Z", "x", {}]),
}


@pytest.mark.parametrize("method", CASES)
def test_a_field_is_read_missing_or_refused_and_never_vanishes(method: str) -> None:
    empty, read, refused = CASES[method]

    def field(value: Any) -> Any:
        return getattr(Fields({"a": {"b": value}}), method)("a", "b")

    assert [field(value) for value in empty] == [None] * len(empty)
    assert getattr(Fields({}), method)("a", "b") is None
    assert {str(field(value)) for value in read.values()} == set(read)
    for value in refused:
        with pytest.raises(UnreadableError, match=r"^a\.b(\.id)? veio como .+, e não como "):
            field(value)


def test_the_objects_of_a_list() -> None:
    def lines(value: Any) -> list[tuple[Any, str]]:
        return [(line.value, line.place) for line in Fields({"i": value}).objects("i")]

    assert lines(None) == lines("") == lines([]) == lines({}) == []
    assert lines([{"a": 1}]) == lines({"7": {"a": 1}}) == [({"a": 1}, "i[1]")]
    for value in ({"a": 1}, 7, "x", True, [None], [{}, "x"], {"1": [1]}):
        with pytest.raises(UnreadableError, match=r"^i(\[\d\])? veio como"):
            lines(value)
    with pytest.raises(UnreadableError, match=r"^i\[2\]\.a veio como «x», e não como número$"):
        [line.decimal("a") for line in Fields({"i": {"1": {"a": 1}, "2": {"a": "x"}}}).objects("i")]


@pytest.mark.parametrize(
    "value", ["João da Silva", "joao@exemplo.com.br", "123.456.789-09", "12345678909", "x" * 500 + " 123.456.789-09"]
)
def test_the_refusal_does_not_say_whose_it_is(value: str) -> None:
    with pytest.raises(UnreadableError) as refusal:
        Fields({"v": value}).local_date("v")
    assert len(str(refusal.value)) < 90
    assert not any(word in str(refusal.value) for word in ("Silva", "joao", "789-09", "12345678909"))
    with pytest.raises(UnreadableError, match=r"^nome veio como objeto, e não como texto$"):
        Fields({"nome": {"completo": value}}).text("nome")
