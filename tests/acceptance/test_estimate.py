"""A estimativa de uma execução, contra o que ela custa de verdade."""

from dataclasses import replace
from datetime import date

import pytest
from tests.support.collecting import scalar
from tests.support.fakes import FakeClock

from bling_collector.errors import UsageError
from bling_collector.plan import estimate
from bling_collector.plan.daily import load_costed
from bling_collector.plan.estimate import MOST_PROBES, Estimator
from bling_collector.streams.registry import chosen
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

FIRST = date(2021, 1, 1)
NOTHING_NEW = 60
"""O que pode pedir a coleta de um dia em que nada mudou, com tudo ligado (docs/decisions/paginas-curtas.md). Um recurso
novo, que pergunta alguma coisa em toda execução, soma aqui o que ela custa."""


def estimator(account: Account) -> Estimator:
    return Estimator(account.engine, account.client, account.clock, account.settings)


def near(guess: int, real: int) -> bool:
    """O que se declara: um quinto a menos, três décimos a mais; e três requisições, que de poucas são muito."""
    return 0.8 * real - 3 <= guess <= 1.3 * real + 3


def there(bling: Bling) -> int:
    return sum(note["tipo"] == 1 for note in bling.notes.values())


@pytest.mark.slow
@pytest.mark.bling(scale=0.3)
async def test_the_first_load_is_estimated_by_a_few_probes(account: Account, bling: Bling) -> None:
    guess = await estimator(account).run_full(FIRST, None)
    assert guess.sondas == bling.counters.requests["/nfe"] <= MOST_PROBES
    assert guess.listadas is not None
    assert abs(guess.listadas - there(bling)) < 0.1 * there(bling)
    assert guess.guardadas == 0
    assert guess.novas == guess.listadas
    assert "sondagem" in guess.base
    real = (await account.pipeline.run_full(FIRST)).requisicoes
    assert near(guess.requisicoes, real)
    assert guess.segundos == pytest.approx(guess.requisicoes / 3)

    again = await estimator(account).run_full(FIRST, None)
    assert (again.sondas, again.listadas, again.guardadas, again.novas) == (0, there(bling), there(bling), 0)
    assert again.requisicoes < 0.3 * real


@pytest.mark.bling(scale=0.1)
@pytest.mark.collector(api_page_size=2)
async def test_the_probes_end_and_the_middle_of_the_bounds_is_taken(account: Account, bling: Bling) -> None:
    guess = await estimator(account).run_full(FIRST, None)
    assert 18 <= guess.sondas == bling.counters.requests["/nfe"] <= MOST_PROBES
    assert guess.listadas is not None
    assert abs(guess.listadas - there(bling)) < 0.5 * there(bling)
    assert guess.larga


@pytest.mark.bling(scale=1)
@pytest.mark.slow
async def test_a_whole_company_is_not_taken_for_its_newest_years(account: Account, bling: Bling) -> None:
    guess = await estimator(account).run_full(FIRST, None)
    assert guess.sondas == bling.counters.requests["/nfe"] <= MOST_PROBES
    assert guess.listadas is not None
    assert abs(guess.listadas - there(bling)) < 0.25 * there(bling), (guess, there(bling))


async def test_more_years_than_probes_are_sampled_and_said_to_be(account: Account, bling: Bling) -> None:
    guess = await estimator(account).run_full(date(2000, 1, 1), None)
    assert guess.sondas == bling.counters.requests["/nfe"] <= MOST_PROBES
    assert guess.larga


