"""O que se pede por lotes de chaves num parâmetro que se repete: os registros de cada uma, ou a fotografia de tudo."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from sqlalchemy import text as sql

from bling_collector.api.transport import ATTEMPTS
from bling_collector.clock import is_due
from bling_collector.db import control
from bling_collector.db.control import Pendencia
from bling_collector.db.upsert import insert
from bling_collector.errors import LASTING, BlingError, BlingRejectedError
from bling_collector.etl.context import RunContext
from bling_collector.etl.listing import extras, hidden, hides_more, note_hiding
from bling_collector.etl.narrowing import MOST_REFUSED, Reading, blame, count_refusal
from bling_collector.etl.resource import Id, Keys, Params, Resource, Snapshot
from bling_collector.etl.save import Item
from bling_collector.payload import Json, Row, UnreadableError

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
        for batch in batches(held, keys.param):
            await _ask(ctx, resource, batch, await extras(ctx, resource), Answers())
    async with ctx.engine.connect() as connection:
        lacking = await keys.lacking(connection, ctx.clock.now())
        pending = await keys.pending(connection)
    asked = sorted({*lacking} - {*pending})
    ctx.start(resource.title, len(asked) + len(pending), each=1 / BATCH)
    # Uma que já estragou um lote vai sozinha, para não estragar outro.
    await _ask_all(ctx, resource, [*batches(asked, keys.param), *([key] for key in pending)])


async def _ask_all(ctx: RunContext, resource: Resource, asked: Sequence[list[str]]) -> None:
    keys, answers = _keys(resource), Answers()
    for place, batch in enumerate(asked):
        hides = await hides_more(ctx, resource)
        probe = place == 0 and not hides and bool(resource.suspects)
        filters = (_PLAIN, *resource.suspects) if hides or probe else (_PLAIN,)
        await _ask(ctx, resource, batch, filters, answers, probe=probe)
    doubtful, answers.doubtful = answers.doubtful, []
    if resource.suspects:
        for batch in batches(doubtful, keys.param):
            await _ask(ctx, resource, batch, resource.suspects, answers)
    else:
        answers.unknown += doubtful
    read_again = f"{hidden(resource)}.relidas"
    async with ctx.engine.connect() as connection:
        owes = await hides_more(ctx, resource) and await control.checkpoint(connection, read_again) is None
        # A listagem escondeu uns: pode ter escondido também o gêmeo de outros, de mesma chave.
        known = {*await keys.held(connection)} - answers.complete if owes else set()
    for batch in batches(sorted(known), keys.param):
        await _ask(ctx, resource, batch, resource.suspects, Answers())
    async with ctx.transaction() as connection:
        if owes:
            await control.move_checkpoint(connection, read_again, ctx.clock.now())
        await keys.unknown(connection, answers.unknown, ctx.clock.now())


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
    ctx.progress.feitos = min(ctx.progress.feitos + len(batch), ctx.progress.total)
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
    """Fotografa todos os ids de uma vez, se é a hora: a leitura só se guarda inteira.

    Do que a listagem de costume não mostra pergunta-se também com os filtros suspeitos; o que nem assim vem, o Bling
    não tem.
    """
    snapshot = resource.snapshot
    assert snapshot is not None, resource.name
    now, name = ctx.clock.now(), f"{resource.name}.fotografia"
    async with ctx.engine.connect() as connection:
        last = await control.checkpoint(connection, name)
        ids = [str(id_) for id_ in (await connection.execute(sql(snapshot.query))).scalars()]
    if not ctx.everything and not is_due(last, now, snapshot.every):
        return
    ctx.start(resource.title, len(ids), each=1 / BATCH)
    rows: list[Row] = []
    camera = _Camera(ctx, resource, snapshot)
    try:
        for batch in batches(ids, snapshot.param):
            missing = batch
            for extra in (_PLAIN, *resource.suspects):
                found = await camera.shoot(missing, extra)
                for row in found.values():
                    rows += resource.read(row)[resource.table]
                missing = [id_ for id_ in missing if id_ not in found]
                if not missing:
                    break
            ctx.progress.feitos += len(batch)
            ctx.show()
            ctx.check_stop()
    except UnreadableError as error:  # uma fotografia com um buraco mentiria: amanhã há outra
        ctx.problems.append(f"{resource.title}: a leitura não se guardou, que não se lê inteira: {error}")
        return
    except LASTING as error:  # o mesmo; os outros recursos seguem
        await blame(ctx, resource.path, error)
        ctx.problems.append(f"{resource.title}: a leitura não se guardou, que não se completou: {error}")
        return
    async with ctx.transaction() as connection:
        await insert(connection, resource.table, [row | {snapshot.taken: now} for row in rows])
        await control.move_checkpoint(connection, name, now)
        ctx.progress.saved[resource.name] += len(rows)


class _Camera:
    """Pede os ids de uma fotografia."""

    def __init__(self, ctx: RunContext, resource: Resource, snapshot: Snapshot) -> None:
        self._ctx = ctx
        self._resource = resource
        self._param = snapshot.param
        self._answered = False

    async def shoot(self, asked: Sequence[str], extra: Params) -> dict[str, Json]:
        """Id → a linha, dos que a listagem mostra.

        Um lote recusado (400) é cortado ao meio: podem ser ids demais para um pedido. Um id só, onde outros já foram
        atendidos, é de um de que o Bling nada tem.
        """
        params = (*self._resource.shows[0], *extra, *((self._param, id_) for id_ in asked))
        found: dict[str, Json] = {}
        try:
            async for page in self._ctx.pages(self._resource, params):
                found |= {str(row["id"]): row for row in page if str(row["id"]) in asked}
        except BlingRejectedError as error:  # são demais para um pedido, ou é um de que o Bling nada tem
            count_refusal(self._ctx, self._resource.path, error)
            if self._ctx.refused[self._resource.path] > MOST_REFUSED or (len(asked) == 1 and not self._answered):
                raise
            if len(asked) > 1:
                for half in halves(list(asked)):
                    found |= await self.shoot(half, extra)
            return found
        self._answered = True
        return found
