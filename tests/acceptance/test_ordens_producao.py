"""As ordens de produção, sob cada leitura do que os documentos não sabem."""

from datetime import date
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.variants import one_now

from bling_collector.payload import measured
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.company.papers.production import (
    CANCELLED,
    FINISHED,
    NOT_STARTED,
    UNDER_WAY,
    production_status,
)
from bling_simulator.payload import Json, clone

START = date(2026, 2, 1)
DAY = 86_400.0
PATH, MODULES = "/ordens-producao", "/situacoes/modulos"
READINGS: list[dict[str, Any]] = [
    {"default_hides_closed_production": True},
    {},
    {"bare_details_in_envelope": True},
]
pytestmark = [pytest.mark.bling(scale=0.02), pytest.mark.collector(recursos=("ordens_producao", "produtos"))]


def production(bling: Bling) -> dict[int, Json]:
    return {id_: entry.detail for id_, entry in bling.kept(PATH).entries.items()}


def some(bling: Bling, status: int) -> int:
    return next(id_ for id_, each in production(bling).items() if each["situacao"]["id"] == status)


async def assert_equals_the_orders(account: Account, bling: Bling) -> None:
    """Cada ordem viva, de qualquer data, com o que se fabrica e para que vendas, é a do Bling; e não há outra."""
    expected = dict(sorted(production(bling).items()))
    found = await rows(
        account.engine,
        "SELECT id, numero, situacao_id, situacao_nome, data_previsao_inicio, deposito_origem_id, deposito_destino_id "
        "FROM ordens_producao WHERE excluida_em IS NULL ORDER BY id",
    )
    assert found == [
        (
            id_,
            each["numero"],
            each["situacao"]["id"],
            each["situacao"]["nome"],
            date.fromisoformat(each["dataPrevisaoInicio"]),
            *(each["deposito"][name] for name in ("idOrigem", "idDestino")),
        )
        for id_, each in expected.items()
    ]
    living = "JOIN ordens_producao o ON o.id = ordem_producao_id WHERE excluida_em IS NULL ORDER BY o.id, ordem"
    itens = f"SELECT o.id, produto_id, quantidade FROM ordens_producao_itens {living}"
    assert await rows(account.engine, itens) == [
        (id_, item["produto"]["id"] or None, measured(item["quantidade"]))
        for id_, each in expected.items()
        for item in each["itens"]
    ]
    vendas = f"SELECT o.id, v.numero, contato_id FROM ordens_producao_vendas v {living}"
    assert await rows(account.engine, vendas) == [
        (id_, sale["numero"], sale["contato"]["id"]) for id_, each in expected.items() for sale in each["vendas"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("reading", one_now(READINGS), ids=lambda reading: next(iter(reading), "como se leu"))
async def test_the_load_equals_bling_and_what_changes_is_seen(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    await assert_equals_the_orders(account, bling)
    assert await scalar(account.engine, "SELECT count(*) FROM ordens_producao_vendas")
    clock.advance(7 * DAY)  # cada uma em aberto relê-se na sua semana
    under_way, lost = some(bling, UNDER_WAY), some(bling, FINISHED)
    bling.edit_dimension(PATH, under_way, itens=production(bling)[under_way]["itens"][:1])
    bling.edit_dimension(PATH, some(bling, NOT_STARTED), situacao=production_status(FINISHED))
    bling.delete_dimension(PATH, lost)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_orders(account, bling)
    assert await scalar(account.engine, "SELECT excluida_em IS NOT NULL FROM ordens_producao WHERE id = :id", id=lost)
    clock.advance(DAY)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    assert not [path for path in bling.counters.details if path.startswith(PATH)], "há pouco se leram todas"
    hides = "default_hides_closed_production" in reading
    assert (bling.counters.requests[PATH] > 1) is hides, "por situação, só se a de costume não mostra tudo o que se tem"


@pytest.mark.slow
async def test_without_the_situacoes_one_that_closes_is_not_taken_for_deleted(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    bling.configure(default_hides_closed_production=True, missing_scopes=frozenset({"/situacoes"}))
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    finished, cancelled, lost = (some(bling, NOT_STARTED), some(bling, UNDER_WAY), 0)
    lost = bling.add_dimension(PATH, **{k: v for k, v in clone(production(bling)[finished]).items() if k != "id"})
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    for id_, status in ((finished, FINISHED), (cancelled, CANCELLED)):
        bling.edit_dimension(PATH, id_, situacao=production_status(status))
    bling.delete_dimension(PATH, lost)
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    told = "SELECT situacao_id, excluida_em IS NOT NULL FROM ordens_producao WHERE id = :id"
    assert await rows(account.engine, told, id=finished) == [(FINISHED, False)]
    assert await rows(account.engine, told, id=cancelled) == [(CANCELLED, False)]
    assert await rows(account.engine, told, id=lost) == [(NOT_STARTED, True)]
    clock.advance(DAY)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    assert f"{PATH}/{finished}" not in bling.counters.details, "não se pergunta outra vez, a não ser quando se confere"
    bling.delete_dimension(PATH, finished)
    for twice in (False, True):  # um 404 só pode ser um engano
        assert (await account.pipeline.reconcile(repair=True)).status == "success"
        assert await rows(account.engine, told, id=finished) == [(FINISHED, twice)]
        clock.advance(DAY)
