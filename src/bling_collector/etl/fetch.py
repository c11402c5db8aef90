"""Buscar e salvar: tantos detalhes em voo que a latência não atrasa o ritmo, em lotes, e memória que não cresce."""

import asyncio
import math
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from bling_collector.api.bling_client import WITNESS_ATTEMPTS
from bling_collector.api.transport import ATTEMPTS, noting_when_sent
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
from bling_collector.together import closed

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
    gone: Document | None = field(default=None, compare=False)
    """A linha, se diz que o registro foi excluído."""
    asked: datetime | None = field(default=None, compare=False)
    """Quando se começou a ler a listagem que a mostra, se é a linha que se guarda."""


@dataclass
class Stored:
    """O que houve com o que se buscou: o que se leu e gravou e, disso, o que o banco tinha diferente; e o que o Bling
    não tem (404). Do mais não se soube: falhou, ou está estacionado."""

    read: set[Id] = field(default_factory=set)
    updated: set[Id] = field(default_factory=set)
    missing: set[Id] = field(default_factory=set)


@dataclass(frozen=True)
class Fetched:
    id: Id
    document: Document | None
    error: BlingError | None = None
    read: Any = None
    """O que se leu do documento, ao conferir que se lê inteiro."""
    asked: datetime | None = None
    """Quando saiu o pedido dele."""


async def bounded(
    work: Callable[[T], Awaitable[R]], items: Iterable[T], *, limit: int, stop: asyncio.Event
) -> AsyncGenerator[R]:
    """Os resultados de `work` na ordem em que chegam, com até `limit` em voo; depois de `stop` nada mais começa, e o
    que está em voo tem `GRACE` segundos ao todo."""
    waiting, stopping = iter(items), asyncio.ensure_future(stop.wait())
    clock, ends_at = asyncio.get_running_loop().time, math.inf
    flying: set[asyncio.Future[R]] = set()
    try:
        while True:
            while len(flying) < limit and not stop.is_set() and (item := next(waiting, None)) is not None:
                flying.add(asyncio.ensure_future(work(item)))
            if not flying:
                return
            if stop.is_set():
                ends_at = min(ends_at, clock() + GRACE)
                await asyncio.wait(flying, timeout=max(ends_at - clock(), 0))
            else:
                watched: list[asyncio.Future[Any]] = [*flying, stopping]
                await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            arrived = [future for future in flying if future.done()]
            for future in arrived:
                yield future.result()  # se lança, os outros que chegaram ainda estão em `flying`, e são recolhidos
                flying.remove(future)
            if clock() >= ends_at:
                return
    finally:
        await closed([*flying, stopping])


async def details(
    ctx: RunContext,
    resource: Resource,
    ids: Collection[Id],
    read: Callable[[Document], object] | None = None,
    *,
    wanted: Mapping[Id, Wanted] | None = None,
) -> AsyncGenerator[Fetched]:
    """O detalhe de cada id, ou o erro que só diz respeito a ele; um dos erros é não se deixar ler por `read`, que sem
    ele é o mapeamento do recurso. `wanted` diz com que se pede cada um, ou traz já o documento.

    Um registro que falha só é dado por culpado depois que outro responde: um que chegue a seguir ou, sem nenhum, uma
    das testemunhas que o banco dá, que já responderam um dia, perguntadas depois de `SUSPECTS` falhas e no fim. Se
    também elas falham, BlingResourceDownError, e dos que esperavam nada se diz. Sem testemunha pergunta-se pelo mais
    velho dos que ainda não falharam e, se todos falharam, pela listagem.

    Os outros erros que dizem respeito a todos (cota do dia, autorização, a pausa de um Bling fora do ar) interrompem a
    busca.
    """
    asker = _Asker(ctx, resource, read or resource.read, ids, {} if wanted is None else wanted)
    jury = _Jury(asker)
    async with aclosing(bounded(asker.one, ids, limit=ctx.in_flight, stop=ctx.stop)) as answers:
        async for fetched in answers:
            for judged in await jury.hear(fetched):
                yield judged
    if not ctx.stop.is_set():
        for judged in await jury.close():
            yield judged


class _Asker:
    """Pede os detalhes, e sabe por quem perguntar para saber de quem é a culpa."""

    def __init__(
        self,
        ctx: RunContext,
        resource: Resource,
        read: Callable[[Document], object],
        asked: Collection[Id],
        wanted: Mapping[Id, Wanted],
    ) -> None:
        self.ctx = ctx
        self.resource = resource
        self.asked = frozenset(asked)
        self._read = read
        self._wanted = wanted

    async def one(self, id_: Id) -> Fetched:
        if id_ in self._wanted and (row := self._wanted[id_].row) is not None:
            return Fetched(id_, row, asked=self._wanted[id_].asked)
        found: object = None

        def keep(document: Document) -> None:
            nonlocal found
            found = self._read(document)

        try:
            async with self.ctx.slots:
                with noting_when_sent() as sent:
                    document = await self.ask(id_, keep)
                return Fetched(id_, document, read=found, asked=self.ctx.when(sent))
        except BlingPausedError:  # é um dos LASTING, mas de todos, e não deste registro
            raise
        except (*LASTING, BlingMovedError) as error:  # pode ser só deste: o júri o dirá
            return Fetched(id_, None, error)

    async def ask(self, id_: Id, read: Callable[[Document], object] = dict, attempts: int = ATTEMPTS) -> Document:
        resource = self.resource
        more = (*resource.detail_params, *(self._wanted[id_].params if id_ in self._wanted else ()))
        key = resource.key_of(id_)
        return await self.ctx.client.detail(
            resource.asked_at, id_, read, key=key, by=resource.detail_by, params=more, attempts=attempts
        )

    async def held(self) -> Sequence[Id]:
        """Os que já responderam um dia, e que agora não se pedem."""
        if self.resource.detail_with:  # de um que não está nesta listagem não se sabe com que se pede
            return []
        async with self.ctx.engine.connect() as connection:
            table, name = self.resource.table, self.resource.name
            return await repository.should_answer(connection, table, name, without=self.asked, most=WITNESSES)


