"""O que outras tabelas citam e a do recurso não tem: pede-se pelo id, e do que nem o Bling tem guarda-se que não há."""

from collections.abc import Collection

from bling_collector.db import control
from bling_collector.db.resources import repository
from bling_collector.etl.batches import BATCH, read_listed
from bling_collector.etl.context import RunContext
from bling_collector.etl.fetch import Wanted, fetch_and_store
from bling_collector.etl.resource import Id, Resource
from bling_collector.etl.settle import refuse_silence

PORTION = 500


async def read_cited(ctx: RunContext, resource: Resource) -> None:
    """Traz o que se cita e não se tem."""
    if not resource.alone:
        await _mark_the_unlisted(ctx, resource)
        return
    async with ctx.engine.connect() as connection:
        total = await repository.count_lacking(connection, resource.table, resource.name, citing(ctx, resource))
    ctx.start(resource.title, total, each=1 / BATCH if resource.by_ids else 1.0)
    last: Id = None
    while True:
        async with ctx.engine.connect() as connection:
            portion = await repository.lacking(
                connection, resource.table, resource.name, citing(ctx, resource), PORTION, after=last
            )
        if not portion:
            return
        if resource.by_ids:  # de um que ela não mostra nada se guarda: perguntar outra vez custa pouco
            await read_listed(ctx, resource, [str(id_) for id_ in portion])
        else:
            missing = (await fetch_and_store(ctx, resource, {id_: Wanted() for id_ in portion})).missing
            ctx.check_stop()
            await settle_the_missing(ctx, resource, missing, len(portion))
        last = portion[-1]


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
    """As colunas, dos recursos que se coletam, que guardam ids deste."""
    return [column for each in ctx.resources for name, column in each.cites if name == resource.name]


async def settle_the_missing(ctx: RunContext, resource: Resource, missing: Collection[Id], asked: int) -> None:
    """O que o Bling diz não ter (404) fica conhecido assim, e não se pergunta outra vez. De um recurso que se percorre
    por janelas, só a listagem diz o que foi excluído."""
    if not missing or resource.emitted is not None:
        return
    refuse_silence(ctx, resource, resource.title, len(missing), asked)
    async with ctx.transaction() as connection:
        await repository.mark_not_found(connection, resource.table, missing, ctx.clock.now())
        await control.settle(connection, resource.name, [str(id_) for id_ in missing])
