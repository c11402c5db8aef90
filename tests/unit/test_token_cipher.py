"""Os tokens cifrados: o que se guarda, a troca de chaves, o que era em claro, e a chave que falta."""

import pytest

from bling_collector.auth.token_cipher import TokenCipher, is_sealed, new_key
from bling_collector.errors import ConfigurationError

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
OLD, NEW = new_key(), new_key()


def test_what_is_stored_is_not_what_was_given() -> None:
    stored = TokenCipher([NEW]).seal(TOKEN)
    assert is_sealed(stored)
    assert TOKEN not in stored
    assert TokenCipher([NEW]).open(stored) == TOKEN
    assert stored != TokenCipher([NEW]).seal(TOKEN)


def test_without_a_key_it_stays_as_it_is() -> None:
    cipher = TokenCipher()
    assert cipher.seal(TOKEN) == TOKEN
    assert cipher.open(TOKEN) == TOKEN
    assert cipher.is_current(TOKEN)


def test_a_plain_one_is_read_and_is_not_current() -> None:
    cipher = TokenCipher([NEW])
    assert cipher.open(TOKEN) == TOKEN
    assert not cipher.is_current(TOKEN)
    assert cipher.is_current(cipher.seal(TOKEN))


def test_a_rotation_reads_the_old_key_and_writes_with_the_new() -> None:
    stored = TokenCipher([OLD]).seal(TOKEN)
    both = TokenCipher([NEW, OLD])
    assert both.open(stored) == TOKEN
    assert not both.is_current(stored)
    assert TokenCipher([NEW]).open(both.seal(TOKEN)) == TOKEN


@pytest.mark.parametrize("keys", [[], [NEW]])
def test_a_key_that_is_missing_is_said(keys: list[str]) -> None:
    stored = TokenCipher([OLD]).seal(TOKEN)
    with pytest.raises(ConfigurationError, match=r"TOKEN_ENCRYPTION_KEY.*bling-collector auth") as caught:
        TokenCipher(keys).open(stored)
    assert stored not in str(caught.value)


def test_a_sealed_one_that_was_touched_is_refused() -> None:
    stored = TokenCipher([NEW]).seal(TOKEN)
    with pytest.raises(ConfigurationError):
        TokenCipher([NEW]).open(stored[:-6] + "AAAA==")


@pytest.mark.parametrize("key", ["curta", "x" * 44, NEW[:-2], ""], ids=["curta", "x", "cortada", "vazia"])
def test_a_key_that_is_no_key_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(ConfigurationError, match="--gerar-chave") as caught:
        TokenCipher([key])
    assert not key or key not in str(caught.value)
