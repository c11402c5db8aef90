"""Os casos feios existem todos na empresa de referência."""

from collections import Counter

import pytest

from bling_simulator import SimulatorSettings
from bling_simulator.company import Company, generate_company
from bling_simulator.company.invoices.ugly import UNKNOWN_SKU
from bling_simulator.payload import Json


@pytest.fixture(scope="module")
def company() -> Company:
    return generate_company(SimulatorSettings())


@pytest.fixture(scope="module")
def live(company: Company) -> list[Json]:
    return [note for note in company.notes.values() if note["tipo"] == 1 and note["situacao"] != 2]


def test_one_sku_on_several_lines_with_other_prices_and_cfops(live: list[Json]) -> None:
    repeated = [
        (first, second)
        for note in live
        for position, first in enumerate(note["itens"])
        for second in note["itens"][position + 1 :]
        if first["codigo"] == second["codigo"]
    ]
    assert len(repeated) > 100
    assert any(a["valor"] != b["valor"] for a, b in repeated)
    assert any(a["cfop"] != b["cfop"] for a, b in repeated)


def test_lines_without_sku_and_with_an_unknown_one(company: Company, live: list[Json]) -> None:
    used = Counter(line["codigo"] for note in live for line in note["itens"])
    known = {entry.detail["codigo"] for entry in company.products.entries.values()}
    assert used[""]
    assert used[UNKNOWN_SKU]
    assert UNKNOWN_SKU not in known


@pytest.mark.parametrize("character", list(" &+#%Çã\"'/?;,="))
def test_odd_characters_in_sold_skus(live: list[Json], character: str) -> None:
    assert any(character in line["codigo"] for note in live for line in note["itens"])


def test_every_reference_may_be_missing(live: list[Json]) -> None:
    assert any(note["contato"]["id"] == 0 for note in live)
    assert any(note["loja"]["id"] == 0 for note in live)
    assert any(note["vendedor"]["id"] == 0 for note in live)
    assert any(parcel["formaPagamento"]["id"] == 0 for note in live for parcel in note["parcelas"])


def test_values_dates_and_parcels(live: list[Json]) -> None:
    assert any(note["valorNota"] == 0 for note in live)
    assert any(note["dataOperacao"].startswith("0000-00-00") for note in live)
    assert any(parcel["data"] == "0000-00-00" for note in live for parcel in note["parcelas"])
    assert {len(note["parcelas"]) for note in live} == {0, 1, 2, 3}


def test_notes_on_the_last_second(live: list[Json]) -> None:
    emitted = {note["dataEmissao"] for note in live}
    for year in range(2021, 2026):
        assert f"{year}-12-31 23:59:59" in emitted
        assert f"{year}-01-01 00:00:00" in emitted
    month_ends = {moment for moment in emitted if moment[8:] in {"30 23:59:59", "31 23:59:59"}}
    assert len(month_ends) > 30
    assert any(moment.endswith("23:59:59") and moment not in month_ends for moment in emitted)


def test_situations(live: list[Json]) -> None:
    count = Counter(note["situacao"] for note in live)
    assert count.keys() == {1, 4, 5, 6, 9}
    assert count[6] > 0.98 * len(live)
    pending = next(note for note in live if note["situacao"] == 1)
    assert pending["chaveAcesso"] == pending["xml"] == pending["linkDanfe"] == ""
    rejected = next(note for note in live if note["situacao"] == 4)
    assert rejected["chaveAcesso"]
    assert rejected["xml"] == ""


def test_incoming_notes_are_of_others(company: Company) -> None:
    incoming = [note for note in company.notes.values() if note["tipo"] == 0]
    assert len(incoming) == 40
    assert all(note["chaveAcesso"][6:20] == note["contato"]["numeroDocumento"] for note in incoming)


def test_deleted_contacts_and_foreigners_buy(company: Company, live: list[Json]) -> None:
    buyers = [company.contacts.entries[note["contato"]["id"]] for note in live if note["contato"]["id"]]
    assert any(entry.deleted and entry.detail["situacao"] == "E" for entry in buyers)
    assert any(entry.detail["tipo"] == "E" for entry in buyers)
    assert any(entry.detail["nome"] == "Consumidor Final" for entry in buyers)
    foreign = next(note for note in live if note["contato"]["tipoPessoa"] == "E")
    assert foreign["contato"]["endereco"]["pais"]
    assert foreign["itens"][0]["cfop"].startswith("7")


def test_deleted_products_share_skus_with_live_ones(company: Company, live: list[Json]) -> None:
    entries = company.products.entries.values()
    gone = {entry.detail["codigo"]: entry.detail["id"] for entry in entries if entry.deleted}
    alive = {entry.detail["codigo"]: entry.detail["id"] for entry in entries if not entry.deleted}
    twins = gone.keys() & alive.keys()
    assert any(gone[sku] < alive[sku] for sku in twins)
    assert any(gone[sku] > alive[sku] for sku in twins)
    sold = {line["codigo"] for note in live for line in note["itens"]}
    assert (gone.keys() - alive.keys()) & sold
