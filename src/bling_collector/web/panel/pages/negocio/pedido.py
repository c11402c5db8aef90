"""A página de um pedido de venda, e o caminho dele: a nota, as contas a receber, o que se recebeu."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bling_collector.clock import today
from bling_collector.documentos import masked
from bling_collector.insight.sales.pedidos import Pedido, load_pedido
from bling_collector.insight.sales.situacoes import PAGAMENTOS, situacao
from bling_collector.web.panel.forms import record_id
from bling_collector.web.panel.notes import quantity, short
from bling_collector.web.panel.render import page
from bling_collector.web.panel.tables import accounts
from bling_collector.web.panel.tables.orders import change, channel, seller, state
from bling_collector.web.service import OneService
from bling_collector.words import money, number

router = APIRouter(include_in_schema=False)

_ID: Final = "O endereço de um pedido traz o id dele no Bling, que é só de algarismos."
_LINES: Final = 500
"""Linhas que a página mostra de cada lista; um pedido não costuma ter mais de algumas dezenas."""
_CHANGES: Final = 50


@router.get("/pedidos/{pedido_id}")
async def pedido(request: Request, pedido_id: str, service: OneService) -> Response:
    id_ = record_id(pedido_id, _ID)
    async with service.opened() as account:
        found = await load_pedido(account.engine, id_)
        hoje = today(account.clock)
    header = found.header
    words, tone = state(header)
    gone = header["excluida_em"] is not None
    return page(
        request,
        "pedido.html",
        section="vendas",
        pedido=header,
        number=short(header["numero"], 30) if header["numero"] is not None else "sem número",
        state="Excluído no Bling" if gone else words,
        tone="warning" if gone else tone,
        inherited=header["situacao_base"] if header["situacao_base_id"] != header["situacao_id"] else None,
        canal=channel(header),
        vendedor=seller(header),
        documento=masked(header["documento"]),
        cliente=short(header["cliente"]) if header["cliente"] else None,
        discount=_discount(header),
        note_state=situacao(header["nota_situacao"]) if header["tem_nota"] else None,
        items=[_item(item) for item in found.items[:_LINES]],
        items_of=len(found.items),
        parcels=[_parcel(parcel) for parcel in found.parcels[:_LINES]],
        parcels_of=len(found.parcels),
        accounts=[_account(conta, hoje) for conta in found.accounts[:_LINES]],
        sums=_sums(found),
        history=[
            {"quando": when, "run_id": run, "mudancas": [change(*each, found.statuses) for each in changes.items()]}
            for when, run, changes in found.changes[:_CHANGES]
        ],
        older_changes=max(len(found.changes) - _CHANGES, 0),
    )


def _discount(header: Mapping[str, Any]) -> str | None:
    value = header["desconto"]
    if not value:
        return None
    return f"{number(value, 2)}%" if header["desconto_unidade"] == "PERCENTUAL" else money(value)


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    code = item["codigo_produto"]
    return {
        "numero": item["ordem"],
        "codigo": short(code, 60) if code else None,
        "filtro": code[:150] if code and any(map(str.isalnum, code)) else None,
        "descricao": short(item["descricao"] or "—"),
        "quantidade": quantity(item["quantidade"]),
        "unitario": item["valor_unitario"],
        "desconto": f"{quantity(item['desconto_percentual'])}%" if item["desconto_percentual"] else None,
        "valor": item["valor"],
    }


def _parcel(parcel: Mapping[str, Any]) -> dict[str, Any]:
    kind = PAGAMENTOS.get(parcel["tipo_pagamento"])
    return {
        "numero": parcel["ordem"],
        "forma": short(parcel["forma"] or kind or "Não informada", 80),
        "tipo": None,
        "vencimento": parcel["data_vencimento"],
        "valor": parcel["valor"],
    }


def _account(conta: Mapping[str, Any], hoje: date) -> dict[str, Any]:
    words, tone = accounts.state(conta["situacao"], conta["vencimento"], hoje)
    return {**conta, "palavras": words, "tom": tone}


def _sums(found: Pedido) -> dict[str, Any]:
    paid = [each["ultimo_pagamento"] for each in found.accounts if each["ultimo_pagamento"]]
    return {
        "contas": len(found.accounts),
        "em_aberto": sum(each["em_aberto"] or 0 for each in found.accounts),
        "recebido": sum(each["recebido"] or 0 for each in found.accounts),
        "ultimo": max(paid, default=None),
    }
