"""Um cadastro (contatos, produtos, vendedores): os detalhes e o que só o servidor sabe deles."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from bling_simulator.payload import Json, clone

Id = TypeVar("Id", int, str)


@dataclass
class Entry:
    detail: Json
    included: datetime
    changed: datetime
    deleted: bool = False


@dataclass
class Register:
    """Os cadastros por id, um número ou um texto, do mais antigo ao mais novo."""

    entries: dict[Any, Entry] = field(default_factory=dict)

    def add(self, detail: Json, at: datetime, *, record_id: Id, deleted: bool = False) -> Id:
        detail["id"] = record_id
        self.entries[record_id] = Entry(detail, included=at, changed=at, deleted=deleted)
        return record_id

    def change(self, record_id: Any, changes: Json, at: datetime) -> None:
        """Troca campos do detalhe e carimba a alteração. `KeyError` se o id ou o campo não existe."""
        entry = self.entries[record_id]
        unknown = changes.keys() - entry.detail.keys()
        if unknown:
            raise KeyError(f"O cadastro não tem {sorted(unknown)}")
        entry.detail.update(changes)
        entry.changed = at

    def newest_first(self) -> Iterator[Entry]:
        return iter(sorted(self.entries.values(), key=lambda entry: entry.detail["id"], reverse=True))

    def latest_included(self, count: int) -> set[int]:
        """Os ids dos `count` cadastros vivos mais novos."""
        alive = [entry for entry in self.entries.values() if not entry.deleted]
        alive.sort(key=lambda entry: (entry.included, entry.detail["id"]))
        return {entry.detail["id"] for entry in alive[-count:]} if count else set()

    def next_id(self) -> int:
        return max(self.entries, default=10_000_000_000) + 53

    def copy(self) -> "Register":
        return Register(
            {
                record_id: Entry(clone(entry.detail), entry.included, entry.changed, deleted=entry.deleted)
                for record_id, entry in self.entries.items()
            }
        )
