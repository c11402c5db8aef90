"""O que se pede por lotes de chaves num parâmetro que se repete: os registros de cada uma, ou a fotografia de tudo."""

import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from sqlalchemy import Table
from sqlalchemy import text as sql

from bling_collector.api.bling_client import WITNESS_ATTEMPTS
from bling_collector.api.transport import ATTEMPTS
from bling_collector.clock import is_due
from bling_collector.db import control
from bling_collector.db.control import Pendencia
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
from bling_collector.etl.listing import extras, hidden, hides_more, note_hiding
from bling_collector.etl.narrowing import MOST_REFUSED, Reading, blame, count_refusal
from bling_collector.etl.resource import WEEKLY, Id, Keys, Params, Resource, Snapshot
from bling_collector.etl.save import Item
from bling_collector.payload import Json, Row, UnreadableError
from bling_collector.together import LISTINGS, merged, together

log = logging.getLogger(__name__)

BATCH: Final = 95
"""Chaves por requisição: uma página, com lugar para os registros que repetem uma."""
LONGEST_QUERY: Final = 6000
"""Caracteres do parâmetro numa requisição: um endereço comprido demais é recusado no caminho."""
_PLAIN: Final[Params] = ()
"""A listagem sem mais filtros. Se o primeiro lote não prova que ela mostra tudo, é pedido também com os suspeitos, e
assim o que faltar; se aparecer um que ela não mostrou, tudo passa a ser pedido assim."""


@dataclass
class Answers:
    """O que as perguntas de uma execução já disseram das chaves."""

    complete: set[str] = field(default_factory=set)
    """Perguntadas de todas as maneiras."""
    unknown: list[str] = field(default_factory=list)
    """Destas, as que o Bling não conhece."""
    doubtful: list[str] = field(default_factory=list)
    """As que a listagem de costume não mostrou."""


async def read_keys(ctx: RunContext, resource: Resource) -> None:
    """Traz os registros das chaves que se citam e não se têm; numa conferência que repara, de todas."""
    keys = _keys(resource)
    if ctx.everything:
        async with ctx.engine.connect() as connection:
            held = await keys.held(connection)
        ctx.start(f"{resource.title} relidos", len(held))
        await _ask_each(ctx, resource, batches(held, keys.param), await extras(ctx, resource), Answers())
    async with ctx.engine.connect() as connection:
        lacking = await keys.lacking(connection, ctx.clock.now())
        pending = await keys.pending(connection)
    asked = sorted({*lacking} - {*pending})
    ctx.start(resource.title, len(asked) + len(pending), each=1 / BATCH)
    # Uma que já estragou um lote vai sozinha, para não estragar outro.
    await _ask_all(ctx, resource, [*batches(asked, keys.param), *([key] for key in pending)])


async def _ask_all(ctx: RunContext, resource: Resource, asked: Sequence[list[str]]) -> None:
    keys, answers = _keys(resource), Answers()
    if asked and resource.suspects and not await hides_more(ctx, resource):
        await _ask(ctx, resource, asked[0], (_PLAIN, *resource.suspects), answers, probe=True)
        asked = asked[1:]
    filters = (_PLAIN, *resource.suspects) if await hides_more(ctx, resource) else (_PLAIN,)
    await _ask_each(ctx, resource, asked, filters, answers)
    doubtful, answers.doubtful = answers.doubtful, []
    if resource.suspects:
        await _ask_each(ctx, resource, batches(doubtful, keys.param), resource.suspects, answers)
    else:
        answers.unknown += doubtful
    read_again = f"{hidden(resource)}.relidas"
    async with ctx.engine.connect() as connection:
        owes = await hides_more(ctx, resource) and await control.checkpoint(connection, read_again) is None
        # A listagem escondeu uns: pode ter escondido também o gêmeo de outros, de mesma chave.
        known = {*await keys.held(connection)} - answers.complete if owes else set()
    await _ask_each(ctx, resource, batches(sorted(known), keys.param), resource.suspects, Answers())
    async with ctx.transaction() as connection:
        if owes:
            await control.move_checkpoint(connection, read_again, ctx.clock.now())
        await keys.unknown(connection, answers.unknown, ctx.clock.now())


async def _ask_each(
    ctx: RunContext, resource: Resource, asked: Iterable[list[str]], filters: Sequence[Params], answers: Answers
) -> None:
    """Vários lotes ao mesmo tempo."""

    async def ask(batch: list[str]) -> None:
        await _ask(ctx, resource, batch, filters, answers)

    await together(ask, asked, limit=LISTINGS)


