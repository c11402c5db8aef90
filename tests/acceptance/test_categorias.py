"""A categoria dos produtos de uma empresa de muitas categorias: poucas requisições, e certa com páginas de qualquer
tamanho."""

from datetime import date
from random import Random

import pytest
from tests.support.truth import assert_equals_truth

from bling_collector.workplace.account import Account
from bling_simulator.api import paging
from bling_simulator.bling import Bling

START = date(2021, 1, 1)


def spread(bling: Bling, count: int) -> None:
    """Dá à empresa `count` categorias, umas filhas de outras, e reparte por elas os produtos que têm uma."""
    categories = bling.company.categories
    first = max(categories) + 1
    for id_ in range(first, first + count - len(categories)):
        parent = 0 if (id_ - first) % 4 == 0 else id_ - (id_ - first) % 4
        categories[id_] = {"id": id_, "descricao": f"Linha {id_}", "categoriaPai": {"id": parent}}
    rng, ids = Random(7), list(categories)
    for entry in bling.company.products.entries.values():
        if entry.detail["categoria"]["id"]:
            entry.detail["categoria"] = {"id": rng.choice(ids)}


@pytest.mark.slow
@pytest.mark.bling(scale=1.0)
async def test_sixty_categorias_cost_one_request_each(account: Account, bling: Bling) -> None:
    spread(bling, 60)
    assert (await account.pipeline.run_full(START)).status == "success"
    skus = {line["codigo"] for note in bling.notes.values() if note["tipo"] == 1 for line in note["itens"]} - {""}
    others = 2 * (len(skus) // 95 + 1) + 12  # e a sonda dos zerados e dos negativos
    assert bling.counters.requests["/produtos"] <= 60 + others, bling.counters.requests
    assert bling.counters.requests["/produtos/{id}"] <= 3
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [True, False])
@pytest.mark.parametrize("shifts", [(0, -90, 3, 0), (0, 60, -30, 0), (0, -45, -20, 0)])
@pytest.mark.bling(scale=0.5)
async def test_pages_of_erratic_sizes_do_not_mislead(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch, shifts: tuple[int, ...], hidden: bool
) -> None:
    monkeypatch.setattr(paging, "_SHIFTS", shifts)
    bling.configure(default_hides_zero_stock=hidden)
    spread(bling, 14)
    assert (await account.pipeline.run_full(START)).status == "success"
    await assert_equals_truth(account.engine, bling)
