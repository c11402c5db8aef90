"""Documentos brasileiros com dígitos verificadores certos: CPF, CNPJ (também o de letras) e chave de acesso."""

import re
import string
from collections.abc import Sequence
from datetime import date
from random import Random

_CNPJ_FIRST = (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
_CNPJ_SECOND = (6, *_CNPJ_FIRST)
_CPF_FIRST = tuple(range(10, 1, -1))
_CPF_SECOND = tuple(range(11, 1, -1))
_KEY_WEIGHTS = tuple(2 + (42 - position) % 8 for position in range(43))


def check_digit(digits: str, weights: Sequence[int]) -> str:
    """O dígito de módulo 11 de `digits`: resto 0 ou 1 dá zero. Uma letra vale o seu código menos 48."""
    rest = sum((ord(digit) - 48) * weight for digit, weight in zip(digits, weights, strict=True)) % 11
    return "0" if rest < 2 else str(11 - rest)


def make_cpf(rng: Random) -> str:
    digits = f"{rng.randrange(100_000_000, 999_999_999)}"
    digits += check_digit(digits, _CPF_FIRST)
    return digits + check_digit(digits, _CPF_SECOND)


def make_cnpj(rng: Random, *, letters: bool = False) -> str:
    """Um CNPJ; com `letters`, dos que se dão desde julho de 2026, com letras e algarismos."""
    digits = f"{rng.randrange(10_000_000, 99_999_999)}0001"
    if letters:
        digits = rng.choice(string.ascii_uppercase) + "".join(rng.choices(string.digits + string.ascii_uppercase, k=11))
    digits += check_digit(digits, _CNPJ_FIRST)
    return digits + check_digit(digits, _CNPJ_SECOND)


def is_cpf(digits: str) -> bool:
    return (
        len(digits) == 11
        and digits[9] == check_digit(digits[:9], _CPF_FIRST)
        and digits[10] == check_digit(digits[:10], _CPF_SECOND)
    )


def is_cnpj(digits: str) -> bool:
    return (
        re.fullmatch(r"[0-9A-Z]{12}[0-9]{2}", digits) is not None
        and digits[12] == check_digit(digits[:12], _CNPJ_FIRST)
        and digits[13] == check_digit(digits[:13], _CNPJ_SECOND)
    )


def format_document(digits: str) -> str:
    """CPF ou CNPJ com pontuação; qualquer outra coisa volta como veio."""
    if len(digits) == 14:
        return f"{digits[:2]}.{digits[2:5]}.{digits[5:8]}/{digits[8:12]}-{digits[12:]}"
    if len(digits) == 11:
        return f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}"
    return digits


def access_key(*, uf_code: str, emitted: date, cnpj: str, serie: int, numero: int, code: int, modelo: int = 55) -> str:
    """A chave de acesso, de 44 caracteres, de uma NF-e (modelo 55) ou NFC-e (65) emitida normalmente."""
    body = f"{uf_code}{emitted:%y%m}{cnpj}{modelo}{serie:03d}{numero:09d}1{code:08d}"
    return body + check_digit(body, _KEY_WEIGHTS)


def is_access_key(key: str) -> bool:
    shape = re.fullmatch(r"[0-9]{6}[0-9A-Z]{12}[0-9]{26}", key)
    return shape is not None and key[43] == check_digit(key[:43], _KEY_WEIGHTS)
