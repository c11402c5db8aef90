"""Uma resposta que demora não atrasa o ritmo, nem faz pedir nada duas vezes; e o que se lê adiante não se perde."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime

import pytest
from tests.support.collecting import authorise, scalar, until
from tests.support.fakes import START
from tests.support.slow_bling import SlowWire, VirtualClock
from tests.support.truth import assert_equals_truth

from bling_collector.config import Settings
from bling_collector.etl.save import BATCH
from bling_collector.workplace import account as composition
from bling_collector.workplace.account import Account, open_account
from bling_simulator.bling import Bling
from bling_simulator.faults import FaultRule

FIRST = date(2021, 1, 1)
DELAY = 0.35


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@asynccontextmanager
async def slow(
    settings: Settings, bling: Bling, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, latency: float
) -> AsyncIterator[tuple[Account, SlowWire]]:
    """O coletor autorizado, ao ritmo de sempre, diante de um Bling que demora."""
    wire = SlowWire(clock, latency)
    monkeypatch.setattr(composition, "routes", lambda: wire)
    async with open_account(replace(settings, api_rate_limit_delay=DELAY), clock=clock) as account:
        await authorise(account, bling)
        clock.begin(account.engine)
        yield account, wire


@pytest.mark.slow
@pytest.mark.bling(scale=0.05, requests_per_second=3)
async def test_two_seconds_an_answer_do_not_slow_a_load(
    settings: Settings, bling: Bling, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with slow(settings, bling, clock, monkeypatch, 2.0) as (account, wire):
        result = await account.pipeline.run_full(FIRST)
        assert (result.status, result.message) == ("success", None)
        # Sobram as esperas do começo, em que ainda não se sabe o que pedir, e do fim, em que falta pouco.
        assert wire.pace(DELAY) >= 0.75
        assert wire.most_flying <= 8, "não se abrem mais conexões do que o ritmo ocupa"
        assert bling.counters.too_many_requests == 0
        assert max(bling.counters.details.values()) == 1, "nenhum registro se pede duas vezes"
        await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.parametrize(
    "recursos",
    [
        pytest.param((), marks=pytest.mark.bling(scale=0.3, requests_per_second=3), id="os de sempre"),
        pytest.param(("todos",), marks=pytest.mark.bling(scale=0.1, requests_per_second=3), id="todos"),
    ],
)
@pytest.mark.parametrize("latency", [0.05, 1.0, 2.0])
async def test_a_long_load_keeps_the_pace_at_any_delay(
    settings: Settings,
    bling: Bling,
    clock: VirtualClock,
    monkeypatch: pytest.MonkeyPatch,
    recursos: tuple[str, ...],
    latency: float,
) -> None:
    wanted = replace(settings, recursos=recursos or settings.recursos)
    async with slow(wanted, bling, clock, monkeypatch, latency) as (account, wire):
        assert (await account.pipeline.run_full(FIRST)).status == "success"
        assert wire.pace(DELAY) >= (0.98 if latency < 2 else 0.96)
        assert bling.counters.too_many_requests == 0


def _at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day} 09:00:00")


HELD = r"^/nfe/\d+$"


@pytest.mark.slow
@pytest.mark.bling(scale=0.03)
async def test_while_a_note_does_not_come_the_next_windows_are_read_from_the_newest_to_the_oldest(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose, began = bling.faults.choose, list[str]()

    def watched(method: str, path: str, query: str, body: str) -> FaultRule | None:
        began.extend(re.findall(r"dataEmissaoInicial=([0-9-]+)", query) if path == "/nfe" else ())
        return choose(method, path, query, body)

    monkeypatch.setattr(bling.faults, "choose", watched)
    held = bling.fail(HELD, "hold", times=1)
    running = asyncio.ensure_future(account.pipeline.run_full(FIRST))
    owed = "SELECT count(*) FROM janelas_devidas WHERE recurso = 'nfe'"

    async def only_the_first_is_owed() -> bool:
        return bling.counters.requests["/nfe"] > 4 and await scalar(account.engine, owed) == 1

    await until(only_the_first_is_owed)
    newest = "SELECT data_fim = (SELECT data_fim FROM etl_controle) FROM janelas_devidas WHERE recurso = 'nfe'"
    assert await scalar(account.engine, newest)
    assert not running.done()
    assert began == sorted(began, reverse=True)
    assert len({*began}) > 4
    bling.faults.remove(held)
    assert (await running).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.bling(scale=0.03)
async def test_a_window_read_before_another_shows_that_the_listings_hide_is_read_again(
    account: Account, bling: Bling
) -> None:
    """A mais nova, em que se sondou outra situação, espera por uma nota; entretanto a seguinte mostra que o padrão
    esconde, e o que só as outras listagens mostram da mais nova também se busca."""
    for note in bling.notes.values():
        if note["situacao"] not in (2, 6):
            bling.edit_note(note["id"], situacao=6)
    bling.configure(default_hides_all_but_authorised=True)
    hidden = [bling.issue_note(situacao=4, emitted_at=_at(day)) for day in ("2026-02-10", "2024-06-10")]
    held = bling.fail(HELD, "hold", times=1)
    running = asyncio.ensure_future(account.pipeline.run_full(FIRST))

    async def known() -> object:
        return await scalar(account.engine, "SELECT count(*) FROM checkpoints WHERE recurso = 'nfe.escondidas'")

    await until(known)
    assert not running.done()
    bling.faults.remove(held)
    assert (await running).status == "success"
    assert await scalar(account.engine, "SELECT count(*) FROM janelas_devidas") == 0
    kept = "SELECT count(*) FROM nfe_cabecalho WHERE id = ANY(:ids)"
    assert await scalar(account.engine, kept, ids=hidden) == 2
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.loaded(FIRST)
@pytest.mark.bling(scale=0.03)
async def test_a_note_that_moved_to_another_window_read_beside_it_is_asked_once(account: Account, bling: Bling) -> None:
    moved = next(id_ for id_, note in bling.notes.items() if note["tipo"] == 1 and note["dataEmissao"] < "2024-12")
    bling.edit_note(moved, dataEmissao="2025-12-10 09:00:00")
    bling.counters.reset()
    held = bling.fail(rf"^/nfe/{moved}$", "hold", times=1)
    running = asyncio.ensure_future(account.pipeline.reconcile(FIRST, repair=True))
    owed = "SELECT count(*) FROM janelas_devidas WHERE recurso = 'nfe'"

    async def only_two_are_owed() -> bool:
        """A que a mostra, e a em que estava."""
        return bling.counters.requests["/nfe"] > 12 and await scalar(account.engine, owed) <= 2

    await until(only_two_are_owed)
    assert not running.done()
    bling.faults.remove(held)
    assert (await running).status == "success"
    assert bling.counters.details[f"/nfe/{moved}"] == 0, "além da que se segurou"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.bling(scale=0.03)
async def test_what_arrived_and_is_not_saved_is_one_batch_and_not_one_of_each_window(
    account: Account, bling: Bling
) -> None:
    """De cada janela falta uma nota, e nenhuma tem um lote."""
    notes = {id_: note["dataEmissao"][:4] for id_, note in bling.notes.items() if note["tipo"] == 1}
    missing = {year: id_ for id_, year in notes.items()}.values()
    held = bling.fail(rf"^/nfe/({'|'.join(map(str, missing))})$", "hold")
    running = asyncio.ensure_future(account.pipeline.run_full(FIRST))

    async def all_but_a_batch_are_saved() -> bool:
        saved = await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho")
        return bool(saved > len(notes) - len(missing) - BATCH)

    await until(all_but_a_batch_are_saved)
    assert not running.done()
    bling.faults.remove(held)
    assert (await running).status == "success"
