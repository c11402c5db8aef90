"""Os documentos sem a pessoa: o que o fisco e as contas pedem fica, o que diz quem é o contato sai.

Fica só o que está nas listas daqui: um campo novo do Bling é tomado por pessoal até que alguém diga que não é.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from bling_collector.etl.resource import Document, Resource
from bling_collector.payload import Json, as_list, objects, part

_NOTA = (
    *("id", "tipo", "situacao", "numero", "serie", "chaveAcesso", "dataEmissao", "dataOperacao"),
    *("valorNota", "valorFrete", "finalidade", "tipoNota", "optanteSimplesNacional", "numeroPedidoLoja"),
    *("naturezaOperacao", "loja", "vendedor"),
)
_ITEM = (
    *("codigo", "descricao", "unidade", "quantidade", "valor", "valorTotal", "tipo", "pesoBruto", "pesoLiquido"),
    *("numeroPedidoCompra", "classificacaoFiscal", "cest", "codigoServico", "origem", "gtin", "cfop", "impostos"),
)
_PARCELA = ("data", "valor", "formaPagamento")
_CONTATO = ("id", "situacao", "tipo")


def nameless_nota(nota: Document) -> Document:
    """A nota com valores, datas, números, chave, itens e parcelas; do contato, o id e a UF."""
    kept = only(nota, _NOTA)
    contato = part(nota, "contato")
    kept["contato"] = only(contato, ("id", "contribuinte")) | {"endereco": only(part(contato, "endereco"), ("uf",))}
    kept["transporte"] = only(part(nota, "transporte"), ("fretePorConta",))
    lists = {key: nota[key] for key in ("itens", "parcelas") if as_list(nota.get(key)) is not None}
    return kept | {key: _lines(key, lines) for key, lines in lists.items()}


def nameless_contato(contato: Document) -> Document:
    """Do contato, o id, a situação, o tipo de pessoa e a UF."""
    return only(contato, _CONTATO) | {
        "endereco": {"geral": only(part(contato, "endereco", "geral"), ("uf",))},
    }


def nameless_vendedor(vendedor: Document) -> Document:
    """O vendedor com as comissões, a loja e o desconto; do contato que ele é, o id e a situação."""
    kept = only(vendedor, ("id", "descontoLimite", "loja", "comissoes"))
    return kept | {"contato": only(part(vendedor, "contato"), ("id", "situacao"))}


def _lines(key: str, lines: Json) -> list[dict[str, Json]]:
    """Os itens ou as parcelas, sem os textos livres."""
    return [only(line, _ITEM if key == "itens" else _PARCELA) for line in objects(lines)]


@dataclass(frozen=True)
class Traces:
    """Por onde se reconhece uma pessoa no que é de outras: o documento, escrito como for, e os nomes que teve."""

    written: re.Pattern[str]
    names: frozenset[str] = field(repr=False, default=frozenset())

    def name(self, value: Json) -> bool:
        """Se o valor inteiro é o documento ou um dos nomes."""
        if not isinstance(value, str):
            return False
        words = value.strip()
        return words.casefold() in self.names or self.written.fullmatch(words) is not None

    def cites(self, value: Json) -> bool:
        """Se o valor é dela, ou um texto que traz o documento."""
        return isinstance(value, str) and (self.name(value) or self.written.search(value) is not None)

    def owns(self, value: Json) -> bool:
        """Se é um objeto que a nomeia; o de um homônimo, que diz outro documento, não é."""
        if not isinstance(value, dict):
            return False
        said = value.get("numeroDocumento")
        return self.cites(said) if isinstance(said, str) and said.strip() else any(map(self.name, value.values()))

    def excerpts(self, value: Json) -> Iterable[Json]:
        """Do JSON de outra pessoa, os pedaços que são desta: um objeto que a nomeia, ou um texto que a cita."""
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for each in inside:
            if self.owns(each) or self.cites(each):
                yield each
            else:
                yield from self.excerpts(each)


def without_traces(value: Json, traces: Traces) -> Json:
    """O JSON de outra pessoa sem os pedaços que são desta: de um objeto que a nomeia fica o id; um texto, vazio."""

    def kept(each: Json) -> Json:
        return only(each, ("id",)) if traces.owns(each) else without_traces(each, traces)

    if isinstance(value, dict):
        return {key: kept(each) for key, each in value.items()}
    if isinstance(value, list):
        return [kept(each) for each in value]
    return "" if traces.cites(value) else value


def nameless_changes(
    resource: Resource | None, changes: dict[str, list[Json]], sides: Collection[int] = (0, 1)
) -> dict[str, list[Json]]:
    """As mudanças que o histórico anota de um registro, sem o que é pessoal dos lados (0, antes; 1, depois) em que ele
    era de quem saiu. O que não é coluna é uma chave de `detalhe`."""
    person = resource.person if resource is not None else None
    if resource is None or person is None:
        return changes
    personal = {column.name for column in person.columns}

    def bare(name: str, value: Json) -> Json:
        return None if name in personal else part(person.nameless({name: value}), name)

    kept: dict[str, list[Json]] = {}
    for name, both in changes.items():
        if name in resource.table.c and name not in personal:
            kept[name] = both
            continue
        values = [bare(name, value) if side in sides else value for side, value in enumerate(both)]
        if any(value is not None for value in values):
            kept[name] = values
    return kept


def nameless_texts(resource: Resource, document: Document) -> Document:
    """O documento, com os textos livres de quem já foi dono dele tirados."""
    person = resource.person
    if person is None:
        return document
    bare = person.nameless({key: document[key] for key in person.texts if key in document})
    kept = {key: value for key, value in document.items() if key not in person.texts}
    return kept | {key: bare[key] for key in person.texts if key in bare}


def only(value: Json, keys: Collection[str]) -> dict[str, Json]:
    return {key: value[key] for key in keys if key in value} if isinstance(value, dict) else {}
