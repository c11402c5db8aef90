"""Do que o Bling manda ao XML, do XML à chave e aos impostos de cada item."""

import gzip
import zlib
from base64 import b64encode
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from textwrap import wrap

import pytest

from bling_collector.db.models import nfe_documentos, nfe_impostos
from bling_collector.payload import UnreadableError
from bling_collector.streams.notas import documentos, xml
from bling_collector.streams.notas.documentos import DOCUMENTOS

XML = (Path(__file__).parents[2] / "fixtures" / "nfe.xml").read_bytes()
CHAVE = "43260812ABC34501DE35550010000024471234567890"
EVENT = f"<procEventoNFe><evento><infEvento><chNFe>{CHAVE}</chNFe></infEvento></evento></procEventoNFe>".encode()


def answered(content: bytes) -> dict[str, str]:
    return {"nome": "nota.xml", "conteudo": b64encode(content).decode()}


@pytest.mark.parametrize(
    "document",
    [
        answered(gzip.compress(XML)),
        answered(zlib.compress(XML)),
        answered(XML),
        answered(b"\xef\xbb\xbf" + XML),
        {"conteudo": XML.decode()},
        {"conteudo": "\r\n".join(wrap(b64encode(gzip.compress(XML)).decode(), 76))},
    ],
    ids=["gzip", "zlib", "sem gzip", "com marca", "sem base64", "base64 em linhas"],
)
def test_the_xml_is_taken_out_however_it_comes(document: dict[str, str]) -> None:
    assert xml.content(document).removeprefix(b"\xef\xbb\xbf").strip() == XML.strip()
    assert DOCUMENTOS.key(document) == CHAVE


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({}, "não veio"),
        ({"conteudo": ""}, "não veio"),
        ({"conteudo": "~não é base64~"}, "base64"),
        ({"conteudo": 7}, "não veio"),
        (answered(b"%PDF-1.4"), "gzip nem XML"),
        (answered(gzip.compress(XML)[:200]), "cortado"),
        (answered(b"<nfeProc><NFe>"), "XML que se leia"),
        (answered(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "entidades"),
        (answered(XML.replace(b"<vICMS>3.60", b"<vICMS>3,60")), "vICMS"),
        (answered(XML.replace(b"<det ", b"<dat ").replace(b"</det>", b"</dat>")), "itens"),
        (answered(XML.replace(b"<imposto>", b"<outro>").replace(b"</imposto>", b"</outro>")), "imposto"),
    ],
)
def test_what_cannot_be_read_is_refused(document: dict[str, str], why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        documentos.rows(document)


def test_an_xml_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml, "MOST", 100)
    with pytest.raises(UnreadableError, match="grande demais"):
        xml.content(answered(gzip.compress(XML)))


def test_a_chave_that_cannot_be_read_is_not_the_one_asked_for() -> None:
    assert DOCUMENTOS.key({"conteudo": "lixo"}) is None
    assert DOCUMENTOS.key({"conteudo": "<a>\ud800</a>"}) is None
    assert DOCUMENTOS.key(answered(b"<nada/>")) is None


def test_the_document_is_kept_compressed_and_with_its_hash() -> None:
    rows = documentos.rows(answered(gzip.compress(XML)))
    (kept,) = rows[nfe_documentos]
    assert gzip.decompress(kept.pop("conteudo")) == XML
    assert kept == {"id": CHAVE, "formato": "xml", "sha256": sha256(XML).hexdigest()}
    assert (
        documentos.rows(answered(XML))[nfe_documentos] == documentos.rows(answered(zlib.compress(XML)))[nfe_documentos]
    )


def test_the_impostos_of_each_item() -> None:
    first, second = documentos.rows(answered(XML))[nfe_impostos]
    assert first == {
        "documento_id": CHAVE,
        "item": 1,
        "codigo_produto": "BLG-5",
        "descricao": "Engrenagem & coroa",
        "ncm": "84834090",
        "cest": "0100100",
        "cfop": "6102",
        "unidade": "UN",
        "origem": "0",
        "cst_icms": "10",
        "cst_ipi": "50",
        "cst_pis": "01",
        "cst_cofins": "01",
        "cst_ibs_cbs": "000",
        "classificacao_ibs_cbs": "000001",
    } | {
        name: Decimal(value)
        for name, value in {
            "quantidade": "3",
            "valor_unitario": "10.1",
            "valor_produto": "30.30",
            "valor_frete": "1.234",
            "valor_desconto": "0.30",
            "valor_outras": "2",
            "base_icms": "30",
            "aliquota_icms": "12",
            "valor_icms": "3.60",
            "base_icms_st": "45",
            "aliquota_icms_st": "17",
            "valor_icms_st": "4.05",
            "valor_fcp_st": "0.90",
            "valor_icms_destino": "1.50",
            "base_ipi": "30",
            "aliquota_ipi": "3.25",
            "valor_ipi": "0.98",
            "base_pis": "30",
            "aliquota_pis": "0.65",
            "valor_pis": "0.20",
            "base_cofins": "30",
            "aliquota_cofins": "3",
            "valor_cofins": "0.90",
            "base_ibs_cbs": "30",
            "aliquota_ibs_uf": "0.1",
            "valor_ibs_uf": "0.03",
            "aliquota_ibs_municipio": "0.05",
            "valor_ibs_municipio": "0.02",
            "valor_ibs": "0.05",
            "aliquota_cbs": "0.9",
            "valor_cbs": "0.27",
            "valor_is": "0.30",
        }.items()
    } | {"valor_seguro": None, "valor_fcp": None}
    assert (second["item"], second["cst_icms"], second["cst_ipi"], second["cst_pis"]) == (3, "102", "53", "07")
    assert {second[name] for name in second if name.startswith(("base_", "aliquota_")) or "ibs" in name} == {None}
    assert {*first} == {*nfe_impostos.c.keys()}


def test_an_evento_of_the_nota_does_not_take_its_place() -> None:
    document = answered(gzip.compress(EVENT))
    assert DOCUMENTOS.key(document) == CHAVE
    assert documentos.rows(document) == {nfe_documentos: [], nfe_impostos: []}


def test_a_chave_the_nota_cites_is_not_taken_for_its_own() -> None:
    """A chave é a da nota, e não a de uma que ela cita."""
    cited = XML.replace(b"<natOp>", b"<NFref><refNFe>" + b"1" * 44 + b"</refNFe></NFref><natOp>")
    assert DOCUMENTOS.key(answered(cited)) == CHAVE
