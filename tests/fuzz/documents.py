"""Documentos do Bling como poderiam vir: os que a descrição oficial permite, e os que não."""

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

Json = Any

DESCRIPTION = "BLING_OPENAPI"
"""A variável com o caminho da descrição oficial; sem ela, valem as formas escritas aqui."""

_TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", " ", "0", "0000-00-00", "0000-00-00 00:00:00", "2026-02-03 09:52:12", "2026-13-41", "-0"]),
    st.sampled_from(["1e400000", "NaN", "1,50", "\x00", "a\x00b", "\ud800", "\\u0000", "'; DROP TABLE x; --", "%s"]),
)
_NUMBERS = st.one_of(
    st.integers(-3, 40),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9),
    st.sampled_from(["1e400000", "-1e-400000", "0.1e-17000", "1e131073", "99999999999999999999.99"]).map(Decimal),
    st.sampled_from([2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**40]),
)
ANYTHING: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)

_TEXT, _NUMBER, _FLAG = "text", "number", "flag"
_ADDRESS = dict.fromkeys(("endereco", "numero", "complemento", "bairro", "cep", "municipio", "uf", "pais"), _TEXT)
_ID = {"id": _NUMBER}
SHAPES: Mapping[str, Json] = {
    "/nfe/{idNotaFiscal}": {
        **dict.fromkeys(("id", "tipo", "situacao", "serie", "valorNota", "valorFrete", "finalidade"), _NUMBER),
        **dict.fromkeys(("numero", "dataEmissao", "dataOperacao", "chaveAcesso", "xml", "linkDanfe", "linkPDF"), _TEXT),
        "numeroPedidoLoja": _TEXT,
        "optanteSimplesNacional": _FLAG,
        "contato": {
            **_ID,
            **dict.fromkeys(("nome", "tipoPessoa", "numeroDocumento", "ie", "rg", "telefone", "email"), _TEXT),
            "contribuinte": _NUMBER,
            "endereco": _ADDRESS,
        },
        "naturezaOperacao": _ID,
        "loja": {**_ID, "numero": _TEXT},
        "vendedor": _ID,
        "transporte": {"fretePorConta": _NUMBER, "transportador": {"nome": _TEXT}, "etiqueta": _ADDRESS},
        "itens": [
            {
                **dict.fromkeys(("codigo", "descricao", "unidade", "classificacaoFiscal", "cfop", "gtin"), _TEXT),
                **dict.fromkeys(("quantidade", "valor", "valorTotal", "pesoBruto", "origem"), _NUMBER),
                "impostos": {"icms": dict.fromkeys(("st", "aliquota", "valor"), _NUMBER)},
            }
        ],
        "parcelas": [{"data": _TEXT, "valor": _NUMBER, "observacoes": _TEXT, "formaPagamento": _ID}],
    },
    "/contatos/{idContato}": {
        **_ID,
        **dict.fromkeys(
            ("nome", "codigo", "situacao", "numeroDocumento", "telefone", "celular", "fantasia", "tipo", "email"), _TEXT
        ),
        "endereco": {"geral": _ADDRESS, "cobranca": _ADDRESS},
        "pessoasContato": [{**_ID, "descricao": _TEXT}],
    },
    "/produtos": {
        **dict.fromkeys(("id", "idProdutoPai", "preco", "precoCusto"), _NUMBER),
        **dict.fromkeys(("nome", "codigo", "tipo", "situacao", "formato", "imagemURL"), _TEXT),
        "estoque": {"saldoVirtualTotal": _NUMBER},
    },
    "/formas-pagamentos": {
        **dict.fromkeys(("id", "tipoPagamento", "situacao", "padrao"), _NUMBER),
        "descricao": _TEXT,
        "fixa": _FLAG,
    },
    "/categorias/produtos": {**_ID, "descricao": _TEXT, "categoriaPai": _ID},
}


def documents(path: str) -> st.SearchStrategy[dict[str, Json]]:
    """Objetos de `path`: uns na forma que a descrição permite, outros com qualquer coisa no lugar dos campos."""
    shape = _official(path) or SHAPES[path]
    fields = {name: _of_shape(inner, spoiled=True) for name, inner in shape.items()}
    return st.one_of(
        _of_shape(shape, spoiled=False),
        st.fixed_dictionaries({}, optional=fields),
        st.dictionaries(st.sampled_from([*shape]), ANYTHING),
    )


def _of_shape(shape: Json, *, spoiled: bool) -> st.SearchStrategy[Any]:
    if isinstance(shape, dict):
        fields = {name: _of_shape(inner, spoiled=spoiled) for name, inner in shape.items()}
        found: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional=fields)
    elif isinstance(shape, list):
        found = st.lists(_of_shape(shape[0], spoiled=spoiled), max_size=4)
    else:
        found = {_TEXT: _TEXTS, _NUMBER: _NUMBERS, _FLAG: st.booleans()}[shape]
    return st.one_of(found, found, found, ANYTHING) if spoiled else found


@cache
def _description() -> Json:
    chosen = os.environ.get(DESCRIPTION)
    return json.loads(Path(chosen).read_text(encoding="utf-8")) if chosen else None


def _official(path: str) -> Json:
    """A forma de um objeto de `path` segundo a descrição oficial; None sem ela."""
    description = _description()
    if description is None:
        return None
    answer = description["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    shape = _shape_of(answer, description)["data"]
    return shape[0] if isinstance(shape, list) else shape


def _shape_of(schema: Json, description: Json) -> Json:
    if "$ref" in schema:
        target = description
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return _shape_of(target, description)
    parts = [_shape_of(part, description) for key in ("allOf", "oneOf", "anyOf") for part in schema.get(key, [])]
    if schema.get("type") == "array":
        return [_shape_of(schema["items"], description)]
    fields = {name: _shape_of(inner, description) for name, inner in schema.get("properties", {}).items()}
    for part in parts:
        fields |= part if isinstance(part, dict) else {}
    if fields or schema.get("type") == "object":
        return fields
    if parts:
        return parts[0]
    return {"integer": _NUMBER, "number": _NUMBER, "boolean": _FLAG}.get(schema.get("type"), _TEXT)
