"""O XML das notas: GET /nfe/documento/{chave}?formato=xml, uma requisição por nota. Só nele estão todos os impostos.

Uma vez por chave autorizada, e outra se a nota se cancela. Guarda-se o XML como veio, que a empresa é obrigada a ter, e
os impostos de cada item, lidos dele.
"""

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import nfe_documentos, nfe_impostos
from bling_collector.db.resources import documentos
from bling_collector.db.upsert import replace_children
from bling_collector.etl.resource import Child, Document, Resource, Rows
from bling_collector.payload import UnreadableError
from bling_collector.streams.notas import xml

if TYPE_CHECKING:
    from bling_collector.etl.context import RunContext

PORTION: Final = 200


def rows(document: Document) -> Rows:
    """As linhas de um documento: ele e os impostos dos itens. De um que não é a nota, mas um evento dela, nenhuma: não
    toma o lugar dela."""
    content = xml.content(document)
    items = xml.taxes(content)
    if items is None:
        return {nfe_documentos: [], nfe_impostos: []}
    chave = xml.chave(document)
    if chave is None:
        raise UnreadableError("o XML não diz a chave")
    kept = {"id": chave, "formato": "xml", "conteudo": xml.packed(content), "sha256": sha256(content).hexdigest()}
    return {nfe_documentos: [kept], nfe_impostos: [{"documento_id": chave} | item for item in items]}


async def _collect(ctx: "RunContext") -> None:
    from bling_collector.etl.fetch import Wanted, fetch_and_store  # só quem coleta os carrega

    async with ctx.engine.connect() as connection:
        ctx.start(DOCUMENTOS.title, await documentos.count_owed(connection))
    last = None
    while True:
        async with ctx.engine.connect() as connection:
            portion = await documentos.owed(connection, PORTION, after=last)
        if not portion:
            return
        last = portion[-1]
        await fetch_and_store(ctx, DOCUMENTOS, {each.chave: Wanted(day=each.dia) for each in portion})
        ctx.check_stop()
        async with ctx.transaction() as connection:
            asked = {each.chave: each.situacao for each in portion}
            await documentos.note_asked(connection, asked, ctx.clock.now())


async def _read_again(connection: AsyncConnection) -> None:
    """Os impostos, refeitos dos documentos que se têm."""
    after = ""
    while portion := await documentos.contents(connection, after, PORTION):
        items = {each.id: xml.taxes(xml.unpacked(each.conteudo)) or [] for each in portion}
        lines = [{"documento_id": chave} | item for chave, read in items.items() for item in read]
        await replace_children(connection, nfe_impostos, "documento_id", list(items), lines)
        after = portion[-1].id


DOCUMENTOS = Resource(
    name="documentos",
    title="Documentos das notas",
    noun="Documento",
    singular="documento",
    permission="Notas fiscais eletrônicas",
    path="/nfe/documento",
    table=nfe_documentos,
    rows=rows,
    key=xml.chave,
    detail_params=(("formato", "xml"),),
    needs=("nfe",),
    by_name=True,
    listed=False,
    special=(_collect,),
    owed=lambda connection, day: documentos.count_owed(connection),
    children=(Child(nfe_impostos, "documento_id"),),
    ours="conteudo IS NOT NULL",
    rebuilt=_read_again,
)
