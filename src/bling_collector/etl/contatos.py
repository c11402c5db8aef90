"""Os contatos que as notas citam: os sem detalhe e os que o Bling diz alterados."""

from bling_collector.db import control
from bling_collector.db.resources import repository
from bling_collector.etl.altered import altered, checkpoint_or_start, read_until
from bling_collector.etl.context import RunContext
from bling_collector.etl.exclusoes import refuse_silence
from bling_collector.etl.narrowing import Reading
from bling_collector.etl.sweep import Wanted, fetch_and_store
from bling_collector.payload import Row, UnreadableError
from bling_collector.streams.contatos import CONTATOS
from bling_collector.windows import Window

_PORTION = 500
_LISTED = ("nome", "documento", "codigo", "situacao", "telefone", "celular")
"""As colunas que a listagem também mostra."""


async def collect_altered_contatos(ctx: RunContext) -> None:
    """Traz de novo o detalhe dos contatos que o Bling diz alterados, e o dos que estão pendentes.

    Uma conferência que repara lê também a listagem inteira: o filtro de alteração pode não ter mostrado uma mudança.
    """
    now = ctx.clock.now()
    since = await checkpoint_or_start(ctx, CONTATOS, now)
    ctx.start("Contatos alterados")
    changed, unread = await _owed(ctx), dict[Window, str]()
    if since is not None:
        async for page in altered(ctx, CONTATOS, since, now, unread):
            changed |= {row["id"] for row in page}
    async with ctx.engine.connect() as connection:
        # Os que o banco ainda não perguntou vêm no passo seguinte, e contam como novos.
        changed = await repository.contatos_asked(connection, changed)
    if ctx.everything:
        changed |= await _listed_otherwise(ctx)
    await _detail(ctx, sorted(changed), count=False)
    if since is not None:
        await read_until(ctx, CONTATOS, now, unread)


async def _listed_otherwise(ctx: RunContext) -> set[int]:
    """Os contatos que a listagem mostra de outro jeito que o banco."""
    ctx.start("Contatos na listagem")
    found: set[int] = set()
    reading = Reading(ctx, CONTATOS.path, CONTATOS.listings[0])
    async for page in reading.pages():
        listed, unreadable = dict[int, Row](), set[int]()
        for row in page:
            try:
                listed[row["id"]] = CONTATOS.rows(row)[CONTATOS.table][0]
            except UnreadableError:  # pergunta-se pelo detalhe, que diz o que há
                unreadable.add(row["id"])
        async with ctx.engine.connect() as connection:
            held = await repository.contatos_as_held(connection, listed.keys(), _LISTED)
            found |= await repository.contatos_asked(connection, unreadable)
        found |= {id_ for id_, row in held.items() if any(row[column] != listed[id_][column] for column in _LISTED)}
        ctx.show()
        ctx.check_stop()
    if reading.unread:
        ctx.problems.append(f"O Bling não dá toda a listagem de contatos, que se conferia: {reading.unread[0].error}")
    return found


async def collect_contatos(ctx: RunContext) -> None:
    """Traz o detalhe de cada contato que o banco só conhece das notas."""
    async with ctx.engine.connect() as connection:
        total = await repository.count_contatos_without_detail(connection)
    ctx.start("Contatos", total)
    last = 0
    while True:
        async with ctx.engine.connect() as connection:
            portion = await repository.contatos_without_detail(connection, _PORTION, after=last)
        if not portion:
            return
        await _detail(ctx, portion)
        last = portion[-1]


async def _detail(ctx: RunContext, ids: list[int], *, count: bool = True) -> None:
    missing = (await fetch_and_store(ctx, CONTATOS, {id_: Wanted() for id_ in ids}, count=count)).missing
    ctx.check_stop()
    refuse_silence(ctx, CONTATOS, CONTATOS.title, len(missing), len(ids))
    if missing:
        # Um contato excluído fica como a nota o traz.
        async with ctx.transaction() as connection:
            await repository.mark_contatos_not_found(connection, missing, ctx.clock.now())
            await control.settle(connection, CONTATOS.name, [str(id_) for id_ in missing])


async def _owed(ctx: RunContext) -> set[int]:
    async with ctx.engine.connect() as connection:
        return {
            int(p.recurso_id)
            for p in await control.pending(connection, CONTATOS.name, before=ctx.started, now=ctx.clock.now())
        }
