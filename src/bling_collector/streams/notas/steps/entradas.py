"""As notas de entrada de emissão própria: dividem a numeração com as de saída, e explicam números que nelas faltam.

As entradas todas, centenas de milhares por ano numa conta grande, só se coletam a pedido. Aqui listam-se os dias em
volta de cada lacuna, e da linha basta a chave de acesso: diz quem emitiu, a série e o número.
"""

import logging
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from bling_collector.clock import is_due, today
from bling_collector.db import control
from bling_collector.db import empresa as stored
from bling_collector.db.resources import entradas
from bling_collector.db.resources.gaps import load_gaps
from bling_collector.documentos import issuer
from bling_collector.etl.context import RunContext
from bling_collector.etl.narrowing import Reading
from bling_collector.payload import Json, integer, local_datetime, text
from bling_collector.streams.notas.nfe import NFE
from bling_collector.windows import Period, Window, cut

log = logging.getLogger(__name__)

EVERY: Final = timedelta(days=7)
"""De quanto em quanto tempo se pergunta outra vez pelas lacunas antigas."""
RECENT: Final = timedelta(days=30)
"""As lacunas destes últimos dias são perguntadas em toda execução: a nota pode acabar de ser autorizada."""
MOST_PAGES: Final = 20
"""Páginas por execução, das janelas mais curtas: o que não cabe espera que as outras tenham explicação."""
_CHECKPOINT: Final = "nfe.entradas"
_LISTINGS: Final = ((("tipo", "0"),), (("tipo", "0"), ("situacao", "2")))
"""Sem `situacao` o Bling esconde as canceladas, que também gastam o número."""


async def collect_entradas(ctx: RunContext) -> None:
    """Procura as entradas de emissão própria nos dias das lacunas que ainda não têm explicação."""
    now, day = ctx.clock.now(), today(ctx.clock)
    async with ctx.engine.connect() as connection:
        around = [gap.days for gap in await load_gaps(connection) if gap.days is not None]
        last = await control.checkpoint(connection, _CHECKPOINT)
        ours = await stored.issuers(connection)
        company = await stored.load(connection)
    all_of_them = ctx.everything or is_due(last, now, EVERY)
    if not all_of_them:
        around = [days for days in around if day - RECENT <= days[1]]
    if company is not None and company.cnpj is not None:
        ours.add(company.cnpj)
    if around and ours:
        ctx.start("Entradas que explicam a numeração")
        await _list(ctx, _windows(around), ours)
    if all_of_them:
        async with ctx.transaction() as connection:
            await control.move_checkpoint(connection, _CHECKPOINT, now)


def _windows(around: Sequence[tuple[date, date]]) -> list[Window]:
    """Os dias em volta das lacunas, com um de folga; as janelas mais curtas primeiro, que custam menos."""
    margin = timedelta(days=1)
    windows = cut([Window(first - margin, last + margin) for first, last in around])
    return sorted(windows, key=lambda window: window.fim - window.inicio)


async def _list(ctx: RunContext, windows: Sequence[Window], ours: set[str]) -> None:
    assert NFE.emitted is not None
    pages = 0
    for window in windows:
        for listing in _LISTINGS:
            reading = Reading(ctx, NFE, listing, between=NFE.emitted.between)
            async for page in reading.pages(Period.of(window)):
                found = [entrada for row in page if (entrada := _own(row, ours)) is not None]
                async with ctx.transaction() as connection:
                    await entradas.save(connection, found, ctx.clock.now())
                ctx.check_stop()
                pages += 1
                if pages >= MOST_PAGES:
                    return
            for unread in reading.unread:  # só custa a explicação de um número, que a numeração mostra sem ela
                log.warning("As entradas de %s não puderam ser lidas: %s", window, unread.error)


def _own(row: Json, ours: set[str]) -> dict[str, Any] | None:
    """A linha como `nfe_entradas` a guarda, se é de entrada e de emissão própria; senão, None."""
    chave = text(row.get("chaveAcesso"))
    number = integer(row.get("numero"))
    if chave is None or number is None or integer(row.get("tipo")) != 0 or issuer(chave) not in ours:
        return None
    return {
        "id": row["id"],
        "serie": int("".join(chave.split())[22:25]),
        "numero": number,
        "data_emissao": local_datetime(row.get("dataEmissao")),
        "situacao": integer(row.get("situacao")),
        "chave_acesso": chave,
    }
