"""O que o Bling avisou: de cada recurso, quando foi a última vez, o que espera uma leitura, e o que se recusou."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bling_collector.db import events
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.events import Heard, Silence
from bling_collector.words import plural

SWITCH_ON: Final = (
    "O Bling desliga, sem dizer, o webhook que ficou dias sem resposta: em developer.bling.com.br, no seu aplicativo, "
    "aba Webhooks, veja se o recurso está ligado, com as ações todas, e ligue-o outra vez. Nada se perdeu: a olhada e "
    "a execução trazem o mesmo, mais tarde."
)


def missed(recurso: str, faltas: Mapping[str, Silence]) -> str:
    """O que o Bling não avisou do recurso."""
    found = faltas[recurso]
    if found.calado:
        return f"desde então {plural(found.calado, 'mudança', 'mudanças')} sem aviso nenhum"
    return f"{plural(found.perdidos, 'mudança', 'mudanças')} da última semana sem aviso"


@dataclass(frozen=True)
class Webhooks:
    """`recursos` vazio se nenhum aviso chegou."""

    recursos: tuple[Heard, ...]
    desconhecidos: dict[str, int]
    """Os que o coletor não conhece: como o Bling os chama → quantos."""
    recusas: dict[str, tuple[int, datetime]]
    """Motivo → quantas, e quando a última."""
    faltas: dict[str, Silence]
    """Recurso → o que uma olhada achou mudado e nenhum aviso disse."""

    @property
    def silent(self) -> dict[str, Silence]:
        """Os de que o Bling pode ter deixado de avisar."""
        return {recurso: each for recurso, each in self.faltas.items() if each.calado}

    @property
    def last(self) -> datetime:
        """Quando chegou o último de que se conhece o recurso."""
        return max(each.ultimo for each in self.recursos)

    @property
    def any(self) -> bool:
        return bool(self.recursos or self.desconhecidos or self.recusas)


async def load_webhooks(engine: AsyncEngine, now: datetime) -> Webhooks:
    """O que se ouviu do Bling, por recurso, o que ele não avisou e o que se recusou."""
    async with engine.connect() as connection:
        return await read_webhooks(connection, now)


async def read_webhooks(connection: AsyncConnection, now: datetime) -> Webhooks:
    """O mesmo, numa conexão que já se tem."""
    heard, unknown = tuple(await events.heard(connection)), await events.unknown(connection)
    return Webhooks(heard, unknown, await events.refusals(connection), await events.unannounced(connection, now))
