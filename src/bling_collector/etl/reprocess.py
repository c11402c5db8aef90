"""Do que já se tem: as linhas derivadas refeitas do JSON guardado, sem uma requisição ao Bling."""

from datetime import date, timedelta

from bling_collector.db import control, reprocessing
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.control import Pendencia
from bling_collector.etl.context import RunContext
from bling_collector.etl.resource import Document, Id, Resource
from bling_collector.etl.save import rebuild

PORTION = 500
RESUMABLE = timedelta(days=1)
"""Mais que isto depois o programa pode ser outro, e o que se refez antes já não vale: recomeça."""


async def reprocess(ctx: RunContext, inicio: date | None, fim: date | None, *, after: int = 0) -> None:
    """Refaz os registros de cada recurso: os que têm janelas, do período (ou todos); os outros, todos. `after` é o id
    do recurso principal em que se parou antes.

    O que foi guardado e não se lê inteiro fica como está, e pendente: a execução seguinte o pede outra vez ao Bling.
    Cada lote é confirmado com o id a que chegou, e uma interrupção continua dali, se não faz mais de `RESUMABLE`.
    """
    for resource in ctx.resources:
        if "detalhe" not in resource.table.c:
            continue
        dated = resource.kept.dated
        column, start = dated.day if dated is not None else None, after if resource.principal and after else None
        period = (column, inicio, fim) if column is not None else None
        async with ctx.engine.connect() as connection:
            total = await reprocessing.count(connection, resource.table, start, period)
        ctx.start(f"Refazendo: {resource.title.lower()}", total)
        await _all(ctx, resource, start, period)
    async with ctx.transaction() as connection:
        for resource in ctx.resources:
            if resource.rebuilt is not None:
                await resource.rebuilt(connection)
        if ctx.run_id is not None:
            await reprocessing.move_cursor(connection, ctx.run_id, None)


async def _all(ctx: RunContext, resource: Resource, after: Id, period: reprocessing.Dates) -> None:
    while True:
        async with ctx.transaction() as connection:
            rows = await reprocessing.stored(connection, resource.table, after, PORTION, period)
            if not rows:
                return
            unreadable = await rebuild(connection, resource, [(row["detalhe"], row["extraido_em"]) for row in rows])
            await _owe(ctx, connection, resource, unreadable)
            after = rows[-1]["id"]
            ctx.done(len(rows))
            ctx.progress.saved[resource.name] += len(rows)
            if resource.principal and ctx.run_id is not None:
                await reprocessing.move_cursor(connection, ctx.run_id, after)
        ctx.check_stop()


async def _owe(
    ctx: RunContext, connection: AsyncConnection, resource: Resource, unreadable: list[tuple[Document, str]]
) -> None:
    living = await reprocessing.living(connection, resource.table, [document["id"] for document, _ in unreadable])
    owed = [
        Pendencia(
            resource.name, str(document["id"]), f"o que se guardou não se lê inteiro: {reason}", resource.day(document)
        )
        for document, reason in unreadable
        if document["id"] in living
    ]
    await control.add_pendencias(connection, owed, ctx.clock.now())
    ctx.problems.extend(f"{each.recurso} {each.recurso_id}: {each.erro}; fica como estava" for each in owed)
