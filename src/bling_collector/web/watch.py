"""Enquanto o serviço vive, os alarmes são conferidos de tempos em tempos: uma coleta que não acontece não avisa."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from bling_collector.db.connection.patience import PATIENCE
from bling_collector.errors import CollectorError
from bling_collector.web.service import Services

log = logging.getLogger(__name__)

EVERY: Final = 900.0
"""Segundos entre duas conferências. No Cloud Run sem CPU sempre alocada elas só correm durante um pedido."""


@asynccontextmanager
async def watched_alarms(services: Services, every: float = EVERY) -> AsyncIterator[None]:
    """Confere os alarmes das empresas a cada `every` segundos enquanto o bloco roda."""
    task = asyncio.create_task(_watch(services, every))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(services: Services, every: float) -> None:
    """Nenhum erro o acaba, nem o de uma empresa é o das outras, e um que se repete é dito uma vez."""
    names = [services.settings.company]
    said: dict[str, str] = {}
    while True:
        await asyncio.sleep(every)  # o tempo de verdade: o relógio do coletor pode ser outro
        with suppress(CollectorError):  # o banco que não atende é dito ao conferir
            names = await services.names()
        for name in names:
            whose = f" da empresa {name}" if len(names) > 1 else ""
            said[name] = await _check(services, name, whose, said.get(name, ""))


async def _check(services: Services, name: str, whose: str, said: str) -> str:
    """Confere os de uma empresa, e devolve o que disso se disse; `said` é o da última vez."""
    try:
        account = await (await services.of(name)).account()
        await account.alarms.check(patience=PATIENCE)
    except CollectorError as error:
        if str(error) != said:
            log.error("Os alarmes%s não puderam ser conferidos. %s", whose, error)
        return str(error)
    except Exception as error:  # a última fronteira deste laço: sem ele ninguém mais avisa
        if repr(error) != said:
            log.exception("A conferência dos alarmes%s caiu num erro inesperado; ela continua.", whose)
        return repr(error)
    return ""
