"""O que não se diz: segredos (tokens, códigos, senhas) e documentos (CPF, CNPJ) saem do texto antes de ele sair."""

import re
from collections.abc import Iterable
from typing import Final

from bling_collector.documentos import checks

HIDDEN: Final = "***"
# Estes padrões leem o que qualquer um manda: o tempo de cada um cresce com o texto, e não com o quadrado dele.
_SHAPES: Final = (
    # A ordem importa: «Authorization: Basic abc» perde primeiro o que vem depois de Basic.
    (re.compile(r"\b(bearer\s+)[\w.~+/=-]{12,}", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\b(basic\s+)[\w+/=-]{16,}", re.IGNORECASE), rf"\1{HIDDEN}"),
    # Um JWT. Só se procura do começo de cada palavra: de dentro dela, cada «eyJ» leria o resto. Sem quantificadores
    # possessivos, que o Python 3.11 até ao 3.11.4 lê mal (medido: deixava passar o que aqui se esconde).
    (re.compile(r"((?<![\w-])(?:(?!eyJ)[\w-])*)eyJ[\w-]+\.[\w-]+\.[\w-]*"), rf"\1{HIDDEN}"),
    (re.compile(r"\bgAAAAA[\w-]{40,}={0,2}"), HIDDEN),  # o que o Fernet cifrou
    (re.compile(r"\b(?=\d*[a-f])[0-9a-f]{40,}\b", re.IGNORECASE), HIDDEN),  # um token opaco; não a chave da nota
    (
        re.compile(
            r"((?:access_token|refresh_token|id_token|client_secret|api_token|token_encryption_key|authorization"
            r"|password|senha)[\"']?\s*[:=]\s*[\"']?)"
            # «API_TOKEN: só letras…» é uma frase nossa: a palavra fica se outra vem depois dela.
            r"(?!(?<=:\s)[^\W\d_]{1,20}\s[^\W\d_]{1,20}(?![\w=:]))"
            r"[^\s\"'&,;)}\]]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"([?&\s\"'](?:code|state)=)[^&\s\"']{12,}"), rf"\1{HIDDEN}"),
    (re.compile(r"([\"'](?:code|state)[\"']\s*:\s*[\"'])[^\"']{12,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(://[^/\s:@]*:)[^/\s]+@"), rf"\1{HIDDEN}@"),  # a senha num endereço, que pode ter um @
)
_PUNCTUATED: Final = re.compile(
    r"(?<![\w.])(?:\d{3}\.\d{3}\.\d{3}-\d{2}|[\dA-Z]{2}\.[\dA-Z]{3}\.[\dA-Z]{3}/[\dA-Z]{4}-\d{2})(?!\w)",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    r"((?:\bCPF|\bCNPJ|numero_?documento|contato_documento)[\"']?[\s:=«\"'(]{1,6})[\dA-Z][\dA-Z.\-/]{9,16}\d(?!\w)",
    re.IGNORECASE,
)
_BARE: Final = re.compile(r"(?<![\w/])(?:\d{11}|[\dA-Z]{12}\d{2})(?!\w)", re.IGNORECASE)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """O texto sem os `secrets`, sem documentos e sem o que tem forma de segredo: tokens, códigos, senhas."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return without_documents(text)


def without_documents(text: str) -> str:
    """O texto sem CPF nem CNPJ: pontuados; ditos pelo nome; ou só os dígitos, se os verificadores conferem.

    Um id do Bling tem onze dígitos, como um CPF: num caminho (`/nfe/123…`) ele fica; fora dele, um em cem confere
    por acaso e some também.
    """
    text = _PUNCTUATED.sub(HIDDEN, text)
    text = _NAMED.sub(rf"\1{HIDDEN}", text)
    return _BARE.sub(lambda found: HIDDEN if checks(found[0].upper()) else found[0], text)
