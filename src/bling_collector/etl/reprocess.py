"""Do que já se tem: as linhas derivadas refeitas do JSON guardado, sem uma requisição ao Bling."""

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from bling_collector.db import control, reprocessing
from bling_collector.db.control import Pendencia
from bling_collector.db.core import AsyncConnection
from bling_collector.db.models import contatos
from bling_collector.db.resources import repository
from bling_collector.db.upsert import upsert
from bling_collector.etl.context import RunContext
from bling_collector.etl.save import rebuild
from bling_collector.payload import UnreadableError
from bling_collector.streams.base import Document, Stream
from bling_collector.streams.contatos import CONTATOS
from bling_collector.streams.nfe import NFE
from bling_collector.streams.registry import RESOURCES

BATCH = 500
RESUMABLE = timedelta(days=1)
"""Mais que isto depois o programa pode ser outro, e o que se refez antes já não vale: recomeça."""
_OTHERS = tuple(stream for stream in RESOURCES if "detalhe" in stream.table.c and stream is not NFE)


async def reprocess(ctx: RunContext, inicio: date | None, fim: date | None, *, after: int = 0) -> None:
    """Refaz notas (do período, ou todas), formas, contatos e produtos; `after` é o id de nota em que se parou antes.

    O que foi guardado e não se lê inteiro fica como está, e pendente: a execução seguinte o pede outra vez ao Bling.
    Cada lote é confirmado com o id a que chegou, e uma interrupção continua dali, se não faz mais de `RESUMABLE`.
    """
    async with ctx.engine.connect() as connection:
        total = await reprocessing.count(connection, NFE.table, after, inicio, fim)
    ctx.start("Notas refeitas", total)
    await _all(ctx, NFE, after, inicio, fim, keep_cursor=True)
    for stream in _OTHERS:
        ctx.start(f"Refazendo: {stream.title.lower()}")
        await _all(ctx, stream, 0, None, None)
    async with ctx.transaction() as connection:
        await _contatos_from_notas(connection)
        await repository.fill_tipo_pagamento(connection)
        await repository.fill_categoria_descricao(connection)
        await repository.prefer_produtos(connection, await repository.all_skus(connection))
        if ctx.run_id is not None:
            await reprocessing.move_cursor(connection, ctx.run_id, None)


async def _all(
    ctx: RunContext, stream: Stream, after: int, inicio: date | None, fim: date | None, *, keep_cursor: bool = False
) -> None:
    while True:
        async with ctx.transaction() as connection:
            rows = await reprocessing.stored(connection, stream.table, after, BATCH, inicio, fim)
            if not rows:
                return
            unreadable = await rebuild(connection, stream, [(row["detalhe"], row["extraido_em"]) for row in rows])
            await _owe(ctx, connection, stream, unreadable)
            after = rows[-1]["id"]
            ctx.progress.feitos += len(rows)
            ctx.progress.saved[stream.name] += len(rows)
            if keep_cursor and ctx.run_id is not None:
                await reprocessing.move_cursor(connection, ctx.run_id, after)
        ctx.check_stop()


async def _owe(
    ctx: RunContext, connection: AsyncConnection, stream: Stream, unreadable: list[tuple[Document, str]]
) -> None:
    living = await reprocessing.living(connection, stream.table, [document["id"] for document, _ in unreadable])
    owed = [
        Pendencia(
            stream.name, str(document["id"]), f"o que se guardou não se lê inteiro: {reason}", stream.day(document)
        )
        for document, reason in unreadable
        if document["id"] in living
    ]
    await control.add_pendencias(connection, owed, ctx.clock.now())
    ctx.problems.extend(f"{each.recurso} {each.recurso_id}: {each.erro}; fica como estava" for each in owed)


async def _contatos_from_notas(connection: AsyncConnection) -> None:
    """Os contatos sem detalhe são como a nota mais nova os traz; o que só o detalhe diz fica vazio."""
    blank = {name: None for name in CONTATOS.rows({})[contatos][0] if name not in ("detalhe", *CONTATOS.state)}
    rows: list[dict[str, Any]] = []
    for row in await reprocessing.notas_of_contatos_without_detail(connection):
        extracted = {"extraido_em": row["extraido_em"]}
        with suppress(UnreadableError):  # a nota já ficou pendente
            rows += [blank | contato | extracted for contato in NFE.rows(row["detalhe"])[contatos]]
    await upsert(connection, contatos, rows)
