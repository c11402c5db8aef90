"""Os borderôs: GET /borderos/{id}, os que as contas citam. Só neles se sabe quando cada conta foi paga."""

from typing import Final

from bling_collector.db.models import borderos, borderos_pagamentos
from bling_collector.etl.resource import Child, Document, Resource, Rows
from bling_collector.payload import Fields, Row
from bling_collector.streams.financeiro.contas import finance_of

_EDITED_FOR: Final = 30
"""Dias em que um borderô ainda costuma ser corrigido (um relato)."""
_UNLINKED: Final = """
    NOT EXISTS (
        SELECT FROM contas_borderos v
        LEFT JOIN contas_receber r ON v.conta_tipo = 'receber' AND r.id = v.conta_id AND r.excluida_em IS NULL
        LEFT JOIN contas_pagar p ON v.conta_tipo = 'pagar' AND p.id = v.conta_id AND p.excluida_em IS NULL
        WHERE v.bordero_id = n.id AND (r.id IS NOT NULL OR p.id IS NOT NULL))"""
"""Nenhuma conta o cita: foi estornado, ou a conta foi excluída."""


def rows(bordero: Document) -> Rows:
    """As linhas de um borderô: ele e os pagamentos. Um pagamento não diz de que conta é."""
    read = Fields(bordero)
    bordero_id = read.id("id")
    return {
        borderos: [
            {
                "id": bordero_id,
                "data": read.local_date("data"),
                "portador_id": read.reference("portador"),
                "categoria_id": read.reference("categoria"),
                "historico": read.text("historico"),
                "detalhe": bordero,
            }
        ],
        borderos_pagamentos: [
            _pagamento(bordero_id, ordem, pagamento)
            for ordem, pagamento in enumerate(read.objects("pagamentos"), start=1)
        ],
    }


def _pagamento(bordero_id: int | None, ordem: int, pagamento: Fields) -> Row:
    return {
        "bordero_id": bordero_id,
        "ordem": ordem,
        "contato_id": pagamento.reference("contato"),
        "numero_documento": pagamento.text("numeroDocumento"),
        "valor_pago": pagamento.measured("valorPago"),
        "juros": pagamento.measured("juros"),
        "desconto": pagamento.measured("desconto"),
        "acrescimo": pagamento.measured("acrescimo"),
        "tarifa": pagamento.measured("tarifa"),
    }


BORDEROS = Resource(
    name="borderos",
    title="Borderôs",
    noun="Borderô",
    singular="bordero",
    permission="Borderôs",
    path="/borderos",
    table=borderos,
    rows=rows,
    always=("data", "pagamentos"),
    listed=False,
    open=f"data >= CAST(:hoje AS date) - {_EDITED_FOR} OR {_UNLINKED}",
    needs=("contas_receber", "contas_pagar"),
    cites=(*finance_of(borderos), ("contatos", borderos_pagamentos.c.contato_id)),
    children=(Child(borderos_pagamentos, "bordero_id"),),
    history=("pagamentos",),
)