@pytest.mark.collector(recursos=("nfe", "pedidos_venda"), api_page_size=2)
async def test_probing_too_far_is_not_finding_nothing(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    for id_ in [id_ for id_, order in bling.orders.items() if order["data"] >= "2025-02-01"]:
        bling.delete_order(id_)
    monkeypatch.setattr(estimate, "_SHARED", 3)
    guess = await estimator(account).run_full(date(2025, 1, 1), date(2025, 12, 31))
    assert guess.larga, "três sondas, todas depois do fim da lista"
    orders = next(part for part in guess.partes if part.titulo == "Pedidos de venda")
    assert orders.requisicoes > 4


@pytest.mark.slow
async def test_a_day_costs_what_the_last_ones_did(account: Account, bling: Bling) -> None:
    first = await estimator(account).run()
    assert "uma requisição por registro novo" in first.base
    runs = [await account.pipeline.run() for _ in range(3)]
    guess = await estimator(account).run()
    assert guess.requisicoes == sorted(run.requisicoes for run in runs)[1]
    assert "últimas 3 coletas" in guess.base
    assert guess.dias == 1


@pytest.mark.slow
@pytest.mark.bling(scale=0.5)
@pytest.mark.collector(api_daily_reserve=119_000)
async def test_what_does_not_fit_today_says_how_many_days(account: Account) -> None:
    guess = await estimator(account).run_full(FIRST, None)
    assert guess.cota == 1000
    assert guess.parte_da_cota > 1
    assert guess.dias == 1 + -(-(guess.requisicoes - guess.restam_hoje) // 1000)


ALONE = ("nfe", "contas_receber", "vendedores")
SLOW_ALONE = ("pedidos_venda", "contas_pagar", "caixas", "situacoes", "produtos_lojas", "contatos", "estoques")


@pytest.mark.slow
@pytest.mark.parametrize(
    "names",
    [
        pytest.param(None, marks=pytest.mark.collector(recursos=None), id="os de sempre"),
        *[pytest.param((name,), marks=pytest.mark.collector(recursos=(name,)), id=name) for name in ALONE],
        *[
            pytest.param((name,), marks=[pytest.mark.slow, pytest.mark.collector(recursos=(name,))], id=name)
            for name in SLOW_ALONE
        ],
        pytest.param(
            ("nfe", "contatos", "contas_pagar", "borderos"),
            marks=[pytest.mark.slow, pytest.mark.collector(recursos=("nfe", "contatos", "contas_pagar", "borderos"))],
            id="o que outros citam",
        ),
    ],
)
async def test_the_first_load_costs_about_what_was_said(
    account: Account, bling: Bling, names: tuple[str, ...] | None
) -> None:
    bling.counters.reset()
    guess = await estimator(account).run_full(date(2025, 1, 1), None)
    assert guess.sondas == bling.counters.total
    assert guess.incertas == ()
    asked = {each.title for each in chosen(names)}
    assert {part.titulo for part in guess.partes} <= asked, "só se conta o que se coleta"
    assert (guess.listadas is not None) == ("Notas" in asked)
    real = (await account.pipeline.run_full(date(2025, 1, 1))).requisicoes
    assert near(guess.requisicoes, real), (guess.requisicoes, real, guess.partes)


@pytest.mark.slow
@pytest.mark.bling(scale=0.3)
@pytest.mark.collector(recursos=("todos",))
async def test_a_larger_company_with_everything_on_costs_about_what_was_said(account: Account) -> None:
    guess = await estimator(account).run_full(FIRST, None)
    real = (await account.pipeline.run_full(FIRST)).requisicoes
    assert near(guess.requisicoes, real), (guess.requisicoes, real, guess.partes)


@pytest.mark.slow
@pytest.mark.collector(recursos=("nfe",))
async def test_what_is_newly_collected_costs_its_first_reading(account: Account) -> None:
    await account.pipeline.run_full(date(2025, 1, 1))
    runs = [await account.pipeline.run() for _ in range(3)]
    more = replace(account.settings, recursos=("nfe", "contas_receber", "borderos", "contatos", "vendedores"))
    guess = await Estimator(account.engine, account.client, account.clock, more).run()
    assert guess.requisicoes > 5 * max(run.requisicoes for run in runs)
    assert "últimas 3 coletas" in guess.base
    assert "o que ainda não se leu de contas a receber, borderôs, vendedores e contatos." in guess.base
    account.pipeline._settings = more
    real = (await account.pipeline.run()).requisicoes
    assert near(guess.requisicoes, real), (guess.requisicoes, real, guess.partes)


@pytest.mark.bling(missing_scopes=frozenset({"/caixas", "/vendedores"}))
@pytest.mark.collector(recursos=("nfe", "pedidos_venda", "caixas", "vendedores", "depositos"))
async def test_of_what_bling_does_not_tell_at_least_the_certain_is_counted(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    guess = await estimator(account).run_full(date(2025, 1, 1), None)
    assert guess.incertas == ("lançamentos de caixa", "vendedores")
    monkeypatch.setattr(estimate, "MOST_PROBES", 0)
    monkeypatch.setattr(estimate, "_SHARED", 0)
    nothing = await estimator(account).run_full(date(2025, 1, 1), None)
    assert {"notas", "pedidos de venda"} < {*nothing.incertas}, "acabar as sondas não é não haver nada"
    assert nothing.listadas is None
    assert 0 < nothing.requisicoes < guess.requisicoes


@pytest.mark.collector(recursos=("todos",))
@pytest.mark.slow
async def test_with_everything_on_load_and_days_cost_about_what_was_said(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    guess = await estimator(account).run_full(date(2025, 1, 1), None)
    before = await load_costed(account.engine, account.settings, clock.now())
    assert all(each.pelo_menos for each in before), "nada se leu ainda"
    real = (await account.pipeline.run_full(date(2025, 1, 1))).requisicoes
    assert near(guess.requisicoes, real), (guess.requisicoes, real, guess.partes)
    costed = await load_costed(account.engine, account.settings, clock.now())
    said = {each.recurso: each for each in costed if each.coletado}
    assert not any(each.pelo_menos for each in said.values())
    bling.counters.reset()
    again = (await account.pipeline.run()).requisicoes
    assert again <= NOTHING_NEW, str(sorted(bling.counters.requests.items()))
    days = []
    for _ in range(7):
        clock.advance(86_400)
        days.append((await account.pipeline.run()).requisicoes)
    assert max(days) < 3 * min(days), "o que se relê por semana não cai todo no mesmo dia"
    rounded_up = len(said) // 2  # o de cada recurso diz-se em inteiros
    told = sum(each.requisicoes_por_dia for each in said.values()) - rounded_up
    assert near(told, round(sum(days) / 7)), (told, days)


async def test_an_impossible_period_asks_nothing(account: Account, bling: Bling) -> None:
    with pytest.raises(UsageError, match="futuro"):
        await estimator(account).run_full(date(2027, 1, 1), None)
    with pytest.raises(UsageError, match="vem antes"):
        await estimator(account).run_full(date(2026, 2, 1), date(2026, 1, 1))
    assert bling.counters.requests["/nfe"] == 0
    assert await scalar(account.engine, "SELECT count(*) FROM etl_controle") == 0
