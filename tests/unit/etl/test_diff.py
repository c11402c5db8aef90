"""Das linhas listadas, as que é preciso buscar."""

from datetime import date
from typing import Any

import pytest

from bling_collector.etl.fetch import Wanted
from bling_collector.etl.listing import diff
from bling_collector.payload import digest
from bling_collector.streams.notas.nfe import NFE


def row(id_: int, situacao: int = 6, **changes: Any) -> dict[str, Any]:
    return {"id": id_, "situacao": situacao, "dataEmissao": "2026-02-03 09:52:12"} | changes


def test_the_new_the_changed_and_the_still_open_are_wanted() -> None:
    new, changed, same, pending = row(1), row(2), row(3), row(4, situacao=1)
    known = {2: digest(row(2, situacao=5)), 3: digest(same), 4: digest(pending)}
    assert diff([new, changed, same, pending], known, NFE) == {
        r["id"]: Wanted(digest(r), date(2026, 2, 3)) for r in (new, changed, pending)
    }


def test_one_left_by_the_first_collector_has_no_digest_and_is_fetched() -> None:
    assert diff([row(1)], {1: None}, NFE).keys() == {1}


@pytest.mark.parametrize(
    "change", [{"situacao": 2}, {"numero": "2"}, {"contato": {"id": 9}}, {"dataEmissao": "2026-02-04"}]
)
def test_any_field_of_the_list_that_changes_is_a_change(change: dict[str, Any]) -> None:
    assert diff([row(1) | change], {1: digest(row(1))}, NFE).keys() == {1}


def test_the_order_of_the_keys_is_no_change() -> None:
    shuffled = dict(reversed(row(1).items()))
    assert diff([shuffled], {1: digest(row(1))}, NFE) == {}


def test_a_row_without_a_day_counts_as_of_the_first_of_the_window() -> None:
    found = diff([row(1, dataEmissao="0000-00-00")], {}, NFE, since=date(2026, 1, 1))
    assert found[1].day == date(2026, 1, 1)
