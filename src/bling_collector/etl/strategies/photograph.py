"""A fotografia: o que há de tudo, lido de uma vez por lotes de ids, e guardado inteiro ou não guardado."""

import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from typing import Final

from sqlalchemy import Table
from sqlalchemy import text as sql

from bling_collector.api.bling_client import WITNESS_ATTEMPTS
from bling_collector.api.transport import ATTEMPTS
from bling_collector.clock import brasilia_day, is_due, is_weekly_due, today
from bling_collector.db import control, events
from bling_collector.db.control import Pendencia
from bling_collector.db.resources.photographs import photograph_again, photographed
from bling_collector.db.upsert import insert
from bling_collector.errors import (
    LASTING,
    BlingError,
    BlingPausedError,
    BlingRejectedError,
    BlingResourceDownError,
    BlingScopeError,
)
from bling_collector.etl.context import RunContext
from bling_collector.etl.listing import BATCH, batches, extras
from bling_collector.etl.narrowing import MOST_REFUSED, Reading, blame, count_refusal
from bling_collector.etl.resource import Id, Params, Resource, Snapshot
from bling_collector.etl.strategies.batches import halves
from bling_collector.payload import Json, Row, UnreadableError
from bling_collector.together import LISTINGS, together
from bling_collector.windows import Period, Window

log = logging.getLogger(__name__)

_DAY: Final = timedelta(days=1)
_EARLY: Final = timedelta(minutes=2)
"""O relógio de quem recebe um aviso é o da máquina dele."""
_PLAIN: Final[Params] = ()
"""A listagem sem mais filtros."""


async def take_snapshot(ctx: RunContext, resource: Resource) -> None:
    """Fotografa todos os ids de uma vez, se é a hora.

    Tudo o que há está na leitura, ainda que só para dizer que o Bling nada tem dele; menos o que não se deixou ler, que
    fica pendente. O que só o banco sabe, e a listagem não mostra, pode já não haver. Se já não se sabe de quem é a
    culpa do que falha, a leitura não se guarda.
    """
    snapshot = resource.snapshot
    assert snapshot is not None, resource.name
    now, name = ctx.clock.now(), control.photograph_name(resource.name)
    async with ctx.engine.connect() as connection:
        last = await control.checkpoint(connection, name)
    if not ctx.everything and not is_due(last, now, snapshot.every):
        return
    listing = f"{resource.name}.listados"
    async with ctx.engine.connect() as connection:
        before = await control.checkpoint(connection, listing)
    listed, new = None, set[str]()
    if before is None or ctx.everything or is_weekly_due(before, now, listing):
        listed = await _listed(ctx, snapshot)
    else:
        new = await _new(ctx, snapshot, before)
    ids = await _known(ctx, snapshot) | new | (listed or set())
    async with ctx.engine.connect() as connection:
        pending = await control.pending_ids(connection, resource.name)
    ctx.start(resource.title, len(ids), each=1 / BATCH)
    camera = ById(ctx, resource, snapshot.param)

    def show(batch: Collection[str]) -> None:
        ctx.done(len(batch))
        ctx.show()
        ctx.check_stop()

    # Um que já estragou um lote vai sozinho, para não estragar outro.
    await camera.take(ids - pending, alone=ids & pending, then=show)
    if (why := camera.failed) is not None:
        ctx.problems.append(f"{resource.title}: a leitura não se guardou, que não se completou: {why}")
        return
    rows: dict[Table, list[Row]] = {}
    exist = camera.rows.keys() | (ids if listed is None else listed) - camera.unread.keys()
    for id_ in sorted(exist):
        for table, read in resource.rows(camera.rows.get(id_) or snapshot.none(id_)).items():
            rows.setdefault(table, []).extend(row | {snapshot.taken: now} for row in read)
    async with ctx.transaction() as connection:
        for table, read in rows.items():
            await insert(connection, table, read)
        await control.settle(connection, resource.name, sorted(pending - camera.unread.keys()))
        unread = [Pendencia(resource.name, id_, str(error)) for id_, error in camera.unread.items()]
        await control.add_pendencias(connection, unread, now)
        await control.move_checkpoint(connection, name, now)
        if listed is not None:
            await control.move_checkpoint(connection, listing, now)
        ctx.progress.saved[resource.name] += len(exist)
    await _retake_what_moved(ctx, resource, now)


async def _retake_what_moved(ctx: RunContext, resource: Resource, since: datetime) -> None:
    """O que se avisou enquanto se fotografava pode ter mudado depois de lido, e ainda não havia onde o pôr."""
    async with ctx.engine.connect() as connection:
        told = await events.told_since(connection, resource.name, since - _EARLY)
    if not told:
        return
    said = await retake(ctx, resource, [resource.id_of(id_) for id_ in told])
    for id_, why in said.items():
        if isinstance(why, Exception):  # o aviso já está pago: quem o soubesse lido enganava-se
            ctx.problems.append(f"{resource.name}/{id_} mexeu-se enquanto se fotografava e não se leu outra vez: {why}")


