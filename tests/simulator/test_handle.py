"""A alça: o que um teste faz com o Bling sem passar por HTTP."""

from datetime import datetime
from decimal import Decimal

import httpx2
import pytest

from bling_simulator import Bling, ManualClock
from bling_simulator.company.documents import is_access_key
from bling_simulator.company.invoices.lines import line_of


async def test_issuing_a_note(client: httpx2.AsyncClient, bling: Bling) -> None:
    before = max(bling.notes)
    contact = min(bling.contacts)
    lines = [
        line_of(codigo="A", descricao="Peça", quantidade=3, valor=Decimal("0.33")),
        line_of(codigo="A", descricao="Peça", quantidade=Decimal("1.5"), valor=Decimal("10.01"), cfop="5949"),
    ]
    note_id = bling.issue_note(contact_id=contact, lines=lines)
    detail = (await client.get(f"/nfe/{note_id}")).json()["data"]
    assert note_id > before
    assert detail["contato"]["id"] == contact
    assert detail["valorNota"] == 16.01
    assert detail["dataEmissao"] == "2026-02-20 12:30:00"
    assert is_access_key(detail["chaveAcesso"])
    assert (await client.get("/nfe")).json()["data"][0]["id"] == note_id


def test_numbers_go_on_in_each_series(bling: Bling) -> None:
    last = max(int(note["numero"]) for note in bling.notes.values() if note["tipo"] == 1 and note["serie"] == 1)
    first, second = bling.issue_note(), bling.issue_note()
    other = bling.issue_note(serie=9)
    assert bling.notes[first]["numero"] == f"{last + 1:06d}"
    assert bling.notes[second]["numero"] == f"{last + 2:06d}"
    assert bling.notes[other]["numero"] == "000001"


def test_incoming_notes_do_not_take_our_numbers(bling: Bling) -> None:
    first = bling.issue_note()
    bling.issue_note(tipo=0)
    second = bling.issue_note()
    assert int(bling.notes[second]["numero"]) == int(bling.notes[first]["numero"]) + 1


def test_odd_notes(bling: Bling) -> None:
    note_id = bling.issue_note(contact_id=0, lines=[], parcelas=[], dataOperacao="0000-00-00")
    note = bling.notes[note_id]
    assert note["contato"]["id"] == 0
    assert note["valorNota"] == 0
    assert note["itens"] == note["parcelas"] == []
    assert note["dataOperacao"] == "0000-00-00"
    with pytest.raises(KeyError):
        bling.issue_note(contact_id=1)


def test_a_pending_note_gets_its_key_when_authorised(bling: Bling) -> None:
    note_id = bling.issue_note(situacao=1)
    assert bling.notes[note_id]["chaveAcesso"] == ""
    bling.edit_note(note_id, situacao=6)
    assert is_access_key(bling.notes[note_id]["chaveAcesso"])
    assert bling.notes[note_id]["xml"].startswith("https://")


def test_editing(bling: Bling) -> None:
    note_id = min(bling.notes)
    bling.edit_note(note_id, valorNota=Decimal("1.00"), parcelas=[])
    assert bling.notes[note_id]["valorNota"] == Decimal("1.00")
    with pytest.raises(KeyError, match="valor_nota"):
        bling.edit_note(note_id, valor_nota=1)
    with pytest.raises(KeyError):
        bling.edit_note(1, situacao=2)


async def test_cancelling_and_deleting(client: httpx2.AsyncClient, bling: Bling) -> None:
    cancelled, deleted = bling.issue_note(), bling.issue_note(situacao=1)
    key = bling.notes[cancelled]["chaveAcesso"]
    bling.cancel_note(cancelled)
    bling.delete_note(deleted)
    detail = (await client.get(f"/nfe/{cancelled}")).json()["data"]
    assert (detail["situacao"], detail["chaveAcesso"]) == (2, key)
    assert (await client.get(f"/nfe/{deleted}")).status_code == 404
    listed = {row["id"] for row in (await client.get("/nfe")).json()["data"]}
    assert not {cancelled, deleted} & listed


def test_totals(bling: Bling) -> None:
    before = bling.totals_by_year()[2026]
    emitted = datetime(2026, 2, 20, 18, 0)  # noqa: DTZ001 - hora de Brasília
    line = line_of(codigo="A", descricao="Peça", quantidade=1, valor=Decimal("10.00"))
    bling.cancel_note(bling.issue_note(emitted_at=emitted, lines=[line]))
    bling.issue_note(tipo=0, lines=[line])
    after = bling.totals_by_year()[2026]
    assert after.notes == before.notes + 1
    assert after.cancelled == before.cancelled + 1
    assert after.value[2] == before.value[2] + 10
    assert after.value[6] == before.value[6]


def test_registers(bling: Bling, clock: ManualClock) -> None:
    contact, product = bling.add_contact("F", nome="Fulana"), bling.add_product("X-1", nome="Peça")
    assert bling.contacts[contact]["nome"] == "Fulana"
    assert bling.products[product]["codigo"] == "X-1"
    clock.advance(10)
    bling.delete_contact(contact)
    bling.delete_product(product)
    assert bling.contacts[contact]["situacao"] == "E"
    entry = bling.company.products.entries[product]
    assert entry.deleted
    assert (entry.changed - entry.included).total_seconds() == 10
    with pytest.raises(KeyError):
        bling.edit_contact(contact, apelido="x")


@pytest.mark.slow
def test_two_simulators_share_nothing() -> None:
    first, second = Bling(), Bling()
    note_id = min(first.notes)
    first.cancel_note(note_id)
    first.edit_contact(min(first.contacts), nome="outro")
    assert second.notes[note_id]["situacao"] != 2
    assert second.contacts[min(second.contacts)]["nome"] != "outro"


def test_unknown_settings_are_refused(bling: Bling) -> None:
    with pytest.raises(TypeError):
        bling.configure(nada=1)


async def test_counters(client: httpx2.AsyncClient, bling: Bling) -> None:
    note = min(bling.notes)
    for path in ("/nfe", f"/nfe/{note}", f"/nfe/{note}", "/nfe/1"):
        await client.get(path)
    counters = bling.counters
    assert counters.requests == {"/nfe": 1, "/nfe/{id}": 3}
    assert counters.details == {f"/nfe/{note}": 2}
    assert counters.statuses == {200: 3, 404: 1}
    assert counters.total == 4
    counters.reset()
    assert bling.counters.total == 0
