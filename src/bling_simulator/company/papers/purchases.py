"""Os pedidos de compra: os que deram nas notas dos fornecedores, e os que ainda não deram."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from bling_simulator.company.invoices.lines import make_line
from bling_simulator.company.papers.papers import NO_DATE, Desk
from bling_simulator.company.register import Register
from bling_simulator.payload import Json, cents

OPEN, DONE, CANCELLED, UNDER_WAY = range(4)
_FIRST_ID, _FIRST_STATUS = 8_400_000_017, 31
_LOOSE = (OPEN, UNDER_WAY, CANCELLED, OPEN, UNDER_WAY, CANCELLED)
"""As situações dos que não deram em nota inteira, do mais velho ao mais novo."""
_EVERY = 23
"""Dias entre um e outro."""


def make_purchases(desk: Desk) -> Register:
    """Do mais antigo ao mais novo. Uma empresa sem fornecedores não compra."""
    rows = sorted([*_arrived(desk), *_loose(desk)], key=lambda row: row["data"])
    register = Register()
    for position, order in enumerate(rows):
        order["numero"] = 1 + position
        moment = datetime.fromisoformat(order["data"])
        register.add(order, moment, record_id=_FIRST_ID + 41 * position)
    return register


def _arrived(desk: Desk) -> Iterator[Json]:
    """Os das notas de entrada: cada item diz a sua."""
    for note in desk.notes:
        if note["tipo"] != 0 or not note["contato"]["id"]:
            continue
        placed = datetime.fromisoformat(note["dataEmissao"]).date() - timedelta(days=desk.rng.randrange(3, 15))
        order = _order(desk, placed, note["contato"]["id"], note["itens"], DONE)
        for item in order["itens"]:
            item["notaFiscal"] = {"id": note["id"], "quantidade": item["quantidade"]}
        yield order


def _loose(desk: Desk) -> Iterator[Json]:
    suppliers = desk.suppliers()
    notes = [note for note in desk.notes if note["tipo"] == 0]
    for position, status in enumerate(_LOOSE if suppliers else ()):
        placed = desk.today - timedelta(days=_EVERY * (len(_LOOSE) - position))
        lines = [make_line(desk.rng, product, "1101") for product in desk.goods(3)]
        order = _order(desk, placed, desk.rng.choice(suppliers)["id"], lines, status)
        if status == UNDER_WAY and notes and order["itens"]:
            first = order["itens"][0]
            first["notaFiscal"] = {"id": notes[-1]["id"], "quantidade": first["quantidade"] / 2}
        yield order


def _order(desk: Desk, placed: date, supplier: int, lines: list[Json], status: int) -> Json:
    rng, products = desk.rng, {entry.detail["codigo"]: entry.detail["id"] for entry in desk.products.entries.values()}
    total = sum((line["valorTotal"] for line in lines), Decimal(0))
    freight = cents(Decimal(rng.randrange(0, 9000)) / 100)
    expected = (placed + timedelta(days=rng.randrange(5, 30))).isoformat() if rng.random() < 0.8 else NO_DATE
    return {
        "id": 0,
        "numero": 0,
        "data": placed.isoformat(),
        "dataPrevista": expected,
        "totalProdutos": total,
        "total": total + freight,
        "fornecedor": {"id": supplier},
        "situacao": {"id": _FIRST_STATUS + status, "valor": status},
        "ordemCompra": f"OC-{rng.randrange(10**4):04d}" if rng.random() < 0.3 else "",
        "observacoes": "Entregar na doca 2." if rng.random() < 0.2 else "",
        "observacoesInternas": "",
        "desconto": {"valor": Decimal(0), "unidade": "REAL"},
        "categoria": {"id": 0},
        "tributacao": {"totalICMS": cents(total * Decimal("0.12")), "totalIPI": Decimal(0)},
        "transporte": {
            "frete": freight,
            "transportador": "Zé Transportes" if freight else "",
            "fretePorConta": 0 if freight else 9,
            "pesoBruto": Decimal(rng.randrange(100, 9000)) / 100,
            "volumes": rng.randrange(1, 5),
        },
        "itens": [_item(rng.randrange(10**4), line, products) for line in lines],
        "parcelas": [
            {
                "valor": total + freight,
                "dataVencimento": (placed + timedelta(days=28)).isoformat(),
                "observacao": "",
                "formaPagamento": {"id": rng.choice(list(desk.methods))},
            }
        ],
    }


def _item(code: int, line: Json, products: dict[str, int]) -> Json:
    return {
        "descricao": line["descricao"],
        "codigoFornecedor": f"F-{code:04d}",
        "unidade": line["unidade"],
        "valor": line["valor"],
        "quantidade": Decimal(line["quantidade"]),
        "aliquotaIPI": Decimal(0),
        "descricaoDetalhada": "",
        "notaFiscal": {"id": 0, "quantidade": Decimal(0)},
        "produto": {"id": products.get(line["codigo"], 0), "codigo": line["codigo"]},
    }
