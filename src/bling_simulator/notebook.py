"""As notas e o que se faz com elas depois de geradas: emitir, mudar, cancelar, excluir."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any, Literal

from bling_simulator.company.generator import Company
from bling_simulator.company.invoices.invoice import NFE, STAMP, Draft, build_note, transmission
from bling_simulator.company.invoices.lines import make_line
from bling_simulator.payload import Json, clone

_CANCELLED = 2


class Notebook:
    def __init__(self, company: Company, seed: int, notes: dict[int, Json] | None = None, *, modelo: int = NFE) -> None:
        """As notas da empresa, se não se dão outras."""
        self.notes = company.notes if notes is None else notes
        """id → o detalhe completo, como a API o responde."""
        self._company = company
        self._modelo = modelo
        self._rng = Random(seed)
        self._last_id = max(self.notes, default=9_500_000_000)
        self._numbers: Counter[int] = Counter()
        for note in self.notes.values():
            if note["tipo"] == 1:
                self._numbers[note["serie"]] = max(self._numbers[note["serie"]], int(note["numero"]))

    def issue(
        self,
        emitted: datetime,
        *,
        situacao: int = 6,
        tipo: Literal[0, 1] = 1,
        serie: int = 1,
        contact_id: int | None = None,
        lines: Sequence[Json] | None = None,
        own: bool = False,
        **oddities: Any,
    ) -> int:
        """Emite uma nota e devolve seu id, maior que todos os outros.

        Sem `contact_id` o contato é sorteado (0 deixa a nota sem contato); sem `lines` vêm duas linhas
        sorteadas. Uma nota de entrada (tipo 0) tem o número e o CNPJ do fornecedor; com `own`, é de emissão
        própria, e tem o CNPJ da empresa e o número seguinte da série dela. `oddities` troca campos
        do detalhe pronto. `KeyError` se o contato ou o campo não existe.
        """
        note_id = self._next_id()
        ours = own or tipo == 1
        contact = self._contact(contact_id)
        draft = Draft(
            emitted=emitted,
            contact=contact,
            lines=clone(list(lines)) if lines is not None else self._random_lines(),
            note_id=note_id,
            numero=self._next_number(serie) if ours else self._rng.randrange(1_000, 90_000),
            serie=serie,
            tipo=tipo,
            situacao=situacao,
            issuer_cnpj=self._cnpj if ours else self._supplier_cnpj(contact),
            modelo=self._modelo,
            forma_pagamento=self._rng.choice(list(self._company.payment_methods)),
        )
        note = build_note(draft)
        _change(note, oddities)
        self.notes[draft.note_id] = note
        return draft.note_id

    def enter(self, draft: Draft) -> int:
        """Emite a nota de saída de um rascunho, com o id e o número seguintes."""
        draft.note_id, draft.numero = self._next_id(), self._next_number(draft.serie)
        self.notes[draft.note_id] = build_note(draft)
        return draft.note_id

    def edit(self, note_id: int, **changes: Any) -> None:
        """Troca campos do detalhe. Uma nota que passa a transmitida ganha chave e links.

        `KeyError` se a nota ou o campo não existe.
        """
        note = self.notes[note_id]
        _change(note, changes)
        if "situacao" in changes and not note["xml"]:
            note.update(
                transmission(
                    situacao=note["situacao"],
                    emitted=datetime.strptime(note["dataEmissao"], STAMP),  # noqa: DTZ007 - hora de Brasília
                    cnpj=self._cnpj if note["tipo"] == 1 else self._supplier_cnpj(note["contato"]),
                    serie=note["serie"],
                    numero=int(note["numero"]),
                    note_id=note_id,
                    modelo=self._modelo,
                )
            )

    def cancel(self, note_id: int) -> None:
        self.edit(note_id, situacao=_CANCELLED)

    def delete(self, note_id: int) -> None:
        """Some com a nota: o detalhe passa a responder 404."""
        del self.notes[note_id]

    def newest_first(self) -> list[Json]:
        return sorted(self.notes.values(), key=lambda note: (note["dataEmissao"], note["id"]), reverse=True)

    def _contact(self, contact_id: int | None) -> Json | None:
        entries = self._company.contacts.entries
        if contact_id == 0 or not entries:
            return None
        if contact_id is not None:
            return entries[contact_id].detail
        return self._rng.choice([entry.detail for entry in entries.values() if not entry.deleted])

    @property
    def _cnpj(self) -> str:
        return str(self._company.profile["cnpj"])

    def _supplier_cnpj(self, contact: Json | None) -> str:
        document: str = contact["numeroDocumento"] if contact else ""
        return document if len(document) == 14 else self._cnpj

    def _next_id(self) -> int:
        self._last_id += self._rng.randrange(1_000, 90_000)
        return self._last_id

    def _next_number(self, serie: int) -> int:
        self._numbers[serie] += 1
        return self._numbers[serie]

    def _random_lines(self) -> list[Json]:
        products = [entry.detail for entry in self._company.products.entries.values() if not entry.deleted]
        chosen = self._rng.sample(products, min(2, len(products)))
        return [make_line(self._rng, product, "5101") for product in chosen]


def _change(note: Json, changes: Json) -> None:
    unknown = changes.keys() - note.keys()
    if unknown:
        raise KeyError(f"A nota não tem {sorted(unknown)}")
    note.update(clone(changes))