async def retake(ctx: RunContext, resource: Resource, ids: Collection[Id]) -> dict[Id, str | Exception]:
    """Põe na fotografia de hoje o que o Bling diz agora destes: `atualizado` ou `igual`, ou por que não se leu.

    Nada, se hoje ainda não se fotografou: a execução o fará, e a de ontem já não muda.
    """
    snapshot = resource.snapshot
    assert snapshot is not None, resource.name
    async with ctx.engine.connect() as connection:
        taken = await control.checkpoint(connection, control.photograph_name(resource.name))
    if taken is None or brasilia_day(taken) != today(ctx.clock):
        return {}
    camera = ById(ctx, resource, snapshot.param)
    await camera.take([str(id_) for id_ in ids])
    if (why := camera.failed) is not None:
        return dict.fromkeys(ids, why)
    said: dict[Id, str | Exception] = {id_: camera.unread[str(id_)] for id_ in ids if str(id_) in camera.unread}
    async with ctx.transaction() as connection:
        before = await photographed(connection, resource.table, snapshot.taken, taken, ids)
        # De um que a fotografia não tem, e de que o Bling não tem registro, não se sabe que existe.
        seen = [id_ for id_ in ids if id_ not in said and (str(id_) in camera.rows or id_ in before)]
        read = {id_: resource.rows(camera.rows.get(str(id_)) or snapshot.none(id_)) for id_ in seen}
        changed: set[Id] = set()
        for table in (resource.table, *(child.table for child in resource.children)):
            now = {id_: [row | {snapshot.taken: taken} for row in rows.get(table, [])] for id_, rows in read.items()}
            changed |= await photograph_again(connection, table, snapshot.taken, taken, now)
    return said | {id_: "atualizado" if id_ in changed else "igual" for id_ in seen}


async def _known(ctx: RunContext, snapshot: Snapshot) -> set[str]:
    """Os ids que o banco sabe."""
    async with ctx.engine.connect() as connection:
        return {str(id_) for id_ in (await connection.execute(sql(snapshot.query))).scalars()}


async def _listed(ctx: RunContext, snapshot: Snapshot) -> set[str] | None:
    """Os ids que a listagem do recurso deles mostra; None se não se pode listar."""
    if snapshot.of is None:
        return None
    return await _ids_of(ctx, snapshot.of, [Reading(ctx, snapshot.of, listing) for listing in snapshot.shows])


async def _new(ctx: RunContext, snapshot: Snapshot, since: datetime) -> set[str]:
    """Os ids que o filtro da inclusão mostra desde que se leu a listagem inteira, que o banco pode ainda não saber."""
    if snapshot.of is None or snapshot.included is None:
        return set()
    shows = product(snapshot.shows_new, await extras(ctx, snapshot.of))
    readings = [
        Reading(ctx, snapshot.of, (*listing, *extra), between=snapshot.included, short_is_last=True)
        for listing, extra in shows
    ]
    days = Window(brasilia_day(since) - _DAY, today(ctx.clock) + _DAY)
    return await _ids_of(ctx, snapshot.of, readings, Period.of(days)) or set()


async def _ids_of(
    ctx: RunContext, other: Resource, readings: Sequence[Reading], period: Period | None = None
) -> set[str] | None:
    ctx.start(f"{other.title} por fotografar")
    ids: set[str] = set()
    try:
        for reading in readings:  # uma de cada vez: se não se deixam ler, a primeira o diz, sem que todas falhem juntas
            async with aclosing(reading.pages(period)) as pages:
                async for page in pages:
                    ids |= {str(row["id"]) for row in page}
                    ctx.check_stop()
    except (BlingScopeError, BlingResourceDownError) as error:  # fica o que o banco sabe: o de hoje não volta
        log.warning("%s", error)
        ctx.problems += [] if isinstance(error, BlingScopeError) else [str(error)]  # di-lo o próprio recurso
        return None
    for reading in readings:
        if reading.unread:
            ctx.problems.append(f"O Bling não dá toda a listagem de {other.title.lower()}: {reading.unread[0].error}")
    return ids


