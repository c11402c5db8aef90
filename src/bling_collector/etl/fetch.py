"""Buscar muitos detalhes de uma vez: tantos em voo que a latência não atrasa o ritmo, e memória que não cresce."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from bling_collector.api.bling_client import BlingClient
from bling_collector.errors import (
    BlingError,
    BlingNotFoundError,
    BlingPausedError,
    BlingRejectedError,
    BlingResourceDownError,
    BlingThrottledError,
    BlingUnavailableError,
)
from bling_collector.streams.base import Document

GRACE = 5.0
"""Segundos que o que está em voo tem para chegar depois de um pedido de parada (o Cloud Run dá 10 ao todo)."""
SUSPECTS = 20
"""Registros que falham em seguida até que se pergunte por um que deve responder: são eles, ou é o recurso inteiro?"""
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Fetched:
    id: int
    document: Document | None
    error: BlingError | None = None


async def bounded(
    work: Callable[[T], Awaitable[R]], items: Iterable[T], *, limit: int, stop: asyncio.Event
) -> AsyncIterator[R]:
    """Os resultados de `work` na ordem em que chegam, com até `limit` em voo; depois de `stop` nada mais começa."""
    waiting, stopping = iter(items), asyncio.ensure_future(stop.wait())
    flying: set[asyncio.Future[R]] = set()
    try:
        while True:
            while len(flying) < limit and not stop.is_set() and (item := next(waiting, None)) is not None:
                flying.add(asyncio.ensure_future(work(item)))
            if not flying:
                return
            if stop.is_set():
                await asyncio.wait(flying, timeout=GRACE)
            else:
                watched: list[asyncio.Future[Any]] = [*flying, stopping]
                await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            arrived = [future for future in flying if future.done()]
            for future in arrived:
                yield future.result()  # se lança, os outros que chegaram ainda estão em `flying`, e são recolhidos
                flying.remove(future)
            if stop.is_set() and not arrived:
                return
    finally:
        unfinished: list[asyncio.Future[Any]] = [*flying, stopping]
        for left in unfinished:
            left.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)


async def fetch(
    client: BlingClient,
    path: str,
    ids: Collection[int],
    *,
    limit: int,
    stop: asyncio.Event,
    witness: int | None = None,
) -> AsyncGenerator[Fetched]:
    """O detalhe de cada id, ou o erro que só diz respeito a ele.

    Os erros que dizem respeito a todos (cota do dia, autorização, escopo, e a pausa de um Bling fora do ar) interrompem
    a busca. Também BlingResourceDownError: `SUSPECTS` falharam em seguida, e a testemunha, que deveria responder,
    falhou como eles. É o último que respondeu; antes de algum responder, `witness` ou, sem ela, o mais velho.
    """

    async def one(id_: int) -> Fetched:
        try:
            return Fetched(id_, await client.detail(path, id_))
        except BlingPausedError:
            raise
        except (BlingNotFoundError, BlingRejectedError, BlingThrottledError, BlingUnavailableError) as error:
            return Fetched(id_, None, error)

    failed = 0
    async for fetched in bounded(one, ids, limit=limit, stop=stop):
        if not isinstance(fetched.error, BlingUnavailableError):
            failed, witness = 0, witness if fetched.error else fetched.id
        elif (failed := failed + 1) % SUSPECTS == 0:
            asked = [min(ids) if witness is None else witness]
            async for answer in bounded(one, asked, limit=1, stop=stop):
                if isinstance(answer.error, BlingUnavailableError):
                    raise BlingResourceDownError(
                        f"O Bling não dá nenhum registro de {path}: {failed} falharam em seguida. O que faltou fica "
                        f"devido. O último erro: {answer.error}"
                    )
        yield fetched
