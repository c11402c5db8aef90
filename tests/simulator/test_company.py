"""A empresa de referência: volumes exatos, documentos válidos, contas que fecham."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from bling_simulator import SimulatorSettings
from bling_simulator.bling import Bling
from bling_simulator.clock import ManualClock
from bling_simulator.company import Company, generate_company
from bling_simulator.company.documents import is_access_key, is_cnpj, is_cpf
from bling_simulator.company.goods.catalogue import make_products
from bling_simulator.company.invoices.invoice import COMPANY_CNPJ
from bling_simulator.payload import Json
from bling_simulator.settings import SOL_VOLUMES
from bling_simulator.totals import totals_by_year


@pytest.fixture(scope="module")
def company() -> Company:
    return generate_company(SimulatorSettings())


@pytest.fixture(scope="module")
def outgoing(company: Company) -> list[Json]:
    return [note for note in company.notes.values() if note["tipo"] == 1]


@pytest.fixture(scope="module")
def live(outgoing: list[Json]) -> list[Json]:
    return [note for note in outgoing if note["situacao"] != 2]


def test_volumes_by_year_are_those_of_reference(outgoing: list[Json]) -> None:
    totals = totals_by_year(outgoing)
    assert {year: (total.notes, total.cancelled) for year, total in totals.items()} == SOL_VOLUMES
    assert len(outgoing) == 2926
    assert sum(total.cancelled for total in totals.values()) == 76


def test_what_the_live_notes_reference(company: Company, live: list[Json]) -> None:
    contacts = {note["contato"]["id"] for note in live} - {0}
    skus = {line["codigo"] for note in live for line in note["itens"]}
    known = {entry.detail["codigo"] for entry in company.products.entries.values()}
    grouped = {(note["id"], line["codigo"]) for note in live for line in note["itens"]}
    assert len(contacts) == 1418
    assert len(skus & known) == 1039
    assert len(grouped) == 5848
    assert contacts < company.contacts.entries.keys()
    assert len(known) > 1039
    assert 2700 < sum(len(note["parcelas"]) for note in live) < 3000


def test_a_company_seven_times_as_large_has_products_enough() -> None:
    products = make_products(Random(1), 9_000, [1])
    assert len({product["codigo"] for product in products}) == 9_000


def test_same_seed_same_company_and_each_call_its_own_copy() -> None:
    settings = SimulatorSettings(scale=0.02)
    first, second = generate_company(settings), generate_company(settings)
    assert first == second
    next(iter(first.notes.values()))["situacao"] = 99
    assert first != second
    assert generate_company(SimulatorSettings(scale=0.02, seed=2)).notes != second.notes


@pytest.mark.parametrize("volumes", [{}, {2025: (1, 0)}, {2025: (2, 2)}, {2024: (10, 2), 2025: (40, 1)}])
def test_tiny_companies(volumes: dict[int, tuple[int, int]]) -> None:
    notes = generate_company(SimulatorSettings(volumes=volumes)).notes.values()
    assert {year: (t.notes, t.cancelled) for year, t in totals_by_year(notes).items()} == volumes


def test_access_keys_agree_with_their_notes(company: Company, outgoing: list[Json]) -> None:
    with_key = [note for note in outgoing if note["chaveAcesso"]]
    assert all(is_access_key(note["chaveAcesso"]) for note in company.notes.values() if note["chaveAcesso"])
    assert len({note["chaveAcesso"] for note in with_key}) == len(with_key)
    for note in with_key:
        key, emitted = note["chaveAcesso"], note["dataEmissao"]
        assert key[:2] == "43"
        assert key[2:6] == emitted[2:4] + emitted[5:7]
        assert key[6:20] == COMPANY_CNPJ
        assert key[20:22] == "55"
        assert int(key[22:25]) == note["serie"]
        assert int(key[25:34]) == int(note["numero"])


def test_numbers_are_padded_and_sequential_in_each_series(outgoing: list[Json]) -> None:
    by_series = defaultdict(list)
    for note in sorted(outgoing, key=lambda note: note["id"]):
        by_series[note["serie"]].append(note["numero"])
    assert by_series.keys() == {1, 2}
    for numbers in by_series.values():
        first = int(numbers[0])
        assert numbers == [f"{first + step:06d}" for step in range(len(numbers))]


def test_ids_grow_with_emission_and_need_64_bits(company: Company) -> None:
    ids = list(company.notes)
    emitted = [note["dataEmissao"] for note in company.notes.values()]
    assert ids == sorted(ids)
    assert emitted == sorted(emitted)
    assert ids[0] > 2**32


def test_money_is_exact(company: Company) -> None:
    cent = Decimal("0.01")
    for note in company.notes.values():
        assert note["valorNota"] == note["valorNota"].quantize(cent)
        if note["parcelas"]:
            assert sum(parcel["valor"] for parcel in note["parcelas"]) == note["valorNota"]
        for line in note["itens"]:
            assert abs(line["valor"] * line["quantidade"] - line["valorTotal"]) <= cent / 2


def test_lines_do_not_always_add_up_to_the_note(live: list[Json]) -> None:
    """Frete, IPI e desconto entram em `valorNota`."""
    differ = [n for n in live if sum(line["valorTotal"] for line in n["itens"]) != n["valorNota"]]
    assert 0.2 < len(differ) / len(live) < 0.5


def test_contacts_have_valid_documents(company: Company) -> None:
    by_kind = Counter(entry.detail["tipo"] for entry in company.contacts.entries.values())
    assert by_kind.keys() == {"J", "F", "E"}
    for entry in company.contacts.entries.values():
        contact = entry.detail
        match contact["tipo"]:
            case "J":
                assert is_cnpj(contact["numeroDocumento"])
            case "E":
                assert contact["numeroDocumento"] == ""
                assert contact["endereco"]["geral"]["uf"] == "EX"
            case _:
                assert is_cpf(contact["numeroDocumento"]) or contact["nome"] == "Consumidor Final"
        assert contact["email"] == "" or contact["email"].endswith(".example")


def test_last_note_is_of_today(outgoing: list[Json]) -> None:
    assert max(note["dataEmissao"] for note in outgoing) == "2026-02-20 11:47:12"
    earlier = generate_company(SimulatorSettings(volumes={2026: (20, 0)}, today=date(2026, 1, 31)))
    assert max(note["dataEmissao"] for note in earlier.notes.values())[:10] == "2026-01-31"


@pytest.mark.slow
def test_it_goes_on_at_the_same_pace_to_the_present() -> None:
    """As notas até fevereiro são as mesmas; o que vem depois só cresce, seja qual for o dia em que se olhe."""
    still = Bling(SimulatorSettings(), ManualClock())
    now = datetime(2026, 11, 28, 15, tzinfo=UTC)
    alive = Bling(SimulatorSettings(goes_on=True), ManualClock(now))
    earlier = Bling(SimulatorSettings(goes_on=True), ManualClock(now - timedelta(days=30)))
    assert list(alive.notes.values())[: len(still.notes)] == list(still.notes.values())
    assert list(alive.notes.values())[: len(earlier.notes)] == list(earlier.notes.values())
    by_month = Counter(note["dataEmissao"][:7] for note in alive.notes.values() if note["dataEmissao"] > "2026-03")
    assert sorted(by_month) == [f"2026-{month:02}" for month in range(3, 12)]
    assert all(70 < count < 140 for count in by_month.values()), by_month
    numbers = [int(note["numero"]) for note in alive.notes.values() if (note["tipo"], note["serie"]) == (1, 1)]
    assert sorted(numbers) == list(range(min(numbers), max(numbers) + 1))
    sold = alive.notes[alive.sell()]
    assert (sold["dataEmissao"], sold["tipo"]) == ("2026-11-28 12:00:00", 1)
    assert sold["id"] == max(alive.notes)


@pytest.mark.parametrize("goes_on", [False, True])
def test_the_money_is_of_accounts_and_categories_that_there_are_and_reaches_the_present(goes_on: bool) -> None:
    now = datetime(2026, 11, 20, 15, tzinfo=UTC)
    bling = Bling(SimulatorSettings(goes_on=goes_on, scale=0.1), ManualClock(now))
    holders = bling.dimensions["/contas-contabeis"].entries
    categories = bling.dimensions["/categorias/receitas-despesas"].entries
    accounts = [*bling.receivables.values(), *bling.payables.values(), *bling.borderos.values()]
    assert {each["portador"]["id"] for each in accounts} <= {*holders}
    assert {each["categoria"]["id"] for each in (*accounts, *bling.ledger.books.entries.values())} <= {*categories}
    until = now.date() if goes_on else bling.settings.today
    assert until - timedelta(days=20) <= date.fromisoformat(max(b["data"] for b in bling.borderos.values())) <= until
    overdue = [a for a in bling.receivables.values() if a["situacao"] == 1 and a["vencimento"] < until.isoformat()]
    assert len(overdue) < len(bling.receivables) / 8, "o mais do que venceu está pago"
