"""Da parcela à conta, como `GET /contas/receber/{id}` e `GET /contas/pagar/{id}` a mostram."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from bling_simulator.company.dimensions.finance import account_named, category_named
from bling_simulator.payload import Json

OPEN, PAID, PARTIAL, RETURNED, CANCELLED, PARTLY_RETURNED, CONFIRMED = range(1, 8)
NO_DATE = "0000-00-00"
HOLDERS: tuple[Json, ...] = tuple({"id": account_named(name), "descricao": name} for name in ("Caixa", "Banco do Vale"))
"""As contas financeiras por que o dinheiro passa."""
CATEGORIES = {category_named(name): name for name in ("Venda de mercadorias", "Aço", "Tarifas bancárias")}
INCOME, SUPPLIES, FEES = CATEGORIES
"""As categorias de receitas e despesas que as contas usam."""
NO_ORIGIN: Json = {
    "id": 0, "tipoOrigem": "", "numero": "", "dataEmissao": "", "valor": Decimal(0), "situacao": 1, "url": "",
}  # fmt: skip
BY_SLIP = frozenset({14, 15, 16, 99})
"""As formas de pagamento (código fiscal) que a empresa cobra por boleto, ainda que só uma se chame assim (suposto)."""
_NOTE_STATUS = {1: 1, 2: 3, 3: 4, 4: 5, 5: 6, 6: 7, 7: 8, 8: 9, 9: 10, 10: 11, 11: 12}
"""A situação de uma nota, na numeração que a origem de uma conta usa (referência)."""


@dataclass(frozen=True)
class Parcel:
    """O que se há de receber, ou de pagar."""

    contact: Json | None
    emitted: date
    due: str
    valor: Decimal
    numero: str
    method: Json
    origin: Json = field(default_factory=lambda: dict(NO_ORIGIN))
    vendedor: int = 0
    of: int = 1
    """Em quantas parcelas o todo se dividiu."""


def build_receivable(parcel: Parcel) -> Json:
    """O detalhe de uma conta a receber em aberto, com `id` 0."""
    contact = parcel.contact or {"id": 0, "nome": "", "numeroDocumento": "", "tipo": "F"}
    boleto = f"https://boleto.example/{parcel.numero}" if parcel.method["tipoPagamento"] in BY_SLIP else ""
    return {
        "id": 0,
        "situacao": OPEN,
        "vencimento": parcel.due,
        "valor": parcel.valor,
        "idTransacao": "",
        "linkQRCodePix": "",
        "linkBoleto": boleto,
        "dataEmissao": parcel.emitted.isoformat(),
        "contato": {name: contact.get(name, "") for name in ("id", "nome", "numeroDocumento", "tipo")},
        "formaPagamento": {"id": parcel.method["id"], "codigoFiscal": parcel.method["tipoPagamento"]},
        "contaContabil": dict(HOLDERS[1]),
        "origem": dict(parcel.origin),
        **_of_both(parcel, INCOME, f"Ref. a {parcel.numero}, {contact['nome']}"),
        "vendedor": {"id": parcel.vendedor},
        "borderos": [],
        "ocorrencia": _occurrence(parcel),
    }


def build_payable(parcel: Parcel) -> Json:
    """O detalhe de uma conta a pagar em aberto, com `id` 0; a listagem dela é pobre, e ela não tem origem."""
    contact = parcel.contact or {"id": 0, "nome": ""}
    return {
        "id": 0,
        "situacao": OPEN,
        "vencimento": parcel.due,
        "valor": parcel.valor,
        "contato": {"id": contact["id"]},
        "formaPagamento": {"id": parcel.method["id"]},
        "dataEmissao": parcel.emitted.isoformat(),
        **_of_both(parcel, SUPPLIES, f"Compra de {contact['nome']}"),
        "borderos": [],
        "ocorrencia": _occurrence(parcel),
    }


def origin_of_note(note: Json) -> Json:
    return {
        "id": note["id"],
        "tipoOrigem": "notafiscal",
        "numero": note["numero"],
        "dataEmissao": note["dataEmissao"][:10],
        "valor": note["valorNota"],
        "situacao": _NOTE_STATUS[note["situacao"]],
        "url": f"https://www.bling.com.br/notas.fiscais.php#edit/{note['id']}",
    }


def origin_of_order(order: Json) -> Json:
    """Um pedido não tem data de emissão."""
    return {
        "id": order["id"],
        "tipoOrigem": "venda",
        "numero": str(order["numero"]),
        "dataEmissao": "",
        "valor": order["total"],
        "situacao": 1,
        "url": f"https://www.bling.com.br/vendas.php#edit/{order['id']}",
    }


def _of_both(parcel: Parcel, category: int, historico: str) -> Json:
    return {
        "saldo": parcel.valor,
        "vencimentoOriginal": parcel.due,
        "numeroDocumento": parcel.numero,
        "competencia": parcel.emitted.isoformat(),
        "historico": historico,
        "numeroBanco": "",
        "portador": {"id": HOLDERS[1]["id"]},
        "categoria": {"id": category},
    }


def _occurrence(parcel: Parcel) -> Json:
    if parcel.of == 1:
        return {"tipo": 1}
    return {"tipo": 2, "considerarDiasUteis": False, "diaVencimento": 10, "numeroParcelas": parcel.of}
