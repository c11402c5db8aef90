"""Os documentos sem a pessoa: o que o fisco e as contas pedem fica, o que diz quem é o contato sai.

Fica só o que está nas listas daqui: um campo novo do Bling é tomado por pessoal até que alguém diga que não é.
"""

from collections.abc import Collection

from bling_collector.payload import Json, as_list, objects, part
from bling_collector.streams.base import Document

PERSONAL_OF_NOTA = (
    "contato_nome",
    "contato_documento",
    "contato_municipio",
    # Abrem a nota no Bling, com o nome e o endereço; a chave de acesso fica.
    "link_xml",
    "link_danfe",
    "link_pdf",
)
"""As colunas de `nfe_cabecalho` que saem."""
PERSONAL_OF_CONTATO = ("nome", "documento", "email", "municipio", "codigo", "fantasia", "telefone", "celular")
"""As colunas de `contatos` que saem."""

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
    kept = _only(nota, _NOTA)
    contato = part(nota, "contato")
    kept["contato"] = _only(contato, ("id", "contribuinte")) | {"endereco": _only(part(contato, "endereco"), ("uf",))}
    kept["transporte"] = _only(part(nota, "transporte"), ("fretePorConta",))
    lists = {key: nota[key] for key in ("itens", "parcelas") if as_list(nota.get(key)) is not None}
    return kept | {key: nameless_lines(key, lines) for key, lines in lists.items()}


def nameless_contato(contato: Document) -> Document:
    """Do contato, o id, a situação, o tipo de pessoa e a UF."""
    return _only(contato, _CONTATO) | {
        "endereco": {"geral": _only(part(contato, "endereco", "geral"), ("uf",))},
    }


def nameless_lines(key: str, lines: Json) -> list[dict[str, Json]]:
    """Os itens ou as parcelas, sem os textos livres."""
    return [_only(line, _ITEM if key == "itens" else _PARCELA) for line in objects(lines)]


def nameless_changes(table: str, changes: dict[str, list[Json]]) -> dict[str, list[Json]]:
    """As mudanças anotadas em `historico`, sem o que nelas é pessoal."""
    personal = PERSONAL_OF_NOTA if table == "nfe_cabecalho" else PERSONAL_OF_CONTATO
    return {
        column: [nameless_lines(column, value) for value in values] if column in ("itens", "parcelas") else values
        for column, values in changes.items()
        if column not in personal
    }


def _only(value: Json, keys: Collection[str]) -> dict[str, Json]:
    return {key: value[key] for key in keys if key in value} if isinstance(value, dict) else {}
