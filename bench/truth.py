"""O que a empresa simulada tem, e quanto disso o banco tem igual."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from tests.support.postgres import libpq_url

from bench.contestants import Tables
from bench.scenarios import Scenario
from bling_simulator.bling import Bling
from bling_simulator.settings import SimulatorSettings

Note = tuple[str, int, Decimal, dict[str, tuple[Decimal, Decimal]], list[Decimal]]
"""Número, situação, total, SKU → (quantidade, valor), e as parcelas."""

_ABSENT = Decimal("-1e30")


@dataclass(frozen=True)
class Truth:
    notes: dict[int, Note]
    contacts: dict[int, str]
    """Dos que as notas citam, os que o cadastro ainda tem."""
    products: frozenset[str]
    """Dos SKUs que as notas citam, os que o cadastro ainda tem."""


@dataclass(frozen=True)
class Found:
    """Quantos estão certos, de quantos."""

    notes: int
    of_notes: int
    surplus: int
    """Notas que o banco tem e o Bling não."""
    contacts: int
    of_contacts: int
    products: int
    of_products: int

    @property
    def complete(self) -> bool:
        right = (self.notes, self.contacts, self.products) == (self.of_notes, self.of_contacts, self.of_products)
        return right and not self.surplus


def truth_of(scenario: Scenario) -> Truth:
    """A verdade: mesmos parâmetros, mesma empresa que a do processo do simulador."""
    bling = Bling(SimulatorSettings(scale=scenario.scale))
    outgoing = [note for note in bling.notes.values() if note["tipo"] == 1]
    cited = {note["contato"]["id"] for note in outgoing}
    skus = {line["codigo"] for note in outgoing for line in note["itens"]} - {""}
    contacts, products = bling.company.contacts.entries, bling.company.products.entries
    return Truth(
        {
            note["id"]: (
                note["numero"],
                note["situacao"],
                _money(note["valorNota"]),
                _by_sku((line["codigo"], line["quantidade"], line["valorTotal"]) for line in note["itens"]),
                sorted(_money(parcel["valor"]) for parcel in note["parcelas"]),
            )
            for note in outgoing
        },
        {id_: contacts[id_].detail["nome"] for id_ in cited if id_ in contacts and not contacts[id_].deleted},
        frozenset(entry.detail["codigo"] for entry in products.values() if not entry.deleted) & skus,
    )


def found_in(database: str, tables: Tables, truth: Truth) -> Found:
    """O que o banco tem de certo; de quem parou antes de criar as tabelas, nada."""
    notes, contacts, products = dict[int, Note](), dict[int, str](), set[str]()
    with psycopg.connect(libpq_url(database)) as connection, suppress(psycopg.errors.UndefinedTable):
        notes = _stored_notes(connection, tables)
        contacts = dict(connection.execute(_sql(tables.contacts)).fetchall())
        products = {sku for (sku,) in connection.execute(_sql(tables.products))}
    return Found(
        sum(notes.get(id_) == note for id_, note in truth.notes.items()),
        len(truth.notes),
        len(notes.keys() - truth.notes.keys()),
        sum(contacts.get(id_) == name for id_, name in truth.contacts.items()),
        len(truth.contacts),
        len(products & truth.products),
        len(truth.products),
    )


def _stored_notes(connection: "psycopg.Connection[Any]", tables: Tables) -> dict[int, Note]:
    lines, parcels = defaultdict[int, list[Any]](list), defaultdict[int, list[Decimal]](list)
    for id_, *line in connection.execute(_sql(tables.items)):
        lines[id_].append(line)
    for id_, value in connection.execute(_sql(tables.payments)):
        parcels[id_].append(_money(value))
    return {
        id_: (numero, situacao, _money(total), _by_sku(lines[id_]), sorted(parcels[id_]))
        for id_, numero, situacao, total in connection.execute(_sql(tables.notes))
    }


def _sql(text: str) -> bytes:
    return text.encode()


def _money(value: Any) -> Decimal:
    """Um número como se lê: um `double precision` é o mais curto que volta a ele; o que não veio não é igual a nada."""
    return _ABSENT if value is None else Decimal(str(value))


def _by_sku(lines: Iterable[Any]) -> dict[str, tuple[Decimal, Decimal]]:
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for sku, quantity, value in lines:
        before = sums.get(sku or "", (Decimal(0), Decimal(0)))
        sums[sku or ""] = (before[0] + _money(quantity), before[1] + _money(value))
    return sums
