"""CPF e CNPJ: a forma, os dígitos verificadores e a pontuação. O CNPJ pode ter letras desde julho de 2026."""

import re
from typing import Final

_PUNCTUATION: Final = re.compile(r"[.\-/\s]")
_CPF: Final = re.compile(r"[0-9]{11}")
_CNPJ: Final = re.compile(r"[0-9A-Z]{12}[0-9]{2}")
_KEY: Final = re.compile(r"[0-9]{6}[0-9A-Z]{12}[0-9]{26}")
ROOT: Final = 8
"""Quantos caracteres do CNPJ dizem a empresa; os quatro seguintes dizem a filial."""


def plain(written: str) -> str:
    """Sem pontuação nem espaços, e as letras maiúsculas, que é como um CNPJ se compara."""
    return _PUNCTUATION.sub("", written).upper()


def is_cpf(value: str) -> bool:
    """Se tem a forma de um CPF sem pontuação."""
    return _CPF.fullmatch(value) is not None


def is_cnpj(value: str) -> bool:
    """Se tem a forma de um CNPJ sem pontuação, só de algarismos ou com letras."""
    return _CNPJ.fullmatch(value) is not None


def masked(documento: str | None) -> str:
    """12345678000195 → **.345.678/0001-**, o bastante para quem já o conhece; o que não é CPF nem CNPJ, só o fim."""
    if not documento:
        return ""
    d = "".join(filter(str.isalnum, documento)).upper()
    if is_cpf(d):
        return f"***.{d[3:6]}.{d[6:9]}-**"
    if is_cnpj(d):
        return f"**.{d[2:5]}.{d[5:8]}/{d[8:12]}-**"
    return f"***{d[-3:]}" if len(d) > 6 else "***"


def checks(documento: str) -> bool:
    """Se os dois dígitos verificadores conferem.

    Módulo 11 do código de cada caractere menos 48, que nos algarismos é o próprio valor (Receita Federal, IN
    2.229/2024). Um documento de um caractere só repetido não confere.
    """
    values = [ord(character) - 48 for character in documento]
    if len(set(values)) == 1:
        return False
    cycle = 10 if len(values) == 11 else 8
    for size in (len(values) - 2, len(values) - 1):
        weighted = sum(value * (2 + place % cycle) for place, value in enumerate(reversed(values[:size])))
        digit = 11 - weighted % 11
        if values[size] != (0 if digit >= 10 else digit):
            return False
    return True


def issuer(chave: str | None) -> str | None:
    """O CNPJ de quem emitiu, dos caracteres 7 a 20 de uma chave de acesso; None se não é uma chave."""
    key = re.sub(r"\s", "", chave or "").upper()
    return key[6:20] if _KEY.fullmatch(key) else None


def is_chave(value: str) -> bool:
    """Se tem a forma de uma chave de acesso: UF e mês, o CNPJ de quem emite, e o resto em algarismos."""
    return _KEY.fullmatch(value) is not None
