"""O que se digitou na busca de notas: uma chave, um documento, um número, ou palavras."""

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from bling_collector.documentos import checks, is_chave, is_cnpj, is_cpf, plain
from bling_collector.payload import storable

Kind = Literal["chave", "documento", "numero", "texto", "cliente", "produto"]
KINDS: Final[tuple[Kind, ...]] = ("numero", "documento", "chave", "cliente", "produto", "texto")
LONGEST: Final = 200
"""Caracteres de uma busca."""
_NUMBER_PREFIX: Final = re.compile(r"^(?:nf-?e?|nota|n[ºo°.]+)\s*(?=\d)", re.IGNORECASE)
_ROOT: Final = re.compile(r"[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}(?:/[0-9A-Z]{4})?", re.IGNORECASE)
"""O começo de um CNPJ, com a sua pontuação."""


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
    found = plain(typed)
    chave = found.removeprefix("NFE")
    number = plain(_NUMBER_PREFIX.sub("", typed))
    if is_chave(chave):
        return Term("chave", chave)
    if _is_documento(found):
        return Term("documento", found, ("produto",) if typed == found else ())
    if re.fullmatch(r"\d{1,9}", number):
        return Term("numero", number, ("documento", "produto") if len(number) == 8 else ("produto", "cliente"))
    if (found.isdecimal() and len(found) == 12 and found != typed) or _ROOT.fullmatch(typed):  # 12.345.678/0001
        return Term("documento", found)
    return Term("texto", typed, ("documento", "cliente", "produto") if root_of(typed) else ("cliente", "produto"))


def as_kind(typed: str, kind: Kind) -> Term:
    """O que foi digitado, entendido como se pede. UnreadableTermError se não pode ser isso."""
    natural = recognise(typed)
    others: tuple[Kind, ...] = tuple(k for k in (natural.kind, *natural.also) if k != kind)
    if kind in ("texto", "cliente", "produto"):
        return Term(kind, typed, others)
    if natural.kind == kind:
        return replace(natural, also=others)
    found = plain(_NUMBER_PREFIX.sub("", typed) if kind == "numero" else typed)
    if kind == "chave":
        raise UnreadableTermError("A chave de acesso tem 44 caracteres.")
    if kind == "numero" and not re.fullmatch(r"\d{1,20}", found):
        raise UnreadableTermError("O número de uma nota só tem algarismos.")
    if not re.fullmatch(r"[0-9A-Z]{3,20}", found):
        raise UnreadableTermError("Um CPF tem 11 algarismos e um CNPJ, 14 caracteres; vale também só o começo.")
    return Term(kind, found, others)


def root_of(typed: str) -> str | None:
    """O começo de um CNPJ com letras, se é o que se digitou: só a empresa (8 caracteres), ou com a filial (12).

    Sem pontuação também pode ser um SKU: quem procura por um acha o outro.
    """
    found = plain(typed)
    mixed = not found.isdecimal() and any(character.isdecimal() for character in found)
    return found if mixed and re.fullmatch(r"[0-9A-Z]{8}(?:[0-9A-Z]{4})?", found) else None


def _is_documento(found: str) -> bool:
    """CPF, CNPJ só de algarismos, ou CNPJ com letras cujos dígitos conferem: com letras, pode ser um SKU."""
    return is_cpf(found) or (is_cnpj(found) and (found.isdecimal() or checks(found)))
