"""O cadastro de contatos: os que compram, os que nunca compraram, os fornecedores e os excluídos."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from bling_simulator.company.people import Kind, make_contact
from bling_simulator.company.register import Register
from bling_simulator.company.sales.sellers import REGULARS
from bling_simulator.payload import Json

_FIRST_ID = 14_300_000_001
_SELLERS = (0, 0, *REGULARS)
_ALWAYS: dict[int, Kind] = {2: "E", 5: "consumidor", 7: "F"}
"""Presentes mesmo numa empresa pequena."""


def make_customers(rng: Random, debuts: Sequence[datetime], suppliers: int) -> tuple[Register, list[Json], list[Json]]:
    """O cadastro, os contatos na ordem de `debuts` (sua primeira compra) e os fornecedores."""
    customers = [
        make_contact(rng, _kind(rng, position), vendedor=rng.choice(_SELLERS)) for position in range(len(debuts))
    ]
    vendors = [make_contact(rng, "J", supplier=True) for _ in range(suppliers)]
    strangers = [make_contact(rng, rng.choice(("J", "F"))) for _ in range(max(2, len(debuts) // 16))]
    opening = min(debuts, default=datetime(2021, 1, 1))  # noqa: DTZ001 - hora de Brasília, como no Bling
    enrolled = [(at - timedelta(minutes=20), contact) for at, contact in zip(debuts, customers, strict=True)]
    enrolled += [(opening - timedelta(days=30), vendor) for vendor in vendors]
    enrolled += [(rng.choice(debuts or [opening]), stranger) for stranger in strangers]
    enrolled.sort(key=lambda pair: pair[0])

    register = Register()
    deleted = {id(customers[position]) for position in _deleted(rng, len(customers))}
    contact_id = _FIRST_ID
    for at, contact in enrolled:
        gone = id(contact) in deleted
        contact["situacao"] = "E" if gone else rng.choice("AAAAAAAAAAAAAAAAAAIS")
        register.add(contact, at, record_id=contact_id, deleted=gone)
        contact_id += rng.randrange(1_000, 900_000)
    return register, customers, vendors


def _kind(rng: Random, position: int) -> Kind:
    if position in _ALWAYS:
        return _ALWAYS[position]
    kinds: tuple[Kind, ...] = ("J", "F", "E")
    return rng.choices(kinds, (79, 19, 2))[0]


def _deleted(rng: Random, count: int) -> list[int]:
    """Cerca de 1 % dos compradores foi excluído do cadastro depois de comprar."""
    if count < 4:
        return []
    return [3, *rng.sample(range(8, count), max(0, count - 8) // 100)] if count > 8 else [3]
