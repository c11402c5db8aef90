"""O que as listagens dizem, juntas, de cada registro: o mesmo, venham em que ordem vierem."""

from itertools import permutations
from typing import Any

import pytest

from bling_collector.etl.listing import Sightings
from bling_collector.streams.cadastros.contas_financeiras import CONTAS_FINANCEIRAS
from bling_collector.streams.cadastros.depositos import DEPOSITOS


def told(id_: int, situacao: str | None = None) -> dict[str, Any]:
    return {"id": id_, "descricao": "Caixa"} | ({} if situacao is None else {"situacao": situacao})


@pytest.mark.parametrize("whole", [True, False])
def test_what_a_filter_tells_wins_over_what_nobody_tells_in_any_order(whole: bool) -> None:
    for pages in permutations([[told(1, "1")], [told(2, "4")], [told(1), told(2)]]):
        sightings = Sightings(CONTAS_FINANCEIRAS)
        for page in pages:
            sightings.see(page)
        assert not sightings.torn
        assert sightings.rows(whole=whole) == {1: told(1, "1"), 2: told(2, "4")}


@pytest.mark.parametrize("whole", [True, False])
def test_what_two_filters_tell_is_not_known(whole: bool) -> None:
    for pages in permutations([[told(1, "1")], [told(1, "2")], [told(1)]]):
        sightings = Sightings(CONTAS_FINANCEIRAS)
        for page in pages:
            sightings.see(page)
        assert sightings.torn
        assert sightings.rows(whole=whole) == {1: told(1) | {"situacao": None}}


def test_what_no_filter_tells_is_not_known_only_if_all_were_read() -> None:
    sightings = Sightings(CONTAS_FINANCEIRAS)
    sightings.see([told(1)])
    assert sightings.rows(whole=True) == {1: told(1) | {"situacao": None}}
    assert sightings.rows(whole=False) == {1: told(1)}


def test_a_row_that_says_it_by_itself_is_believed_even_if_it_is_odd() -> None:
    sightings = Sightings(CONTAS_FINANCEIRAS)
    sightings.see([told(1) | {"situacao": {"valor": 3}}])
    sightings.see([told(1) | {"situacao": {"valor": 3}}])
    assert sightings.rows(whole=True) == {1: told(1) | {"situacao": {"valor": 3}}}


def test_without_anything_told_the_first_sight_is_the_row() -> None:
    sightings = Sightings(DEPOSITOS)
    sightings.see([told(1, "1")])
    sightings.see([told(1, "0")])
    assert not sightings.torn
    assert sightings.rows(whole=True) == {1: told(1, "1")}
