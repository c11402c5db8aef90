"""Buscar e salvar: tantos detalhes em voo que a latência não atrasa o ritmo, em lotes, e memória que não cresce."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from bling_collector.api.bling_client import WITNESS_ATTEMPTS, BlingClient
from bling_collector.api.transport import ATTEMPTS
from bling_collector.db import control
from bling_collector.db.control import Pendencia
from bling_collector.db.resources import repository
from bling_collector.errors import (
    LASTING,
    BlingError,
    BlingMovedError,
    BlingNotFoundError,
    BlingPausedError,
    BlingResourceDownError,
    BlingScopeError,
    CollectorError,
)
from bling_collector.etl.context import RunContext
from bling_collector.etl.resource import Document, Id, Params, Resource
from bling_collector.etl.save import BATCH, Item
from bling_collector.payload import Row

GRACE = 5.0
"""Segundos que o que está em voo tem para chegar depois de um pedido de parada (o Cloud Run dá 10 ao todo)."""
SUSPECTS = 20
"""Registros que falham em seguida até que se pergunte por um que deve responder: são eles, ou é o recurso inteiro?"""
WITNESSES = 3
"""Registros que já responderam e de que basta que um responda: também um deles pode ter um defeito."""
ANALYZE_AFTER = 1000
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Wanted:
    """Por que buscar: a impressão da linha listada (se uma listagem a mostrou) e o seu dia."""

    resumo: str | None = None
    day: date | None = None
    names: Row = field(default_factory=dict, compare=False)
    """Por que as pessoas a conhecem, se uma listagem a mostrou."""
    said: Document = field(default_factory=dict, compare=False)
    """O que só a linha diz, e o documento guarda."""
    row: Document | None = field(default=None, compare=False)
    """A própria linha, se é ela o documento."""
    params: Params = field(default=(), compare=False)
    """O que vai com o pedido do detalhe."""


@dataclass
class Stored:
    """O que houve com o que se buscou: o que o banco tinha diferente, e o que o Bling não tem (404)."""

    updated: set[Id] = field(default_factory=set)
    missing: set[Id] = field(default_factory=set)


@dataclass(frozen=True)
class Fetched:
    id: Id
    document: Document | None
    error: BlingError | None = None
    read: Any = None
    """O que se leu do documento, ao conferir que se lê inteiro."""


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
    resource: Resource,
    ids: Collection[Id],
    read: Callable[[Document], object],
    *,
    limit: int,
    stop: asyncio.Event,
    witnesses: Sequence[Id] = (),
    params: Mapping[Id, Params] | None = None,
) -> AsyncGenerator[Fetched]:
    """O detalhe de cada id, ou o erro que só diz respeito a ele; um dos erros é não se deixar ler por `read`.

    Um registro que falha só é dado por culpado depois que outro responde: um que chegue a seguir ou, sem nenhum, uma
    das testemunhas, `witnesses`, que já responderam um dia, perguntadas depois de `SUSPECTS` falhas e no fim. Se também
    elas falham, BlingResourceDownError, e dos que esperavam nada se diz. Sem testemunha pergunta-se pelo mais velho dos
    que ainda não falharam e, se todos falharam, pela listagem.

    Os outros erros que dizem respeito a todos (cota do dia, autorização, a pausa de um Bling fora do ar) interrompem a
    busca.
    """

    async def ask(id_: Id, read: Callable[[Document], object] = dict, attempts: int = ATTEMPTS) -> Document:
        more = (*resource.detail_params, *(params or {}).get(id_, ()))
        key = resource.key_of(id_)
        return await client.detail(resource.asked_at, id_, read, key=key, params=more, attempts=attempts)

    async def one(id_: Id) -> Fetched:
        found: object = None

        def keep(document: Document) -> None:
            nonlocal found
            found = read(document)

        try:
            return Fetched(id_, await ask(id_, keep), read=found)
        except BlingPausedError:  # é um dos LASTING, mas de todos, e não deste registro
            raise
        except (*LASTING, BlingMovedError) as error:  # pode ser só deste: o júri o dirá
            return Fetched(id_, None, error)

    jury = _Jury(client, resource, ids, witnesses, ask)
    async for fetched in bounded(one, ids, limit=limit, stop=stop):
        for judged in await jury.hear(fetched):
            yield judged
    if not stop.is_set():
        for judged in await jury.close():
            yield judged


class _Jury:
    """Decide se o que falhou é culpa do registro."""

    def __init__(
        self,
        client: BlingClient,
        resource: Resource,
        ids: Collection[Id],
        witnesses: Sequence[Id],
        ask: Callable[..., Awaitable[Document]],
    ) -> None:
        self._ask = ask
        self._client = client
        self._resource = resource
        self._path = resource.asked_at
        self._ids = ids
        self._witnesses = list(witnesses)
        self._failed: set[Id] = set()
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
                await self._ask(witness, attempts=WITNESS_ATTEMPTS)
            except BlingNotFoundError:  # também é uma resposta
                pass
            except BlingPausedError:  # o Bling está fora do ar: não é a testemunha que falha
                raise
            except LASTING:  # falha como os suspeitos; que fale a seguinte
                continue
            return True
        attends = self._client.lists if self._resource.listed else self._client.attends
        return not witnesses and await attends(self._resource.path)


async def details(
    ctx: RunContext,
    resource: Resource,
    ids: Collection[Id],
    read: Callable[[Document], object] | None = None,
    params: Mapping[Id, Params] | None = None,
) -> AsyncGenerator[Fetched]:
    """O detalhe de cada id, como `fetch`, com as testemunhas que o banco dá.

    `read` diz se um detalhe se lê inteiro; o padrão é o mapeamento do recurso.
    """
    async with ctx.engine.connect() as connection:
        held = await repository.should_answer(connection, resource.table, resource.name, without=ids, most=WITNESSES)
    if resource.detail_with:  # de um que não está nesta listagem não se sabe com que se pede
        held = []
    read, limit = read or resource.read, ctx.in_flight
    return fetch(ctx.client, resource, ids, read, limit=limit, stop=ctx.stop, witnesses=held, params=params)


async def fetch_and_store(
    ctx: RunContext,
    resource: Resource,
    todo: Mapping[Id, Wanted],
    *,
    missing_is_failure: bool = False,
    count: bool = True,
) -> Stored:
    """Busca os detalhes e os salva em lotes; o que já veio inteiro na linha da listagem não se busca, nem o que está
    estacionado.

    Com `missing_is_failure` o 404 é uma falha como as outras e vira pendência.
    """
    items: list[Item] = []
    failures: list[Pendencia] = []
    result = Stored()

    async def flush() -> None:
        if not items and not failures:
            return
        async with ctx.transaction() as connection:
            before = ctx.progress.saved[resource.name]
            outcome = await ctx.store(connection, resource, items, failures)
            result.updated |= outcome.updated
            if count:
                ctx.progress.saved[resource.name] += len(outcome.saved)
            if before < ANALYZE_AFTER <= ctx.progress.saved[resource.name]:
                await repository.analyze(connection, (resource.table, *resource.first_seen))
        items.clear()
        failures.clear()

    if resource.recent:
        ctx.asked.setdefault(resource.name, set()).update(todo)
    todo = await _without_parked(ctx, resource, todo)
    whole = [Fetched(id_, wanted.row) for id_, wanted in todo.items() if wanted.row is not None]
    try:
        async for fetched in _chained(
            whole, ctx, resource, {id_: wanted.params for id_, wanted in todo.items() if wanted.row is None}
        ):
            wanted = todo[fetched.id]
            ctx.progress.feitos += 1
            if fetched.document is not None:
                document = {**fetched.document, **wanted.said}
                rows = None if wanted.said else fetched.read
                items.append(Item(document, wanted.resumo, wanted.day, rows))
            elif isinstance(fetched.error, BlingNotFoundError) and not missing_is_failure:
                result.missing.add(fetched.id)
            else:
                failures.append(
                    Pendencia(
                        resource.name, str(fetched.id), str(fetched.error), wanted.day, wanted.resumo, wanted.names
                    )
                )
            ctx.show()
            if len(items) + len(failures) >= BATCH:
                await flush()
    except CollectorError:  # o que já chegou se salva, seja o que for que interrompeu
        await flush()
        raise
    await flush()
    return result


async def _without_parked(ctx: RunContext, resource: Resource, todo: Mapping[Id, Wanted]) -> dict[Id, Wanted]:
    """Uma pendência estacionada só volta a ser tentada se alguém pedir, ou se a linha dela na listagem mudou."""
    async with ctx.engine.connect() as connection:
        parked = await control.parked(connection, resource.name)

    def is_parked(id_: Id, wanted: Wanted) -> bool:
        if str(id_) not in parked:
            return False
        before = parked[str(id_)]
        return None in (before, wanted.resumo) or before == wanted.resumo

    kept = {id_: wanted for id_, wanted in todo.items() if not is_parked(id_, wanted)}
    ctx.progress.feitos += len(todo) - len(kept)
    return kept


async def _chained(
    whole: Iterable[Fetched], ctx: RunContext, resource: Resource, asked: Mapping[Id, Params]
) -> AsyncIterator[Fetched]:
    for fetched in whole:
        yield fetched
    if asked:
        async for fetched in await details(ctx, resource, asked.keys(), params=asked):
            yield fetched
