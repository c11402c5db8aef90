"""Os rascunhos das notas e sua numeração."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from random import Random

from bling_simulator.company.calendar import emission_times
from bling_simulator.company.invoices.invoice import COMPANY_UF, Draft, build_note
from bling_simulator.company.invoices.lines import make_line
from bling_simulator.payload import CENT, Json

_FIRST_ID = 9_500_000_219
_FIRST_NUMBER = 219
SHOP = 204_561_377


def schedule(rng: Random, volumes: dict[int, tuple[int, int]], today: date) -> list[tuple[datetime, bool]]:
    """As emissões de todos os anos, em ordem, cada uma com «está viva» (não cancelada).

    Só é cancelada a primeira nota do ano se todas o forem.
    """
    rows: list[tuple[datetime, bool]] = []
    for year, (count, cancelled) in sorted(volumes.items()):
        places = range(1, count) if cancelled < count else range(count)
        gone = set(rng.sample(places, cancelled))
        times = emission_times(rng, year, count, today)
        rows += [(at, place not in gone) for place, at in enumerate(times)]
    return rows


def outgoing_draft(
    rng: Random, emitted: datetime, contact: Json | None, products: Sequence[Json], methods: Sequence[int]
) -> Draft:
    """Uma venda: linhas, frete, desconto, IPI, condição e forma de pagamento."""
    cfop = _cfop(rng, contact)
    lines = [make_line(rng, product, cfop) for product in products]
    total = sum((line["valorTotal"] for line in lines), Decimal(0))
    shop = rng.random() < 0.12
    return Draft(
        emitted=emitted,
        contact=contact,
        lines=lines,
        serie=2 if shop else 1,
        loja={"id": SHOP, "numero": f"{rng.randrange(10**6)}"} if shop else {"id": 0, "numero": ""},
        pedido_loja=f"PED-{rng.randrange(10**5):05d}" if shop else "",
        frete=Decimal(rng.randrange(1500, 45_000)) / 100 if rng.random() < 0.15 else Decimal(0),
        desconto=(total * Decimal("0.05")).quantize(CENT) if rng.random() < 0.1 else Decimal(0),
        ipi=(total * Decimal("0.0325")).quantize(CENT) if rng.random() < 0.1 else Decimal(0),
        terms=rng.choices(((28,), (0,), (), (28, 56), (28, 56, 84)), (58, 33, 5, 3, 1))[0],
        forma_pagamento=rng.choice(methods),
        vendedor=contact["vendedor"]["id"] if contact else 0,
    )


def incoming_draft(rng: Random, emitted: datetime, supplier: Json, products: Sequence[Json], number: int) -> Draft:
    """Uma compra: a nota é do fornecedor, com o número e o CNPJ dele."""
    return Draft(
        emitted=emitted,
        contact=supplier,
        lines=[make_line(rng, product, "1101") for product in products],
        tipo=0,
        situacao=rng.choice((6, 7)),
        numero=number,
        issuer_cnpj=supplier["numeroDocumento"],
        terms=(),
    )


def number_and_build(rng: Random, drafts: Sequence[Draft]) -> dict[int, Json]:
    """Numera as de saída por série, dá um id crescente a cada uma e as escreve, da mais antiga à mais nova."""
    numbers: Counter[int] = Counter({1: _FIRST_NUMBER - 1})
    note_id = _FIRST_ID
    notes = {}
    for draft in sorted(drafts, key=lambda draft: draft.emitted):
        if draft.tipo == 1:
            numbers[draft.serie] += 1
            draft.numero = numbers[draft.serie]
        draft.note_id = note_id
        notes[note_id] = build_note(draft)
        note_id += rng.randrange(1_000_000, 3_800_000)
    return notes


def _cfop(rng: Random, contact: Json | None) -> str:
    uf = contact["endereco"]["geral"]["uf"] if contact else COMPANY_UF
    kind = rng.choice(("101", "101", "102"))
    if uf == "EX":
        return "7" + kind
    return ("5" if uf == COMPANY_UF else "6") + kind
