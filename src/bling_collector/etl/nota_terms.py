"""O que se digitou na busca de notas: uma chave, um documento, um número, ou palavras."""

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from bling_collector.payload import storable

Kind = Literal["chave", "documento", "numero", "texto", "cliente", "produto"]
KINDS: Final[tuple[Kind, ...]] = ("numero", "documento", "chave", "cliente", "produto", "texto")
LONGEST: Final = 200
"""Caracteres de uma busca."""
_NUMBER_PREFIX: Final = re.compile(r"^(?:nf-?e?|nota|n[ºo°.]+)\s*(?=\d)", re.IGNORECASE)
_CHAVE: Final = re.compile(r"\d{6}[0-9A-Z]{12}\d{26}")
"""UF e mês, o CNPJ de quem emite (que pode ter letras desde 2026), e o resto em algarismos."""
_CNPJ: Final = re.compile(r"[0-9A-Z]{12}\d{2}")


@dataclass(frozen=True)
class Term:
    """O que se procura e como: `value` é só letras e algarismos, a não ser que seja texto."""

    kind: Kind
    value: str
    also: tuple[Kind, ...] = ()
    """Como mais se pode entender o que foi digitado."""


class UnreadableTermError(ValueError):
    """O que se digitou não serve; a mensagem diz por quê."""


def cleaned(typed: str) -> str:
    """O texto sem o que o banco não guarda nem espaços de sobra. UnreadableTermError se é grande demais."""
    words = " ".join(storable(typed).split())
    if len(words) > LONGEST:
        raise UnreadableTermError(f"Escreva no máximo {LONGEST} caracteres.")
    return words


def recognise(typed: str) -> Term:
    """O que foi digitado (por `cleaned`, não vazio): pelo tamanho e pela forma; na dúvida, palavras."""
    plain = _plain(typed)
    chave = plain.removeprefix("NFE")
    number = _plain(_NUMBER_PREFIX.sub("", typed))
    if _CHAVE.fullmatch(chave):
        return Term("chave", chave)
    if _is_documento(plain):
        return Term("documento", plain, ("produto",) if typed == plain else ())
    if re.fullmatch(r"\d{1,9}", number):
        return Term("numero", number, ("documento", "produto") if len(number) == 8 else ("produto", "cliente"))
    if re.fullmatch(r"\d{12}", plain) and plain != typed:  # 12.345.678/0001
        return Term("documento", plain)
    return Term("texto", typed, ("cliente", "produto"))


def as_kind(typed: str, kind: Kind) -> Term:
    """O que foi digitado, entendido como se pede. UnreadableTermError se não pode ser isso."""
    natural = recognise(typed)
    others: tuple[Kind, ...] = tuple(k for k in (natural.kind, *natural.also) if k != kind)
    if kind in ("texto", "cliente", "produto"):
        return Term(kind, typed, others)
    if natural.kind == kind:
        return replace(natural, also=others)
    plain = _plain(_NUMBER_PREFIX.sub("", typed) if kind == "numero" else typed)
    if kind == "chave":
        raise UnreadableTermError("A chave de acesso tem 44 algarismos.")
    if kind == "numero" and not re.fullmatch(r"\d{1,20}", plain):
        raise UnreadableTermError("O número de uma nota só tem algarismos.")
    if not re.fullmatch(r"[0-9A-Z]{3,20}", plain):
        raise UnreadableTermError("Um CPF tem 11 algarismos e um CNPJ tem 14; vale também só o começo.")
    return Term(kind, plain, others)


def _plain(typed: str) -> str:
    return re.sub(r"[\s.\-/]", "", typed).upper()


def _is_documento(plain: str) -> bool:
    """CPF, CNPJ só de algarismos, ou CNPJ com letras cujos dígitos conferem: com letras, pode ser um SKU."""
    if re.fullmatch(r"\d{11}|\d{14}", plain):
        return True
    return bool(_CNPJ.fullmatch(plain)) and plain[12:] == _check_digits(plain[:12])


def _check_digits(base: str) -> str:
    """Os dois dígitos do CNPJ, pelo módulo 11 do código de cada caractere menos 48 (Receita Federal, IN 2.229/2024)."""
    for _ in range(2):
        total = sum((ord(char) - 48) * (2 + place % 8) for place, char in enumerate(reversed(base)))
        base += str(0 if total % 11 < 2 else 11 - total % 11)
    return base[-2:]
