"""Os lotes: de uns poucos produtos, onde estão, quanto há de cada um e o que o pôs lá."""

from datetime import timedelta
from decimal import Decimal

from bling_simulator.company.goods.stockroom import MAIN, SHOP
from bling_simulator.company.register import Register
from bling_simulator.payload import Json

LOTS, CONTROL = "/produtos/lotes", "/produtos/lotes/controla-lote"
BALANCES = "/produtos/{produto_id}/lotes/depositos/{deposito_id}/saldo"
LAUNCHES = "/produtos/lotes/{lote_id}/lancamentos"
ACTIVE, INACTIVE = 1, 2
_FIRST, _FIRST_LAUNCH = 3_300_000_007, 3_400_000_009


def make_lots(links: Register, products: Register) -> dict[str, Register]:
    """Os quatro cadastros, dos produtos dos canais de venda: um de cada dois controla lotes, e um deles já não vale."""
    control, lots, balances, launches = Register(), Register(), Register(), Register()
    for position, link in enumerate(links.entries.values()):
        product_id, included = link.detail["produto"]["id"], link.included
        has_lots = position % 2 == 0
        control.add({"id": 0, "idProduto": product_id, "controlaLote": has_lots}, included, record_id=product_id)
        for number, place in enumerate((MAIN, MAIN, SHOP) if has_lots else ()):
            lot_id = _FIRST + 3 * len(lots.entries)
            made = products.entries[product_id].included.date()
            lot = {
                "id": 0,
                "idLote": lot_id,
                "codigoLote": f"L{lot_id % 10_000}",
                "dataFabricacao": made.isoformat(),
                "dataValidade": (made + timedelta(days=365 + number)).isoformat(),
                "diasPermitidoVenda": 30,
                "codigoAgregacao": "",
                "produto": {"id": product_id},
                "deposito": {"id": place},
                "status": INACTIVE if number == 1 else ACTIVE,
            }
            lots.add(lot, included, record_id=lot_id)
            where = {"idLote": lot_id, "produto": {"id": product_id}, "deposito": {"id": place}}
            balances.add({"id": 0, **where, "saldoAtual": Decimal("7.5")}, included, record_id=lot_id)
            for kind, quantity in ((1, 10), (2, 2)):
                launch = _launch(lot_id, kind, quantity, f"{made} 08:30:00")
                launches.add(launch, included, record_id=_FIRST_LAUNCH + 7 * len(launches.entries))
    return {CONTROL: control, LOTS: lots, BALANCES: balances, LAUNCHES: launches}


def _launch(lot_id: int, kind: int, quantity: int, when: str) -> Json:
    return {
        "id": 0,
        "idLote": lot_id,
        "quantidade": quantity,
        "tipoLancamento": kind,
        "data": when,
        "idOrigem": 0,
        "observacao": "Compra" if kind == 1 else "Venda",
    }
