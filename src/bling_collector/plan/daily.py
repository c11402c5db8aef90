"""O que cada recurso custa por dia, do que o banco sabe: nada é perguntado ao Bling."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bling_collector.clock import brasilia_day
from bling_collector.config import Settings
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.insight.recursos import ShownResource, load_recursos
from bling_collector.plan.cost import Costs, count_windows, load_known, reread_history
from bling_collector.streams.registry import RESOURCES
from bling_collector.windows import Window


@dataclass(frozen=True)
class CostedResource(ShownResource):
    """Um recurso, com o que custa."""

    requisicoes_por_dia: int
    """As que a coleta do dia pede por ele, ou pediria: a releitura da semana dividida pelos dias dela, e o que chega
    como nos últimos trinta dias."""
    requisicoes_por_olhada: int
    """As que uma olhada do worker pede por ele, ou pediria, se nada há de novo."""
    pelo_menos: bool
    """Ainda não se leu: do que ele tem não se sabe nada, e só se contou o que é certo que se pede."""


LOOKS_A_DAY: Final = 96
"""As olhadas de um dia com a agenda de costume, de 15 em 15 minutos; quem muda SCHEDULE faz outra conta."""


def look_cost(costed: Iterable[CostedResource]) -> int:
    """Quantas requisições pede uma olhada a tudo o que se coleta, se nada há de novo: uma é a da empresa."""
    return 1 + sum(each.requisicoes_por_olhada for each in costed if each.coletado)


async def load_costed(engine: AsyncEngine, settings: Settings, now: datetime) -> list[CostedResource]:
    """Todos os recursos, na ordem em que se coletam, como as pessoas os veem e com o que cada um custa."""
    shown = await load_recursos(engine, settings.recursos, now)
    day = brasilia_day(now)
    back = timedelta(days=settings.extraction_lookback_days)
    async with engine.connect() as connection:
        known = await load_known(connection, RESOURCES, now)
        # Num dia como os outros nada está por ler: o que falta é da primeira leitura.
        usual = {name: replace(each, begun=True, refused=False, lacking=0) for name, each in known.items()}
        costs = Costs(RESOURCES, usual, settings.api_page_size, daily=True)
        new = costs.arrivals({name: each.a_day for name, each in usual.items()})
        asked: dict[str, float] = {}
        looks: dict[str, float] = {}
        for each in RESOURCES:
            issued = sum(await count_windows(connection, each, [Window(day, day)])) if each.emitted is not None else 0
            looks[each.name] = costs.look(each, issued)
            asked[each.name] = costs.rest(each, new, {})
            if each.emitted is not None:
                start = min(day - back, each.emitted.back(day))
                recent = each.emitted.cut([Window(start, day)])
                counts = await count_windows(connection, each, recent)
                asked[each.name] += costs.windows(each, counts) + costs.details(each, new)
                asked[each.name] += await reread_history(connection, costs, each, start)
    return [
        CostedResource(
            **vars(each),
            requisicoes_por_dia=math.ceil(asked[each.recurso]),
            requisicoes_por_olhada=math.ceil(looks[each.recurso]),
            pelo_menos=not known[each.recurso].begun,
        )
        for each in shown
    ]
