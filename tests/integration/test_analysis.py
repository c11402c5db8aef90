"""As perguntas da página de análise, feitas por um leitor, contra a conta feita por fora, do JSON do simulador."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.support.ordering import RECURSOS, by, order_oddly, sums
from tests.support.selling import sold, sold_lines

from bling_collector.db.connection.database import address, shown
from bling_collector.db.readers import make, remove
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

START = date(2024, 1, 1)
READER = "quem pergunta"
PAGE = Path(__file__).parents[2] / "docs" / "analise.md"
QUESTIONS = re.findall(r"^### \d+\. ([^\n]+)\n\n```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
Rows = list[tuple[Any, ...]]
pytestmark = [pytest.mark.bling(scale=0.03), pytest.mark.collector(recursos=(*RECURSOS, "categorias_produto"))]


@pytest.fixture
async def reader(account: Account) -> AsyncIterator[psycopg.AsyncConnection]:
    async with account.engine.begin() as connection:
        await connection.run_sync(make, READER, everything=False)
    url = shown(address(account.engine).set(username=READER), password=True)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connected:
        yield connected
    async with account.engine.begin() as connection:
        await connection.run_sync(remove, READER)


class Truth:
    """O que o Bling tem, desde START."""

    def __init__(self, bling: Bling) -> None:
        self.bling = bling
        notes = [note for note in bling.notes.values() if note["tipo"] == 1 and note["dataEmissao"] >= "2024"]
        self.sales = [note for note in notes if note["situacao"] in (5, 6, 7) and sold(note) is not None]
        self.cancelled = [note for note in notes if note["situacao"] == 2 and sold(note) is not None]
        self.months = sorted({month(note) for note in notes if note["situacao"] in (2, 5, 6, 7)}, reverse=True)
        self.last = max(moment(note) for note in self.sales)
        self.orders = [order for order in bling.orders.values() if order["data"] >= START.isoformat()]

    def sold_in(self, when: date) -> list[Any]:
        return [note for note in self.sales if month(note) == when]


def moment(note: Any) -> datetime:
    return datetime.fromisoformat(note["dataEmissao"])


def month(note: Any) -> date:
    return moment(note).date().replace(day=1)


def total(notes: Iterable[Any]) -> Decimal:
    return sum((sold(note) or Decimal(0) for note in notes), Decimal(0))


def rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    return rounded(Decimal(100) * part / whole, 1) if whole else None


def by_client(notes: Iterable[Any]) -> dict[int | None, list[Any]]:
    return by(notes, lambda note: note["contato"]["id"] or None)


def each_month(truth: Truth) -> Rows:
    found: Rows = []
    for when in truth.months:
        before = when.replace(year=when.year - 1)
        then = total(truth.sold_in(before)) if before in truth.months else None
        now = total(truth.sold_in(when))
        change = rounded(Decimal(100) * (now / then - 1), 1) if then else None
        found.append((when, len(truth.sold_in(when)), now, then, change))
    return found


def average_sale(truth: Truth) -> Rows:
    months = [(when, truth.sold_in(when)) for when in truth.months]
    return [(when, rounded(total(notes) / len(notes), 2) if notes else None) for when, notes in months]


def best_clients(truth: Truth) -> Rows:
    since = truth.last.replace(year=truth.last.year - 1)
    recent = by_client(note for note in truth.sales if moment(note) > since)
    ranked = sorted(recent.items(), key=lambda each: (-total(each[1]), each[0] or 2**63))
    return [(id_, max(n["contato"]["nome"] for n in notes), len(notes), total(notes)) for id_, notes in ranked[:10]]


def gone_clients(truth: Truth) -> Rows:
    gone = [
        (id_, max(map(moment, notes)), total(notes))
        for id_, notes in by_client(truth.sales).items()
        if id_ is not None and max(map(moment, notes)) < truth.last - timedelta(days=90)
    ]
    return [(id_, when.date(), value) for id_, when, value in sorted(gone, key=lambda each: (-each[2], each[0]))[:20]]


def by_sku(truth: Truth) -> dict[str | None, tuple[Decimal, Decimal]]:
    """SKU → quantidade e valor vendidos."""
    found: defaultdict[str | None, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for note in truth.sales:
        for line in sold_lines(note):
            entry = found[line["codigo"] or None]
            entry[0] += Decimal(str(line["quantidade"]))
            entry[1] += Decimal(str(line["valorTotal"]))
    return {sku: (quantity, value) for sku, (quantity, value) in found.items()}


def abc(truth: Truth) -> Rows:
    values = sorted((value for sku, (_, value) in by_sku(truth).items() if value > 0), reverse=True)
    whole, running = sum(values, Decimal(0)), Decimal(0)
    classes: defaultdict[str, list[Decimal]] = defaultdict(list)
    for value in values:
        share = running / whole
        classes["A" if share < Decimal("0.8") else "B" if share < Decimal("0.95") else "C"].append(value)
        running += value
    return [(name, len(each), sum(each), percent(sum(each), whole)) for name, each in sorted(classes.items())]


def categories(truth: Truth) -> Rows:
    company = truth.bling.company
    found: defaultdict[str | None, list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for sku, (quantity, value) in by_sku(truth).items():
        same = [entry for entry in company.products.entries.values() if sku and entry.detail["codigo"] == sku]
        best = max(same, key=lambda e: (not e.deleted, e.detail["situacao"] == "A", e.detail["id"]), default=None)
        category = company.categories.get(best.detail["categoria"]["id"]) if best else None
        found[category["descricao"] if category else None].append((quantity, value))
    return [
        (name, len(each), sum(quantity for quantity, _ in each), sum(value for _, value in each))
        for name, each in sorted(found.items(), key=lambda pair: -sum(value for _, value in pair[1]))
    ]


def states(truth: Truth) -> Rows:
    in_2025 = [note for note in truth.sales if note["dataEmissao"].startswith("2025")]
    found = by(in_2025, lambda note: note["contato"]["endereco"]["uf"] or None)
    return sorted(((uf, len(notes), total(notes)) for uf, notes in found.items()), key=lambda row: -row[2])


def cancellations(truth: Truth) -> Rows:
    found: Rows = []
    for when in truth.months:
        kept, lost = truth.sold_in(when), [note for note in truth.cancelled if month(note) == when]
        found.append((when, len(kept), len(lost), total(lost), percent(len(lost), len(kept) + len(lost))))
    return found


def channels(truth: Truth) -> Rows:
    found: Rows = []
    for loja, orders in by(truth.orders, lambda order: order["loja"]["id"] or None).items():
        count, value, _, _ = sums(truth.bling, orders)
        found.append((loja, count, value, rounded(value / count, 2) if count else None))
    return sorted(found, key=lambda row: (-row[2], row[0] or 2**63))


def debtors(truth: Truth) -> Rows:
    overdue = [
        each
        for each in truth.bling.receivables.values()
        if each["situacao"] in (1, 3) and each["saldo"] > 0
        if date.fromisoformat(each["vencimento"]) < datetime.now(UTC).date()
    ]
    found = [
        (id_, len(each), sum(c["saldo"] for c in each), date.fromisoformat(min(c["vencimento"] for c in each)))
        for id_, each in by(overdue, lambda each: each["contato"]["id"] or None).items()
    ]
    return sorted(found, key=lambda row: (-row[2], row[0] or 2**63))[:20]


ANSWERS: tuple[tuple[Callable[[Truth], Rows], tuple[int, ...]], ...] = (
    (each_month, ()),
    (average_sale, ()),
    (best_clients, ()),
    (gone_clients, (1,)),
    (abc, ()),
    (categories, ()),
    (states, ()),
    (cancellations, ()),
    (channels, (1,)),
    (debtors, (1,)),
)
"""Cada conta, e as colunas da resposta que são só o nome do que outra diz."""


def test_there_are_ten_questions() -> None:
    assert len(QUESTIONS) == len(ANSWERS) == 10


@pytest.mark.loaded(START, before=order_oddly)
async def test_the_answer_to_each_question_is_the_true_one(
    reader: psycopg.AsyncConnection, bling: Bling, changed: None
) -> None:
    truth = Truth(bling)
    for (question, query), (answer, names) in zip(QUESTIONS, ANSWERS, strict=True):
        found = await (await reader.execute(query.encode())).fetchall()
        told = [tuple(value for place, value in enumerate(row) if place not in names) for row in found]
        assert told == answer(truth), question
        assert len(told) > 1, question
