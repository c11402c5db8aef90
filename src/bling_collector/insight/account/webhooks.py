"""O que o Bling avisou: de cada recurso, quando foi a última vez, o que espera uma leitura, e o que se recusou."""

from dataclasses import dataclass
from datetime import datetime

from bling_collector.db import events
from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.events import Heard


@dataclass(frozen=True)
class Webhooks:
    """`recursos` vazio se nenhum aviso chegou."""

    recursos: tuple[Heard, ...]
    desconhecidos: dict[str, int]
    """Os que o coletor não conhece: como o Bling os chama → quantos."""
    recusas: dict[str, tuple[int, datetime]]
    """Motivo → quantas, e quando a última."""

    @property
    def last(self) -> datetime:
        """Quando chegou o último de que se conhece o recurso."""
        return max(each.ultimo for each in self.recursos)

    @property
    def any(self) -> bool:
        return bool(self.recursos or self.desconhecidos or self.recusas)


async def load_webhooks(engine: AsyncEngine) -> Webhooks:
    async with engine.connect() as connection:
        return await read_webhooks(connection)


async def read_webhooks(connection: AsyncConnection) -> Webhooks:
    """O mesmo, numa conexão que já se tem."""
    heard, unknown = tuple(await events.heard(connection)), await events.unknown(connection)
    return Webhooks(heard, unknown, await events.refusals(connection))
