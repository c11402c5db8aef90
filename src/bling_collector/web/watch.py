"""Enquanto o serviço vive, os alarmes são conferidos de tempos em tempos: uma coleta que não acontece não avisa."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from bling_collector.db.patience import PATIENCE
from bling_collector.errors import CollectorError
from bling_collector.web.service import Service

log = logging.getLogger(__name__)

EVERY: Final = 900.0
"""Segundos entre duas conferências. No Cloud Run sem CPU sempre alocada elas só correm durante um pedido."""


@asynccontextmanager
async def watched_alarms(service: Service, every: float = EVERY) -> AsyncIterator[None]:
    """Confere os alarmes a cada `every` segundos enquanto o bloco roda."""
    task = asyncio.create_task(_watch(service, every))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(service: Service, every: float) -> None:
    """Nenhum erro o acaba, e um que se repete é dito uma vez."""
    said = ""
    while True:
        await asyncio.sleep(every)  # o tempo de verdade: o relógio do coletor pode ser outro
        try:
            await (await service.account()).alarms.check(patience=PATIENCE)
            said = ""
        except CollectorError as error:
            if str(error) != said:
                said = str(error)
                log.error("Os alarmes não puderam ser conferidos. %s", error)
        except Exception as error:  # a última fronteira deste laço: sem ele ninguém mais avisa
            if repr(error) != said:
                said = repr(error)
                log.exception("A conferência dos alarmes caiu num erro inesperado; ela continua.")
