"""As contas e o que se faz com elas depois de geradas: lançar, mudar, quitar, estornar, excluir."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from random import Random

from bling_simulator.company.finance.accounts import Parcel, build_payable, build_receivable
from bling_simulator.company.finance.books import Books, Sources, go_on, parcels_of
from bling_simulator.company.finance.settling import Kind, reopen
from bling_simulator.company.register import Register
from bling_simulator.payload import Json, clone


class Ledger:
    """As contas só são geradas quando alguém as olha pela primeira vez."""

    def __init__(self, make: Callable[[], Books], contacts: Register, payment_methods: dict[int, Json]) -> None:
        self._make = make
        self._sources = Sources((), (), contacts, payment_methods, date.max)
        self._promised: list[Json] = []
        self._until = date.min

    @cached_property
    def books(self) -> Books:
        books = self._make()
        for note in self._promised:
            self._honour(books, note)
        if books.until < self._until:
            sources = replace(self._sources, notes=self._promised, today=self._until)
            go_on(Random(f"{self._until}"), books, sources)
        return books

    def go_on(self, until: date) -> None:
        """Antes que alguém as olhe: até este dia a empresa também comprou, pagou e recebeu."""
        self._until = until

    def promise(self, note: Json) -> None:
        """As contas de uma nota que se acaba de emitir."""
        if "books" in self.__dict__:
            self._honour(self.books, note)
        else:
            self._promised.append(clone(note))

    def add(self, kind: Kind, emitted: date, valor: Decimal, contact_id: int, due: date | None, **changes: Json) -> int:
        """Lança uma conta à mão, em aberto, e devolve o id. `KeyError` se o contato ou um campo não existe."""
        contact = self._sources.contacts.entries[contact_id].detail
        method = next(iter(self._sources.payment_methods.values()))
        due = due or emitted + timedelta(days=28)
        numero = f"M{max(self.books.of(kind), default=0) % 10**6:06d}"
        parcel = Parcel(contact, emitted, due.isoformat(), valor, numero, method)
        account = build_receivable(parcel) if kind == "receber" else build_payable(parcel)
        _change(account, changes)
        return self.books.enter(kind, account)

    def edit(self, kind: Kind, account_id: int, changes: Json) -> None:
        _change(self.books.of(kind)[account_id], changes)

    def edit_bordero(self, bordero_id: int, changes: Json) -> None:
        _change(self.books.borderos[bordero_id], changes)

    def edit_entry(self, entry_id: int, changes: Json) -> None:
        _change(self.books.entries[entry_id], changes)

    def settle(self, kind: Kind, account_ids: Sequence[int], on: date, amount: Decimal | None = None) -> int:
        """Quita as contas, todo o saldo de cada uma ou esta parte dele, num borderô só; devolve o id dele."""
        accounts = [self.books.of(kind)[account_id] for account_id in account_ids]
        contact = self._sources.contact(accounts[0]["contato"]["id"]) if len(accounts) == 1 else None
        return self.books.pay(kind, [(each, amount or each["saldo"]) for each in accounts], on, contact)

    def reopen(self, kind: Kind, account_id: int) -> None:
        """Estorna: o borderô sai da conta e, se não é também de outra, some com o lançamento dele."""
        lost = {*reopen(self.books.of(kind)[account_id])}
        for account in (*self.books.receivables.values(), *self.books.payables.values()):
            lost -= {*account["borderos"]}
        for bordero_id in lost:
            del self.books.borderos[bordero_id]
            for entry in self.books.entries.values():
                if entry["origem"] == {"id": bordero_id, "tipo": "bordero"}:
                    entry["situacao"] = "E"

    def _honour(self, books: Books, note: Json) -> None:
        for parcel in parcels_of(note, self._sources) if note["contato"]["id"] else ():
            books.enter("receber", build_receivable(parcel))


def _change(record: Json, changes: Json) -> None:
    if unknown := changes.keys() - record.keys():
        raise KeyError(f"O registro não tem {sorted(unknown)}")
    record.update(clone(changes))
