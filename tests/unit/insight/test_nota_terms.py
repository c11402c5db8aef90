"""O que se entende do que foi digitado na busca de notas."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bling_collector.insight.notas.terms import (
    KINDS,
    LONGEST,
    Kind,
    Term,
    UnreadableTermError,
    as_kind,
    cleaned,
    recognise,
)

CHAVE = "43260212345678000195550010000024471234567890"


@pytest.mark.parametrize(
    ("typed", "kind", "value"),
    [
        (CHAVE, "chave", CHAVE),
        (" ".join(CHAVE[i : i + 4] for i in range(0, 44, 4)), "chave", CHAVE),
        (f"NFe{CHAVE}", "chave", CHAVE),
        ("432602" + "12ABC34501DE" + CHAVE[18:], "chave", "432602" + "12ABC34501DE" + CHAVE[18:]),
        ("12.345.678/0001-95", "documento", "12345678000195"),
        ("12345678000195", "documento", "12345678000195"),
        ("123.456.789-09", "documento", "12345678909"),
        ("12.ABC.345/01DE-35", "documento", "12ABC34501DE35"),
        ("12.abc.345/01de-35", "documento", "12ABC34501DE35"),
        ("12.345.678/0001", "documento", "123456780001"),
        ("12abc34501de35", "documento", "12ABC34501DE35"),
        ("12.abc.345/01de", "documento", "12ABC34501DE"),
        ("12.ABC.345", "documento", "12ABC345"),
        ("12ABC345", "texto", "12ABC345"),
        ("2447", "numero", "2447"),
        ("002447", "numero", "002447"),
        ("2.447", "numero", "2447"),
        ("nº 2447", "numero", "2447"),
        ("NF-e 2447", "numero", "2447"),
        ("nota 2447", "numero", "2447"),
        ("12345678", "numero", "12345678"),
        ("12.345.678", "numero", "12345678"),
        ("1234567890", "texto", "1234567890"),
        ("7891234567895", "texto", "7891234567895"),
        ("PARAFUSOM10X50", "texto", "PARAFUSOM10X50"),
        ("ENG-0012", "texto", "ENG-0012"),
        ("José da Silva", "texto", "José da Silva"),
        ("nota", "texto", "nota"),
        (CHAVE[:-1], "texto", CHAVE[:-1]),
        ("%", "texto", "%"),
    ],
)
def test_what_is_recognised(typed: str, kind: Kind, value: str) -> None:
    found = recognise(typed)
    assert (found.kind, found.value) == (kind, value)
    assert kind not in found.also


@pytest.mark.parametrize(
    ("typed", "kind", "value"),
    [
        ("2447", "produto", "2447"),
        ("2447", "cliente", "2447"),
        ("2447", "documento", "2447"),
        ("12.345.678", "documento", "12345678"),
        ("1234567890", "numero", "1234567890"),
        ("nº 12", "numero", "12"),
    ],
)
def test_it_is_understood_as_it_is_asked(typed: str, kind: Kind, value: str) -> None:
    found = as_kind(typed, kind)
    assert (found.kind, found.value) == (kind, value)
    assert recognise(typed).kind == kind or recognise(typed).kind in found.also


@pytest.mark.parametrize(
    ("typed", "kind"), [("José", "numero"), ("2447", "chave"), ("12", "documento"), ("' OR 1=1 --", "documento")]
)
def test_what_cannot_be_that_is_refused(typed: str, kind: Kind) -> None:
    with pytest.raises(UnreadableTermError, match=r"\.$"):
        as_kind(typed, kind)


def test_what_the_bank_cannot_hold_and_idle_spaces_go_away() -> None:
    assert cleaned(" José\x00  da\n Silva\ud800 ") == "José da Silva\ufffd" or cleaned("a\x00b") == "ab"
    assert "\x00" not in cleaned("a\x00b")
    with pytest.raises(UnreadableTermError, match=str(LONGEST)):
        cleaned("x" * (LONGEST + 1))


@given(st.text(min_size=1, max_size=LONGEST) | st.text(string.digits + " .-/", min_size=1, max_size=60))
def test_anything_is_understood_as_something(typed: str) -> None:
    words = cleaned(typed)
    if words:
        found = recognise(words)
        assert isinstance(found, Term)
        assert found.value
        assert found.kind in KINDS
