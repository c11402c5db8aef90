"""As NFC-e da empresa: as vendas de balcão, quase todas a quem não se identifica."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from random import Random

from bling_simulator.company.invoices.invoice import NFCE, STAMP, Draft, build_note
from bling_simulator.company.invoices.lines import make_line
from bling_simulator.company.register import Register
from bling_simulator.payload import Json

_FIRST_ID = 9_800_000_119
_SHARE = 0.3
"""Vendas de balcão por nota de saída."""
_ANONYMOUS = "Consumidor Final"
_SITUATIONS = {1: 5, 2: 2, 6: 9, 9: 4}
"""Posição → situação das que não são emitidas com DANFE (6), também numa empresa pequena."""
_CONTINGENCY, _PENDING = 8, 1
"""As duas últimas: uma em contingência, que aguarda protocolo, e uma que ninguém transmitiu."""


def make_coupons(
    rng: Random, notes: Collection[Json], contacts: Register, products: Register, methods: Sequence[int]
) -> dict[int, Json]:
    """Um cupom dois minutos depois de algumas das notas de saída, da mais antiga à mais nova."""
    times = sorted(_moment(note) for note in notes if note["tipo"] == 1)
    times = [at + timedelta(minutes=2) for place, at in enumerate(times) if place % 10 < _SHARE * 10]
    goods = [entry.detail for entry in products.entries.values() if not entry.deleted]
    people = [entry.detail for entry in contacts.entries.values() if not entry.deleted]
    found: dict[int, Json] = {}
    coupon_id = _FIRST_ID
    for place, at in enumerate(times):
        situacao = _SITUATIONS.get(place % 40, 2 if place % 40 == 21 else 6)
        if place >= len(times) - 2 and len(times) > 4:
            situacao = _CONTINGENCY if place == len(times) - 2 else _PENDING
        found[coupon_id] = build_note(
            Draft(
                emitted=at,
                contact=rng.choice(people) if people and rng.random() < 0.2 else anonymous(contacts),
                lines=[make_line(rng, product, "5102") for product in rng.sample(goods, min(2, len(goods)))],
                note_id=coupon_id,
                numero=place + 1,
                modelo=NFCE,
                situacao=situacao,
                terms=(0,),
                forma_pagamento=rng.choice(methods),
            )
        )
        coupon_id += rng.randrange(1_000, 90_000)
    return found


def anonymous(contacts: Register) -> Json | None:
    """O contato de quem não se identifica, se a conta o tem."""
    named = (entry.detail for entry in contacts.entries.values() if entry.detail["nome"] == _ANONYMOUS)
    return next(named, None)


def _moment(note: Json) -> datetime:
    return datetime.strptime(note["dataEmissao"], STAMP)  # noqa: DTZ007 - hora de Brasília
