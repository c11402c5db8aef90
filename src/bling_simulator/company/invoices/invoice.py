"""De um rascunho à NF-e como `GET /nfe/{id}` a mostra, com chave, totais e parcelas que fecham."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Literal

from bling_simulator.company.documents import access_key
from bling_simulator.company.people import as_note_contact
from bling_simulator.payload import CENT, Json, clone

COMPANY_CNPJ = "91827364000103"
COMPANY_UF = "RS"
COMPANY_UF_CODE = "43"

STAMP = "%Y-%m-%d %H:%M:%S"
NFE, NFCE = 55, 65
"""Os modelos dos documentos."""
_SITE = "https://www.bling.com.br"
_WITHOUT_KEY = frozenset({1, 3, 11})
"""Situações em que a nota ainda não foi transmitida, logo não tem chave."""
_AUTHORISED = frozenset({2, 5, 6, 7})
"""Situações de notas que a SEFAZ autorizou um dia: têm XML e DANFE."""


@dataclass
class Draft:
    emitted: datetime
    lines: list[Json]
    contact: Json | None = None
    note_id: int = 0
    numero: int = 0
    serie: int = 1
    tipo: Literal[0, 1] = 1
    situacao: int = 6
    frete: Decimal = Decimal(0)
    desconto: Decimal = Decimal(0)
    ipi: Decimal = Decimal(0)
    """O desconto e o IPI entram em `valorNota` mas não aparecem em campo nenhum, como no Bling."""
    terms: tuple[int, ...] = (28,)
    """Dias até o vencimento de cada parcela."""
    forma_pagamento: int = 0
    vendedor: int = 0
    loja: Json = field(default_factory=lambda: {"id": 0, "numero": ""})
    pedido_loja: str = ""
    issuer_cnpj: str = COMPANY_CNPJ
    modelo: int = NFE
    oddities: Json = field(default_factory=dict)
    """Campos trocados depois de tudo calculado: as esquisitices que o Bling mostra."""


def build_note(draft: Draft) -> Json:
    """O detalhe completo da nota. Não depende de mais nada além do rascunho."""
    total = sum((line["valorTotal"] for line in draft.lines), Decimal(0))
    valor_nota = total + draft.frete + draft.ipi - draft.desconto
    links = transmission(
        situacao=draft.situacao,
        emitted=draft.emitted,
        cnpj=draft.issuer_cnpj,
        serie=draft.serie,
        numero=draft.numero,
        note_id=draft.note_id,
        modelo=draft.modelo,
    )
    return {
        "id": draft.note_id,
        "tipo": draft.tipo,
        "situacao": draft.situacao,
        "numero": f"{draft.numero:06d}",
        "dataEmissao": draft.emitted.strftime(STAMP),
        "dataOperacao": draft.emitted.replace(second=0).strftime(STAMP),
        "chaveAcesso": links["chaveAcesso"],
        "contato": as_note_contact(draft.contact),
        "naturezaOperacao": {"id": _natureza(draft)},
        "loja": draft.loja,
        "serie": draft.serie,
        "valorNota": valor_nota,
        "valorFrete": draft.frete,
        "finalidade": 1,
        **links,
        "optanteSimplesNacional": True,
        "numeroPedidoLoja": draft.pedido_loja,
        "transporte": _transport(draft),
        "vendedor": {"id": draft.vendedor},
        "itens": draft.lines,
        "parcelas": _parcels(draft, valor_nota),
        **clone(draft.oddities),
    }


def transmission(
    *, situacao: int, emitted: datetime, cnpj: str, serie: int, numero: int, note_id: int, modelo: int = NFE
) -> Json:
    """A chave e os links que a situação permite ter: vazios antes da transmissão, links só se autorizada."""
    blank = {"chaveAcesso": "", "xml": "", "linkDanfe": "", "linkPDF": ""}
    if situacao in _WITHOUT_KEY:
        return blank
    key = access_key(
        uf_code=COMPANY_UF_CODE,
        emitted=emitted.date(),
        cnpj=cnpj,
        serie=serie,
        numero=numero,
        code=note_id * 7919 % 100_000_000,
        modelo=modelo,
    )
    if situacao not in _AUTHORISED:
        return {**blank, "chaveAcesso": key}
    digest = sha256(key.encode()).hexdigest()
    return {
        "chaveAcesso": key,
        "xml": f"{_SITE}/relatorios/nfe.xml.php?chaveAcesso={key}&signature={digest}",
        "linkDanfe": f"{_SITE}/doc.view.php?id={digest[:32]}",
        "linkPDF": f"{_SITE}/doc.view.php?PDF=true&id={digest[:32]}",
    }


def _natureza(draft: Draft) -> int:
    first = draft.lines[0]["cfop"][0] if draft.lines else "5"
    return 15_102_000_000 + int(first)


def _transport(draft: Draft) -> Json:
    contact = as_note_contact(draft.contact)
    label = {field: contact["endereco"][field] for field in contact["endereco"] if field != "pais"}
    return {
        "fretePorConta": 0 if draft.frete else 9,
        "transportador": {"nome": "", "numeroDocumento": ""},
        "volumes": [],
        "etiqueta": {"nome": contact["nome"], **label},
    }


def _parcels(draft: Draft, total: Decimal) -> list[Json]:
    if not draft.terms:
        return []
    share = (total / len(draft.terms)).quantize(CENT)
    values = [share] * (len(draft.terms) - 1)
    values.append(total - sum(values, Decimal(0)))
    return [
        {
            "data": (draft.emitted + timedelta(days=days)).strftime("%Y-%m-%d"),
            "valor": value,
            "observacoes": "",
            "caut": "",
            "formaPagamento": {"id": draft.forma_pagamento},
        }
        for days, value in zip(draft.terms, values, strict=True)
    ]
