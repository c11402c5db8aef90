"""Os pedidos da empresa: os das suas notas e os que não deram em nota."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from bling_simulator.company.invoices.invoice import STAMP, build_note
from bling_simulator.company.invoices.notes import outgoing_draft
from bling_simulator.company.people import CUSTOMER_TYPE
from bling_simulator.company.register import Register
from bling_simulator.company.sales.order import Placing, build_order
from bling_simulator.company.sales.statuses import (
    BROKERED,
    CANCELLED,
    CUSTOM,
    FULFILLED,
    IN_PROGRESS,
    OPEN,
    TYPING,
    VERIFIED,
)
from bling_simulator.payload import Json

FIRST_ID = 5_000_000_137
"""Abaixo dos das notas, que começam em 9,5 bilhões."""
FIRST_NUMBER = 101
NOT_ISSUED = 1
"""A situação da nota que nunca se transmite: só serve de molde ao pedido que não tem nota."""
ORDERED = 0.92
"""A parte das notas de saída que tem pedido."""
_NOTES_PER_LOOSE_ORDER = 6
_ALWAYS = (OPEN, CANCELLED, IN_PROGRESS, TYPING, FULFILLED, CUSTOM, VERIFIED, BROKERED)
"""As situações dos primeiros pedidos sem nota, para que não falte nenhuma."""
_UNSETTLED = frozenset({OPEN, IN_PROGRESS, TYPING, CUSTOM})
_RECENT = 30
"""Os pedidos ainda por resolver são do tempo das últimas notas."""
_AUTHORISED = frozenset({5, 6, 7})


@dataclass(frozen=True)
class Registers:
    """Os cadastros a que os pedidos se referem."""

    contacts: Register
    products: Register
    sellers: Register
    payment_methods: Sequence[int]

    def skus(self) -> dict[str, int]:
        """Código → id do produto; de dois com o mesmo código, o que não foi excluído."""
        entries = sorted(self.products.entries.values(), key=lambda entry: not entry.deleted)
        return {entry.detail["codigo"]: entry.detail["id"] for entry in entries}

    def seller(self, seller_id: int) -> Json | None:
        entry = self.sellers.entries.get(seller_id)
        return entry.detail if entry else None


def make_orders(rng: Random, notes: Iterable[Json], registers: Registers) -> Register:
    """Todos os pedidos, dos mais antigos aos mais novos: ids crescentes, números também, com uns buracos.

    Uma empresa que nunca emitiu nota não tem pedido.
    """
    outgoing = [note for note in notes if note["tipo"] == 1]
    rows = [*_ordered(rng, outgoing), *_loose(rng, registers, outgoing)]
    rows.sort(key=lambda row: row[1].placed)
    register, skus = Register(), registers.skus()
    order_id, numero = FIRST_ID, FIRST_NUMBER
    for note, placing, changed in rows:
        placing.order_id, placing.numero = order_id, numero
        order = build_order(note, placing, skus, registers.seller(note["vendedor"]["id"]))
        register.add(order, placing.placed, record_id=order_id)
        register.entries[order_id].changed = changed
        order_id += rng.randrange(10_000, 60_000)
        numero += 1 if rng.random() > 0.015 else rng.randrange(2, 5)
    return register


def place(rng: Random, note: Json, placed: datetime) -> Placing:
    """O pedido, feito neste instante, de uma nota de saída emitida."""
    match note["situacao"]:
        case 2:
            status = CANCELLED
        case situacao if situacao in _AUTHORISED:
            status = rng.choices((FULFILLED, VERIFIED, CUSTOM, BROKERED, IN_PROGRESS), (86, 8, 3, 2, 1))[0]
        case _:
            status = IN_PROGRESS
    placing = _furnish(rng, Placing(placed, status=status, note_id=note["id"]))
    placing.shipped = emitted_at(note).date()
    return placing


def emitted_at(note: Json) -> datetime:
    return datetime.strptime(note["dataEmissao"], STAMP)  # noqa: DTZ007 - hora de Brasília


def _ordered(rng: Random, outgoing: Sequence[Json]) -> Iterator[tuple[Json, Placing, datetime]]:
    """(nota, pedido, última mudança) das notas com contato: o pedido é do dia da nota ou de até cinco dias antes."""
    for note in outgoing:
        if note["contato"]["id"] and rng.random() < ORDERED:
            emitted = emitted_at(note)
            lead = rng.choices(range(6), (40, 25, 15, 10, 6, 4))[0]
            yield note, place(rng, note, emitted - timedelta(days=lead)), emitted


def _loose(rng: Random, registers: Registers, outgoing: Sequence[Json]) -> Iterator[tuple[Json, Placing, datetime]]:
    """Os que não deram em nota: por resolver, cancelados, e atendidos sem ela."""
    moments = sorted(emitted_at(note) for note in outgoing)
    customers = [
        entry.detail
        for entry in registers.contacts.entries.values()
        if not entry.deleted and CUSTOMER_TYPE in entry.detail["tiposContato"]
    ]
    goods = [entry.detail for entry in registers.products.entries.values() if not entry.deleted]
    for position in range(len(outgoing) // _NOTES_PER_LOOSE_ORDER if customers and goods else 0):
        status = rng.choices((CANCELLED, FULFILLED, BROKERED, OPEN), (70, 20, 5, 5))[0]
        if position < len(_ALWAYS):
            status = _ALWAYS[position]
        placed = rng.choice(moments[-_RECENT:] if status in _UNSETTLED else moments)
        chosen = rng.sample(goods, min(rng.choice((1, 1, 2, 3)), len(goods)))
        draft = outgoing_draft(rng, placed, rng.choice(customers), chosen, registers.payment_methods)
        draft.situacao = NOT_ISSUED
        draft.vendedor = rng.choice((draft.vendedor, *registers.sellers.entries))
        placing = _furnish(rng, Placing(placed, status=status))
        settled = placed if status in _UNSETTLED else min(placed + timedelta(days=2), moments[-1])
        yield build_note(draft), placing, settled


def _furnish(rng: Random, placing: Placing) -> Placing:
    """O que se sorteia em qualquer pedido; a data prevista às vezes fica zerada."""
    placing.expected = placing.placed.date() + timedelta(days=rng.randrange(5, 21)) if rng.random() < 0.85 else None
    placing.percent_off = rng.random() < 0.5
    placing.lines_off = rng.choices((Decimal(0), Decimal("2.5"), Decimal(10)), (90, 6, 4))[0]
    placing.ordem_compra = f"OC-{rng.randrange(10**5):05d}" if rng.random() < 0.1 else ""
    placing.observacoes = "Entregar no horário comercial." if rng.random() < 0.05 else ""
    return placing
