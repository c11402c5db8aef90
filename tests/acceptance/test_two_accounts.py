"""Duas contas num processo e num banco, um schema de cada uma: o que é de uma não se mistura com o que é da outra."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date
from typing import Any

import pytest
from tests.support.collecting import authorise, collector_settings, rows
from tests.support.fakes import FakeClock
from tests.support.truth import assert_equals_truth

from bling_collector.config import Secret
from bling_collector.db.migrations import HEAD
from bling_collector.db.run_lock import run_lock
from bling_collector.errors import RunInProgressError
from bling_collector.runs.request import RunResult
from bling_collector.workplace.account import Account, open_workplace
from bling_collector.workplace.companies import add
from bling_simulator.bling import Bling
from bling_simulator.server import running
from bling_simulator.settings import SimulatorSettings

START = date(2021, 1, 1)
COMPANIES = (None, "b")
Pair = tuple[tuple[Account, Bling], ...]


@pytest.fixture
async def pair(database_url: str, clock: FakeClock) -> AsyncIterator[Pair]:
    """A conta de `public` e a de `empresa_b`, cada uma com o seu Bling e já autorizada."""
    async with AsyncExitStack() as stack:
        opened: list[tuple[Account, Bling]] = []
        for seed, company in enumerate(COMPANIES):
            simulator = SimulatorSettings(seed=seed, scale=0.005, requests_per_second=0, today=date(2026, 2, 20))
            server = await stack.enter_async_context(running(simulator, clock=clock))
            settings = collector_settings(server.api_url, Secret(database_url), empresa=company)
            if company is None:
                workplace = await stack.enter_async_context(open_workplace(settings, clock=clock))
            else:
                await add(workplace.engine, company)
            account = await stack.enter_async_context(workplace.open(settings))
            await authorise(account, server.bling)
            server.bling.counters.reset()
            opened.append((account, server.bling))
        yield tuple(opened)


@pytest.mark.slow
async def test_two_accounts_are_collected_at_the_same_time(pair: Pair) -> None:
    steps: list[str] = []

    async def load(account: Account, name: str) -> RunResult:
        def sink(progress: Any) -> None:
            if progress.fase not in seen:
                seen.add(progress.fase)
                logging.getLogger("bling_collector.teste").info("de %s", name)

        seen: set[str] = set()
        result = await account.pipeline.run_full(START, sink=sink, on_start=lambda run_id: steps.append("começou"))
        steps.append("acabou")
        return result

    results = await asyncio.gather(
        *(load(account, str(company)) for (account, _), company in zip(pair, COMPANIES, strict=True))
    )

    assert steps == ["começou", "começou", "acabou", "acabou"]
    assert len({frozenset(bling.notes) for _, bling in pair}) == 2
    for (account, bling), result, company in zip(pair, results, COMPANIES, strict=True):
        assert (result.run_id, result.status, result.message) == (1, "success", None)
        await assert_equals_truth(account.engine, bling)
        assert result.requisicoes == bling.counters.total - bling.counters.token_calls
        lines = [line for (line,) in await rows(account.engine, "SELECT mensagem FROM execucao_log ORDER BY id")]
        assert {line for line in lines if line.startswith("de ")} == {f"de {company}"}
        assert lines.count("Autorização") == lines.count("Execução 1: completa. Tudo em dia.") == 1
    assert logging.getLogger("bling_collector").level == logging.NOTSET
    here = pair[0][0]
    assert len(await rows(here.engine, "SELECT * FROM public.etl_controle")) == 1
    assert await rows(here.engine, "SELECT version_num FROM empresa_b.alembic_version") == [(HEAD,)]


@pytest.mark.slow
async def test_the_run_of_an_account_excludes_only_another_of_its_own(pair: Pair) -> None:
    for (busy, _), (free, _) in (pair, pair[::-1]):
        async with run_lock(busy.engine):
            with pytest.raises(RunInProgressError):
                await busy.pipeline.run()
            assert (await free.pipeline.run()).status == "success"


@pytest.mark.slow
async def test_the_token_calls_of_all_the_accounts_are_of_one_ip(pair: Pair) -> None:
    (here, _), (there, _) = pair
    count = "SELECT cardinality(pedidos_de_token) FROM {}.limites_bling"
    assert await rows(here.engine, count.format("public")) == [(2,)]
    assert (await there.pipeline.run()).status == "success"
    assert await rows(here.engine, count.format("empresa_b")) == [(0,)]
