"""O que cada recurso pede ao Bling, tirado da declaração dele, do que o banco já tem e do que se espera que chegue.

Nada daqui pergunta ao Bling nem sabe o nome de um recurso: a estimativa de uma execução, o que falta à que está em
curso e o que cada recurso custa por dia são a mesma conta.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from bling_collector.clock import brasilia_day
from bling_collector.db import control, proof
from bling_collector.db.core import AsyncConnection
from bling_collector.db.resources import repository
from bling_collector.etl.again import MOST_OPEN
from bling_collector.etl.batches import BATCH
from bling_collector.etl.cited import citing_among
from bling_collector.etl.listing import MAX_PROBES, hidden
from bling_collector.etl.narrowing import rejected_name
from bling_collector.etl.resource import Recent, Resource, Snapshot
from bling_collector.insight.recursos import first_mark
from bling_collector.windows import EARLIEST, Window, pieces

Counts = Mapping[str, float]
"""Recurso → quantos registros."""

VARIETY: Final = 0.9
"""O expoente que, de n documentos, dá quantas pessoas, ou produtos, diferentes eles citam, enquanto o banco não tem de
que tirar a conta: 20 citam 15, e 3 mil, 1.350."""
ENOUGH: Final = 200
"""Documentos no banco a partir dos quais a conta sai deles."""
WEEK: Final = 7
"""Dias em que a coleta do dia relê a história toda."""
_MONTH: Final = timedelta(days=30)
"""Os últimos dias, de que sai quantos registros chegam por dia."""


@dataclass(frozen=True)
class Known:
    """O que o banco sabe de um recurso."""

    begun: bool = False
    """Alguma execução já o leu."""
    refused: bool = False
    """O aplicativo não o pode ler."""
    hides: bool = False
    """As listagens de costume escondem registros: pedem-se todas."""
    rejected: int = 0
    """As de `tries` que o Bling recusa."""
    held: int = 0
    lacking: int = 0
    """Os que se citam e o banco não tem."""
    reread: float = 0.0
    """Os que se releem pelo detalhe, por mudarem sem que a listagem o mostre."""
    sources: int = 0
    """As linhas da consulta de que ele parte, se parte de uma: os pais, ou o que se fotografa."""
    a_day: float = 0.0
    """Os que chegam por dia, se o recurso tem data."""


@dataclass(frozen=True)
class Costs:
    """A conta, para os recursos que se coletam."""

    resources: Sequence[Resource]
    known: Mapping[str, Known]
    size: int = 100
    """Linhas por página."""
    daily: bool = False
    """Como a coleta do dia, que também relê o que está em aberto."""

    def of(self, resource: Resource) -> Known:
        return self.known.get(resource.name, Known())

    def arrivals(self, found: Counts) -> dict[str, float]:
        """Quantos registros novos de cada recurso: os que a listagem mostra (`found`), e os que esses citam."""
        new: dict[str, float] = {}
        for resource in self.resources:  # quem cita vem antes do citado
            if self.of(resource).refused:
                new[resource.name] = 0.0
            elif is_listed(resource):
                new[resource.name] = found.get(resource.name, 0.0)
            else:
                new[resource.name] = self.of(resource).lacking + self._cited(resource, new)
        return new

    def _cited(self, resource: Resource, new: Counts) -> float:
        citing = [each for each in self.resources if cites(each, resource)]
        # As mesmas pessoas estão na nota, no pedido e na conta; o que só se pede pelo id é cada um de um documento.
        gather, usual = (max, VARIETY) if resource.listed else (sum, 1.0)
        held, begun = self.of(resource).held, self.of(resource).begun
        before = gather([self.of(each).held for each in citing] or [0]) if held or begun else 0
        after = gather([self.of(each).held + new.get(each.name, 0.0) for each in citing] or [0.0])
        grows = min(math.log(held) / math.log(before), 1.0) if before >= ENOUGH and held > 1 else usual
        return float(after**grows - before**grows)

    def windows(self, resource: Resource, counts: Iterable[float]) -> float:
        """As listagens das janelas, de que se diz quantos registros cada uma mostra; sem os detalhes."""
        known, windows = self.of(resource), list(counts)
        if known.refused:
            return 0.0
        others = self._shows(resource) - 1  # têm pouco ou nada: a página vazia e, se há muito na primeira, outra
        asked = sum(math.ceil(n / self.size) + 1 + others * (1 + (2 * n >= self.size)) for n in windows)
        if not resource.suspects or known.hides:
            return asked
        return asked + windows.count(0) + min(len(windows) - windows.count(0), MAX_PROBES)

    def details(self, resource: Resource, new: Counts) -> float:
        """O detalhe de cada um dos que chegam."""
        return new.get(resource.name, 0.0) if resource.detail else 0.0

    def rest(self, resource: Resource, new: Counts, listed: Counts) -> float:
        """O que se pede dele fora das janelas. `listed` é quantos há na listagem inteira, onde se sabe mais que o
        banco."""
        known, special = self.of(resource), resource.special_cost
        if known.refused:
            return 0.0
        asked = self._recents(resource, new) + self._whole(resource, new, listed) + self._rereads(resource)
        if resource.changed is not None and known.begun:
            asked += self._shows(resource)
        if resource.keys is not None:
            batches = math.ceil(round(new[resource.name]) / BATCH)
            asked += 2 * batches + (2 * len(resource.suspects) if batches else 0)
        elif not is_listed(resource):
            asked += self.details(resource, new)
        if resource.snapshot is not None:
            asked += self._photographs(resource, resource.snapshot, new, listed)
        if resource.removed is not None:
            asked += 2 / WEEK if known.begun else 2 if resource.removed.at_first else 0
        if special is not None:
            asked += special(new, {each.name: self.of(each).held for each in self.resources})
        return asked

    def _shows(self, resource: Resource) -> int:
        known = self.of(resource)
        return len(resource.shows) + len(resource.tries) - known.rejected + known.hides * len(resource.suspects)

    def _recents(self, resource: Resource, new: Counts) -> float:
        begun = self.of(resource).begun
        asked = [_pieces(each) / (WEEK if each.weekly and begun else 1) for each in resource.recent]
        return self._shows(resource) * sum(asked)

    def _whole(self, resource: Resource, new: Counts, listed: Counts) -> float:
        whole, known = resource.whole, self.of(resource)
        if whole is None:
            return 0.0
        pages = self._pages(resource, listed.get(resource.name, known.held), thorough=1.0)
        if whole.when_lacking:
            return self._shows(resource) * pages if round(new[resource.name]) else 0.0
        if known.begun and not whole.every:
            pages = self._pages(resource, listed.get(resource.name, known.held), thorough=1 / WEEK)
        lists: float = self._shows(resource)
        if whole.aside and known.begun:
            lists = 1 + (lists - 1) / WEEK
        if resource.each is not None:
            lists *= known.sources or math.ceil(listed.get(resource.each.of, 0.0))
        asked = lists * pages / (WEEK if known.begun and whole.every else 1) + self.details(resource, new)
        if resource.also_by is not None and known.sources:
            each = listed.get(resource.name, known.held) / known.sources
            asked += lists * known.sources * self._pages(resource, each, thorough=1.0) / (WEEK if known.begun else 1)
        return asked

    def _pages(self, resource: Resource, rows: float, *, thorough: float) -> float:
        """As páginas de uma listagem de tantas linhas; `thorough` é de quantas leituras em quantas se vai até a vazia,
        ainda que a última já seja curta."""
        if not resource.paged:
            return 1.0
        full, rest = divmod(rows, self.size)
        short = resource.sized and 2 * rest < self.size and (rest > 0 or full == 0)
        return full + (1 if rest or not full else 0) + (thorough if short and rows else 1.0 if rows else 0.0)

    def _photographs(self, resource: Resource, snapshot: Snapshot, new: Counts, listed: Counts) -> float:
        """Os lotes dos ids, perguntados de cada maneira, e as listagens que os mostram."""
        of = snapshot.of.name if snapshot.of is not None else ""
        ids = max(self.of(resource).sources + new.get(of, 0.0), listed.get(of, 0.0))
        pages = len(snapshot.shows) * (math.ceil(ids / len(snapshot.shows) / self.size) + 1) if snapshot.shows else 0
        weeks = WEEK if self.of(resource).begun else 1
        return math.ceil(ids / BATCH) * (1 + len(resource.suspects)) + pages / weeks

    def _rereads(self, resource: Resource) -> float:
        reread = self.of(resource).reread
        if resource.whole is not None or resource.recent:
            return reread
        return min(reread, MOST_OPEN if resource.listed else reread) if self.daily else 0


def is_listed(resource: Resource) -> bool:
    """Se é a listagem que mostra o que há de novo nele, e não quem o cita."""
    return resource.emitted is not None or (resource.whole is not None and not resource.whole.when_lacking)


def cites(each: Resource, resource: Resource) -> bool:
    """Se `each` traz ids, ou chaves, de `resource`."""
    if resource.keys is not None:  # as chaves vêm dos itens das notas
        return each.principal
    if resource.owed is not None and each.name in resource.needs:
        return True
    return resource.table in each.first_seen or any(name == resource.name for name, _ in each.cites)


def _pieces(recent: Recent) -> int:
    """Em quantos pedidos cabe o período, qualquer que seja o dia."""
    return len(pieces(Window(EARLIEST, EARLIEST + recent.back + recent.ahead), recent.between.max_days))


async def load_known(connection: AsyncConnection, resources: Sequence[Resource], now: datetime) -> dict[str, Known]:
    """O que o banco sabe de cada recurso."""
    return {resource.name: await _known(connection, resources, resource, now) for resource in resources}


async def _known(
    connection: AsyncConnection, resources: Sequence[Resource], resource: Resource, now: datetime
) -> Known:
    mark = first_mark(resource)
    held, gone = await proof.count_rows(connection, resource.kept)
    begun = held + gone > 0 if mark is None else await control.checkpoint(connection, mark) is not None
    if resource.principal:
        begun = await proof.scope_start(connection) is not None
    if await control.checkpoint(connection, control.refused_name(resource.name)) is not None:
        return Known(begun=begun, refused=True)
    sources = [each.query for each in (*resource.parents, resource.snapshot) if each is not None]
    return Known(
        begun=begun,
        hides=await control.checkpoint(connection, hidden(resource)) is not None,
        rejected=sum([await _is_noted(connection, rejected_name(resource, params)) for params in resource.tries]),
        held=held + gone,
        lacking=await _lacking(connection, resources, resource, now),
        reread=await _reread(connection, resource, brasilia_day(now)),
        sources=sum([await repository.count_sources(connection, each) for each in sources]),
        a_day=await _a_day(connection, resource, brasilia_day(now)),
    )


async def _is_noted(connection: AsyncConnection, name: str) -> bool:
    return await control.checkpoint(connection, name) is not None


async def _lacking(
    connection: AsyncConnection, resources: Sequence[Resource], resource: Resource, now: datetime
) -> int:
    if is_listed(resource) or resource.snapshot is not None:
        return 0
    if resource.owed is not None:
        return await resource.owed(connection, brasilia_day(now))
    if resource.keys is not None:
        return len(await resource.keys.lacking(connection, now))
    citing = citing_among(resources, resource)
    return await repository.count_lacking(connection, resource.table, resource.name, citing)


async def _reread(connection: AsyncConnection, resource: Resource, day: date) -> float:
    """Os que estão em aberto; do que a listagem mostra toda, ou por outra data, os que não são finais."""
    if resource.owed is not None:
        return await resource.owed(connection, day) if is_listed(resource) else 0
    by_line = resource.detail and (resource.whole is not None or bool(resource.recent))
    part = WEEK if resource.again else 1
    if not by_line:
        if resource.open is None:
            return 0
        if resource.emitted is not None:
            return len(await repository.open_days(connection, resource.kept, resource.open, day)) / part
        daily = await repository.already_given(connection, resource.kept, resource.doubtful, day)
        found = await repository.already_given(connection, resource.kept, f"({resource.open})", day)
        return len(daily) + len({*found} - {*daily}) / part
    documents = repository.documents(connection, resource.kept, resource.open or "true", day)
    weekly = resource.whole.weekly if resource.whole is not None else lambda row: False
    return sum(
        [
            1 / part if not resource.is_final(each) else 1 / WEEK if weekly(each) else 0
            async for each in documents
            if resource.is_listable(each)  # o que a listagem não mostra, ela não faz reler
        ]
    )


async def _a_day(connection: AsyncConnection, resource: Resource, day: date) -> float:
    if resource.emitted is None:
        return 0.0
    return sum(await count_windows(connection, resource, [Window(day - _MONTH, day)])) / _MONTH.days


async def count_windows(connection: AsyncConnection, resource: Resource, windows: Iterable[Window]) -> list[int]:
    """Quantos registros o banco tem em cada janela."""
    found = [await proof.count_held(connection, resource.kept, each.inicio, each.fim) for each in windows]
    return [sum(sum(groups.values()) for groups in months.values()) for months in found]


async def reread_history(connection: AsyncConnection, costs: Costs, resource: Resource, day: date) -> float:
    """As listagens da parte da história que a coleta de um dia relê."""
    scope = await proof.scope_start(connection)
    if resource.emitted is None or scope is None or not costs.of(resource).begun:
        return 0.0
    windows = resource.emitted.plan([Window(scope, day)])
    return costs.windows(resource, await count_windows(connection, resource, windows)) / WEEK
