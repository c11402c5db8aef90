"""Os documentos sem a pessoa: o que o fisco e as contas pedem fica, o que diz quem é o contato sai.

Fica só o que está nas listas daqui: um campo novo do Bling é tomado por pessoal até que alguém diga que não é.
"""

from collections.abc import Collection

from bling_collector.etl.resource import Document, Resource
from bling_collector.payload import Json, as_list, objects, part
from bling_collector.traces import only

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


def nameless_changes(
    resource: Resource | None,
    changes: dict[str, list[Json]],
    contatos: Collection[int],
    sides: Collection[int] = (0, 1),
) -> dict[str, list[Json]]:
    """As mudanças que o histórico anota de um registro, sem o que é pessoal dos lados (0, antes; 1, depois) em que ele
    era de quem saiu (`contatos`). O que não é coluna é uma chave de `detalhe`."""
    person = resource.person if resource is not None else None
    if resource is None or person is None:
        return changes
    personal = {column.name for column in person.columns}

    def bare(name: str, value: Json) -> Json:
        return None if name in personal else part(person.without({name: value}, contatos), name)

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
