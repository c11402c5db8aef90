"""De quem se compra cada produto e por quanto, e por quanto se vende em cada canal."""

from decimal import Decimal
from random import Random

from bling_simulator.company.invoices.notes import SHOP
from bling_simulator.company.people import SUPPLIER_TYPE
from bling_simulator.company.register import Register
from bling_simulator.payload import Json, cents

_FIRST_SUPPLY, _FIRST_LINK = 16_600_000_003, 1_830_000_009
_SECOND_SUPPLIER, _LINKED = 0.25, 0.4


def make_goods(rng: Random, contacts: Register, products: Register) -> dict[str, Register]:
    """Os dois cadastros, dos produtos que não foram excluídos. Um produto tem um fornecedor padrão e às vezes outro, e
    custa o que o detalhe dele diz."""
    suppliers = [
        entry.detail["id"] for entry in contacts.entries.values() if SUPPLIER_TYPE in entry.detail["tiposContato"]
    ]
    supplies, links = Register(), Register()
    for product in [entry for entry in products.entries.values() if not entry.deleted]:
        cost = product.detail["fornecedor"]["precoCusto"]
        chosen = rng.sample(suppliers, min(2 if rng.random() < _SECOND_SUPPLIER else 1, len(suppliers)))
        for position, supplier in enumerate(chosen):
            supply_id = _FIRST_SUPPLY + 13 * len(supplies.entries)
            its_cost = cost if position == 0 else cents(cost * Decimal("1.08"))
            supply = _supply(rng, product.detail, supplier, its_cost) | {"padrao": position == 0}
            supplies.add(supply, product.included, record_id=supply_id)
        if rng.random() < _LINKED:
            link_id = _FIRST_LINK + 17 * len(links.entries)
            links.add(_link(rng, product.detail), product.included, record_id=link_id)
    return {"/produtos/fornecedores": supplies, "/produtos/lojas": links}


def _supply(rng: Random, product: Json, supplier: int, cost: Decimal) -> Json:
    return {
        "id": 0,
        "descricao": product["nome"],
        "codigo": f"F-{rng.randrange(10_000):04d}",
        "precoCusto": cost,
        "precoCompra": cents(cost * Decimal("0.92")),
        "padrao": False,
        "produto": {"id": product["id"]},
        "fornecedor": {"id": supplier},
        "garantia": rng.choice((0, 3, 12)),
    }


def _link(rng: Random, product: Json) -> Json:
    price = cents(product["preco"] * Decimal("1.12"))
    return {
        "id": 0,
        "codigo": f"MLB{rng.randrange(10**9, 10**10)}",
        "preco": price,
        "precoPromocional": cents(price * Decimal("0.95")) if rng.random() < 0.2 else Decimal(0),
        "produto": {"id": product["id"]},
        "loja": {"id": SHOP},
        "fornecedorLoja": {"id": 0},
        "marcaLoja": {"id": 0},
        "categoriasProdutos": [{"id": product["categoria"]["id"]}] if product["categoria"]["id"] else [],
    }
