"""Buscar muitos detalhes de uma vez: tantos em voo que a latência não atrasa o ritmo, e memória que não cresce."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bling_collector.api.bling_client import WITNESS_ATTEMPTS, BlingClient
from bling_collector.errors import (
    LASTING,
    BlingError,
    BlingMovedError,
    BlingNotFoundError,
    BlingPausedError,
    BlingResourceDownError,
    BlingScopeError,
)
from bling_collector.streams.base import Document

GRACE = 5.0
"""Segundos que o que está em voo tem para chegar depois de um pedido de parada (o Cloud Run dá 10 ao todo)."""
SUSPECTS = 20
"""Registros que falham em seguida até que se pergunte por um que deve responder: são eles, ou é o recurso inteiro?"""
WITNESSES = 3
"""Registros que já responderam e de que basta que um responda: também um deles pode ter um defeito."""
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
    read: Callable[[Document], object],
    *,
    limit: int,
    stop: asyncio.Event,
    witnesses: Sequence[int] = (),
) -> AsyncGenerator[Fetched]:
    """O detalhe de cada id, ou o erro que só diz respeito a ele; um dos erros é não se deixar ler por `read`.

    Um registro que falha só é dado por culpado depois que outro responde: um que chegue a seguir ou, sem nenhum, uma
    das testemunhas, `witnesses`, que já responderam um dia, perguntadas depois de `SUSPECTS` falhas e no fim. Se também
    elas falham, BlingResourceDownError, e dos que esperavam nada se diz. Sem testemunha pergunta-se pelo mais velho dos
    que ainda não falharam e, se todos falharam, pela listagem.

    Os outros erros que dizem respeito a todos (cota do dia, autorização, a pausa de um Bling fora do ar) interrompem a
    busca.
    """

    async def one(id_: int) -> Fetched:
        try:
            return Fetched(id_, await client.detail(path, id_, read))
        except BlingPausedError:
            raise
        except (*LASTING, BlingMovedError) as error:
            return Fetched(id_, None, error)

    jury = _Jury(client, path, ids, witnesses)
    async for fetched in bounded(one, ids, limit=limit, stop=stop):
        for judged in await jury.hear(fetched):
            yield judged
    if not stop.is_set():
        for judged in await jury.close():
            yield judged


class _Jury:
    """Decide se o que falhou é culpa do registro."""

    def __init__(self, client: BlingClient, path: str, ids: Collection[int], witnesses: Sequence[int]) -> None:
        self._client = client
        self._path = path
        self._ids = ids
        self._witnesses = list(witnesses)
        self._failed: set[int] = set()
        self._suspects: list[Fetched] = []

    async def hear(self, fetched: Fetched) -> list[Fetched]:
        """O que já se pode dizer, com o que acaba de chegar."""
        if fetched.document is not None:
            self._witnesses = [fetched.id, *self._witnesses[: WITNESSES - 1]]
            return [fetched, *self._condemned()]
        if isinstance(fetched.error, BlingNotFoundError):
            return [fetched]
        self._failed.add(fetched.id)
        self._suspects.append(fetched)
        # Uma falta de permissão, ou outro endereço, se é de todos, é de todos desde a primeira.
        if len(self._suspects) < SUSPECTS and not isinstance(fetched.error, (BlingScopeError, BlingMovedError)):
            return []
        return await self.close()

    async def close(self) -> list[Fetched]:
        """Os suspeitos, culpados. BlingResourceDownError se as testemunhas falham como eles."""
        if self._suspects and not await self._is_answered():
            error = self._suspects[-1].error
            if isinstance(error, (BlingScopeError, BlingMovedError)):
                raise error
            raise BlingResourceDownError(
                f"O Bling não dá nenhum registro de {self._path}: {len(self._suspects)} falharam em seguida, e também "
                f"um que devia responder. O que faltou fica devido. O último erro: {error}"
            )
        return self._condemned()

    def _condemned(self) -> list[Fetched]:
        condemned, self._suspects = self._suspects, []
        return condemned

    async def _is_answered(self) -> bool:
        oldest = min(set(self._ids) - self._failed, default=None)
        witnesses = self._witnesses or ([] if oldest is None else [oldest])
        for witness in witnesses:
            try:
                await self._client.detail(self._path, witness, attempts=WITNESS_ATTEMPTS)
            except BlingNotFoundError:
                pass
            except BlingPausedError:
                raise
            except LASTING:
                continue
            return True
        return not witnesses and await self._client.lists(self._path)
