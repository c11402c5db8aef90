"""O que cada recurso custa por dia, do que o banco sabe: nada é perguntado ao Bling."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bling_collector.clock import brasilia_day
from bling_collector.config import Settings
from bling_collector.db.core import AsyncEngine
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
    pelo_menos: bool
    """Ainda não se leu: do que ele tem não se sabe nada, e só se contou o que é certo que se pede."""


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
        for each in RESOURCES:
            asked[each.name] = costs.rest(each, new, {})
            if each.emitted is not None:
                recent = each.emitted.plan([Window(day - max(back, each.emitted.back), day)])
                counts = await count_windows(connection, each, recent)
                asked[each.name] += costs.windows(each, counts) + costs.details(each, new)
                asked[each.name] += await reread_history(connection, costs, each, day)
    return [
        CostedResource(
            **vars(each),
            requisicoes_por_dia=math.ceil(asked[each.recurso]),
            pelo_menos=not known[each.recurso].begun,
        )
        for each in shown
    ]
