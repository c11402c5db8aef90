"""As propostas comerciais: as que deram em pedido, e as que ainda se negociam ou se perderam."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from bling_simulator.company.invoices.lines import make_line
from bling_simulator.company.papers.papers import NO_DATE, Desk
from bling_simulator.company.register import Register
from bling_simulator.payload import Json, cents

CUSTOM = "463301"
"""Uma situação que a empresa criou: a linha a diz em número."""
WAITING = "Aguardando"
_FIRST_ID, _FIRST_NUMBER = 3_300_000_029, 11
_LOOSE = ("Rascunho", "Pendente", WAITING, "Não aprovado", "Aprovado", CUSTOM, WAITING, "Não aprovado")
"""As situações das que não deram em pedido, da mais velha à mais nova."""
_EVERY = 17
_WON = 4
"""Um em cada tantos pedidos saiu de uma proposta."""


def make_quotes(desk: Desk) -> Register:
    """Da mais antiga à mais nova."""
    rows = sorted([*_won(desk), *_loose(desk)], key=lambda row: row["data"])
    register = Register()
    for position, quote in enumerate(rows):
        quote["numero"] = _FIRST_NUMBER + position
        moment = datetime.fromisoformat(quote["data"])
        register.add(quote, moment, record_id=_FIRST_ID + 37 * position)
    return register


def _won(desk: Desk) -> Iterator[Json]:
    for order in desk.orders[::_WON]:
        if order["contato"]["id"]:
            items = [_item(line["produto"]["id"], line, line["valor"]) for line in order["itens"]]
            made = date.fromisoformat(order["data"]) - timedelta(days=desk.rng.randrange(1, 12))
            quote = _quote(desk, made, order["contato"]["id"], items, "Concluído")
            yield quote | {"vendedor": dict(order["vendedor"]), "loja": dict(order["loja"])}


def _loose(desk: Desk) -> Iterator[Json]:
    customers = desk.customers()
    for position, status in enumerate(_LOOSE if customers else ()):
        made = desk.today - timedelta(days=_EVERY * (len(_LOOSE) - position))
        goods = desk.goods(3)
        lines = [make_line(desk.rng, product, "5101") for product in goods]
        items = [_item(product["id"], line, line["valor"]) for product, line in zip(goods, lines, strict=True)]
        yield _quote(desk, made, desk.rng.choice(customers)["id"], items, status)


def _quote(desk: Desk, made: date, contact: int, items: list[Json], status: str) -> Json:
    rng = desk.rng
    total = cents(sum((item["quantidade"] * item["valor"] for item in items), Decimal(0)))
    due = (made + timedelta(days=30)).isoformat()
    return {
        "id": 0,
        "data": made.isoformat(),
        "situacao": status,
        "total": total,
        "totalProdutos": total,
        "numero": 0,
        "contato": {"id": contact},
        "loja": {"id": 0, "unidadeNegocio": {"id": 0}},
        "desconto": Decimal(0),
        "outrasDespesas": Decimal(0),
        "garantia": rng.choice((0, 3, 12)),
        "dataProximoContato": due if status == WAITING else NO_DATE,
        "observacoes": "",
        "observacaoInterna": "Ligar antes das 10h." if rng.random() < 0.3 else "",
        "totalOutrosItens": 0,
        "aosCuidadosDe": "Setor de compras" if rng.random() < 0.3 else "",
        "introducao": "",
        "prazoEntrega": "15 dias",
        "itens": items,
        "parcelas": [
            {
                "numeroDias": 30,
                "dataVencimento": due,
                "valor": total,
                "observacoes": "",
                "formaPagamento": {"id": rng.choice(list(desk.methods))},
            }
        ],
        "vendedor": {"id": rng.choice((0, *desk.sellers.entries))},
        "transporte": {
            "freteModalidade": 9,
            "frete": Decimal(0),
            "quantidadeVolumes": 0,
            "prazoEntrega": 0,
            "pesoBruto": Decimal(0),
            "contato": {"id": 0, "nome": ""},
        },
    }


def _item(product: int, line: Json, valor: Decimal) -> Json:
    return {
        "produto": {"id": product, "descricao": line["descricao"]},
        "codigo": line["codigo"],
        "unidade": line["unidade"],
        "quantidade": Decimal(line["quantidade"]),
        "desconto": Decimal(0),
        "valor": valor,
        "descricaoDetalhada": "",
    }
