"""As propostas comerciais, sob cada leitura do que os documentos não sabem."""

from datetime import date
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.variants import one_now

from bling_collector.payload import measured
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.clock import local_now
from bling_simulator.company.papers.quotes import CUSTOM
from bling_simulator.payload import Json, clone

START = date(2025, 6, 1)
DAY = 86_400.0
PATH = "/propostas-comerciais"
READINGS: list[dict[str, Any]] = [
    {},
    {"bare_details_in_envelope": True},
    {"order_filters_are_ignored": True},
    {"order_list_final_date_excludes_today": False},
    {"money_has_float_noise": True},
]
pytestmark = [
    pytest.mark.bling(scale=0.02),
    pytest.mark.collector(recursos=("propostas", "produtos"), extraction_lookback_days=10),
]


def quotes(bling: Bling) -> dict[int, Json]:
    return {id_: entry.detail for id_, entry in bling.kept(PATH).entries.items()}


async def assert_equals_the_quotes(account: Account, bling: Bling) -> None:
    """Cada proposta viva, com os seus itens, é a do Bling; e não há outra."""
    expected = {id_: each for id_, each in sorted(quotes(bling).items()) if each["data"] >= START.isoformat()}
    found = await rows(
        account.engine,
        "SELECT id, numero, data, situacao, contato_id, vendedor_id, total FROM propostas WHERE excluida_em IS NULL "
        "ORDER BY id",
    )
    assert found == [
        (
            id_,
            each["numero"],
            date.fromisoformat(each["data"]),
            each["situacao"],
            *(each[name]["id"] or None for name in ("contato", "vendedor")),
            measured(each["total"]),
        )
        for id_, each in expected.items()
    ]
    held = await rows(
        account.engine,
        "SELECT proposta_id, i.produto_id, quantidade, valor_unitario FROM propostas_itens i "
        "JOIN propostas p ON p.id = proposta_id WHERE excluida_em IS NULL ORDER BY proposta_id, ordem",
    )
    assert held == [
        (id_, item["produto"]["id"] or None, *(measured(item[name]) for name in ("quantidade", "valor")))
        for id_, each in expected.items()
        for item in each["itens"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("reading", one_now(READINGS), ids=lambda reading: next(iter(reading), "como se leu"))
async def test_the_load_equals_bling_and_what_changes_is_seen(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    model = {**clone(list(quotes(bling).values())[-1]), "data": local_now(bling.clock).date().isoformat()}
    del model["id"]
    new, lost = (bling.add_dimension(PATH, **clone(model)) for _ in range(2))
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    await assert_equals_the_quotes(account, bling)
    assert await scalar(account.engine, "SELECT count(*) FROM propostas WHERE situacao = :own", own=CUSTOM) == 1
    clock.advance(DAY)
    open_ = next(id_ for id_, each in quotes(bling).items() if each["situacao"] == "Aguardando")
    bling.edit_dimension(PATH, open_, itens=quotes(bling)[open_]["itens"][:1])  # a listagem não o mostra
    bling.edit_dimension(PATH, new, situacao="Concluído")
    bling.delete_dimension(PATH, lost)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_quotes(account, bling)
    assert await scalar(account.engine, "SELECT excluida_em IS NOT NULL FROM propostas WHERE id = :id", id=lost)
    assert (await account.pipeline.reconcile()).status == "success"


@pytest.mark.slow
async def test_the_produtos_only_propostas_cite_come_by_id_in_batches(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    hidden = bling.add_product("SO-NA-PROPOSTA")
    bling.edit_product(hidden, estoque={"saldoVirtualTotal": 0})
    bling.configure(default_hides_zero_stock=True)
    chosen = max(quotes(bling))
    items = clone(quotes(bling)[chosen]["itens"])
    items[0]["produto"]["id"] = hidden
    items.append(items[0] | {"produto": {"id": 404_404, "descricao": "Já não há"}})
    bling.edit_dimension(PATH, chosen, itens=items)
    assert (await account.pipeline.run_full(START)).status == "success"
    held = "SELECT codigo, nao_encontrado_em IS NOT NULL FROM produtos WHERE id IN (:id, 404404) ORDER BY 2"
    assert await rows(account.engine, held, id=hidden) == [("SO-NA-PROPOSTA", False), (None, True)]
    cited = "SELECT count(DISTINCT produto_id) FROM propostas_itens i JOIN produtos p ON p.id = i.produto_id"
    assert await scalar(account.engine, cited) > 3
    assert bling.counters.requests["/produtos/{id}"] == 0
    clock.advance(DAY)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    assert bling.counters.requests["/produtos"] < 12


@pytest.mark.slow
async def test_what_is_reread_around_today_does_not_pass_the_start_of_the_collection(
    account: Account, bling: Bling
) -> None:
    start = date(2026, 1, 15)
    assert any("2025-11-25" < each["data"] < start.isoformat() for each in quotes(bling).values())
    await account.pipeline.run_full(start)
    expected = sorted(id_ for id_, each in quotes(bling).items() if each["data"] >= start.isoformat())
    assert await rows(account.engine, "SELECT id FROM propostas ORDER BY id") == [(id_,) for id_ in expected] != []
