"""Que nome pode ter uma empresa."""

import re
from typing import Final

PRINCIPAL: Final = "principal"
"""Como se chama, entre várias, a empresa que está no schema de DATABASE_URL."""
_RESERVED: Final = frozenset({"todas", "todos", "public", "default", "padrao", "information_schema", "none", "null"})
_COMPANY: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


def company(written: str) -> str:
    """O nome de uma empresa, de que saem o schema e os endereços dela. ValueError se não serve."""
    if not _COMPANY.fullmatch(written):
        raise ValueError(
            "o nome de uma empresa tem só letras minúsculas sem acento, algarismos e _, começa por uma letra e tem "
            "até 40 deles, como filial_sul"
        )
    if written in _RESERVED or written.startswith("pg_"):
        raise ValueError(f"o nome «{written}» é reservado; escolha outro")
    return written


def is_company(written: str) -> bool:
    """Se é o nome de uma empresa, também o da principal."""
    try:
        company(written)
    except ValueError:
        return False
    return True
