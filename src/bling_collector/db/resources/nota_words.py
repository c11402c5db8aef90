"""As palavras por que se busca: em minúsculas e sem acento. O banco as tira, do que guarda e do que se procura.

Nada aqui pede extensão do PostgreSQL (`unaccent`, `pg_trgm`): a busca é a mesma onde não é permitido criar uma.
"""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import text

from bling_collector.db.connection.core import AsyncConnection

_ACCENTED = "ÀÁÂÃÄÅàáâãäåÇçÈÉÊËèéêëÌÍÎÏìíîïÑñÒÓÔÕÖØòóôõöøÙÚÛÜùúûüÝýÿªº"
_PLAIN = "aaaaaaaaaaaacceeeeeeeeiiiiiiiinnoooooooooooouuuuuuuuyyyao"
_BETWEEN = "[\x01-/:-@[-`{-\x7f\u00a0\u2007\u202f–—‘’“”´¨·•°…]+"
_COMBINING = "[\u0300-\u036f]"
"""Os acentos escritos à parte da letra: saem."""
FOLD: Final[dict[str, Any]] = {
    "de": _ACCENTED,
    "para": _PLAIN,
    "soltos": _COMBINING,
    "entre": _BETWEEN,
    "longa": 40,
    "muitas": 5000,
}
"""Os parâmetros de WORDS: o que cada letra vira, o que sai, o que separa, o tamanho de uma palavra e quantas se guardam
de uma nota.

Os limites são os do tsvector (2 KB por palavra, 1 MB ao todo): um texto enorme não impede que a nota seja salva.
"""
FOLDING: Final = {"de": _ACCENTED, "para": _PLAIN}
"""Os parâmetros de FOLDED e de `alphabetical`."""
FOLDED: Final = "lower(translate({}, :de, :para))"
"""A expressão que põe um texto em minúsculas e sem acento."""
_LETTERS: Final = str.maketrans(_ACCENTED, _PLAIN)
WORDS: Final = """
    ARRAY(SELECT DISTINCT left(palavra, :longa)
          FROM unnest(string_to_array(lower(regexp_replace(regexp_replace(
                   translate({texto}, :de, :para), :soltos, '', 'g'), :entre, ' ', 'g')), ' ')) AS palavra
          WHERE palavra <> '' LIMIT :muitas)"""
"""A expressão que tira as palavras de `{texto}`."""
_WORDS_TYPED: Final = WORDS.format(texto="CAST(:texto AS text)")
_TYPED = text(f"SELECT {_WORDS_TYPED}")
_MOST: Final = 8
"""Palavras de uma busca que contam."""


def alphabetical(column: str, way: str = "ASC") -> str:
    """A ordem de um nome para quem o lê, a mesma em todo banco: sem ligar a acentos nem a maiúsculas e, entre iguais, a
    do nome como está; o que não o tem vem por último."""
    return f'{FOLDED.format(column)} COLLATE "C" {way} NULLS LAST, {column} COLLATE "C" {way} NULLS LAST'


def folded(written: str) -> str:
    """O que FOLDED faz, aqui."""
    return written.translate(_LETTERS).lower()


async def query_of(connection: AsyncConnection, typed: str) -> str | None:
    """A consulta (tsquery) das notas que têm todas as palavras, cada uma por inteiro ou só o começo; None sem palavra.

    De uma palavra de uma ou duas letras vale só a inteira, a não ser que seja a única.
    """
    found = await connection.scalar(_TYPED, FOLD | {"texto": typed})
    words = sorted(found or (), key=len, reverse=True)[:_MOST]
    return " & ".join(_term(word, words) for word in words) or None


def _term(word: str, words: Collection[str]) -> str:
    quoted = "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"
    return quoted + (":*" if len(word) > 2 or (len(word) == 2 and len(words) == 1) else "")
