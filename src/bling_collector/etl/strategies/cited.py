"""O que outras tabelas citam e a do recurso não tem: pede-se pelo id, e do que nem o Bling tem guarda-se que não há."""

from collections.abc import AsyncGenerator, Collection, Iterable

from bling_collector.clock import brasilia_day, is_weekly_due, today
from bling_collector.db import control
from bling_collector.db.control import Pendencia
from bling_collector.db.resources import repository
from bling_collector.db.resources.repository import Denied
from bling_collector.etl.context import RunContext
from bling_collector.etl.fetch import Wanted, fetch_and_store
from bling_collector.etl.listing import wanted_of
from bling_collector.etl.resource import Id, Resource
from bling_collector.etl.settle import refuse_silence
from bling_collector.etl.strategies.photograph import ById
from bling_collector.together import PORTIONS, together

PORTION = 500


async def read_cited(ctx: RunContext, resource: Resource) -> None:
    """Traz o que se cita e não se tem."""
    if not resource.alone:
        await _mark_the_unlisted(ctx, resource)
        return
    async with ctx.engine.connect() as connection:
        total = await repository.count_lacking(connection, resource.table, resource.name, citing(ctx, resource))
    ctx.start(resource.title, total)

    async def bring(portion: Collection[Id]) -> None:
        missing = await fetch_cited(ctx, resource, portion)
        ctx.check_stop()
        await settle_the_missing(ctx, resource, missing, len(portion))

    await together(bring, _portions(ctx, resource), limit=PORTIONS)


async def _portions(ctx: RunContext, resource: Resource) -> AsyncGenerator[Collection[Id]]:
    """O que se cita e não se tem, de `PORTION` em `PORTION`."""
    last: Id = None
    while True:
        async with ctx.engine.connect() as connection:
            portion = await repository.lacking(
                connection, resource.table, resource.name, citing(ctx, resource), PORTION, after=last
            )
        if not portion:
            return
        yield portion
        last = portion[-1]


async def fetch_cited(ctx: RunContext, resource: Resource, ids: Collection[Id]) -> set[Id]:
    """Traz os registros destes ids, um a um ou, se a linha é o documento e a listagem se filtra por eles, por lotes.
    Devolve os que o Bling não tem."""
    if resource.detail or resource.ids is None:
        return (await fetch_and_store(ctx, resource, {id_: Wanted() for id_ in ids})).missing
    asked = ById(ctx, resource, resource.ids)
    await asked.take([str(id_) for id_ in ids])
    ctx.check_stop()
    await fetch_and_store(ctx, resource, {row["id"]: wanted_of(resource, row) for row in asked.rows.values()})
    if asked.failed is not None:
        ctx.problems.append(f"{resource.title}: nem todos os que se citam se puderam pedir: {asked.failed}")
        return set()
    async with ctx.transaction() as connection:
        unread = [Pendencia(resource.name, id_, str(error)) for id_, error in asked.unread.items()]
        await control.add_pendencias(connection, unread, ctx.clock.now())
    return {id_ for id_ in ids if str(id_) not in asked.rows.keys() | asked.unread.keys()}


async def _mark_the_unlisted(ctx: RunContext, resource: Resource) -> None:
    """O que se cita e a listagem, que esta execução leu inteira, não mostra não existe."""
    async with ctx.transaction() as connection:
        read = await control.checkpoint(connection, whole_mark(resource))
        if read is None or read < ctx.started:
            return
        missing = await repository.lacking(connection, resource.table, resource.name, citing(ctx, resource))
        await repository.mark_not_found(connection, resource.table, missing, ctx.clock.now())


def whole_mark(resource: Resource) -> str:
    """O checkpoint que lembra quando a listagem inteira foi lida."""
    return f"{resource.name}.inteira"


async def lacks(ctx: RunContext, resource: Resource) -> bool:
    """Se se cita o que não se tem."""
    async with ctx.engine.connect() as connection:
        return bool(await repository.lacking(connection, resource.table, resource.name, citing(ctx, resource), 1))


def citing(ctx: RunContext, resource: Resource) -> list[repository.Citing]:
    """De onde vêm os ids deste: as colunas, dos recursos que se coletam, que os guardam."""
    return citing_among(ctx.resources, resource)


def citing_among(resources: Iterable[Resource], resource: Resource) -> list[repository.Citing]:
    """O mesmo, destes recursos."""
    columns = [column for each in resources for name, column in each.cites if name == resource.name]
    return [*columns, *([resource.besides] if resource.besides else [])]


async def settle_the_missing(ctx: RunContext, resource: Resource, missing: Collection[Id], asked: int) -> None:
    """O que o Bling diz não ter (404) fica conhecido assim. De um recurso que se percorre por janelas, só a listagem
    diz o que foi excluído."""
    if not missing or resource.emitted is not None:
        return
    refuse_silence(ctx, resource, resource.title, len(missing), asked)
    async with ctx.transaction() as connection:
        await repository.mark_not_found(connection, resource.table, missing, ctx.clock.now())
        await control.settle(connection, resource.name, [str(id_) for id_ in missing])


def is_asked_again(ctx: RunContext, each: Denied) -> bool:
    """Se é a vez de perguntar outra vez pelo que o Bling disse não ter: no dia seguinte e, se ele o confirma, uma vez
    por semana; já, se algo diz que mudou, e numa conferência que repara."""
    if each.asked >= ctx.started:
        return False
    another_day = brasilia_day(each.asked) < today(ctx.clock)
    due = (each.is_unconfirmed and another_day) or is_weekly_due(each.asked, ctx.clock.now(), each.id)
    return ctx.everything or each.since is None or due
