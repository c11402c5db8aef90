"""O que o Bling avisou: cada registro apontado lê-se outra vez, pelo caminho de um registro só, os do mesmo recurso
juntos.

Um aviso é uma pista: repetido, atrasado, fora de ordem ou perdido, o que se guarda é o que o Bling responde agora.
"""

import logging
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from bling_collector.clock import Clock
from bling_collector.db import control, events
from bling_collector.db.control import Pendencia
from bling_collector.db.events import Pointed, Unannounced
from bling_collector.db.resources import repository
from bling_collector.errors import (
    BlingPausedError,
    BlingScopeError,
    BlingThrottledError,
    CollectorError,
    ConfigurationError,
    DailyLimitError,
    DatabaseError,
    ReauthorizeError,
)
from bling_collector.etl.context import Name, RunContext
from bling_collector.etl.listing import batches
from bling_collector.etl.resource import Id, Params, Resource
from bling_collector.etl.settle import UnlikelyDeletionsError, mark_gone
from bling_collector.etl.strategies.again import NotThisResourceError, UnknownObjectError, sync_each
from bling_collector.etl.strategies.photograph import retake
from bling_collector.etl.strategies.sweep import sweep
from bling_collector.streams.announced import UNREAD
from bling_collector.windows import Window

log = logging.getLogger(__name__)

MOST_BY_RUN: Final = 500
"""Registros avisados que uma execução, ou uma olhada, lê."""
AT_ONCE: Final = 50
"""Registros que se leem juntos, e se gravam numa transação."""
_DAY: Final = timedelta(days=1)
_OF_ALL: Final = (
    BlingPausedError,
    BlingThrottledError,
    ConfigurationError,
    DailyLimitError,
    DatabaseError,
    ReauthorizeError,
)
"""Os erros que não são do registro."""


async def read_owed(ctx: RunContext, clock: Clock) -> None:
    """Lê o que se avisou e ninguém leu, e outra vez o que se leu tão cedo que pode ter sido o de antes. `clock` é o
    desta máquina, que anotou quando cada aviso chegou."""
    async with ctx.engine.connect() as connection:
        owed = await events.owed(connection, most=MOST_BY_RUN, now=clock.now())
    if not owed:
        return
    ctx.start("O que o Bling avisou", len(owed))
    for recurso in dict.fromkeys(each.recurso for each in owed):
        mine = [each for each in owed if each.recurso == recurso]
        for start in range(0, len(mine), AT_ONCE):
            ctx.check_stop()
            some = mine[start : start + AT_ONCE]
            await ctx.asking(read(ctx, clock, recurso, some, doubted=True))
            ctx.done(len(some))
            ctx.show()


async def read(
    ctx: RunContext, clock: Clock, recurso: str, which: Collection[Pointed], *, doubted: bool = False
) -> None:
    """Lê outra vez os registros, de um recurso, e paga os avisos deles. Um que não se deixa ler fica pendente, como
    qualquer outro. Com `doubted`, são também aqueles de cuja resposta se duvidava. Levanta o erro que é de tudo (a
    autorização, a cota, o banco), e o que não se leu não está pago."""
    asked_at = clock.now()
    resource = next((each for each in ctx.resources if each.name == recurso), None)
    if resource is None:
        said: dict[str, str | CollectorError] = {each.id: UNREAD for each in which}
    else:
        read_now = await _read(ctx, resource, {resource.id_of(each.id) for each in which}, asked_at)
        told = {resource.id_of(each.id) for each in which if each.deleted}
        shown = [id_ for id_ in told if read_now.get(id_) in events.READ]
        said = {str(id_): result for id_, result in (read_now | await _removed(ctx, resource, shown, asked_at)).items()}
    failed = [error for error in said.values() if isinstance(error, CollectorError)]
    async with ctx.transaction() as connection:
        for result in {each for each in said.values() if isinstance(each, str)}:
            ids = [id_ for id_, each in said.items() if each == result]
            await events.pay(connection, recurso, ids, result, asked_at=asked_at, doubted=doubted)
    if failed:
        raise failed[0]


async def _read(
    ctx: RunContext, resource: Resource, ids: Collection[Id], asked_at: datetime
) -> dict[Id, str | CollectorError]:
    """O que houve com cada um; um erro, só se é de tudo."""
    if resource.name in ctx.disallowed:
        return dict.fromkeys(ids, "recusado")
    if resource.snapshot is not None:
        return dict.fromkeys(ids, UNREAD) | await _photograph(ctx, resource, ids)
    wanted = await _wanted(ctx, resource, ids)
    said: dict[Id, str | CollectorError] = {id_: UNREAD for id_ in ids if id_ not in wanted}
    left, missing = list(wanted), []
    for each in (resource, *_namesakes(ctx, resource)):
        others = []
        # O de antes do começo ninguém pediu.
        for id_, result in (await sync_each(ctx, each, left, since=ctx.scope) if left else {}).items():
            if isinstance(result, UnknownObjectError):
                missing.append(id_)
            elif isinstance(result, NotThisResourceError):
                others.append(id_)
            elif isinstance(result, CollectorError) and not isinstance(result, _OF_ALL):
                said[id_] = await _failed(ctx, each, id_, result)
            else:
                said[id_] = result
        left = others
    return said | dict.fromkeys(left, UNREAD) | await _settle(ctx, resource, missing, asked_at)


async def _photograph(ctx: RunContext, resource: Resource, ids: Collection[Id]) -> dict[Id, str | CollectorError]:
    found = await retake(ctx, resource, ids)
    return {
        id_: result if isinstance(result, str) else await _failed(ctx, resource, id_, result)
        for id_, result in found.items()
    }


