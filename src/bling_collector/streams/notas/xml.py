"""O XML de uma NF-e: tirado do que o Bling manda, reconhecido pela chave, e lido nos impostos de cada item."""

import gzip
import re
import zlib
from base64 import b64decode
from collections.abc import Mapping
from decimal import Decimal
from typing import Final
from xml.etree import ElementTree as ET

from bling_collector.payload import Json, Row, UnreadableError

MOST: Final = 20_000_000
"""Bytes de um XML: uma nota de 990 itens tem uns 3 MB."""
_ANY: Final = 47
"""O que zlib chama de aceitar tanto gzip como zlib."""
_TAXES: Final = {
    "ICMS": {
        "origem": "orig",
        "cst_icms": "CST",
        "csosn": "CSOSN",
        "base_icms": "vBC",
        "aliquota_icms": "pICMS",
        "valor_icms": "vICMS",
        "base_icms_st": "vBCST",
        "aliquota_icms_st": "pICMSST",
        "valor_icms_st": "vICMSST",
        "valor_fcp": "vFCP",
        "valor_fcp_st": "vFCPST",
    },
    "ICMSUFDest": {"valor_icms_destino": "vICMSUFDest"},
    "IPI": {"cst_ipi": "CST", "base_ipi": "vBC", "aliquota_ipi": "pIPI", "valor_ipi": "vIPI"},
    "PIS": {"cst_pis": "CST", "base_pis": "vBC", "aliquota_pis": "pPIS", "valor_pis": "vPIS"},
    "COFINS": {"cst_cofins": "CST", "base_cofins": "vBC", "aliquota_cofins": "pCOFINS", "valor_cofins": "vCOFINS"},
    "IBSCBS": {
        "cst_ibs_cbs": "CST",
        "classificacao_ibs_cbs": "cClassTrib",
        "base_ibs_cbs": "vBC",
        "aliquota_ibs_uf": "pIBSUF",
        "valor_ibs_uf": "vIBSUF",
        "aliquota_ibs_municipio": "pIBSMun",
        "valor_ibs_municipio": "vIBSMun",
        "valor_ibs": "vIBS",
        "aliquota_cbs": "pCBS",
        "valor_cbs": "vCBS",
    },
    "IS": {"valor_is": "vIS"},
}
"""Grupo de `imposto` → a coluna → o elemento, em qualquer profundidade do grupo."""
_GOODS: Final = {
    "codigo_produto": "cProd",
    "descricao": "xProd",
    "ncm": "NCM",
    "cest": "CEST",
    "cfop": "CFOP",
    "unidade": "uCom",
    "quantidade": "qCom",
    "valor_unitario": "vUnCom",
    "valor_produto": "vProd",
    "valor_frete": "vFrete",
    "valor_seguro": "vSeg",
    "valor_desconto": "vDesc",
    "valor_outras": "vOutro",
}
_DECIMAL: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,15})?")
"""Como o leiaute escreve um número: sempre com ponto."""
_NUMBERS: Final = re.compile(r"(base|aliquota|valor|quantidade)(_|$)")


def content(document: Mapping[str, Json]) -> bytes:
    """O XML de uma resposta: base64 de gzip, como se descreve, ou só um dos dois, ou nenhum. UnreadableError se não."""
    written = document.get("conteudo")
    if not isinstance(written, str) or not written.strip():
        raise UnreadableError("conteudo não veio")
    if written.lstrip("\ufeff \r\n\t").startswith("<"):
        return written.strip().encode(errors="replace")
    try:
        raw = b64decode(re.sub(r"\s", "", written), validate=True)
    except ValueError as error:
        raise UnreadableError("conteudo não é base64") from error
    return raw if raw.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") else unpacked(raw)


def unpacked(raw: bytes) -> bytes:
    """O documento, de gzip ou zlib. UnreadableError se não é nenhum dos dois."""
    unpacking = zlib.decompressobj(_ANY)
    try:
        found = unpacking.decompress(raw, MOST)
    except zlib.error as error:
        raise UnreadableError("conteudo não é gzip nem XML") from error
    if not unpacking.eof:
        raise UnreadableError("conteudo veio cortado, ou é grande demais")
    return found


def packed(xml: bytes) -> bytes:
    """O XML em gzip, sempre nos mesmos bytes."""
    return gzip.compress(xml, mtime=0)


def chave(document: Mapping[str, Json]) -> str | None:
    """A chave da nota de que o documento é; None se não se lê."""
    try:
        root = _root(content(document))
    except UnreadableError:
        return None
    note = _first(root, "infNFe")
    said = note.get("Id", "").removeprefix("NFe") if note is not None else _text(root, "chNFe")
    return said or None


def taxes(xml: bytes) -> list[Row] | None:
    """O que cada item da nota diz de si e dos seus impostos; None se o documento não é uma nota (um evento dela).

    UnreadableError se não se lê inteiro.
    """
    note = _first(_root(xml), "infNFe")
    if note is None:
        return None
    items = [each for each in note if _name(each) == "det"]
    if not items:
        raise UnreadableError("o XML não traz itens")
    return [_item(place, each) for place, each in enumerate(items, start=1)]


def _item(place: int, det: ET.Element) -> Row:
    goods = _first(det, "prod")
    imposto = _first(det, "imposto")
    if goods is None or imposto is None:
        raise UnreadableError(f"o item {place} do XML veio sem prod ou sem imposto")
    row: Row = {"item": _item_number(det, place)} | _read(goods, _GOODS)
    for group, columns in _TAXES.items():
        inside = next((each for each in imposto if _name(each) == group), None)
        row |= _read(inside, columns)
    csosn = row.pop("csosn")
    return row | {"cst_icms": row["cst_icms"] or csosn}


def _item_number(det: ET.Element, place: int) -> int:
    said = det.get("nItem", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 5 else place


def _read(group: ET.Element | None, columns: Mapping[str, str]) -> Row:
    return {
        column: _number(group, name) if _NUMBERS.match(column) else _text(group, name)
        for column, name in columns.items()
    }


def _number(group: ET.Element | None, name: str) -> Decimal | None:
    said = _text(group, name)
    if said is None:
        return None
    if not _DECIMAL.fullmatch(said):
        raise UnreadableError(f"{name} não é um número no XML")
    return Decimal(said)


def _text(group: ET.Element | None, name: str) -> str | None:
    found = _first(group, name) if group is not None else None
    return (found.text or "").strip() or None if found is not None else None


def _first(element: ET.Element, name: str) -> ET.Element | None:
    """O primeiro elemento deste nome, em qualquer profundidade, seja qual for o namespace."""
    return next((each for each in element.iter() if _name(each) == name), None)


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _root(xml: bytes) -> ET.Element:
    if re.search(rb"<!(?:DOCTYPE|ENTITY)", xml, re.IGNORECASE):
        raise UnreadableError("o XML declara entidades, que nenhuma nota tem")
    try:
        return ET.fromstring(xml)  # noqa: S314 — sem DOCTYPE não há entidades que crescem
    except (ET.ParseError, ValueError, LookupError) as error:
        raise UnreadableError("conteudo não é um XML que se leia") from error
