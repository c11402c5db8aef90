"""O dinheiro, na conta feita por fora: do JSON do simulador, o que se deve, o que se pagou e em quê."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from bling_simulator.bling import Bling

ZERO = Decimal(0)
RESOURCES = ("nfe", "contas_receber", "contas_pagar", "borderos", "caixas", "pedidos_venda", "categorias_financeiras")
Account = dict[str, Any]
Key = tuple[str, int]


def trade(bling: Bling) -> dict[str, int]:
    """Contas e lançamentos de todo jeito, além dos que a empresa já tem; devolve os ids de alguns."""
    ids: dict[str, int] = {}
    same = {"numeroDocumento": "77", "valor": Decimal("50.00")}
    for name in ("gêmea", "outra gêmea", "irmã", "outra irmã", "irmã menor"):
        valor = Decimal("20.00") if name == "irmã menor" else Decimal("50.00")
        ids[name] = bling.add_account("receber", valor=valor, numeroDocumento=same["numeroDocumento"])
    ids["em duas partes"] = bling.add_account("pagar", valor=Decimal("90.00"))
    ids["excluída"] = bling.add_account("receber", valor=Decimal("66.60"))
    ids["sem borderô"] = bling.add_account("pagar", valor=Decimal("10.00"), saldo=ZERO, situacao=2)
    ids["sem vencimento"] = bling.add_account("receber", valor=Decimal("5.55"), vencimento="0000-00-00")
    ids["borderô das gêmeas"] = bling.settle_accounts("receber", ids["gêmea"], ids["outra gêmea"])
    ids["borderô das irmãs"] = bling.settle_accounts(
        "receber", ids["irmã"], ids["outra irmã"], ids["irmã menor"], amount=Decimal("20.00")
    )
    bling.settle_accounts("pagar", ids["em duas partes"], amount=Decimal("30.00"))
    ids["borderô da parte"] = bling.settle_accounts("pagar", ids["em duas partes"], amount=Decimal("60.00"))
    ids["borderô da excluída"] = bling.settle_accounts("receber", ids["excluída"])
    bling.delete_account("receber", ids["excluída"])
    for each in categories(bling)[:4]:
        bling.add_account("receber", categoria={"id": each["id"]})
        bling.add_account("pagar", categoria={"id": each["id"]}, valor=Decimal("3.30"))
    fees = [id_ for id_, each in bling.cash_entries.items() if each["origem"]["tipo"] == "caixa"]
    bling.edit_cash_entry(fees[-1], situacao="R", transferencia="1")
    bling.edit_cash_entry(fees[-2], situacao="R", saldo="S")
    bling.edit_cash_entry(fees[-3], situacao="R", debCred="C", valor=Decimal("31.30"))
    return ids


def categories(bling: Bling) -> list[Account]:
    register = bling.dimensions["/categorias/receitas-despesas"]
    return sorted((entry.detail for entry in register.entries.values()), key=lambda each: each["id"])


def accounts(bling: Bling) -> Iterator[tuple[Key, Account]]:
    for kind, book in (("receber", bling.receivables), ("pagar", bling.payables)):
        for id_, account in book.items():
            yield (kind, id_), account


def still_open(account: Account) -> Decimal:
    return account["saldo"] if account["situacao"] in (1, 3) else ZERO


def due(account: Account) -> date | None:
    return date.fromisoformat(account["vencimento"]) if account["vencimento"] != "0000-00-00" else None


def links(bling: Bling) -> dict[int, list[Key]]:
    """borderô → as contas vivas que o citam."""
    found: defaultdict[int, list[Key]] = defaultdict(list)
    for key, account in accounts(bling):
        for bordero in account["borderos"]:
            found[bordero].append(key)
    return found


def loose(bling: Bling) -> list[Account]:
    """Os lançamentos que não são de um borderô que alguma conta cita."""
    linked = links(bling)
    return [
        each
        for each in bling.cash_entries.values()
        if each["situacao"] == "R" and each["transferencia"] == "0" and each["saldo"] == "N"
        if each["origem"]["id"] not in linked
    ]
