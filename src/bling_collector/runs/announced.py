"""O que o Bling avisou: cada registro apontado lê-se outra vez, pelo caminho de um registro só.

Um aviso é uma pista: repetido, atrasado, fora de ordem ou perdido, o que se guarda é o que o Bling responde agora.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from bling_collector.db import control, events
from bling_collector.db.control import Pendencia
from bling_collector.db.events import Pointed
from bling_collector.db.resources import repository
from bling_collector.errors import (
    BlingPausedError,
    BlingScopeError,
    BlingThrottledError,
    CollectorError,
    DailyLimitError,
    DatabaseError,
    ReauthorizeError,
    UsageError,
)
from bling_collector.etl.again import UnknownObjectError, sync_one
from bling_collector.etl.context import RunContext
from bling_collector.etl.resource import Id, Resource
from bling_collector.etl.settle import UnlikelyDeletionsError, mark_gone
from bling_collector.etl.sweep import sweep
from bling_collector.streams.announced import UNREAD
from bling_collector.windows import Window

log = logging.getLogger(__name__)

WAIT: Final = timedelta(seconds=5)
"""Quanto se espera depois de um aviso: o que o Bling responde logo a seguir pode ser de antes dele (relatado)."""
MOST_BY_RUN: Final = 500
"""Registros avisados que uma execução, ou uma olhada, lê."""
_DAY: Final = timedelta(days=1)
_OF_ALL: Final = (BlingPausedError, BlingThrottledError, DailyLimitError, ReauthorizeError, DatabaseError)
"""Os erros que não são do registro."""


async def read_owed(ctx: RunContext) -> None:
    """Lê o que se avisou e ninguém leu."""
    async with ctx.engine.connect() as connection:
        owed = await events.owed(connection, until=ctx.clock.now() - WAIT, most=MOST_BY_RUN)
    if not owed:
        return
    ctx.start("O que o Bling avisou", len(owed))
    for which in owed:
        ctx.check_stop()
        await ctx.asking(read(ctx, which))
        ctx.done()
        ctx.show()


async def read(ctx: RunContext, which: Pointed) -> str:
    """Lê outra vez o registro e paga os avisos dele; devolve o que houve. Um que não se deixa ler fica pendente, como
    qualquer outro. Levanta o erro que é de tudo (a autorização, a cota, o banco), e então nada está pago."""
    asked_at = ctx.clock.now()
    resource = next((each for each in ctx.resources if each.name == which.recurso), None)
    said = await _read(ctx, resource, resource.id_of(which.id)) if resource is not None else UNREAD
    async with ctx.transaction() as connection:
        await events.pay(connection, which, said, until=asked_at - WAIT, now=ctx.clock.now())
    return said


async def _read(ctx: RunContext, resource: Resource, id_: Id) -> str:
    if resource.name in ctx.disallowed:
        return "recusado"
    if not await _is_wanted(ctx, resource, id_):
        return UNREAD
    for each in (resource, *_namesakes(ctx, resource)):
        try:
            return await sync_one(ctx, each, id_, since=ctx.scope)  # o de antes do começo ninguém pediu
        except UnknownObjectError:
            return await _settle(ctx, resource, id_)
        except UsageError:  # é do outro recurso a que o Bling dá o mesmo nome
            continue
        except BlingScopeError as error:
            log.warning("%s/%s, que o Bling avisou, não se pode ler: %s", each.name, id_, error)
            break
        except _OF_ALL:
            raise
        except CollectorError as error:
            log.warning("%s/%s, que o Bling avisou, fica pendente: %s", each.name, id_, error)
            async with ctx.transaction() as connection:
                failure = Pendencia(each.name, str(id_), str(error))
                await control.add_pendencias(connection, [failure], ctx.clock.now())
            return "pendente"
    return "recusado"


async def _is_wanted(ctx: RunContext, resource: Resource, id_: Id) -> bool:
    """De um cadastro de que só se coleta o que alguém cita, o que o banco ainda não leu vem quando o citarem."""
    if resource.changed is None or not resource.changed.only_ours or resource.name in ctx.registers:
        return True
    async with ctx.engine.connect() as connection:
        return bool(await repository.already_read(connection, resource.table, [id_]))


def _namesakes(ctx: RunContext, resource: Resource) -> Iterator[Resource]:
    """Os outros recursos de que o Bling fala com o mesmo nome."""
    names = {each.name for each in resource.announced}
    for other in ctx.resources:
        if other is not resource and names & {each.name for each in other.announced}:
            yield other


async def _settle(ctx: RunContext, resource: Resource, id_: Id) -> str:
    """O Bling diz não ter o registro (404): excluído, se o banco o tinha, com as guardas de sempre."""
    for each in (resource, *_namesakes(ctx, resource)):
        async with ctx.engine.connect() as connection:
            if not await repository.is_living(connection, each.kept, id_):
                continue
            # Os avisos não vêm numa execução só: as exclusões do último dia contam juntas.
            gone = await events.gone_since(connection, each.name, ctx.clock.now() - _DAY)
            ctx.gone[each.name] = max(ctx.gone[each.name], gone)
        try:
            await _give_up(ctx, each, id_)
        except UnlikelyDeletionsError as error:
            ctx.suspect(error.resource, error)
            return "em dúvida"
        async with ctx.engine.connect() as connection:
            return "em dúvida" if await repository.is_living(connection, each.kept, id_) else "excluído"
    return "inexistente"


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
