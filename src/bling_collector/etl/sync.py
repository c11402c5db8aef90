"""Um objeto só: o mesmo caminho — buscar e salvar — para a nota, o contato ou o produto que se pede."""

from typing import Final

from bling_collector.errors import BlingNotFoundError, CollectorError, UsageError
from bling_collector.etl.categorias import refresh_categoria
from bling_collector.etl.context import RunContext
from bling_collector.etl.narrowing import Period, Reading
from bling_collector.etl.pagamentos import collect_formas_pagamento
from bling_collector.etl.produtos import stock_filters, store_produtos
from bling_collector.etl.save import Item
from bling_collector.etl.sweep import listings_of
from bling_collector.payload import digest, integer
from bling_collector.streams.base import Document, Stream
from bling_collector.streams.contatos import CONTATOS
from bling_collector.streams.nfe import NFE
from bling_collector.streams.produtos import PRODUTOS
from bling_collector.streams.registry import named
from bling_collector.windows import Window

SYNCED: Final[tuple[Stream, ...]] = (NFE, CONTATOS, PRODUTOS)
"""Os recursos de que se busca um objeto só."""


class UnknownObjectError(CollectorError):
    """O Bling não tem o que se pediu."""

    http_status = 404
    exit_code = 2
    title = "Não existe no Bling"


async def sync_one(ctx: RunContext, recurso: str, id_: int) -> str:
    """Busca e salva o objeto; devolve `criado`, `atualizado` ou `igual`.

    UsageError para um recurso que não se coleta; UnknownObjectError se o Bling não o tem. Não espera por uma execução
    em curso: o que ela gravar do mesmo objeto é igual ou mais novo.
    """
    stream = named(recurso)
    if stream not in SYNCED:
        offered = ", ".join(stream.singular for stream in SYNCED)
        raise UsageError(f"Não se busca um objeto de {recurso!r}; os recursos são {offered}.")
    try:
        if stream is PRODUTOS:
            return await _sync_produto(ctx, id_)
        document = await ctx.client.detail(stream.path, id_, stream.read)
    except BlingNotFoundError as error:
        raise UnknownObjectError(f"O Bling não tem {stream.name}/{id_}.") from error
    if stream is NFE and integer(document.get("tipo")) == 0:
        raise UsageError(f"A nota {id_} é de entrada; o coletor guarda as de saída.")
    item = Item(document, await _resumo(ctx, stream, document))
    async with ctx.transaction() as connection:
        outcome = await ctx.store(connection, stream, [item])
    if outcome.refused:
        raise CollectorError(f"{stream.name}/{id_} não pôde ser salvo: {outcome.refused[0][1]}")
    if stream is NFE:
        await collect_formas_pagamento(ctx)
    return _verdict(id_, outcome.created, outcome.updated)


async def _resumo(ctx: RunContext, stream: Stream, document: Document) -> str | None:
    """A impressão da linha que a listagem do dia mostra do documento, para que a conferência não o dê por mudado.

    None se a listagem não o mostra, ou se a linha diz outra coisa: ele mudou entre as duas leituras.
    """
    day = stream.day(document)
    if not stream.listing_is_kept or stream.window is None or day is None:
        return None
    for listing in await listings_of(ctx, stream):
        reading = Reading(ctx, stream.path, listing, names=stream.window)
        async for page in reading.pages(Period.of(Window(day, day))):
            for row in page:
                if row["id"] == document["id"]:
                    return digest(row) if row.items() <= document.items() else None
    return None


async def _sync_produto(ctx: RunContext, id_: int) -> str:
    """O produto é guardado como a listagem o mostra; a categoria vem do detalhe."""
    for stock in await stock_filters(ctx):
        async for page in ctx.pages(PRODUTOS.path, (*PRODUTOS.listings[0], *stock, ("idsProdutos[]", str(id_)))):
            if rows := [row for row in page if row["id"] == id_]:
                outcome = await store_produtos(ctx, rows)
                changed = await refresh_categoria(ctx, id_)
                return _verdict(id_, outcome.created, outcome.updated | ({id_} if changed else set()))
    raise BlingNotFoundError(f"produto {id_} não está na listagem")


def _verdict(id_: int, created: set[int], updated: set[int]) -> str:
    return "criado" if id_ in created else "atualizado" if id_ in updated else "igual"
