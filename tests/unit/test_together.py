"""Várias coisas ao mesmo tempo: até o limite, na ordem pedida, e um erro só."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from bling_collector.etl.context import READ_AHEAD, Backlog
from bling_collector.etl.progress import Progress
from bling_collector.together import Stopped, merged, together


async def test_the_results_come_in_the_order_asked_with_no_more_than_the_limit_at_once() -> None:
    running = peak = 0

    async def work(item: int) -> int:
        nonlocal running, peak
        running, peak = running + 1, max(peak, running + 1)
        for _ in range(7 - item % 7):
            await asyncio.sleep(0)
        running -= 1
        return item

    assert await together(work, range(30), limit=4) == list(range(30))
    assert peak == 4


async def test_an_item_is_only_taken_when_there_is_room() -> None:
    taken, gate = list[int](), asyncio.Event()

    async def items() -> AsyncGenerator[int]:
        for item in range(10):
            taken.append(item)
            yield item

    async def work(item: int) -> None:
        await gate.wait()

    whole = asyncio.ensure_future(together(work, items(), limit=2))
    for _ in range(20):
        await asyncio.sleep(0)
    assert taken == [0, 1]
    gate.set()
    await whole
    assert taken == list(range(10))


async def test_the_first_error_is_raised_alone_after_the_others_have_cleaned_up() -> None:
    cleaned = list[int]()

    async def work(item: int) -> None:
        if item == 2:
            raise ZeroDivisionError
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(item)

    with pytest.raises(ZeroDivisionError):
        await together(work, range(9), limit=3)
    assert sorted(cleaned) == [0, 1]


async def test_a_stop_is_heard_by_each_and_cancels_nobody() -> None:
    stop, saved = asyncio.Event(), list[int]()

    async def work(item: int) -> None:
        if item:
            await stop.wait()
            await asyncio.sleep(0)
            saved.append(item)
        stop.set()
        raise Stopped

    with pytest.raises(Stopped):
        await together(work, range(9), limit=3)
    assert sorted(saved) == [1, 2], "e nada mais começa"


async def test_sources_are_read_side_by_side_each_in_its_order_and_closed_at_the_end() -> None:
    closed = list[str]()

    async def source(name: str, most: int) -> AsyncGenerator[str]:
        try:
            for place in range(most):
                await asyncio.sleep(0)
                yield f"{name}{place}"
        finally:
            closed.append(name)

    seen = [element async for element in merged((source(name, 4) for name in "abc"), limit=2)]
    assert sorted(seen) == sorted(f"{name}{place}" for name in "abc" for place in range(4))
    for name in "abc":
        assert [each for each in seen if each.startswith(name)] == [f"{name}{place}" for place in range(4)]
    assert seen[1][0] != seen[0][0], "a segunda não esperou que a primeira acabasse"
    reading = merged((source(name, 4) for name in "xy"), limit=2)
    await anext(reading)
    await reading.aclose()
    assert sorted(closed[3:]) == ["x", "y"]


async def test_the_next_window_waits_until_little_is_left_of_what_was_read() -> None:
    backlog = Backlog()
    await backlog.is_short("nfe")
    backlog.add("nfe", 3 * READ_AHEAD)
    await backlog.is_short("contas_receber")
    waiting = asyncio.ensure_future(backlog.is_short("nfe"))
    backlog.add("nfe", -2 * READ_AHEAD)
    await asyncio.sleep(0)
    assert not waiting.done()
    backlog.add("nfe", -1)
    await waiting


def test_the_phase_shown_is_the_one_that_began_first_and_what_is_left_is_of_all() -> None:
    progress = Progress()
    assert (progress.fase, progress.whole.left) == ("Início", 0)
    with progress.aside():
        older = progress.here
        assert progress.fase == "Início", "uma que ainda não disse o que faz não apaga o que se via"
        older.fase, older.feitos, older.total = "NF-e de 2025", 40, 100
        with progress.aside():
            newer = progress.here
            newer.fase, newer.total, newer.each = "SKUs", 190, 1 / 95
            assert (progress.fase, progress.whole.left) == ("SKUs", 62)
        assert progress.here is older
        assert (progress.fase, progress.feitos, progress.total, progress.whole.left) == ("NF-e de 2025", 40, 100, 60)
    assert progress.fase == "Início"
