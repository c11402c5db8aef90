"""O saldo de cada produto em cada depósito, como `GET /estoques/saldos` o mostra."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random

from bling_simulator.company.register import Entry, Register
from bling_simulator.payload import Json

MAIN = 14_886_000_011
MARKETPLACE, SHOP = MAIN + 7, MAIN + 14
"""Os depósitos de `/depositos` em que há saldo: o geral, o da expedição do marketplace, que o saldo do produto
desconsidera, e o da loja."""
_WITHOUT_RECORD = 0.04
"""A parte dos produtos de que não há registro de estoque."""


class Stockroom:
    """Os saldos saem do produto: do que ele diz ter, e de um sorteio que é sempre o mesmo."""

    def __init__(self, products: Register, seed: int) -> None:
        self._products = products
        self._seed = seed
        self._edited: dict[int, Json] = {}

    def balances(self) -> Iterator[Json]:
        """O saldo de cada produto não excluído que tem registro de estoque, com o `id` dele."""
        for product_id, entry in self._products.entries.items():
            if not entry.deleted and (found := self._balance(product_id, entry)) is not None:
                yield found

    def balance(self, product_id: int) -> Json | None:
        """O de um produto; None se dele não há registro."""
        return self._balance(product_id, self._products.entries[product_id])

    def edit(self, product_id: int, changes: Json) -> None:
        """Troca campos do saldo de um produto. `KeyError` se o produto ou o campo não existe."""
        found = self._balance(product_id, self._products.entries[product_id])
        if found is None or changes.keys() - found.keys():
            raise KeyError(f"O saldo de {product_id} não tem {sorted(changes)}")
        self._edited.setdefault(product_id, {}).update(changes)

    def _balance(self, product_id: int, entry: Entry) -> Json | None:
        rng = Random(f"{self._seed} estoque {product_id}")
        if rng.random() < _WITHOUT_RECORD:
            return None
        total = Decimal(entry.detail["estoque"]["saldoVirtualTotal"])
        reserved = Decimal(rng.choice((0, 0, 1, 2)))
        shop = Decimal(rng.choice((0, 1, "2.5"))) if total > 3 else Decimal(0)
        parts = [(MAIN, total - shop + reserved, total - shop), (SHOP, shop, shop)]
        if rng.random() < 0.2:
            parts.insert(1, (MARKETPLACE, Decimal(1), Decimal(1)))
        counted = [part for part in parts if part[0] != MARKETPLACE]
        balance: Json = {
            "id": product_id,
            "produto": {"id": product_id, "codigo": entry.detail["codigo"]},
            "saldoFisicoTotal": sum((physical for _, physical, _ in counted), Decimal(0)),
            "saldoVirtualTotal": sum((virtual for _, _, virtual in counted), Decimal(0)),
            "depositos": [
                {"id": place, "saldoFisico": physical, "saldoVirtual": virtual} for place, physical, virtual in parts
            ],
        }
        return balance | self._edited.get(product_id, {})
