"""O plano: o que um comando pediria, sem nada pedir nem mudar, contra o que ele pede de verdade."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import problem, serving
from tests.support.collecting import rows
from tests.support.commands import Terminal, variables_for
from tests.support.fakes import FakeClock

from bling_collector.config import Settings
from bling_collector.plan.asked import Asked, Plan, load_plan
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer

START = date(2021, 1, 1)
TABLES = "SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"


async def everything(engine: AsyncEngine) -> dict[str, Any]:
    """Uma impressão de cada tabela."""
    found: dict[str, Any] = {}
    for (name,) in await rows(engine, TABLES):
        found[name] = await rows(
            engine, f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t"
        )
    return found


async def plan(account: Account, bling: Bling, comando: str, inicio: date | None = None, **more: Any) -> Plan:
    """O plano, conferindo que nada pediu e nada mudou."""
    before = await everything(account.engine)
    bling.counters.reset()
    found = await load_plan(account.engine, account.clock, account.settings, Asked(comando, inicio, **more))
    assert bling.counters.total == 0
    assert await everything(account.engine) == before
    assert found.requisicoes == sum(each.requisicoes for each in found.recursos) + 1
    assert all(each.requisicoes == each.listagens + each.detalhes for each in found.recursos)
    return found


def assert_near(found: Plan, real: int | None) -> None:
    """O que se declara do que se leu: três décimos a mais ou a menos; e cinco requisições, que de poucas é muito."""
    assert real is not None
    assert not found.pelo_menos
    assert 0.7 * real - 5 <= found.requisicoes <= 1.3 * real + 5, (found.requisicoes, real, found.recursos)


async def assert_the_plans_come_close(account: Account, bling: Bling, clock: FakeClock) -> None:
    pipeline = account.pipeline
    first = await plan(account, bling, "run-full", START)
    assert first.pelo_menos
    real = (await pipeline.run_full(START)).requisicoes
    assert 0 < first.requisicoes <= real, "do que nunca se leu, só o que é certo"
    assert_near(await plan(account, bling, "run-full", START), (await pipeline.run_full(START)).requisicoes)
    for sold in (0, 6):
        clock.advance(86_400)
        for _ in range(sold):
            bling.sell()
        assert_near(await plan(account, bling, "run"), (await pipeline.run()).requisicoes)
    assert_near(await plan(account, bling, "reconcile"), (await pipeline.reconcile()).requisicoes)
    whole = await plan(account, bling, "reconcile", repair=True)
    assert_near(whole, (await pipeline.reconcile(repair=True)).requisicoes)
    assert_near(await plan(account, bling, "look"), await pipeline.look())


@pytest.mark.slow
@pytest.mark.bling(scale=0.03)
async def test_what_was_read_costs_about_what_was_said(account: Account, bling: Bling, clock: FakeClock) -> None:
    await assert_the_plans_come_close(account, bling, clock)


@pytest.mark.slow
@pytest.mark.bling(scale=0.1)
@pytest.mark.collector(recursos=("todos",))
async def test_also_with_everything_on(account: Account, bling: Bling, clock: FakeClock) -> None:
    await assert_the_plans_come_close(account, bling, clock)


@pytest.mark.loaded(date(2025, 12, 1))
async def test_older_years_are_reckoned_by_the_ones_that_were_read(account: Account, bling: Bling) -> None:
    found = await plan(account, bling, "run-full", date(2025, 1, 1))
    (notes,) = [each for each in found.recursos if each.recurso == "nfe"]
    assert notes.detalhes > 0, "o que falta é como o que se tem"
    only = await plan(account, bling, "run-full", START, recursos=("vendedores",))
    assert [each.recurso for each in only.recursos if each.pelo_menos] == ["vendedores"]


@pytest.mark.slow
async def test_on_the_terminal_and_by_http(
    account: Account, settings: Settings, server: RunningServer, bling: Bling, clock: FakeClock, tmp_path: Path
) -> None:
    terminal = Terminal(tmp_path, variables_for(account.settings, server))
    bling.counters.reset()
    for wrong, said in (
        (("run-full",), "--data-inicio"),
        (("run-full", "--data-inicio", "2026-02-30"), "2026-02-30"),
        (("run", "--recursos", "nada"), "nada"),
        (("run", "--recursos", ","), "diga ao menos um nome"),
        (("look", "--data-inicio", "2026-01-01"), "--data-inicio"),
        (("reconcile",), "Ainda não há o que conferir"),
        (("look",), "Sem uma primeira coleta a olhada nada pede"),
    ):
        done = await terminal.run("plan", *wrong)
        assert (done.code, said in done.err) == (2, True), done
    done = await terminal.run("plan", "run-full", "--data-inicio", "2021-01-01", RUN_MAX_SECONDS="2")
    assert done.code == 0
    for said in (
        "Notas",
        "Contatos",
        "pelo menos 0",
        "pelo menos",
        "De que empresa é a conta",
        "da cota do dia",
        "execuções",
        "--sondar",
    ):
        assert said in done.out + done.err
    shown = json.loads((await terminal.run("plan", "run-full", "--data-inicio", "2021-01-01", "--json")).out)
    assert bling.counters.total == 0

    async with serving(settings, clock) as http:
        answer = await http.get("/plan?comando=run-full&data_inicio=2021-01-01")
        assert answer.status_code == 200
        assert answer.json().keys() == shown.keys()
        assert {each["recurso"] for each in answer.json()["recursos"]} == {
            each["recurso"] for each in shown["recursos"]
        }
        assert (await http.get("/plan")).json()["comando"] == "run", "a execução diária"
        only = (await http.get("/plan?recursos=nfe, contatos")).json()
        assert {each["recurso"] for each in only["recursos"]} <= {"nfe", "contatos"}
        for wrong_query in (
            "comando=tudo",
            "comando=run-full",
            "comando=run&data_inicio=2030-01-01",
            "comando=run&data_inicio=hoje",
            "comando=run&recursos=nada",
            "comando=run&recursos=,",
            "comando=run&repair=true",
            "comando=look&recursos=nfe",
            "comando=reconcile",
            "comando=run&empresas=todas",
        ):
            problem(await http.get(f"/plan?{wrong_query}"), 422)
        assert "/plan" in (await http.get("/openapi.json")).json()["paths"]
    assert bling.counters.total == 0

    probed = json.loads(
        (await terminal.run("plan", "run-full", "--data-inicio", "2021-01-01", "--sondar", "--json")).out
    )
    assert (probed["sondas"], probed["pelo_menos"]) == (bling.counters.requests["/nfe"], False)
    assert probed["requisicoes"] > 3 * shown["requisicoes"]
