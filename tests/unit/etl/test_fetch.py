"""Muitos trabalhos ao mesmo tempo: tantos em voo quantos se pede, e nenhum depois da parada."""

import asyncio

import pytest

from bling_collector.etl.fetch import bounded
from bling_collector.etl.listing import BATCH, LONGEST_QUERY, batches


async def test_up_to_the_limit_are_in_flight_and_all_arrive() -> None:
    flying = peak = 0

    async def work(item: int) -> int:
        nonlocal flying, peak
        flying += 1
        peak = max(peak, flying)
        for _ in range(1 + item % 5):
            await asyncio.sleep(0)
        flying -= 1
        return item

    results = [r async for r in bounded(work, range(100), limit=7, stop=asyncio.Event())]
    assert sorted(results) == list(range(100))
    assert peak == 7


async def test_after_the_stop_nothing_begins_and_what_was_in_flight_arrives() -> None:
    stop, started = asyncio.Event(), list[int]()

    async def work(item: int) -> int:
        started.append(item)
        if item == 10:
            stop.set()
        await asyncio.sleep(0)
        return item

    results = [r async for r in bounded(work, range(1000), limit=4, stop=stop)]
    assert len(started) < 20
    assert sorted(results) == sorted(started)


async def test_an_error_reaches_who_waits_and_the_others_are_cancelled() -> None:
    cancelled = list[int]()

    async def work(item: int) -> int:
        if item == 3:
            await asyncio.sleep(0)
            raise ZeroDivisionError
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(item)
            raise
        return item

    with pytest.raises(ZeroDivisionError):
        _ = [r async for r in bounded(work, range(50), limit=5, stop=asyncio.Event())]
    assert sorted(cancelled) == [0, 1, 2, 4]


async def test_the_source_is_not_read_before_its_time() -> None:
    taken = 0

    def source() -> "list[int]":
        nonlocal taken
        taken += 1
        return [taken]

    async def work(item: int) -> int:
        return item

    numbers = (source()[0] for _ in range(1000))
    async for result in bounded(work, numbers, limit=3, stop=asyncio.Event()):
        assert taken <= result + 6


def test_the_batches_of_skus_fit_an_address_and_none_is_lost() -> None:
    plain = [f"SKU-{i}" for i in range(250)]
    assert [len(batch) for batch in batches(plain, "codigos[]")] == [BATCH, BATCH, 250 - 2 * BATCH]
    long = ["AÇÃO-" * 30 + str(i) for i in range(100)]
    cut = list(batches(long, "codigos[]"))
    assert [sku for batch in cut for sku in batch] == long
    assert len(cut) > 1
    assert list(batches(["x" * LONGEST_QUERY * 2, "b"], "codigos[]")) == [["x" * LONGEST_QUERY * 2], ["b"]]
    assert list(batches([], "codigos[]")) == []


async def test_what_is_in_flight_when_nothing_arrives_still_has_its_time() -> None:
    stop, answered = asyncio.Event(), asyncio.Event()

    async def work(item: int) -> int:
        await answered.wait()
        return item

    results = bounded(work, range(3), limit=3, stop=stop)
    first = asyncio.ensure_future(anext(results))
    await asyncio.sleep(0)
    stop.set()
    for _ in range(5):
        await asyncio.sleep(0)
    answered.set()
    assert sorted([await first, *[each async for each in results]]) == [0, 1, 2]


async def test_the_time_after_the_stop_is_of_all_and_not_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bling_collector.etl.fetch.GRACE", 0.0)
    stop, turns = asyncio.Event(), [asyncio.Event() for _ in range(50)]

    async def work(item: int) -> int:
        await turns[item].wait()
        return item

    turns[0].set()
    arrived = list[int]()
    async for each in bounded(work, range(50), limit=50, stop=stop):
        arrived.append(each)
        stop.set()
        for turn in turns[: each + 2]:  # a seguinte chega sempre antes de se olhar outra vez
            turn.set()
        for _ in range(5):
            await asyncio.sleep(0)
    assert len(arrived) < 5
