"""Muitas coisas ao mesmo tempo, para que uma resposta que demora não deixe passar a vez das outras."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final, TypeVar, cast

T = TypeVar("T")
R = TypeVar("R")


class Stopped(Exception):  # noqa: N818 — não é um erro: alguém pediu que a execução parasse
    """A execução parou a pedido, com tudo o que chegou já salvo."""


LISTINGS: Final = 6
"""Listagens, lotes ou janelas de um recurso ao mesmo tempo: uma resposta de dois segundos não atrasa o ritmo."""
PORTIONS: Final = 2
"""Porções ao mesmo tempo, onde cada uma enche o ritmo: a que se busca, e a seguinte."""


async def together(work: Callable[[T], Awaitable[R]], items: Iterable[T] | AsyncIterable[T], *, limit: int) -> list[R]:
    """Os resultados de `work`, na ordem de `items`, com até `limit` em curso; um item só se tira quando há lugar.

    O primeiro erro cancela o que está em curso, espera que acabe, e é ele que se levanta. Um pedido de parada nada
    cancela: cada um o ouve, e tem tempo de salvar o que lhe chega; depois de todos, Stopped.
    """
    room, results, stopped = asyncio.Semaphore(limit), list[R | None](), False

    async def one(place: int, item: T) -> None:
        nonlocal stopped
        try:
            results[place] = await work(item)
        except Stopped:
            stopped = True
        finally:
            room.release()

    try:
        async with asyncio.TaskGroup() as group:
            await room.acquire()
            async for item in _each(items):
                if stopped:
                    break
                results.append(None)
                group.create_task(one(len(results) - 1, item))
                await room.acquire()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    if stopped:
        raise Stopped
    return cast(list[R], results)


async def merged(sources: Iterable[AsyncGenerator[T]], *, limit: int) -> AsyncGenerator[T]:
    """O que dão `sources`, à medida que chega: cada uma em ordem, até `limit` ao mesmo tempo, e de cada uma só um
    elemento adiante do que já se tirou."""
    waiting, reading = iter(sources), dict[asyncio.Future[T | None], AsyncGenerator[T]]()
    try:
        while True:
            while len(reading) < limit and (source := next(waiting, None)) is not None:
                reading[_next_of(source)] = source
            if not reading:
                return
            arrived, _ = await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
            for future in arrived:
                if (element := future.result()) is not None:
                    yield element
                    reading[_next_of(reading[future])] = reading[future]
                del reading[future]
    finally:
        await closed(reading, *reading.values())


@asynccontextmanager
async def following(asked: asyncio.Event) -> AsyncIterator[asyncio.Event]:
    """Um pedido de parada só de quem o recebe, que também se levanta com o de todos (`asked`)."""
    own = asyncio.Event()

    async def follow() -> None:
        await asked.wait()
        own.set()

    task = asyncio.create_task(follow())
    try:
        yield own
    finally:
        await closed([task])


def _next_of(source: AsyncGenerator[T]) -> "asyncio.Future[T | None]":
    return asyncio.ensure_future(anext(source, None))


async def closed(futures: Iterable["asyncio.Future[Any]"], *sources: AsyncIterator[Any]) -> None:
    """Desiste de `futures`, espera que acabem, e fecha as fontes que eles liam."""
    left = list(futures)
    for future in left:
        future.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    for source in sources:
        if isinstance(source, AsyncGenerator):
            await source.aclose()


async def _each(items: Iterable[T] | AsyncIterable[T]) -> AsyncIterator[T]:
    if isinstance(items, AsyncGenerator):
        async with aclosing(items):
            async for item in items:
                yield item
    elif isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
