"""O JSON do Bling, lido e escrito sem perder um centavo, e a leitura tolerante dos seus campos.

O Bling escreve o que falta de muitas maneiras: `""`, `{"id": 0}`, `"0000-00-00"`, às vezes `null`
(bling-api, «Arrays, types»). Aqui todas viram None, e um número pode vir como texto.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, DecimalException, InvalidOperation
from hashlib import blake2b
from typing import Any

import simplejson

from bling_collector.documentos import is_cnpj, is_cpf, plain

Json = Any
"""Um valor JSON como o Bling o mandou; a forma dele não é promessa de ninguém."""

Row = dict[str, Any]

_UNSTORABLE = re.compile(
    r"(?<!\\)((?:\\\\)*)(\\u0000|(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_UNSTORABLE_CHARACTERS = str.maketrans({0: None} | dict.fromkeys(range(0xD800, 0xE000), "\ufffd"))
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2})?))?")


def loads(text: str | bytes) -> Json:
    """O JSON com os números decimais exatos (Decimal, nunca float). ValueError se não for JSON."""
    try:
        return simplejson.loads(text, use_decimal=True, allow_nan=False)
    except DecimalException as error:
        raise ValueError("um número do JSON não tem tamanho que se guarde") from error


def dumps(value: Json) -> str:
    """O JSON que o PostgreSQL aceita em jsonb: decimais exatos, sem NUL e sem meio par substituto."""
    text = simplejson.dumps(value, use_decimal=True, default=_iso, allow_nan=False)
    return _UNSTORABLE.sub(_storable, text) if "\\u" in text else text


def _storable(match: re.Match[str]) -> str:
    backslashes, escape, pair = match.groups()
    if pair:
        return match.group(0)
    return str(backslashes) if escape == "\\u0000" else f"{backslashes}\\ufffd"


def _iso(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"não é JSON: {type(value).__name__}")


def digest(value: Json) -> str:
    """A impressão de um JSON, a mesma seja qual for a ordem das chaves: 32 dígitos hexadecimais."""
    text = simplejson.dumps(value, use_decimal=True, sort_keys=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def part(value: Json, *path: str) -> Json:
    """O valor ao fim do caminho, ou None quando algum passo falta ou não é objeto."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def objects(value: Json) -> list[Mapping[str, Json]]:
    """Os objetos de uma lista; o que não for lista, ou não for objeto dentro dela, não conta."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def storable(value: str) -> str:
    """O texto que o PostgreSQL aceita: sem NUL e sem meio par substituto, como em `dumps`."""
    return value.translate(_UNSTORABLE_CHARACTERS)


def text(value: Json) -> str | None:
    """O texto tal como veio, a não ser pelo que o banco não guarda; None para vazio ou só espaços.

    Um número vira o seu texto.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    words = storable(str(value))
    return words if words.strip() else None


def decimal(value: Json) -> Decimal | None:
    """O número exato, venha como número ou como texto; None para o que não for número."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return Decimal(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        try:
            return Decimal(value.strip())
        except InvalidOperation:
            return None
    return None


def integer(value: Json) -> int | None:
    """O inteiro, venha como número ou como texto; None para o resto e para o que não cabe em 64 bits."""
    number = decimal(value)
    # Sem o primeiro teste, um expoente sem medida (1e999999999) ocuparia a memória toda ao virar int.
    if number is None or number.adjusted() > 18 or number != number.to_integral_value():
        return None
    whole = int(number)
    return whole if -(2**63) <= whole < 2**63 else None


def reference(value: Json) -> int | None:
    """O id de uma referência `{"id": n}`; None quando falta ou é zero."""
    return integer(part(value, "id")) or None


def local_datetime(value: Json) -> datetime | None:
    """A data e hora de Brasília, sem fuso, como o Bling a dá; None para `0000-00-00` e o que não for data."""
    match = _DATE.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        return datetime.fromisoformat(f"{match[1]} {match[2] or '00:00:00'}")
    except ValueError:
        return None


def local_date(value: Json) -> date | None:
    """O dia, sem a hora; None para `0000-00-00` e o que não for data."""
    moment = local_datetime(value)
    return moment.date() if moment else None


def documento(value: Json) -> str | None:
    """CPF ou CNPJ sem pontuação (o CNPJ pode ter letras desde 2026); outro documento fica como veio."""
    raw = text(value)
    if raw is None:
        return None
    found = plain(raw)
    return found if is_cpf(found) or is_cnpj(found) else raw
