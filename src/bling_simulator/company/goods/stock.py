"""O cadastro de produtos: os vendidos, os nunca vendidos, e gêmeos excluídos com o mesmo código."""

from collections.abc import Container, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from bling_simulator.company.goods.catalogue import make_products
from bling_simulator.company.register import Register
from bling_simulator.payload import Json, clone

_FIRST_ID = 16_100_000_007
_KITS = 3


def make_stock(rng: Random, debuts: Sequence[datetime], categories: list[int]) -> tuple[Register, list[Json]]:
    """O cadastro e os produtos na ordem de `debuts` (sua primeira venda).

    Uns poucos dos vendidos estão excluídos; outros têm um gêmeo excluído, mais velho ou mais novo.
    """
    sold = len(debuts)
    never_sold = max(3, sold // 4)
    products = make_products(rng, sold + never_sold, categories)
    opening = min(debuts, default=datetime(2021, 1, 1))  # noqa: DTZ001 - hora de Brasília, como no Bling
    dates = [at - timedelta(hours=2) for at in debuts]
    dates += [rng.choice(debuts or [opening]) for _ in range(never_sold)]
    enrolled = [(at, product, False) for at, product in zip(dates, products, strict=True)]

    spots = rng.sample(range(sold), min(sold, max(3, sold // 60)))
    for turn, position in enumerate(spots):
        at, product, _ = enrolled[position]
        if turn % 3 == 0:
            enrolled[position] = (at, product, True)
        else:
            shift = timedelta(days=40 if turn % 3 == 1 else -40)
            enrolled.append((at + shift, clone(product), True))
    enrolled.sort(key=lambda row: row[0])

    register = Register()
    product_id = _FIRST_ID
    for at, product, deleted in enrolled:
        register.add(product, at, record_id=product_id, deleted=deleted)
        product_id += rng.randrange(1_000, 700_000)
    _compose(
        products[:sold], products[sold:], {entry.detail["id"] for entry in register.entries.values() if entry.deleted}
    )
    return register, products[:sold]


def _compose(sold: Sequence[Json], never_sold: Sequence[Json], deleted: Container[int]) -> None:
    """Uns dos últimos produtos vendidos são feitos de outros; um componente nunca se vendeu sozinho."""
    alive = [product for product in sold if product["id"] not in deleted][::-1]
    for kit, component in zip(alive[:_KITS], alive[_KITS:], strict=False):
        kit["formato"] = "E"
        kit["estrutura"] = {
            "tipoEstoque": "V",
            "lancamentoEstoque": "M",
            "componentes": [
                {"produto": {"id": component["id"]}, "quantidade": Decimal(2)},
                {"produto": {"id": never_sold[0]["id"]}, "quantidade": Decimal("0.5")},
            ],
        }
