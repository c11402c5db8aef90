"""A estimativa de uma execução, contra o que ela custa de verdade."""

from datetime import date

import pytest
from tests.support.collecting import scalar

from bling_collector.bootstrap import App
from bling_collector.errors import UsageError
from bling_collector.plan.estimate import MOST_PROBES, Estimator
from bling_simulator.bling import Bling

FIRST = date(2021, 1, 1)


def estimator(app: App) -> Estimator:
    return Estimator(app.engine, app.client, app.clock, app.settings)


def there(bling: Bling) -> int:
    return sum(note["tipo"] == 1 for note in bling.notes.values())


@pytest.mark.slow
@pytest.mark.bling(scale=0.3)
async def test_the_first_load_is_estimated_by_a_few_probes(app: App, bling: Bling) -> None:
    guess = await estimator(app).run_full(FIRST, None)
    assert guess.sondas == bling.counters.requests["/nfe"] <= MOST_PROBES
    assert abs(guess.listadas - there(bling)) < 0.1 * there(bling)
    assert guess.guardadas == 0
    assert guess.novas == guess.listadas
    assert "sondagem" in guess.base
    real = (await app.pipeline.run_full(FIRST)).requisicoes
    assert 0.75 * real < guess.requisicoes < 1.3 * real
    assert guess.segundos == pytest.approx(guess.requisicoes / 3)

    again = await estimator(app).run_full(FIRST, None)
    assert (again.sondas, again.listadas, again.guardadas, again.novas) == (0, there(bling), there(bling), 0)
    assert again.requisicoes < 0.3 * real


@pytest.mark.bling(scale=0.1)
@pytest.mark.collector(api_page_size=2)
async def test_the_probes_end_and_the_middle_of_the_bounds_is_taken(app: App, bling: Bling) -> None:
    guess = await estimator(app).run_full(FIRST, None)
    assert 18 <= guess.sondas == bling.counters.requests["/nfe"] <= MOST_PROBES
    assert abs(guess.listadas - there(bling)) < 0.5 * there(bling)
    assert guess.larga


@pytest.mark.bling(scale=1)
async def test_a_whole_company_is_not_taken_for_its_newest_years(app: App, bling: Bling) -> None:
    guess = await estimator(app).run_full(FIRST, None)
    assert guess.sondas == bling.counters.requests["/nfe"] <= MOST_PROBES
    assert abs(guess.listadas - there(bling)) < 0.25 * there(bling), (guess, there(bling))


async def test_more_years_than_probes_are_sampled_and_said_to_be(app: App, bling: Bling) -> None:
    guess = await estimator(app).run_full(date(2000, 1, 1), None)
    assert guess.sondas == bling.counters.requests["/nfe"] <= MOST_PROBES
    assert guess.larga


async def test_a_day_costs_what_the_last_ones_did(app: App, bling: Bling) -> None:
    first = await estimator(app).run()
    assert "uma requisição por registro novo" in first.base
    runs = [await app.pipeline.run() for _ in range(3)]
    guess = await estimator(app).run()
    assert guess.requisicoes == sorted(run.requisicoes for run in runs)[1]
    assert "últimas 3 coletas" in guess.base
    assert guess.dias == 1


@pytest.mark.bling(scale=0.5)
@pytest.mark.collector(api_daily_reserve=119_000)
async def test_what_does_not_fit_today_says_how_many_days(app: App) -> None:
    guess = await estimator(app).run_full(FIRST, None)
    assert guess.cota == 1000
    assert guess.parte_da_cota > 1
    assert guess.dias == 1 + -(-(guess.requisicoes - guess.restam_hoje) // 1000)


async def test_an_impossible_period_asks_nothing(app: App, bling: Bling) -> None:
    with pytest.raises(UsageError, match="futuro"):
        await estimator(app).run_full(date(2027, 1, 1), None)
    with pytest.raises(UsageError, match="vem antes"):
        await estimator(app).run_full(date(2026, 2, 1), date(2026, 1, 1))
    assert bling.counters.requests["/nfe"] == 0
    assert await scalar(app.engine, "SELECT count(*) FROM etl_controle") == 0
