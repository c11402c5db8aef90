"""Os casos feios: o que notas de verdade têm e exemplos de documentação não."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from random import Random

from bling_simulator.company.invoices.invoice import Draft
from bling_simulator.company.invoices.lines import repeated
from bling_simulator.payload import Json

UNKNOWN_SKU = "SKU-DE-OUTRO-SISTEMA"
ZERO_DATE = "0000-00-00"


def spoil_lines(rng: Random, drafts: Sequence[Draft], repeats: Sequence[tuple[int, int]]) -> None:
    """Apaga ou troca o código de algumas linhas que não apresentam mercadoria nova."""
    each = max(1, round(len(repeats) * 0.008))
    spots = rng.sample(repeats, min(2 * each, len(repeats)))
    for turn, (place, offset) in enumerate(spots):
        codigo = "" if turn % 2 == 0 else UNKNOWN_SKU
        lines = drafts[place].lines
        if all(line["codigo"] != codigo for line in lines):
            lines[offset]["codigo"] = codigo


def repeat_lines(rng: Random, live: Sequence[Draft]) -> None:
    """Em cerca de 4 % das notas, a mesma mercadoria em duas ou três linhas, com outro preço."""
    for draft in rng.sample(live, max(1, round(len(live) * 0.04))):
        line = rng.choice(draft.lines)
        draft.lines.extend(repeated(rng, line) for _ in range(rng.choice((1, 1, 2))))


def assign_situations(rng: Random, live: Sequence[Draft]) -> None:
    """Algumas notas fora da situação 6: autorizadas sem DANFE, rejeitadas, denegadas e pendentes."""
    if len(live) < 12:
        return
    older, recent = live[:-6], live[-6:]
    for situacao, share in ((5, 0.006), (4, 0.0012), (9, 0.0008)):
        settled = [draft for draft in older if draft.situacao == 6]
        for draft in rng.sample(settled, max(1, round(len(live) * share))):
            draft.situacao = situacao
    recent[1].situacao = 5
    recent[3].situacao = 1


def apply_oddities(rng: Random, live: Sequence[Draft], first_purchases: frozenset[int]) -> None:
    """Datas zeradas, notas sem contato, de valor zero, sem parcela e sem forma de pagamento.

    `first_purchases`: posições em `live` das notas que apresentam um contato, que ficam com ele.
    """
    order = iter(rng.sample(range(len(live)), len(live)))
    share = max(1, len(live) // 400)
    for _ in range(share):
        for draft in _next(live, order):
            draft.oddities["dataOperacao"] = f"{ZERO_DATE} 00:00:00"
        for draft in _next(live, order):
            _give_away(draft)
        for draft in _next(live, order):
            draft.terms = ()
        for draft in _next(live, order):
            draft.terms, draft.forma_pagamento = (28,), 0
        for draft in _next(live, order):
            draft.terms = (28, 56, 84)
        for place in order:
            if place not in first_purchases:
                live[place].contact = None
                break


def _next(live: Sequence[Draft], order: Iterator[int]) -> list[Draft]:
    return [live[place] for place in (next(order, None),) if place is not None]


def _give_away(draft: Draft) -> None:
    """Nota de valor zero: o desconto come tudo."""
    total: Decimal = sum((line["valorTotal"] for line in draft.lines), Decimal(0))
    draft.desconto, draft.frete, draft.ipi = total, Decimal(0), Decimal(0)


def zero_parcel_date(notes: Sequence[Json]) -> None:
    """A data da única parcela de umas poucas notas fica zerada."""
    single = [note for note in notes if len(note["parcelas"]) == 1]
    for note in single[7::900]:
        note["parcelas"][0]["data"] = ZERO_DATE
