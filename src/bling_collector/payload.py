"""O JSON do Bling, lido e escrito sem perder um centavo, e a leitura dos seus campos.

O Bling escreve o que falta de muitas maneiras: `""`, `{"id": 0}`, `"0000-00-00"`, às vezes `null`
(medido). Aqui todas viram None. O que está presente é lido se só pode querer dizer uma coisa: um
número ou uma data como texto, à brasileira também. As funções soltas dão None ao que não se lê; `Fields`, com que se
fazem as linhas do banco, recusa-o e diz que campo é.
"""

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Subnormal
from hashlib import blake2b
from typing import Any, Final, TypeVar

import simplejson

from bling_collector.clock import BRASILIA
from bling_collector.documentos import is_cnpj, is_cpf, plain
from bling_collector.redaction import without_documents

T = TypeVar("T")
Json = Any
"""Um valor JSON como o Bling o mandou; a forma dele não é promessa de ninguém."""

Row = dict[str, Any]

_UNSTORABLE = re.compile(
    r"(?<!\\)((?:\\\\)*)(\\u0000|(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_UNSTORABLE_CHARACTERS = str.maketrans({0: None} | dict.fromkeys(range(0xD800, 0xE000), "\ufffd"))
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_GROUPED = re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<!\d)\d+,\d+)", re.ASCII)
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
"""1.234 é mil duzentos e trinta e quatro, ou um e pouco?"""
_MEASURE: Final = Context(prec=80, Emax=39, Emin=-40, traps=[Inexact, InvalidOperation, Overflow, Subnormal])
"""O que um número pode medir, uns 40 algarismos de cada lado da vírgula: assim somas e produtos são sempre exatos."""
_ROUNDING: Final = Context(prec=80, rounding=ROUND_HALF_UP)
_TIME = r"\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?"
_ISO = re.compile(rf"\d{{4}}-\d{{2}}-\d{{2}}(?:[ T]{_TIME}(?: ?(?:Z|[+-]\d{{2}}(?::?\d{{2}})?))?)?", re.ASCII)
_BRAZILIAN = re.compile(rf"(\d{{2}})/(\d{{2}})/(\d{{4}})((?: {_TIME})?)", re.ASCII)
_NO_DATE = re.compile(r"(?:0000-00-00|00/00/0000|-0001-11-30)(?:[ T][0-9:.]+)?(?:Z|[+-][0-9:]+)?")
"""Também como o PHP escreve a data zerada: dia 30 de novembro do ano -1."""
_WORDS = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,}\s+[^\W\d_]{2}|@")
_SHOWN: Final = 40


def loads(text: str | bytes) -> Json:
    """O JSON com os números decimais exatos (Decimal, nunca float). ValueError se não for JSON."""
    try:
        return simplejson.loads(text, use_decimal=True, allow_nan=False)
    except DecimalException as error:
        raise ValueError("um número do JSON não tem tamanho que se guarde") from error


def dumps(value: Json) -> str:
    """O JSON que o PostgreSQL aceita em jsonb: decimais exatos, sem NUL nem meio par substituto; bytes, como bytea."""
    text = simplejson.dumps(value, use_decimal=True, default=_iso, allow_nan=False, encoding=None)
    # Quase todo texto tem acentos, que também se escrevem `\\u`: procurar em todos custava mais que escrevê-los.
    return _UNSTORABLE.sub(_storable, text) if "\\u0000" in text or "\\ud" in text else text


def _storable(match: re.Match[str]) -> str:
    backslashes, escape, pair = match.groups()
    if pair:
        return match.group(0)
    return str(backslashes) if escape == "\\u0000" else f"{backslashes}\\ufffd"


def _iso(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, bytes):  # como o PostgreSQL lê um bytea
        return f"\\x{value.hex()}"
    raise TypeError(f"não é JSON: {type(value).__name__}")


