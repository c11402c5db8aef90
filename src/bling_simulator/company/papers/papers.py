"""Todos os papéis da empresa, de uma semente só deles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from bling_simulator.company.people import CUSTOMER_TYPE, SUPPLIER_TYPE
from bling_simulator.company.register import Register
from bling_simulator.payload import Json

NO_DATE = "0000-00-00"


@dataclass(frozen=True)
class Desk:
    """O que está à mão de quem escreve os papéis."""

    rng: Random
    today: date
    notes: Sequence[Json]
    orders: Sequence[Json]
    contacts: Register
    products: Register
    sellers: Register
    methods: Sequence[int]

    def suppliers(self) -> list[Json]:
        return self._of(SUPPLIER_TYPE)

    def customers(self) -> list[Json]:
        return self._of(CUSTOMER_TYPE)

    def goods(self, most: int) -> list[Json]:
        """Alguns produtos vivos, até `most`."""
        living = [entry.detail for entry in self.products.entries.values() if not entry.deleted]
        return self.rng.sample(living, min(self.rng.randint(1, most), len(living)))

    def _of(self, kind: Json) -> list[Json]:
        entries = self.contacts.entries.values()
        return [entry.detail for entry in entries if not entry.deleted and kind in entry.detail["tiposContato"]]