class ById:
    """Pede registros por lotes de ids, e guarda o que o Bling disse de cada um."""

    def __init__(self, ctx: RunContext, resource: Resource, param: str) -> None:
        self.rows: dict[str, Json] = {}
        self.unread: dict[str, Exception] = {}
        """Os que não se deixam ler, e por quê."""
        self._ctx = ctx
        self._resource = resource
        self._param = param
        self._gave_up: BlingError | None = None
        self._rejected: BlingError | None = None
        self._rejections = 0
        self._answered: str | None = None
        self._hides_nothing = False
        self._fits = 0
        """Os ids do maior pedido que o Bling atendeu."""
        self._bad: set[str] = set()
        """Os que ele recusa ao lado de um que tem."""

    @property
    def failed(self) -> Exception | None:
        """Por que nada se sabe: falharam pedidos demais, ou nenhum foi atendido."""
        return self._gave_up or (None if self.rows else self._rejected or next(iter(self.unread.values()), None))

    async def take(
        self,
        ids: Collection[str],
        *,
        alone: Collection[str] = (),
        then: Callable[[Collection[str]], None] = lambda batch: None,
    ) -> None:
        """Pede todos pela listagem de costume e, os que ela não mostra, com cada um dos filtros suspeitos, a menos que
        ela tenha provado que nada esconde. O que nem assim vem, o Bling não tem.

        Cada um de `alone` vai sozinho; `then` é o que se faz depois de cada lote do primeiro pedido.
        """

        async def ask(extra: Params, batch: list[str]) -> None:
            if self._gave_up is None:
                await self._ask(batch, extra)
            if not extra:
                then(batch)

        for extra in (_PLAIN, *self._resource.suspects):
            if extra and self._hides_nothing:
                break
            missing = sorted(id_ for id_ in {*ids, *alone} if id_ not in self.rows and id_ not in self.unread)
            apart = [id_ for id_ in missing if id_ in alone or id_ in self._bad]
            rest = [id_ for id_ in missing if id_ not in alone and id_ not in self._bad]
            asked = [*batches(rest, self._param), *([id_] for id_ in apart)]
            await together(partial(ask, extra), asked, limit=LISTINGS)

    async def _ask(self, asked: list[str], extra: Params, attempts: int = ATTEMPTS) -> None:
        try:
            await self._shoot(asked, extra, attempts)
        except BlingRejectedError as error:
            # São ids demais para um pedido, ou o Bling não tem registro de nenhum: também isso é uma resposta.
            self._rejected, self._rejections = error, self._rejections + 1
            if await self._are_none(asked, extra):
                return
            if len(asked) == 1:
                self._bad |= {*asked} if self.rows else set()
                return
            if not self.rows and self._rejections >= MOST_REFUSED:
                self._gave_up = error
        except LASTING as error:
            count_refusal(self._ctx, self._resource.path, error)
            if not await self._is_answered(asked):
                await blame(self._ctx, self._resource.path, error)
                self._gave_up = error
            elif self._ctx.refused[self._resource.path] >= MOST_REFUSED:
                self._gave_up = error
            elif len(asked) == 1:
                self.unread[asked[0]] = error
                return
            attempts = 1
        else:
            return
        for half in halves(asked):
            if self._gave_up is None:
                await self._ask(half, extra, attempts)

    async def _is_answered(self, asked: list[str]) -> bool:
        """Se o Bling atende o pedido de um por que já respondeu ou, sem nenhum, de um destes: a culpa é de outro."""
        answered = self._answered
        witnesses = (asked[0], asked[len(asked) // 2], asked[-1]) if answered is None else (answered,)
        for witness in dict.fromkeys(witnesses):
            try:
                await self._shoot([witness], _PLAIN, WITNESS_ATTEMPTS)
            except BlingPausedError:
                raise
            except BlingRejectedError:
                return True
            except LASTING:
                continue
            return True
        return False

    async def _are_none(self, asked: list[str], extra: Params) -> bool:
        """Se, ao lado de um que o Bling tem, o pedido é atendido: dos outros é que ele nada tem. Com um filtro não se
        sabe que outro mostraria: basta que tantos, e estes, já se tenham pedido sem ele."""
        if extra:
            return len(asked) <= self._fits
        known = next(reversed(self.rows), None)
        if known is None:
            return False
        try:
            await self._shoot([*asked, known], extra, 1)
        except BlingPausedError:
            raise
        except LASTING:
            return False
        return True

    async def _shoot(self, asked: list[str], extra: Params, attempts: int) -> None:
        params = (*self._resource.shows[0], *extra, *((self._param, id_) for id_ in asked))
        async for page in self._ctx.pages(self._resource, params, attempts=attempts):
            for row in page:
                id_ = str(row["id"])
                if id_ not in asked:
                    continue
                try:
                    self._resource.read(row)
                    self.rows[id_] = row
                    self._hides_nothing |= not extra and self._resource.proves(row)
                except UnreadableError as error:
                    self.unread[id_] = error
        self._answered, self._fits = asked[-1], max(self._fits, len(asked))