async def _failed(ctx: RunContext, resource: Resource, id_: Id, error: Exception) -> str:
    if isinstance(error, BlingScopeError):
        log.warning("%s/%s, que o Bling avisou, não se pode ler: %s", resource.name, id_, error)
        return "recusado"
    log.warning("%s/%s, que o Bling avisou, fica pendente: %s", resource.name, id_, error)
    async with ctx.transaction() as connection:
        failure = Pendencia(resource.name, str(id_), str(error))
        await control.add_pendencias(connection, [failure], ctx.clock.now())
    return "pendente"


async def _wanted(ctx: RunContext, resource: Resource, ids: Collection[Id]) -> Collection[Id]:
    """De um cadastro de que só se coleta o que alguém cita, o que o banco ainda não leu vem quando o citarem."""
    if resource.changed is None or not resource.changed.only_ours or resource.name in ctx.registers:
        return ids
    async with ctx.engine.connect() as connection:
        return await repository.already_read(connection, resource.table, ids)


def _namesakes(ctx: RunContext, resource: Resource) -> Iterator[Resource]:
    """Os outros recursos de que o Bling fala com o mesmo nome."""
    names = {each.name for each in resource.announced}
    for other in ctx.resources:
        if other is not resource and names & {each.name for each in other.announced}:
            yield other


async def _settle(
    ctx: RunContext, resource: Resource, missing: Collection[Id], asked_at: datetime
) -> dict[Id, str | CollectorError]:
    """O Bling diz não os ter (404): excluídos, os que o banco tinha, com as guardas de sempre. Os avisos dos excluídos
    ficam já pagos, para que a porção seguinte os conte."""
    if not missing:
        return {}
    async with ctx.settling:
        said = await _settle_each(ctx, resource, missing)
        if gone := [str(id_) for id_, result in said.items() if result == "excluído"]:
            async with ctx.transaction() as connection:
                await events.pay(connection, resource.name, gone, "excluído", asked_at=asked_at)
    return said


async def _settle_each(ctx: RunContext, resource: Resource, missing: Collection[Id]) -> dict[Id, str | CollectorError]:
    said: dict[Id, str | CollectorError] = dict.fromkeys(missing, "inexistente")
    for each in (resource, *_namesakes(ctx, resource)):
        ours = [id_ for id_ in missing if await _is_living(ctx, each, id_)]
        if not ours:
            continue
        async with ctx.engine.connect() as connection:
            # Os avisos não vêm numa execução só: as exclusões do último dia contam juntas.
            gone = await events.gone_since(connection, each.name, ctx.clock.now() - _DAY)
            ctx.gone[each.name] = max(ctx.gone[each.name], gone)
        for id_ in ours:
            try:
                if await _is_living(ctx, each, id_):  # a listagem do dia de outro também o diz
                    await _give_up(ctx, each, id_)
                said[id_] = "em dúvida" if await _is_living(ctx, each, id_) else "excluído"
            except UnlikelyDeletionsError as error:
                ctx.suspect(error.resource, error)
                said[id_] = "em dúvida"
            except _OF_ALL as error:
                said[id_] = error
    return said


async def _removed(
    ctx: RunContext, resource: Resource, ids: Collection[Id], asked_at: datetime
) -> dict[Id, str | CollectorError]:
    """Dos que um aviso diz excluídos, e a listagem de todos ainda mostra, os que só a dos excluídos mostra."""
    if resource.removed is None or not ids:
        return {}
    try:
        gone = await _among(ctx, resource, resource.removed.params, ids)
        for params in resource.register if gone else ():
            gone -= await _among(ctx, resource, params, gone)  # um filtro que se ignora mostra-os em ambas
    except CollectorError as error:
        return dict.fromkeys(ids, error) if isinstance(error, _OF_ALL) else {}
    left = [id_ for id_ in gone if await _is_living(ctx, resource, id_)]
    said = await _settle(ctx, resource, left, asked_at)
    if said and resource.removed.after is not None:
        async with ctx.transaction() as connection:
            await resource.removed.after(connection)
    return said


async def _among(ctx: RunContext, resource: Resource, params: Params, ids: Collection[Id]) -> set[Id]:
    """Dos `ids`, os que esta listagem mostra."""
    found: set[Id] = set()
    assert resource.ids is not None, resource.name
    for batch in batches([str(id_) for id_ in ids], resource.ids):
        async for page in ctx.pages(resource, (*params, *((resource.ids, id_) for id_ in batch))):
            found |= {row["id"] for row in page} & {*ids}
    return found


async def _is_living(ctx: RunContext, resource: Resource, id_: Id) -> bool:
    async with ctx.engine.connect() as connection:
        return await repository.is_living(connection, resource.kept, id_)


def unannounced(resources: Collection[Resource], news: Mapping[Name, str]) -> list[Unannounced]:
    """Do que uma olhada achou, o que o Bling avisa."""
    named = {each.name: each for each in resources}
    return [
        Unannounced(recurso, str(id_), announced.name, action)
        for (recurso, id_), action in news.items()
        for announced in named[recurso].announced
    ]


async def _give_up(ctx: RunContext, resource: Resource, id_: Id) -> None:
    """Dá-o por excluído; do que tem data, só a listagem do dia dele o diz."""
    if resource.emitted is None:
        async with ctx.transaction() as connection:
            gone = await mark_gone(ctx, connection, resource, [id_])
        ctx.gone[resource.name] += gone
        return
    async with ctx.engine.connect() as connection:
        day = await repository.living_day(connection, resource.kept, id_)
    if day is not None:
        await sweep(ctx, resource, Window(day, day))