async def _ask(
    ctx: RunContext,
    resource: Resource,
    batch: list[str],
    filters: Sequence[Params],
    answers: Answers,
    *,
    probe: bool = False,
) -> None:
    await _ask_batch(ctx, resource, batch, filters, answers, probe=probe)
    here = ctx.progress.here
    ctx.done(min(len(batch), here.total - here.feitos))
    ctx.show()
    ctx.check_stop()


def batches(keys: Sequence[str], param: str) -> Iterator[list[str]]:
    """As chaves em lotes de até `BATCH` que cabem num endereço."""
    batch: list[str] = []
    length = 0
    for key in keys:
        size = len(f"&{quote(param, safe='')}={quote(key, safe='')}")
        if batch and (len(batch) == BATCH or length + size > LONGEST_QUERY):
            yield batch
            batch, length = [], 0
        batch.append(key)
        length += size
    if batch:
        yield batch


async def _ask_batch(
    ctx: RunContext,
    resource: Resource,
    asked: list[str],
    filters: Sequence[Params],
    answers: Answers,
    *,
    probe: bool,
    attempts: int = ATTEMPTS,
) -> None:
    """Grava de uma vez os registros destas chaves. Uma sonda só passa da primeira listagem se ela não prova que mostra
    tudo.

    Um lote que falha é cortado ao meio, até a chave que o Bling não dá, que fica pendente.
    """
    keys, rows = _keys(resource), dict[Id, Json]()
    hides = False
    refused: list[BlingError] = []
    try:
        for extra in filters:
            listing = (*resource.shows[0], *extra)
            async for page in pages_of(ctx, resource, listing, asked, refused, attempts=attempts):
                wanted = {row["id"]: row for row in page if keys.may_be(row, asked)}
                hides |= extra != _PLAIN and not wanted.keys() <= rows.keys()
                rows |= wanted
            if probe and extra == _PLAIN and any(map(resource.proves, rows.values())):
                filters = (_PLAIN,)
                break
    except LASTING as error:  # é uma das chaves, ou são demais: corta-se até que se saiba
        await blame(ctx, resource.path, error)
        if len(asked) > 1:
            if not is_enough(ctx, resource, asked, error):
                for half in halves(asked):
                    await _ask_batch(ctx, resource, half, filters, answers, probe=probe, attempts=1)
            return
        refused.append(error)
    found = {key for row in rows.values() if (key := keys.key(row))}
    async with ctx.transaction() as connection:
        outcome = await ctx.store(connection, resource, [Item(row) for row in rows.values()])
        ctx.progress.saved[resource.name] += len(outcome.created)
        if hides:
            await note_hiding(ctx, connection, resource)
        await keys.found(connection, found)
        if refused:
            failure = Pendencia(resource.name, asked[0], str(refused[0]))
            await control.add_pendencias(connection, [failure], ctx.clock.now())
            return
        await control.settle(connection, resource.name, asked)
    missing = [key for key in asked if key not in found]
    if filters == (_PLAIN,):
        answers.doubtful += missing
    else:
        answers.complete |= {*asked}
        answers.unknown += missing


async def pages_of(
    ctx: RunContext,
    resource: Resource,
    listing: Params,
    asked: Sequence[str],
    refused: list[BlingError],
    *,
    attempts: int = ATTEMPTS,
) -> AsyncIterator[list[Json]]:
    """As páginas do que tem uma destas chaves; de uma só, também o que se lê em volta do que não se lê (em
    `refused`)."""
    params = (*listing, *((_keys(resource).param, key) for key in asked))
    if len(asked) > 1:
        async for page in ctx.pages(resource, params, attempts=attempts):
            yield page
        return
    reading = Reading(ctx, resource, params)
    async for page in reading.pages():
        yield page
    refused += [each.error for each in reading.unread]


def is_enough(ctx: RunContext, resource: Resource, asked: Sequence[str], error: BlingError) -> bool:
    """Se já falharam pedidos demais para que se continue a cortar: estas chaves ficam para a próxima execução."""
    if ctx.refused[resource.path] < MOST_REFUSED:
        return False
    ctx.problems.append(f"{resource.title}: {len(asked)} chaves, de {asked[0]} em diante, ficaram por pedir: {error}")
    return True


def halves(asked: list[str]) -> tuple[list[str], list[str]]:
    """O que fazer de um lote recusado: são demais (o máximo não está documentado), ou há uma que o Bling não aceita."""
    middle = len(asked) // 2
    return asked[:middle], asked[middle:]


