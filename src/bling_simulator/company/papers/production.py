"""As ordens de produção: do que se vendeu, e do que se faz para ter."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from bling_simulator.company.goods.stockroom import MAIN, SHOP
from bling_simulator.company.papers.papers import NO_DATE, Desk
from bling_simulator.company.register import Register
from bling_simulator.company.sales.statuses import PRODUCTION
from bling_simulator.payload import Json

NOT_STARTED, UNDER_WAY, PAUSED, FINISHED, PARTLY_FINISHED, CANCELLED = PRODUCTION
CLOSED = frozenset({FINISHED, CANCELLED})
_FIRST_ID, _FIRST_NUMBER = 6_100_000_043, 1
_LOOSE = (PAUSED, CANCELLED, FINISHED, PARTLY_FINISHED, UNDER_WAY, NOT_STARTED, NOT_STARTED)
"""As situações das que não são de um pedido, da mais velha à mais nova."""
_EVERY = 19
_MADE_TO_ORDER = 6
"""Um em cada tantos pedidos se fabrica por encomenda."""


def production_status(status: int) -> Json:
    return {"id": status, "valor": list(PRODUCTION).index(status), "nome": PRODUCTION[status]}


def make_production(desk: Desk) -> Register:
    """Da mais antiga à mais nova."""
    register = Register()
    for position, (moment, order) in enumerate(sorted([*_loose(desk), *_to_order(desk)], key=lambda row: row[0])):
        order["numero"] = _FIRST_NUMBER + position
        register.add(order, datetime.combine(moment, datetime.min.time()), record_id=_FIRST_ID + 29 * position)
    return register


def _to_order(desk: Desk) -> Iterator[tuple[date, Json]]:
    for order in desk.orders[::-_MADE_TO_ORDER]:
        if not order["contato"]["id"]:
            continue
        sale = {"numero": order["numero"], "contato": {"id": order["contato"]["id"], "nome": order["contato"]["nome"]}}
        lines = [
            (line["produto"]["id"], line["descricao"], line["codigo"], line["quantidade"]) for line in order["itens"]
        ]
        moment = date.fromisoformat(order["data"])
        yield moment, _order(desk, moment, lines, FINISHED) | {"vendas": [sale]}


def _loose(desk: Desk) -> Iterator[tuple[date, Json]]:
    for position, status in enumerate(_LOOSE if desk.products.entries else ()):
        moment = desk.today - timedelta(days=_EVERY * (len(_LOOSE) - position))
        goods = desk.goods(2)
        lines = [(product["id"], product["nome"], product["codigo"], desk.rng.randrange(5, 80)) for product in goods]
        yield moment, _order(desk, moment, lines, status)


def _order(desk: Desk, moment: date, lines: Sequence[tuple[int, str, str, Decimal | int]], status: int) -> Json:
    started = moment + timedelta(days=2) if status not in {NOT_STARTED, CANCELLED} else None
    ended = moment + timedelta(days=9) if status == FINISHED else None
    return {
        "id": 0,
        "dataPrevisaoInicio": moment.isoformat(),
        "dataPrevisaoFinal": (moment + timedelta(days=10)).isoformat(),
        "dataInicio": started.isoformat() if started else NO_DATE,
        "dataFim": ended.isoformat() if ended else NO_DATE,
        "numero": 0,
        "responsavel": desk.rng.choice(("Oficina", "Turno da tarde", "")),
        "deposito": {"idDestino": MAIN, "idOrigem": SHOP},
        "situacao": production_status(status),
        "vendas": [],
        "itens": [
            {"produto": {"id": product, "nome": nome, "codigo": codigo}, "quantidade": Decimal(quantity)}
            for product, nome, codigo, quantity in lines
        ],
        "observacoes": "",
    }
