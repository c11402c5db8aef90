"""O que os testes dos pedidos usam: uma conta com situações próprias, e a conta feita por fora, do JSON do Bling."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from bling_simulator.bling import Bling
from bling_simulator.clock import local_now
from bling_simulator.company.dimensions.statuses import SALES_MODULE
from bling_simulator.company.sales.statuses import CANCELLED, IN_PROGRESS

Order = dict[str, Any]
RECURSOS = (
    *("nfe", "pedidos_venda", "contas_receber", "borderos", "vendedores", "canais_venda", "situacoes"),
    *("produtos", "contatos"),
)
GAVE_UP, GAVE_UP_EARLY, PACKED = 463_300, 463_301, 463_302
"""«Desistiu», tirada de Cancelado; «Desistiu antes do envio», tirada dela; «Embalado», de Em andamento."""
_STATUSES = (
    (GAVE_UP, "Desistiu", CANCELLED),
    (GAVE_UP_EARLY, "Desistiu antes do envio", GAVE_UP),
    (PACKED, "Embalado", IN_PROGRESS),
)


def order_oddly(bling: Bling) -> None:
    """Pedidos em situações da empresa, sem canal e sem SKU; contas canceladas e devolvidas."""
    register = bling.dimensions["/situacoes/modulos/{modulo_id}"]
    for id_, nome, inherited in _STATUSES:
        status = {"id": id_, "nome": nome, "idHerdado": inherited, "cor": "#000000", "modulo": SALES_MODULE}
        register.add(status, local_now(bling.clock), record_id=id_)
    for id_, _, _ in _STATUSES:
        bling.add_order(ordered_on=date(2025, 11, 10), situacao=id_)
        bling.add_order(ordered_on=date(2024, 11, 10), situacao=id_)
    bare = bling.add_order(ordered_on=date(2025, 11, 11), contact_id=0)
    lines = [line | {"codigo": ""} for line in bling.orders[bare]["itens"]]
    bling.edit_order(bare, itens=[lines[0], lines[1] | {"produto": {"id": 0}}], loja={"id": 0})
    paid = [id_ for id_, each in bling.receivables.items() if each["origem"]["id"]][-40:]
    for place, id_ in enumerate(paid):
        if place % 4 < 2:
            bling.edit_account("receber", id_, situacao=5 if place % 4 else 4)


def base_of(bling: Bling, status: int) -> int:
    """A situação de fábrica de que esta foi tirada, por quantas passagens for."""
    statuses = bling.dimensions["/situacoes/modulos/{modulo_id}"].entries
    while status in statuses and (inherited := statuses[status].detail["idHerdado"]):
        status = inherited
    return status


def sums(bling: Bling, orders: Iterable[Order]) -> tuple[int, Decimal, int, Decimal]:
    """Quantos contam e quanto somam; os cancelados à parte."""
    kept: list[Decimal] = []
    lost: list[Decimal] = []
    for order in orders:
        (lost if base_of(bling, order["situacao"]["id"]) == CANCELLED else kept).append(Decimal(str(order["total"])))
    return len(kept), sum(kept, Decimal(0)), len(lost), sum(lost, Decimal(0))


def by(orders: Iterable[Order], key: Callable[[Order], Any]) -> dict[Any, list[Order]]:
    found: defaultdict[Any, list[Order]] = defaultdict(list)
    for order in orders:
        found[key(order)].append(order)
    return found


def day(order: Order) -> date:
    return date.fromisoformat(order["data"])


def month(order: Order) -> date:
    return day(order).replace(day=1)
