"""Os pedidos e o que se faz com eles depois de gerados: fazer, mudar, cancelar, excluir."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from random import Random
from typing import Any

from bling_simulator.company.generator import Company
from bling_simulator.company.invoices.invoice import Draft, build_note
from bling_simulator.company.invoices.lines import make_line
from bling_simulator.company.register import Entry, Register
from bling_simulator.company.sales.order import Placing, build_order
from bling_simulator.company.sales.orders import FIRST_ID, FIRST_NUMBER, NOT_ISSUED, Registers, place
from bling_simulator.company.sales.statuses import CANCELLED, status_of
from bling_simulator.payload import Json, clone


class Orderbook:
    """Os pedidos só são gerados quando alguém os olha pela primeira vez."""

    def __init__(self, company: Company, seed: int) -> None:
        self._company = company
        self._seed = seed
        self._rng = Random(f"{seed} pedidos novos")
        self._promised: list[tuple[Json, datetime]] = []

    @cached_property
    def _register(self) -> Register:
        register = self._company.first_orders()
        self._last_id = max(register.entries, default=FIRST_ID)
        self._last_number = max(
            (entry.detail["numero"] for entry in register.entries.values()), default=FIRST_NUMBER - 1
        )
        skus = self._registers.skus()
        for note, at in self._promised:
            self._honour(register, skus, note, at)
        return register

    @property
    def entries(self) -> Mapping[int, Entry]:
        """id → o pedido e quando mudou."""
        return self._register.entries

    def promise(self, note: Json, at: datetime) -> None:
        """O pedido, feito agora, de uma nota que se acaba de emitir."""
        if "_register" in self.__dict__:
            self._honour(self._register, self._registers.skus(), note, at)
        else:
            self._promised.append((dict(note), at))

    def add(
        self,
        placed: datetime,
        at: datetime,
        *,
        contact_id: int | None = None,
        lines: Sequence[Json] | None = None,
        **changes: Any,
    ) -> int:
        """Faz um pedido, em aberto e sem nota, e devolve seu id, maior que todos os outros. `at` é agora.

        Sem `contact_id` o contato é sorteado (0 deixa o pedido sem contato); sem `lines` vêm duas linhas sorteadas.
        `changes` troca campos do detalhe pronto. `KeyError` se o contato ou o campo não existe.
        """
        contact = self._contact(contact_id)
        draft = Draft(
            emitted=placed,
            contact=contact,
            lines=clone(list(lines)) if lines is not None else self._random_lines(),
            situacao=NOT_ISSUED,
            forma_pagamento=self._rng.choice(list(self._company.payment_methods)),
            vendedor=contact["vendedor"]["id"] if contact else 0,
        )
        order_id = self._enter(self._register, self._registers.skus(), build_note(draft), Placing(placed), at)
        try:
            self.edit(order_id, at, **changes)
        except KeyError:
            self.delete(order_id)
            raise
        return order_id

    def edit(self, order_id: int, at: datetime, **changes: Any) -> None:
        """Troca campos do detalhe e carimba a mudança; `situacao` pode ser só o id. `KeyError` se algo não existe."""
        if "situacao" in changes:
            given = changes["situacao"]
            changes["situacao"] = status_of(given) if isinstance(given, int) else status_of(given["id"]) | given
        self._register.change(order_id, clone(changes), at)

    def cancel(self, order_id: int, at: datetime) -> None:
        self.edit(order_id, at, situacao=CANCELLED)

    def delete(self, order_id: int) -> None:
        """Some com o pedido: o detalhe passa a responder 404."""
        del self._register.entries[order_id]

    def newest_first(self) -> list[Entry]:
        """Do pedido mais novo ao mais antigo, pela data."""
        return sorted(self.entries.values(), key=lambda entry: (entry.detail["data"], entry.detail["id"]), reverse=True)

    def _honour(self, register: Register, skus: Mapping[str, int], note: Json, at: datetime) -> None:
        placing = place(Random(f"{self._seed} pedido {at}"), note, at)
        self._enter(register, skus, note, placing, at)

    def _enter(self, register: Register, skus: Mapping[str, int], note: Json, placing: Placing, at: datetime) -> int:
        self._last_id += 53
        self._last_number += 1
        placing.order_id, placing.numero = self._last_id, self._last_number
        order = build_order(note, placing, skus, self._registers.seller(note["vendedor"]["id"]))
        return register.add(order, at, record_id=placing.order_id)

    @property
    def _registers(self) -> Registers:
        company = self._company
        return Registers(company.contacts, company.products, company.sellers, list(company.payment_methods))

    def _contact(self, contact_id: int | None) -> Json | None:
        entries = self._company.contacts.entries
        if contact_id == 0 or not entries:
            return None
        if contact_id is not None:
            return entries[contact_id].detail
        return self._rng.choice([entry.detail for entry in entries.values() if not entry.deleted])

    def _random_lines(self) -> list[Json]:
        products = [entry.detail for entry in self._company.products.entries.values() if not entry.deleted]
        chosen = self._rng.sample(products, min(2, len(products)))
        return [make_line(self._rng, product, "5101") for product in chosen]
