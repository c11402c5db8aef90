"""O worker ao lado do serviço, no mesmo processo e com as mesmas conexões."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bling_collector.errors import CollectorError
from bling_collector.jobs.worker import work
from bling_collector.web.service import Services

log = logging.getLogger(__name__)

PAUSE = 5.0
"""Segundos até tentar outra vez, se o banco não abriu."""


@asynccontextmanager
async def worker(services: Services) -> AsyncIterator[None]:
    """Trabalha enquanto o bloco roda; o pedido de parada do serviço é também o dele."""
    task = asyncio.create_task(_work(services))
    try:
        yield
    finally:
        services.stop()
        await task


async def _work(services: Services) -> None:
    """Um banco fora do ar não o acaba, nem ao serviço."""
    stop = services.stop_asked
    while not stop.is_set():
        try:
            await services.main.account()
            await work(services, stop)
        except CollectorError as error:
            log.error("O worker não começou; tenta de novo em instantes. %s", error)
        except Exception:  # a última fronteira: o serviço continua a atender
            log.exception("O worker caiu num erro inesperado; recomeça em instantes.")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), PAUSE)
