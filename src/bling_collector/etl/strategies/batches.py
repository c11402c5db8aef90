"""O que se pede por lotes de chaves num parâmetro que se repete: os registros que cada uma dá."""

import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from bling_collector.api.transport import ATTEMPTS
from bling_collector.clock import is_weekly_due
from bling_collector.db import control
from bling_collector.db.control import Pendencia
from bling_collector.errors import (
    LASTING,
    BlingError,
)
from bling_collector.etl.context import RunContext
from bling_collector.etl.listing import BATCH, batches, extras, forget_hiding, hides_more, note_hiding, read_again
from bling_collector.etl.narrowing import MOST_REFUSED, Reading, blame
from bling_collector.etl.resource import Id, Keys, Params, Resource
from bling_collector.etl.save import Item
from bling_collector.payload import Json
from bling_collector.together import LISTINGS, together

log = logging.getLogger(__name__)

_PLAIN: Final[Params] = ()
"""A listagem sem mais filtros. Uma vez por semana, se o primeiro lote não prova que ela mostra tudo, é pedido também
com os suspeitos, e sempre assim o que faltar; se aparecer um que ela não mostrou, tudo passa a ser pedido assim."""


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
        await forget_hiding(ctx, resource)
    async with ctx.engine.connect() as connection:
        lacking = await keys.lacking(connection, ctx.clock.now())
        pending = await keys.pending(connection)
    asked = sorted({*lacking} - {*pending})
    ctx.start(resource.title, len(asked) + len(pending), each=1 / BATCH)
    # Uma que já estragou um lote vai sozinha, para não estragar outro.
    await _ask_all(ctx, resource, [*batches(asked, keys.param), *([key] for key in pending)])


async def _ask_all(ctx: RunContext, resource: Resource, asked: Sequence[list[str]]) -> None:
    keys, answers = _keys(resource), Answers()
    probed = f"{resource.name}.sondada"
    async with ctx.engine.connect() as connection:
        due = ctx.everything or is_weekly_due(await control.checkpoint(connection, probed), ctx.clock.now(), probed)
    if asked and resource.suspects and due and not await hides_more(ctx, resource):
        await _ask(ctx, resource, asked[0], (_PLAIN, *resource.suspects), answers, probe=True)
        asked = asked[1:]
        async with ctx.transaction() as connection:
            await control.move_checkpoint(connection, probed, ctx.clock.now())
    filters = (_PLAIN, *resource.suspects) if await hides_more(ctx, resource) else (_PLAIN,)
    await _ask_each(ctx, resource, asked, filters, answers)
    doubtful, answers.doubtful = answers.doubtful, []
    if resource.suspects:
        await _ask_each(ctx, resource, batches(doubtful, keys.param), resource.suspects, answers)
    else:
        answers.unknown += doubtful
    async with ctx.engine.connect() as connection:
        owes = await hides_more(ctx, resource) and await control.checkpoint(connection, read_again(resource)) is None
        # A listagem escondeu uns: pode ter escondido também o gêmeo de outros, de mesma chave.
        known = {*await keys.held(connection)} - answers.complete if owes else set()
    await _ask_each(ctx, resource, batches(sorted(known), keys.param), resource.suspects, Answers())
    async with ctx.transaction() as connection:
        if owes:
            await control.move_checkpoint(connection, read_again(resource), ctx.clock.now())
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
