"""Por onde se reconhece uma pessoa no JSON do Bling que não é dela, e como ele fica sem ela."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from bling_collector.documentos import is_cnpj, is_cpf, plain
from bling_collector.payload import Json, integer, text

CONTATO: Final = ("contato", "fornecedor", "transportador")
"""As chaves cujo objeto é um contato, e o `id` dele o do contato."""
_DOCUMENTO: Final = frozenset({"numerodocumento", "documento", "cpf", "cnpj", "cpfcnpj", "cnpjcpf"})
"""As chaves, sem maiúsculas nem sinais, em que um objeto diz o CPF ou o CNPJ de alguém."""
_CALLED: Final = re.compile("nome|razao|fantasia|destinatario", re.IGNORECASE)
"""As chaves em que um objeto diz como alguém se chama: as outras são textos, e o resto do objeto é de outro."""
_NAME: Final = 5
"""Letras de um nome que já se procura no que é de outros."""


def only(value: Json, keys: Collection[str]) -> dict[str, Json]:
    return {key: value[key] for key in keys if key in value} if isinstance(value, Mapping) else {}


def contatos_in(value: Json, key: str = "") -> Iterator[int]:
    """Os ids dos contatos que o JSON cita, em qualquer profundidade."""
    # `dict`, e não `Mapping`, que custa o triplo: isto passa por todo documento que se grava.
    if isinstance(value, dict):
        if key in CONTATO and (id_ := integer(value.get("id"))):
            yield id_
        for name, each in value.items():
            if isinstance(each, (dict, list)):
                yield from contatos_in(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from contatos_in(each, key)


def folded(name: str) -> str:
    """O nome como se compara: sem acentos, maiúsculas nem espaços a mais."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join(letters.casefold().split())


@dataclass(frozen=True)
class Traces:
    """Os ids dos contatos da pessoa, o documento, escrito como for, e os nomes que teve."""

    contatos: frozenset[int] = frozenset()
    written: re.Pattern[str] | None = None
    names: frozenset[str] = field(repr=False, default=frozenset())

    @classmethod
    def of(cls, contatos: Iterable[int], written: re.Pattern[str] | None, names: Iterable[str | None]) -> "Traces":
        told = {folded(name) for name in names if name}
        return cls(frozenset(contatos), written, frozenset(name for name in told if len(name) >= _NAME))

    @property
    def in_texts(self) -> "Traces":
        """Os mesmos, sem os ids: para o que é dela, em que o objeto que a diz já tem só o que se guarda."""
        return replace(self, contatos=frozenset())

    def cites(self, value: Json) -> bool:
        """Se o valor é um nome dela, ou um texto que traz o documento."""
        return self._is_name(value) or (isinstance(value, str) and self._has_documento(value))

    def excerpts(self, document: Json) -> Iterator[Json]:
        """Do JSON de outra pessoa, os pedaços que são desta: um objeto que a diz, ou um texto que a cita."""
        return self._within(document)._excerpts(document, "")

    def without(self, document: Json) -> Json:
        """O JSON de outra pessoa sem os pedaços que são desta: de um objeto que a diz fica o id; um texto, vazio."""
        return self._within(document)._without(document, "")

    def _excerpts(self, value: Json, key: str) -> Iterator[Json]:
        if self._owns(value, key) or self.cites(value):
            yield value
        else:
            for name, each in _inside(value, key):
                yield from self._excerpts(each, name)

    def _without(self, value: Json, key: str) -> Json:
        if self._owns(value, key):
            return only(value, ("id",))
        if isinstance(value, Mapping):
            return {name: self._without(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [self._without(each, key) for each in value]
        return "" if self.cites(value) else value

    def _within(self, document: Json) -> "Traces":
        """Os mesmos; num documento em que um homônimo se identifica, o nome não diz de quem é."""
        return replace(self, names=frozenset()) if self.names and self._has_namesake(document, "") else self

    def _has_namesake(self, value: Json, key: str) -> bool:
        inside = _inside(value, key)
        if self._is_of_another(value, key) and any(self._is_name(each) for _, each in inside):
            return True
        return any(self._has_namesake(each, name) for name, each in inside)

    def _owns(self, value: Json, key: str) -> bool:
        """Se é um objeto que a diz. `key` é a chave em que ele está; a raiz não está em nenhuma, e nunca é dela."""
        if not isinstance(value, Mapping) or not key:
            return False
        if key in CONTATO and integer(value.get("id")) in self.contatos:
            return True
        if any(map(self._has_documento, _documentos(value))):
            return True
        named = any(_CALLED.search(name) and self._is_name(each) for name, each in value.items())
        return named and not self._is_of_another(value, key)

    def _is_of_another(self, value: Json, key: str) -> bool:
        """Se é um objeto que diz outro contato, ou outro CPF ou CNPJ."""
        if not isinstance(value, Mapping):
            return False
        id_ = integer(value.get("id")) if key in CONTATO else None
        if id_ and id_ not in self.contatos:
            return True
        said = [plain(each) for each in _documentos(value) if not self._has_documento(each)]
        return any(is_cpf(each) or is_cnpj(each) for each in said)

    def _is_name(self, value: Json) -> bool:
        return bool(self.names) and isinstance(value, str) and folded(value) in self.names

    def _has_documento(self, value: str) -> bool:
        return self.written is not None and self.written.search(value) is not None


def _inside(value: Json, key: str) -> list[tuple[str, Json]]:
    """O que há dentro de um valor, com a chave de cada um; o que está numa lista tem a da lista."""
    if isinstance(value, Mapping):
        return list(value.items())
    return [(key, each) for each in value] if isinstance(value, list) else []


def _documentos(value: Mapping[str, Json]) -> list[str]:
    """O que um objeto diz nas chaves de documento."""
    said = (text(each) for key, each in value.items() if re.sub("[^a-z]", "", key.casefold()) in _DOCUMENTO)
    return [each for each in said if each]