def _keys(resource: Resource) -> Keys:
    assert resource.keys is not None, resource.name
    return resource.keys


async def take_snapshot(ctx: RunContext, resource: Resource) -> None:
    """Fotografa todos os ids de uma vez, se é a hora.

    Tudo o que há está na leitura, ainda que só para dizer que o Bling nada tem dele; menos o que não se deixou ler, que
    fica pendente. O que só o banco sabe, e a listagem não mostra, pode já não haver. Se já não se sabe de quem é a
    culpa do que falha, a leitura não se guarda.
    """
    snapshot = resource.snapshot
    assert snapshot is not None, resource.name
    now, name = ctx.clock.now(), f"{resource.name}.fotografia"
    async with ctx.engine.connect() as connection:
        last = await control.checkpoint(connection, name)
    if not ctx.everything and not is_due(last, now, snapshot.every):
        return
    listing = f"{resource.name}.listados"
    async with ctx.engine.connect() as connection:
        due = is_due(await control.checkpoint(connection, listing), now, WEEKLY)
    known, listed = await _known(ctx, snapshot), await _listed(ctx, snapshot) if due or ctx.everything else None
    ids = known | (listed or set())
    async with ctx.engine.connect() as connection:
        pending = await control.pending_ids(connection, resource.name)
    ctx.start(resource.title, len(ids), each=1 / BATCH)
    camera = ById(ctx, resource, snapshot.param)
    # Um que já estragou um lote vai sozinho, para não estragar outro.
    alone = ([id_] for id_ in sorted(ids & pending))

    async def take(batch: list[str]) -> None:
        await camera.take(batch)
        ctx.done(len(batch))
        ctx.show()
        ctx.check_stop()

    await together(take, [*batches(sorted(ids - pending), snapshot.param), *alone], limit=LISTINGS)
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


async def _known(ctx: RunContext, snapshot: Snapshot) -> set[str]:
    """Os ids que o banco sabe."""
    async with ctx.engine.connect() as connection:
        return {str(id_) for id_ in (await connection.execute(sql(snapshot.query))).scalars()}


async def _listed(ctx: RunContext, snapshot: Snapshot) -> set[str] | None:
    """Os ids que a listagem do recurso deles mostra; None se não se pode listar."""
    other = snapshot.of
    if other is None:
        return None
    ctx.start(f"{other.title} por fotografar")
    ids: set[str] = set()
    readings = [Reading(ctx, other, listing) for listing in snapshot.shows]
    try:
        async with aclosing(merged((reading.pages() for reading in readings), limit=LISTINGS)) as pages:
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
        """A listagem de costume já mostrou o que o padrão esconderia."""

    @property
    def failed(self) -> Exception | None:
        """Por que nada se sabe: falharam pedidos demais, ou nenhum foi atendido."""
        return self._gave_up or (None if self.rows else self._rejected or next(iter(self.unread.values()), None))

    async def take(self, batch: list[str]) -> None:
        """Do que a listagem de costume não mostra pergunta-se também com os filtros suspeitos; o que nem assim vem, o
        Bling não tem."""
        for extra in (_PLAIN, *self._resource.suspects):
            if extra and self._hides_nothing:
                return
            missing = [id_ for id_ in batch if id_ not in self.rows and id_ not in self.unread]
            if not missing or self._gave_up is not None:
                return
            await self._ask(missing, extra)

    async def _ask(self, asked: list[str], extra: Params, attempts: int = ATTEMPTS) -> None:
        try:
            await self._shoot(asked, extra, attempts)
        except BlingRejectedError as error:
            # São ids demais para um pedido, ou o Bling não tem registro de nenhum: também isso é uma resposta.
            self._rejected, self._rejections = error, self._rejections + 1
            if len(asked) == 1 or await self._are_none(asked, extra):
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
        """Se, ao lado de um que o Bling tem, o pedido é atendido: dos outros é que ele nada tem."""
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
        asked_plainly = not extra
        async for page in self._ctx.pages(self._resource, params, attempts=attempts):
            for row in page:
                id_ = str(row["id"])
                if id_ not in asked:
                    continue
                try:
                    self._resource.read(row)
                    self.rows[id_] = row
                    self._hides_nothing |= asked_plainly and self._resource.proves(row)
                except UnreadableError as error:
                    self.unread[id_] = error
        self._answered = asked[-1]
