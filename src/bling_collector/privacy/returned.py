"""Quem já tinha sido apagado e voltou com uma cópia do banco."""

import logging
from datetime import datetime

from sqlalchemy import text

from bling_collector.db.connection.core import AsyncEngine

log = logging.getLogger(__name__)


async def erase_returned(engine: AsyncEngine, now: datetime) -> None:
    """Apaga outra vez quem voltou: uma restauração que morreu antes de apagá-lo, ou feita à mão."""
    async with engine.connect() as connection:
        if not await connection.scalar(text("SELECT EXISTS (SELECT FROM dados_apagados)")):
            return
        # Só agora: quase nenhum banco apagou alguém, e todo comando passa por aqui.
        from bling_collector.db.resources import erasure
        from bling_collector.streams.registry import RESOURCES

        places = [resource.personal for resource in RESOURCES if resource.personal is not None]
        if not await erasure.came_back(connection, places):
            return
    from bling_collector.privacy.titular import erase_again

    log.warning("O banco voltou de uma cópia com os dados de quem já tinha sido apagado; são apagados outra vez.")
    await erase_again(engine, now)
