"""As contas da empresa como foram geradas: o que as suas notas e os seus pedidos deram a receber, e o que ela deve."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from bling_simulator.company.finance.accounts import (
    CANCELLED,
    CONFIRMED,
    NO_DATE,
    OPEN,
    PAID,
    PARTIAL,
    PARTLY_RETURNED,
    RETURNED,
    Parcel,
    build_payable,
    build_receivable,
    origin_of_note,
    origin_of_order,
)
from bling_simulator.company.finance.settling import Kind, entry_of, fee, settle
from bling_simulator.company.register import Register
from bling_simulator.payload import CENT, Json

FIRST_RECEIVABLE, FIRST_PAYABLE, FIRST_BORDERO, FIRST_ENTRY = 18_000_000_003, 17_000_000_003, 900_000_001, 700_000_001
_AUTHORISED = frozenset({5, 6, 7})
_FULFILLED = 9
_PAYABLES_PER_NOTE = 0.55
_ALWAYS = (OPEN, PAID, PARTIAL, CONFIRMED, PARTLY_RETURNED, CANCELLED, RETURNED)
"""As situações das últimas contas de cada espécie, para que não falte nenhuma."""
_PAST = ((PAID, PARTIAL, OPEN, CANCELLED, RETURNED), (88, 4, 5, 2, 1))
_FUTURE = ((OPEN, PAID, PARTIAL), (92, 5, 3))
_TOGETHER = 0.3
"""A parte das contas pagas que divide o borderô com a anterior."""
_TWICE = 0.1
"""A parte das pagas que o foi em duas vezes."""
_KINDS: tuple[Kind, Kind] = ("receber", "pagar")
_DELETED_ENTRIES = 5
"""Uma em cada tantas tarifas foi lançada por engano, e excluída."""


@dataclass(frozen=True)
class Sources:
    """De que saem as contas."""

    notes: Sequence[Json]
    orders: Sequence[Json]
    contacts: Register
    payment_methods: Mapping[int, Json]
    today: date

    def contact(self, contact_id: int) -> Json | None:
        entry = self.contacts.entries.get(contact_id)
        return entry.detail if entry else None


@dataclass
class Books:
    """id → cada conta, borderô e lançamento, na ordem em que se fizeram."""

    receivables: dict[int, Json] = field(default_factory=dict)
    payables: dict[int, Json] = field(default_factory=dict)
    borderos: dict[int, Json] = field(default_factory=dict)
    entries: dict[int, Json] = field(default_factory=dict)
    until: date = date.min
    """Até que dia elas estão escritas."""
    _last_bordero: int = 0
    """Também de um estornado: nenhum número se dá duas vezes."""

    def of(self, kind: Kind) -> dict[int, Json]:
        return self.receivables if kind == "receber" else self.payables

    def enter(self, kind: Kind, account: Json) -> int:
        """Dá à conta o número seguinte, e o devolve."""
        book, first = self.of(kind), FIRST_RECEIVABLE if kind == "receber" else FIRST_PAYABLE
        account["id"] = next(reversed(book), first - 53) + 53
        book[account["id"]] = account
        return int(account["id"])

    def pay(self, kind: Kind, accounts: Sequence[tuple[Json, Decimal]], on: date, contact: Json | None) -> int:
        """Quita esta parte do saldo de cada conta num borderô só, com o seu lançamento; devolve o id dele."""
        self._last_bordero = max(self._last_bordero, next(reversed(self.borderos), FIRST_BORDERO - 13)) + 13
        bordero_id = self._last_bordero
        self.borderos[bordero_id] = settle(accounts, on, bordero_id=bordero_id)
        self.note(entry_of(self.borderos[bordero_id], kind, contact, entry_id=self.next_entry()))
        return bordero_id

    def next_entry(self) -> int:
        return next(reversed(self.entries), FIRST_ENTRY - 11) + 11

    def note(self, entry: Json) -> int:
        self.entries[entry["id"]] = entry
        return int(entry["id"])


def make_books(rng: Random, sources: Sources) -> Books:
    """Tudo o que a empresa tem a receber e a pagar, do mais antigo ao mais novo; uma parte já quitada, com os seus
    borderôs e lançamentos, e todo mês uma tarifa do banco."""
    books = Books(until=sources.today)
    for parcel in sorted(_sold(sources), key=lambda parcel: parcel.emitted):
        books.enter("receber", build_receivable(parcel))
    suppliers = sorted({note["contato"]["id"] for note in sources.notes if note["tipo"] == 0})
    for parcel in sorted(_bought(rng, suppliers, sources), key=lambda parcel: parcel.emitted):
        books.enter("pagar", build_payable(parcel))
    for kind in _KINDS:
        _settle_all(rng, books, kind, list(books.of(kind).values()), sources)
    days = [account["dataEmissao"] for account in books.receivables.values()]
    _note_fees(rng, books, _months(min(days, default=""), sources.today))
    return books


def go_on(rng: Random, books: Books, sources: Sources) -> None:
    """O que a empresa passa a dever pelas notas de `sources`, já lançadas a receber, e o que até `sources.today` se
    quita do que não tinha vencido."""
    before, books.until = books.until, sources.today
    suppliers = sorted({account["contato"]["id"] for account in books.payables.values()})
    for parcel in sorted(_bought(rng, suppliers, sources), key=lambda parcel: parcel.emitted):
        books.enter("pagar", build_payable(parcel))
    for kind in _KINDS:
        due = [
            account
            for account in books.of(kind).values()
            if account["situacao"] == OPEN and before.isoformat() <= account["vencimento"]
        ]
        _settle_all(rng, books, kind, due, sources)
    _note_fees(rng, books, (day for day in _months(before.isoformat(), sources.today) if day > before))


def _note_fees(rng: Random, books: Books, days: Iterable[date]) -> None:
    for position, day in enumerate(days):
        entry = fee(day, Decimal(rng.randrange(990, 4990)) / 100, entry_id=books.next_entry())
        entry["situacao"] = "E" if position % _DELETED_ENTRIES == 0 else "R"
        books.note(entry)


def parcels_of(note: Json, sources: Sources) -> Iterator[Parcel]:
    """As parcelas de uma nota."""
    emitted = datetime.fromisoformat(note["dataEmissao"]).date()
    yield from _parcels(
        note["parcelas"],
        sources,
        dates="data",
        contact=sources.contact(note["contato"]["id"]),
        emitted=emitted,
        numero=note["numero"],
        origin=origin_of_note(note),
        vendedor=note["vendedor"]["id"],
    )


def _sold(sources: Sources) -> Iterator[Parcel]:
    for note in sources.notes:
        if note["tipo"] == 1 and note["situacao"] in _AUTHORISED and note["contato"]["id"]:
            yield from parcels_of(note, sources)
    for order in sources.orders:
        if not order["notaFiscal"]["id"] and order["situacao"]["id"] == _FULFILLED:
            yield from _parcels(
                order["parcelas"],
                sources,
                dates="dataVencimento",
                contact=sources.contact(order["contato"]["id"]),
                emitted=date.fromisoformat(order["data"]),
                numero=f"PV{order['numero']}",
                origin=origin_of_order(order),
                vendedor=order["vendedor"]["id"],
            )


def _parcels(
    given: Sequence[Json],
    sources: Sources,
    *,
    dates: str,
    contact: Json | None,
    emitted: date,
    numero: str,
    origin: Json,
    vendedor: int,
) -> Iterator[Parcel]:
    methods = sources.payment_methods
    for position, each in enumerate(given, start=1):
        method = methods.get(each["formaPagamento"]["id"]) or next(iter(methods.values()))
        number = f"{numero}/{position:02d}"
        yield Parcel(
            contact, emitted, each[dates], each["valor"], number, method, origin, vendedor=vendedor, of=len(given)
        )


def _bought(rng: Random, suppliers: Sequence[int], sources: Sources) -> Iterator[Parcel]:
    """O que se deve aos fornecedores pelo que se vendeu."""
    methods = list(sources.payment_methods.values())
    for note in sources.notes:
        if note["tipo"] != 1 or not suppliers or rng.random() > _PAYABLES_PER_NOTE:
            continue
        emitted = datetime.fromisoformat(note["dataEmissao"]).date() - timedelta(days=rng.randrange(10))
        due = emitted + timedelta(days=rng.choice((14, 28, 30, 45)))
        valor = max((note["valorNota"] * rng.randrange(30, 60) / 100).quantize(CENT), Decimal(5))
        supplier = sources.contact(rng.choice(suppliers))
        yield Parcel(supplier, emitted, due.isoformat(), valor, f"{rng.randrange(10**6):06d}", rng.choice(methods))


def _settle_all(rng: Random, books: Books, kind: Kind, accounts: Sequence[Json], sources: Sources) -> None:
    paid: list[tuple[date, Json]] = []
    for left, account in zip(range(len(accounts), 0, -1), accounts, strict=True):
        due = account["vencimento"] if account["vencimento"] != NO_DATE else account["dataEmissao"]
        statuses, weights = _PAST if due < sources.today.isoformat() else _FUTURE
        status = rng.choices(statuses, weights)[0]
        if left <= len(_ALWAYS) < len(accounts):
            status = _ALWAYS[left - 1]
        wanted = date.fromisoformat(due) + timedelta(days=rng.randrange(-4, 16))
        on = min(max(wanted, date.fromisoformat(account["dataEmissao"])), sources.today)
        if status in {PAID, PARTIAL}:
            paid.append((on, account | {"situacao": status}))
        else:
            account["situacao"] = status
            account["saldo"] = Decimal(0) if status == RETURNED else account["saldo"]
    _pay_in_order(rng, books, kind, sorted(paid, key=lambda each: (each[0], each[1]["id"])), sources)


def _pay_in_order(rng: Random, books: Books, kind: Kind, paid: Iterable[tuple[date, Json]], sources: Sources) -> None:
    batch: list[tuple[Json, Decimal]] = []
    last: date | None = None
    for on, wanted in paid:
        account = books.of(kind)[wanted["id"]]
        half = (account["valor"] / 2).quantize(CENT)
        contact = sources.contact(account["contato"]["id"])
        if wanted["situacao"] == PARTIAL:
            books.pay(kind, [(account, half)], on, contact)
        elif rng.random() < _TWICE:
            books.pay(kind, [(account, half)], on, contact)
            books.pay(kind, [(account, account["saldo"])], on, contact)
        elif last is not None and rng.random() < _TOGETHER:
            books.pay(kind, [*batch, (account, account["saldo"])], on, None)
            batch, last = [], None
        elif last is None:
            batch, last = [(account, account["saldo"])], on
        else:
            books.pay(kind, batch, last, sources.contact(batch[0][0]["contato"]["id"]))
            batch, last = [(account, account["saldo"])], on
    if batch and last is not None:
        books.pay(kind, batch, last, sources.contact(batch[0][0]["contato"]["id"]))


def _months(first: str, today: date) -> Iterator[date]:
    """O dia 5 de cada mês."""
    day = date.fromisoformat(first).replace(day=5) if first else today
    while day < today:
        yield day
        day = (day + timedelta(days=32)).replace(day=5)
