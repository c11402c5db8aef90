"""Um id como se digita: um número do Bling ou, onde ele é um texto, letras e algarismos."""

import re
from typing import Final

LARGEST: Final = 2**63 - 1
NOT_A_NUMBER: Final = f"o id precisa ser um número inteiro, de 1 a {LARGEST}."
_WRITTEN: Final = re.compile(r"[0-9A-Za-z]{1,64}")


def checked(written: str) -> str:
    """O mesmo, se pode ser um id. ValueError se não."""
    if not _WRITTEN.fullmatch(written) or written.isalpha():
        raise ValueError(NOT_A_NUMBER)
    return written


def number(written: str) -> int:
    """O id que é um número. ValueError se não o é, ou não cabe em 64 bits."""
    digits = written.lstrip("0") if written.isdecimal() else ""
    if not digits or len(digits) > len(str(LARGEST)) or int(digits) > LARGEST:
        raise ValueError(NOT_A_NUMBER)
    return int(digits)
