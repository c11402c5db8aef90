"""Quitar: o borderô de uma ou de várias contas, e o lançamento de caixa que ele faz."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from bling_simulator.company.finance.accounts import CATEGORIES, FEES, HOLDERS, OPEN, PAID, PARTIAL
from bling_simulator.payload import CENT, Json

Kind = Literal["receber", "pagar"]
_LATE = Decimal("0.02")
"""Os juros de quem paga depois do vencimento."""


def settle(accounts: Sequence[tuple[Json, Decimal]], on: date, *, bordero_id: int) -> Json:
    """O borderô que quita, de cada conta, esta parte do saldo; as contas mudam com ele."""
    payments = []
    for account, amount in accounts:
        late = account["vencimento"] < on.isoformat() and account["vencimento"] > "0001"
        juros = (amount * _LATE).quantize(CENT) if late else Decimal(0)
        payments.append(
            {
                "contato": {"id": account["contato"]["id"]},
                "numeroDocumento": account["numeroDocumento"],
                "valorPago": amount + juros,
                "juros": juros,
                "desconto": Decimal(0),
                "acrescimo": Decimal(0),
                "tarifa": Decimal("1.50") if "vendedor" in account else Decimal(0),
            }
        )
        account["saldo"] -= amount
        account["situacao"] = PARTIAL if account["saldo"] else PAID
        account["borderos"] = [*account["borderos"], bordero_id]
    first = accounts[0][0]
    return {
        "id": bordero_id,
        "data": on.isoformat(),
        "historico": first["historico"],
        "portador": dict(first["portador"]),
        "categoria": dict(first["categoria"]),
        "pagamentos": payments,
    }


def reopen(account: Json) -> list[int]:
    """A conta volta a estar em aberto, e perde os borderôs: devolve os ids que tinha."""
    lost: list[int] = account["borderos"]
    account |= {"saldo": account["valor"], "situacao": OPEN, "borderos": []}
    return lost


def entry_of(bordero: Json, kind: Kind, contact: Json | None, *, entry_id: int) -> Json:
    """O lançamento de um borderô: o que entrou, ou saiu, da conta financeira."""
    total = sum((payment["valorPago"] - payment["tarifa"] for payment in bordero["pagamentos"]), Decimal(0))
    return _entry(
        entry_id,
        date.fromisoformat(bordero["data"]),
        total,
        credit=kind == "receber",
        category=bordero["categoria"]["id"],
        holder=bordero["portador"]["id"],
        contact=contact,
        origin={"id": bordero["id"], "tipo": "bordero"},
        observacoes=bordero["historico"],
    )


def fee(on: date, valor: Decimal, *, entry_id: int) -> Json:
    """Uma tarifa do banco, lançada à mão."""
    return _entry(
        entry_id,
        on,
        valor,
        credit=False,
        category=FEES,
        holder=HOLDERS[1]["id"],
        contact=None,
        origin={"id": 0, "tipo": "caixa"},
        observacoes="Tarifa do banco",
    )


def _entry(
    entry_id: int,
    on: date,
    valor: Decimal,
    *,
    credit: bool,
    category: int,
    holder: int,
    contact: Json | None,
    origin: Json,
    observacoes: str,
) -> Json:
    """Um lançamento: o valor é sempre positivo (um relato), e `debCred` diz o lado."""
    known = contact or {"id": 0, "nome": "", "numeroDocumento": ""}
    return {
        "id": entry_id,
        "debCred": "C" if credit else "D",
        "saldo": "N",
        "situacao": "R",
        "transferencia": "0",
        "tipoLancamento": "2" if credit else "1",
        "data": on.isoformat(),
        "competencia": on.replace(day=1).isoformat(),
        "valor": valor,
        "observacoes": observacoes,
        "descricao": f"{CATEGORIES[category]}: {observacoes}",
        "parcela": {"id": 0},
        "categoria": {"id": category, "descricao": CATEGORIES[category]},
        "conciliacaoMovimentacao": {"id": 0},
        "contato": {"id": known["id"], "nome": known["nome"], "cnpj": known["numeroDocumento"]},
        "origem": origin,
        "contaFinanceira": next(dict(each) for each in HOLDERS if each["id"] == holder),
    }