def digest(value: Json) -> str:
    """A impressão de um JSON, a mesma seja qual for a ordem das chaves: 32 dígitos hexadecimais."""
    text = simplejson.dumps(value, use_decimal=True, sort_keys=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def part(value: Json, *path: str) -> Json:
    """O valor ao fim do caminho, ou None quando algum passo falta ou não é objeto."""
    for key in path:
        value = value.get(key) if type(value) is dict or isinstance(value, Mapping) else None
    return value


def as_list(value: Json) -> list[Json] | None:
    """A lista; também a do PHP que chegou como objeto, `{"1": …, "2": …}`. None para o que não é lista."""
    if isinstance(value, Mapping) and all(re.fullmatch(r"[0-9]{1,18}", str(key)) for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return value if isinstance(value, list) else None


def objects(value: Json) -> list[Mapping[str, Json]]:
    """Os objetos de uma lista; o que não for lista, ou não for objeto dentro dela, não conta."""
    return [item for item in as_list(value) or () if isinstance(item, Mapping)]


def storable(value: str) -> str:
    """O texto que o PostgreSQL aceita: sem NUL e sem meio par substituto, como em `dumps`."""
    return value if value.isprintable() else value.translate(_UNSTORABLE_CHARACTERS)


def text(value: Json) -> str | None:
    """O texto tal como veio, a não ser pelo que o banco não guarda; None para vazio ou só espaços.

    Um número vira o seu texto.
    """
    if type(value) is not str:  # quase sempre é; e são milhares por nota
        if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
            return None
        value = str(value)
    words = storable(value)
    return words if words.strip() else None


def decimal(value: Json) -> Decimal | None:
    """O número exato, venha como número ou como texto; None para o que não for número, ou tiver dois sentidos."""
    if isinstance(value, str):
        value = _number_in(value.strip().removeprefix("R$").lstrip())
    if type(value) is not Decimal and type(value) is not int:
        return None
    try:
        return _MEASURE.plus(value if type(value) is Decimal else Decimal(value))
    except DecimalException:
        return None


def measured(value: Json) -> Decimal | None:
    """Como `decimal`, sem o ruído de quem o guardou em 32 ou em 64 bits: 49,9000015259 é 49,9 (medido), e
    59,97000000000001 é 59,97.

    Um número de até três casas fica como está, e também o que não se escreveria assim se não fosse exato: um preço pode
    ter dez casas.
    """
    number = decimal(value)
    if number is None or _places(number) <= 3:
        return number
    number = number.normalize(_MEASURE)
    return _meant_in_32_bits(number) or _meant_in_64_bits(number) or number


def money(value: Json) -> Decimal | None:
    """Como `measured`, em centavos; meio centavo é um."""
    number = measured(value)
    return number if number is None or _places(number) <= 2 else _rounded(number, 2)


def _places(number: Decimal) -> int:
    return -int(number.normalize(_MEASURE).as_tuple().exponent)


def _rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal((0, (1,), -places)), context=_ROUNDING)


def _length(number: Decimal) -> int:
    return len(number.normalize(_MEASURE).as_tuple().digits)


def _meant_in_64_bits(number: Decimal) -> Decimal | None:
    """O número sem o ruído das contas em 64 bits: tem mais algarismos do que ali cabem e, antes dos últimos, só zeros
    ou só noves."""
    if _length(number) < 16:
        return None
    for digits in (15, 13):
        short = Context(prec=digits).plus(number)
        if _length(short) <= digits - 3:
            return short
    return None


def _meant_in_32_bits(number: Decimal) -> Decimal | None:
    """O número que, posto em 32 bits, se escreve deste jeito: o de menos casas, duas ao menos. None se com ele não se
    poupam cinco algarismos: então não é ruído, é ele mesmo. Centavos de uma conta grande poupam menos, e bastam se o
    número é exatamente o que os 32 bits guardam."""
    try:
        in_32_bits = struct.pack("f", number)
    except OverflowError:
        return None
    (kept,) = struct.unpack("f", in_32_bits)
    length, exact = _length(number), Decimal(kept) == number
    if not exact and Decimal(f"{kept:.{length}g}") != number:
        return None
    for places in range(2, _places(number)):
        short = _rounded(number, places)
        if struct.pack("f", short) == in_32_bits:
            return short if length - _length(short) >= 5 or (exact and places == 2) else None
    return None


def _number_in(words: str) -> Decimal | None:
    if _AMBIGUOUS.fullmatch(words) or not (_PLAIN.fullmatch(words) or _GROUPED.fullmatch(words)):
        return None
    if not _PLAIN.fullmatch(words):
        # O último sinal que só aparece uma vez é a vírgula; o outro, e o que se repete, separa milhares.
        last = max(words, key=lambda sign: words.rfind(sign) if sign in ".," else -1)
        comma = last if words.count(last) == 1 else ""
        words = "".join("." if sign == comma else sign for sign in words if sign == comma or sign not in ".,")
    try:
        return Decimal(words)
    except InvalidOperation:
        return None


def is_plain(value: Json) -> bool:
    """Se o número está escrito como o PostgreSQL o lê."""
    return not isinstance(value, str) or _PLAIN.fullmatch(value) is not None


def integer(value: Json) -> int | None:
    """O inteiro, venha como número ou como texto; None para o resto e para o que não cabe em 64 bits."""
    number = decimal(value)
    if number is None or number != number.to_integral_value():
        return None
    whole = int(number)
    return whole if -(2**63) <= whole < 2**63 else None


def boolean(value: Json) -> bool | None:
    """Verdadeiro ou falso, venha como tal ou como 1 e 0, em número ou em texto; None para o resto."""
    if isinstance(value, bool):
        return value
    words = value.strip().lower() if isinstance(value, str) else value
    return {"true": True, "false": False, "1": True, "0": False}.get(str(words))


def moment(value: Json) -> datetime | None:
    """A data e hora, com o fuso se o traz. None se não é uma."""
    words = value.strip() if isinstance(value, str) else ""
    if brazilian := _BRAZILIAN.fullmatch(words):
        day, month, year, time = brazilian.groups()
        words = f"{year}-{month}-{day}{time}"
    if not _ISO.fullmatch(words):
        return None
    try:
        return datetime.fromisoformat(words.replace(" +", "+").replace(" -", "-").replace(" Z", "Z"))
    except ValueError:
        return None


def local_datetime(value: Json) -> datetime | None:
    """A data e hora de Brasília, sem fuso, como o Bling a dá; a que traz um fuso é trazida para o de Brasília.

    None para `0000-00-00` e o que não for data.
    """
    found = moment(value)
    if found is None or found.tzinfo is None:
        return found
    try:
        return found.astimezone(BRASILIA).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def local_date(value: Json) -> date | None:
    """O dia, sem a hora. None para `0000-00-00`, o que não for data, e a que noutro fuso é de outro dia que aqui."""
    written, here = moment(value), local_datetime(value)
    return here.date() if written and here and written.date() == here.date() else None


def documento(value: Json) -> str | None:
    """CPF ou CNPJ sem pontuação (o CNPJ pode ter letras desde 2026); outro documento fica como veio."""
    raw = text(value)
    if raw is None:
        return None
    found = plain(raw)
    return found if is_cpf(found) or is_cnpj(found) else raw


class UnreadableError(ValueError):
    """O que veio no lugar de um campo não se deixa ler. A mensagem diz o campo e, se não é de ninguém, o valor."""


def _is_blank(value: Json) -> bool:
    return value is None or (isinstance(value, str) and not storable(value).strip())


def _no_date(value: Json) -> bool:
    return _is_blank(value) or (isinstance(value, str) and _NO_DATE.fullmatch(value.strip()) is not None)


@dataclass(frozen=True)
class Fields:
    """Um objeto do Bling, lido campo a campo, por caminhos: None se falta, UnreadableError se não se lê.

    Um objeto vazio pode vir como `[]`, que é como o PHP o escreve.
    """

    value: Mapping[str, Json]
    place: str = ""
    """O caminho até ele, para as mensagens."""

    def text(self, *path: str) -> str | None:
        """Como `text`. O que veio no lugar de um texto não se repete: pode ser de uma pessoa."""
        return self._read(text, "texto", path, shown=False)

    def documento(self, *path: str) -> str | None:
        """O CPF ou o CNPJ, sem pontuação; outro documento, como veio."""
        return self._read(documento, "texto", path, shown=False)

    def decimal(self, *path: str) -> Decimal | None:
        """Um número, exato, como veio."""
        return self._read(decimal, "número", path)

    def measured(self, *path: str) -> Decimal | None:
        """Um preço unitário, uma quantidade ou uma taxa: sem ruído, com as casas que tiver."""
        return self._read(measured, "número", path)

    def money(self, *path: str) -> Decimal | None:
        """Um valor em reais, em centavos."""
        return self._read(money, "número", path)

    def integer(self, *path: str) -> int | None:
        """Um inteiro de 32 bits."""
        return self._read(_small, "número inteiro", path)

    def boolean(self, *path: str) -> bool | None:
        """Verdadeiro ou falso, também escrito como 1 ou 0."""
        return self._read(boolean, "verdadeiro ou falso", path)

    def id(self, *path: str) -> int | None:
        """Um inteiro de 64 bits."""
        return self._read(integer, "id", path)

    def reference(self, *path: str) -> int | None:
        """O id de uma referência `{"id": n}`; None quando falta ou é zero."""
        return self.id(*path, "id") or None

    def local_datetime(self, *path: str) -> datetime | None:
        """Dia e hora de Brasília, sem fuso; None também se veio a data vazia do Bling (`0000-00-00`)."""
        return self._read(local_datetime, "data", path, absent=_no_date)

    def local_date(self, *path: str) -> date | None:
        """O dia, de Brasília; None também se veio a data vazia do Bling (`0000-00-00`)."""
        return self._read(local_date, "data", path, absent=_no_date)

    def objects(self, *path: str) -> "list[Fields]":
        """Os objetos de uma lista, que também pode ter vindo como objeto."""
        found = self._at(path)
        if _is_blank(found):
            return []
        lines = as_list(found)
        if lines is None:
            raise UnreadableError(f"{self._name(path)} veio como {_said(found, shown=False)}, e não como lista")
        name = self._name(path)
        for number, line in enumerate(lines, start=1):
            if not isinstance(line, Mapping):
                raise UnreadableError(f"{name}[{number}] veio como {_said(line, shown=False)}, e não como objeto")
        return [Fields(line, f"{name}[{number}]") for number, line in enumerate(lines, start=1)]

    def ids(self, *path: str) -> list[int]:
        """Os ids de uma lista, sós ou cada um no seu objeto; os repetidos, uma vez."""
        found = self._at(path)
        lines = [] if _is_blank(found) else as_list(found)
        ids = [integer(part(each, "id") if isinstance(each, Mapping) else each) for each in lines or ()]
        if lines is None or not all(ids):
            raise UnreadableError(f"{self._name(path)} não veio como uma lista de ids")
        return list(dict.fromkeys(id_ for id_ in ids if id_))

    def _read(
        self,
        convert: Callable[[Json], T | None],
        kind: str,
        path: tuple[str, ...],
        *,
        absent: Callable[[Json], bool] = _is_blank,
        shown: bool = True,
    ) -> T | None:
        held = self.value
        value = held.get(path[0]) if len(path) == 1 and type(held) is dict else self._at(path)
        if value is None:
            return None
        found = convert(value)
        if found is None and not absent(value):
            raise UnreadableError(f"{self._name(path)} veio como {_said(value, shown=shown)}, e não como {kind}")
        return found

    def _at(self, path: tuple[str, ...]) -> Json:
        value: Json = self.value
        for depth, key in enumerate(path):
            if type(value) is dict:  # quase sempre; e são milhares por nota
                value = value.get(key)
                continue
            if _is_blank(value) or value == []:
                return None
            if not isinstance(value, Mapping):
                said = _said(value, shown=False)
                raise UnreadableError(f"{self._name(path[:depth])} veio como {said}, e não como objeto")
            value = value.get(key)
        return value

    def _name(self, path: tuple[str, ...]) -> str:
        return ".".join(([self.place] if self.place else []) + list(path))


def _small(value: Json) -> int | None:
    whole = integer(value)
    return whole if whole is not None and -(2**31) <= whole < 2**31 else None


def _said(value: Json, *, shown: bool = True) -> str:
    """O que veio, para uma mensagem: um número, uma data ou uma palavra por extenso; do resto, só o que é."""
    if value is None or isinstance(value, bool):
        return {None: "nulo", True: "verdadeiro", False: "falso"}[value]
    if isinstance(value, Mapping | list):
        return "objeto" if isinstance(value, Mapping) else "lista"
    words = " ".join(str(value)[: 2 * _SHOWN].split())
    if not shown or _WORDS.search(words):
        return "texto" if isinstance(value, str) else "número"
    words = without_documents(words)
    return f"«{words if len(words) <= _SHOWN else words[:_SHOWN] + '…'}»"
