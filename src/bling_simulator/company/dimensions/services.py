"""As ordens de serviço. O Bling não as descreve: os campos são supostos, à maneira dos pedidos."""

from decimal import Decimal
from itertools import islice

from bling_simulator.company.dimensions.registers import as_register
from bling_simulator.company.register import Register
from bling_simulator.payload import Json

_FIRST, _ORDERS = 18_200_000_401, 4


def make_service_orders(contacts: Register) -> dict[str, Register]:
    """O cadastro: umas poucas, dos contatos mais antigos."""
    orders: list[Json] = []
    for position, contact in enumerate(islice(contacts.entries.values(), _ORDERS)):
        orders.append(
            {
                "id": _FIRST + 13 * position,
                "numero": str(101 + position),
                "data": f"2025-1{position % 3}-05",
                "contato": {"id": contact.detail["id"], "nome": contact.detail["nome"]},
                "situacao": {"id": 1, "valor": 0},
                "total": Decimal("180.00"),
                "descricao": "Afiação de fresa",
            }
        )
    return {"/ordens/servico": as_register(orders)}