class _Jury:
    """Decide se o que falhou é culpa do registro."""

    def __init__(self, asker: _Asker) -> None:
        self._asker = asker
        self._path = asker.resource.asked_at
        self._answered: list[Id] = []
        self._failed: set[Id] = set()
        self._suspects: list[Fetched] = []

    async def hear(self, fetched: Fetched) -> list[Fetched]:
        """O que já se pode dizer, com o que acaba de chegar."""
        if fetched.document is not None:
            self._answered = [fetched.id, *self._answered[: WITNESSES - 1]]
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
        witnesses = self._answered
        if len(witnesses) < WITNESSES:
            witnesses = [*witnesses, *await self._asker.held()][:WITNESSES]
        if not witnesses and (left := self._asker.asked - self._failed):
            witnesses = [min(left)]
        for witness in witnesses:
            try:
                await self._asker.ask(witness, attempts=WITNESS_ATTEMPTS)
            except BlingNotFoundError:  # também é uma resposta
                pass
            except BlingPausedError:  # o Bling está fora do ar: não é a testemunha que falha
                raise
            except LASTING:  # falha como os suspeitos; que fale a seguinte
                continue
            return True
        if witnesses:
            return False
        resource, client = self._asker.resource, self._asker.ctx.client
        if resource.listed:
            return await client.lists(resource.path)
        return await client.attends(resource.path, resource.detail_by)


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
    saver = _Saver(ctx, resource, missing_is_failure=missing_is_failure, count=count)
    try:
        async with ctx.engine.connect() as connection:
            parked = await control.parked(connection, resource.name)
        if resource.recent:
            ctx.asked.setdefault(resource.name, set()).update(todo)
        coming = {id_: wanted for id_, wanted in todo.items() if not _is_parked(parked, id_, wanted)}
        ctx.done(len(todo) - len(coming))
        saver.expect(len(coming))
        async with aclosing(details(ctx, resource, coming.keys(), wanted=coming)) as answers:
            async for fetched in answers:
                await saver.take(fetched, coming[fetched.id])
    except (CollectorError, asyncio.CancelledError):  # o que já chegou se salva, seja o que for que interrompeu
        await saver.flush()
        raise
    else:
        await saver.flush()
    finally:
        saver.close()
    return saver.result


class _Saver:
    """Junta o que chega, e grava-o em lotes."""

    def __init__(self, ctx: RunContext, resource: Resource, *, missing_is_failure: bool, count: bool) -> None:
        self.result = Stored()
        self._ctx = ctx
        self._resource = resource
        self._missing_is_failure = missing_is_failure
        self._count = count
        self._expected = 0
        self._items: list[Item] = []
        self._failures: list[Pendencia] = []
        ctx.unsaved[id(self)] = self._items

    def expect(self, more: int) -> None:
        """Mais estes se pedem."""
        self._expected += more
        self._ctx.backlog.add(self._resource.name, more)

    def close(self) -> None:
        """Os que não chegaram já não chegam."""
        self.expect(-self._expected)
        del self._ctx.unsaved[id(self)]

    async def take(self, fetched: Fetched, wanted: Wanted) -> None:
        self.expect(-1)
        self._ctx.done()
        if fetched.document is not None:
            rows = None if wanted.said else fetched.read
            self._items.append(
                Item({**fetched.document, **wanted.said}, wanted.resumo, wanted.day, rows, asked=fetched.asked)
            )
        elif isinstance(fetched.error, BlingNotFoundError) and wanted.gone is not None:
            self._items.append(Item(wanted.gone, wanted.resumo, wanted.day, is_row=True))
        elif isinstance(fetched.error, BlingNotFoundError) and not self._missing_is_failure:
            self.result.missing.add(fetched.id)
        else:
            name, id_, why = self._resource.name, str(fetched.id), str(fetched.error)
            self._failures.append(Pendencia(name, id_, why, wanted.day, wanted.resumo, wanted.names))
        self._ctx.show()
        # Um lote ao todo, e não um de cada janela: é o que se perde se o processo morre.
        if sum(map(len, self._ctx.unsaved.values())) + len(self._failures) >= BATCH:
            await self.flush()

    async def flush(self) -> None:
        if not self._items and not self._failures:
            return
        saved, resource = self._ctx.progress.saved, self._resource
        async with self._ctx.transaction() as connection:
            before = saved[resource.name]
            outcome = await self._ctx.store(connection, resource, self._items, self._failures)
            self.result.read |= {item.document["id"] for item in outcome.saved}
            self.result.updated |= outcome.updated
            if self._count:
                saved[resource.name] += len(outcome.saved)
            if before < ANALYZE_AFTER <= saved[resource.name]:
                await repository.analyze(connection, (resource.table, *resource.first_seen))
        self._items.clear()
        self._failures.clear()


def _is_parked(parked: Mapping[str, str | None], id_: Id, wanted: Wanted) -> bool:
    """Uma pendência estacionada só volta a ser tentada se alguém pedir, ou se a linha dela na listagem mudou."""
    if str(id_) not in parked:
        return False
    before = parked[str(id_)]
    return None in (before, wanted.resumo) or before == wanted.resumo
