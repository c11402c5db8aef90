"""O que cada recurso pede ao Bling, tirado da declaração dele, do que o banco já tem e do que se espera que chegue.

Nada daqui pergunta ao Bling nem sabe o nome de um recurso: a estimativa de uma execução, o que falta à que está em
curso e o que cada recurso custa por dia são a mesma conta.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from bling_collector.clock import brasilia_day, is_weekly_due
from bling_collector.db import control, proof
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.resources import repository
from bling_collector.etl.listing import BATCH, MAX_PROBES, count_listings, drifting_among, hidden
from bling_collector.etl.narrowing import rejected_name
from bling_collector.etl.resource import Recent, Resource, Snapshot
from bling_collector.etl.strategies.again import MOST_OPEN
from bling_collector.etl.strategies.cited import citing_among, whole_mark
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
    reread_all: float = 0.0
    """Os que uma conferência que repara relê assim."""
    open: int = 0
    """Os em aberto, do que nos outros dias só se lê assim."""
    restless: int = 0
    """Deles, os que não são finais: também dos `reread`, se a listagem se lê inteira todo dia."""
    in_turn: bool | None = None
    """Se é a vez do que se relê uma vez por semana; None é um dia qualquer."""
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
    everything: bool = False
    """Também o que só se relê uma vez por semana."""

    def of(self, resource: Resource) -> Known:
        """O que se sabe do recurso."""
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
        others = self.shows(resource) - 1  # têm pouco ou nada: a página vazia e, se há muito na primeira, outra
        asked = sum(math.ceil(n / self.size) + 1 + others * (1 + (2 * n >= self.size)) for n in windows)
        if not resource.suspects or known.hides:
            return asked
        return asked + windows.count(0) + min(len(windows) - windows.count(0), MAX_PROBES)

    def details(self, resource: Resource, new: Counts) -> float:
        """O detalhe de cada um dos que chegam."""
        return new.get(resource.name, 0.0) if resource.detail else 0.0

    def look(self, resource: Resource, today: float) -> float:
        """O que uma olhada lista dele, se `today` são os registros de hoje e nada mudou há pouco."""
        if self.of(resource).refused:
            return 0.0
        if resource.changed is not None:
            return self.shows(resource) if self.of(resource).begun else 0.0
        return self.windows(resource, [today]) if resource.emitted is not None else 0.0

    def rest(self, resource: Resource, new: Counts, listed: Counts) -> float:
        """O que se pede dele fora das janelas. `listed` é quantos há na listagem inteira, onde se sabe mais que o
        banco."""
        return sum(self.rest_of_each(resource, new, listed))

    def rest_of_each(self, resource: Resource, new: Counts, listed: Counts) -> tuple[float, float]:
        """O mesmo: as listagens, com os lotes de ids e de chaves; e o que se pede um a um."""
        known, special = self.of(resource), resource.special_cost
        if known.refused:
            return 0.0, 0.0
        lists = self._recents(resource, new) + self._whole(resource, new, listed)
        each = self._rereads(resource)
        if resource.changed is not None and known.begun:
            lists += self.shows(resource)
        if resource.keys is not None:
            batches = math.ceil(round(new[resource.name]) / BATCH)
            lists += 2 * batches + (2 * len(resource.suspects) if batches else 0)
        by_listing = resource.whole is not None and not resource.whole.when_lacking
        if by_listing or (resource.keys is None and not is_listed(resource)):
            each += self.details(resource, new)
        if resource.snapshot is not None:
            lists += self._photographs(resource, resource.snapshot, new, listed)
        if resource.removed is not None:
            lists += 2 / self._week(resource) if known.begun else 2 if resource.removed.at_first else 0
        if special is not None:
            each += special(new, {each.name: self.of(each).held for each in self.resources})
        return lists, each

    def whole(self, resource: Resource) -> float:
        """As listagens inteiras, do que não tem data."""
        return self._whole(resource, {}, {})

    def _week(self, resource: Resource) -> float:
        """De quantas execuções em quantas se faz o que é da semana."""
        due = True if self.everything else self.of(resource).in_turn
        return WEEK if due is None else 1.0 if due else math.inf

    def shows(self, resource: Resource) -> int:
        known = self.of(resource)
        return len(resource.shows) + len(resource.tries) - known.rejected + known.hides * len(resource.suspects)

    def _recents(self, resource: Resource, new: Counts) -> float:
        begun = self.of(resource).begun
        asked = [_pieces(each) / (self._week(resource) if each.weekly and begun else 1) for each in resource.recent]
        return self.shows(resource) * sum(asked)

    def _whole(self, resource: Resource, new: Counts, listed: Counts) -> float:
        whole, known = resource.whole, self.of(resource)
        if whole is None:
            return 0.0
        rows = listed.get(resource.name, known.held)
        pages = self._pages(resource, rows, thorough=1.0) * (1 if known.begun or rows <= self.size else 2)
        if whole.when_lacking:
            first = 1 if whole.aside else self.shows(resource)
            lacking = first * pages if known.begun and round(new[resource.name]) else 0.0
            return lacking + self.shows(resource) * pages / (self._week(resource) if known.begun else 1)
        if whole.lately is not None and self._is_read_lately(resource):
            others = self._pages(resource, known.open, thorough=0) + len(whole.lately.open)
            return pages / self._week(resource) + others * (1 - 1 / self._week(resource))
        if known.begun and not whole.weekly:
            pages = self._pages(resource, listed.get(resource.name, known.held), thorough=1 / self._week(resource))
        lists: float = self.shows(resource)
        if whole.aside and known.begun:
            lists = 1 + (lists - 1) / self._week(resource)
        if resource.each is not None:
            together = BATCH if resource.each.batched else 1
            of = resource.each.of
            parents = max(listed.get(of, 0.0), new.get(of, 0.0) + known.sources * together)
            lists *= math.ceil(parents / together)
        asked = lists * pages / (self._week(resource) if known.begun and whole.weekly else 1)
        if resource.also_by is not None and known.sources:
            each = listed.get(resource.name, known.held) / known.sources
            weeks = self._week(resource) if known.begun else 1
            asked += lists * known.sources * self._pages(resource, each, thorough=1.0) / weeks
        return asked

    def _is_read_lately(self, resource: Resource) -> bool:
        """Se nos outros dias só se lê dele o que está em aberto."""
        lately = resource.whole.lately if resource.whole is not None else None
        return lately is not None and self.of(resource).begun and lately.is_worth(self.of(resource).held, self.size)

    def _pages(self, resource: Resource, rows: float, *, thorough: float) -> float:
        """As páginas de uma listagem de tantas linhas; `thorough` é de quantas leituras em quantas se vai até a vazia,
        ainda que a última já seja curta."""
        if not resource.paged:
            return 1.0
        full, rest = divmod(rows, self.size)
        short = resource.sized and 2 * rest < self.size and (rest > 0 or full == 0)
        return full + (1 if rest or not full else 0) + (thorough if short and rows else 1.0 if rows else 0.0)

    def _photographs(self, resource: Resource, snapshot: Snapshot, new: Counts, listed: Counts) -> float:
        """Os lotes dos ids, os do que o primeiro pedido não mostra (um quarto deles), e as listagens que os mostram."""
        of = snapshot.of.name if snapshot.of is not None else ""
        ids = max(self.of(resource).sources + new.get(of, 0.0), listed.get(of, 0.0))
        pages = len(snapshot.shows) * (math.ceil(ids / len(snapshot.shows) / self.size) + 1) if snapshot.shows else 0
        weeks = self._week(resource) if self.of(resource).begun else 1
        new_ones = len(snapshot.shows_new) if self.of(resource).begun else 0
        batches = math.ceil(ids / BATCH)
        return batches + len(resource.suspects) * math.ceil(batches / 4) + pages / weeks + new_ones

    def _rereads(self, resource: Resource) -> float:
        if self.everything:
            return self.of(resource).reread_all
        reread = self.of(resource).reread
        if self._is_read_lately(resource):
            reread -= self.of(resource).restless * (1 - 1 / WEEK)
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
    read = await control.all_checkpoints(connection)
    return {resource.name: await _known(connection, resources, resource, now, read) for resource in resources}


async def _known(
    connection: AsyncConnection,
    resources: Sequence[Resource],
    resource: Resource,
    now: datetime,
    read: Mapping[str, datetime],
) -> Known:
    mark = first_mark(resource)
    held, gone = await proof.count_rows(connection, resource.kept)
    begun = held + gone > 0 if mark is None else mark in read
    if resource.principal:
        begun = await proof.scope_start(connection) is not None
    if control.refused_name(resource.name) in read:
        return Known(begun=begun, refused=True)
    day = brasilia_day(now)
    everything = held + gone if _is_reread_whole(resource) else await _reread(connection, resource, day, weeks=1)
    unlisted = len(await repository.unlisted(connection, resource.kept)) if resource.listable else 0
    denied, denied_a_day = await _denied(connection, resources, resource, now)
    opened = await _open(connection, resource, day)
    sources = [await count_listings(connection, resource, each) for each in resource.parents]
    if resource.snapshot is not None:
        sources.append(await repository.count_sources(connection, resource.snapshot.query))
    return Known(
        begun=begun,
        hides=hidden(resource) in read,
        rejected=sum(rejected_name(resource, params) in read for params in resource.tries),
        held=held + gone,
        lacking=await _lacking(connection, resources, resource, now),
        reread=await _reread(connection, resource, day) + unlisted / WEEK + denied_a_day,
        reread_all=everything + unlisted + denied,
        open=len(opened),
        restless=opened.count(False),
        sources=sum(sources),
        a_day=await _a_day(connection, resource, day),
    )


async def _open(connection: AsyncConnection, resource: Resource, day: date) -> list[bool]:
    """De cada um em aberto, do que nos outros dias só se lê assim, se é final."""
    lately = resource.whole.lately if resource.whole is not None else None
    if lately is None:
        return []
    documents = repository.documents(connection, resource.kept, lately.is_open, day)
    return [resource.is_final(each) async for each in documents]


def is_in_turn(read: Mapping[str, datetime], resource: Resource, now: datetime) -> bool | None:
    """Se é a vez do que dele se relê uma vez por semana; None se nada o diz."""
    if resource.whole is not None:
        mark, whose = whole_mark(resource), resource.permission
    elif resource.removed is not None:
        mark = whose = f"{resource.name}.excluidos"
    elif resource.snapshot is not None:
        mark = whose = f"{resource.name}.listados"
    else:
        return None
    return is_weekly_due(read.get(mark), now, whose)


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


async def _denied(
    connection: AsyncConnection, resources: Sequence[Resource], resource: Resource, now: datetime
) -> tuple[int, float]:
    """Quantos o Bling disse não ter, e se citam ou listam; e por quantos se pergunta outra vez num dia."""
    if not resource.alone or resource.emitted is not None or resource.detail_with:
        return 0, 0.0
    found = await repository.denied(connection, resource.kept, listed=resource.listed)
    lacking = [each.id for each in found if not each.is_held]
    cited = await repository.cited_among(connection, citing_among(resources, resource), lacking)
    asked = [each for each in found if each.is_held or each.id in cited]
    once = sum(each.is_unconfirmed for each in asked)
    return len(asked), min(once + (len(asked) - once) / WEEK, MOST_OPEN)


def _is_reread_whole(resource: Resource) -> bool:
    """Se uma conferência que repara o relê todo, por não haver listagem que mostre o que mudou."""
    return not resource.listed and "excluida_em" in resource.table.c


async def _reread(connection: AsyncConnection, resource: Resource, day: date, *, weeks: int = WEEK) -> float:
    """Os que estão em aberto; do que a listagem mostra toda, ou por outra data, os que não são finais. Conta só a parte
    de um dia do que se relê em tantos (`weeks`)."""
    if resource.owed is not None:
        return await resource.owed(connection, day) if is_listed(resource) else 0
    by_line = resource.detail and (resource.whole is not None or bool(resource.recent))
    part = weeks if resource.weekly else 1
    if not by_line:
        if resource.open is None:
            return 0
        if resource.emitted is not None:
            return len(await repository.open_days(connection, resource.kept, resource.open, day)) / part
        daily = await repository.already_given(connection, resource.kept, resource.doubtful, day)
        found = await repository.already_given(connection, resource.kept, f"({resource.open})", day)
        return len(daily) + len({*found} - {*daily}) / part
    documents = repository.documents(connection, resource.kept, resource.open or "true", day)
    restless, drifting = 0, 0
    async for each in documents:  # o que a listagem não mostra, ela não faz reler
        if not resource.is_final(each):
            restless += 1
        elif drifting_among(resource, [each]):
            drifting += 1
    most = math.inf if resource.whole is not None else MOST_OPEN
    return restless / part + min(drifting / weeks, most)


async def _a_day(connection: AsyncConnection, resource: Resource, day: date) -> float:
    if resource.emitted is None:
        return 0.0
    return sum(await count_windows(connection, resource, [Window(day - _MONTH, day)])) / _MONTH.days


async def count_windows(connection: AsyncConnection, resource: Resource, windows: Iterable[Window]) -> list[int]:
    """Quantos registros o banco tem em cada janela."""
    found = [await proof.count_held(connection, resource.kept, each.inicio, each.fim) for each in windows]
    return [sum(sum(groups.values()) for groups in months.values()) for months in found]


async def reread_history(connection: AsyncConnection, costs: Costs, resource: Resource, until: date) -> float:
    """As listagens da parte da história, até este dia, que a coleta de um dia relê."""
    scope = await proof.scope_start(connection)
    if resource.emitted is None or scope is None or until < scope or not costs.of(resource).begun:
        return 0.0
    windows = resource.emitted.cut([Window(scope, until)])
    return costs.windows(resource, await count_windows(connection, resource, windows)) / WEEK
