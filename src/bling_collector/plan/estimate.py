"""Quanto uma execução vai custar: requisições, segundos e a parte da cota do dia.

Do que o banco já conferiu sabe-se quantos registros o Bling lista; do resto pergunta-se a ele, com poucas requisições,
qual é a última página da listagem, começando perto de onde acabou a do ano vizinho; e onde nem isso se perguntou vale a
média dos anos vizinhos. O que cada recurso pede daí em diante di-lo `cost.py`.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from statistics import median
from typing import Final

from bling_collector.api.bling_client import BlingClient
from bling_collector.api.pace import PER_SECOND
from bling_collector.clock import BRASILIA, Clock, today
from bling_collector.config import Settings
from bling_collector.db import control, proof
from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.errors import LASTING, BlingPausedError
from bling_collector.etl.progress import Outlook
from bling_collector.etl.resource import Params, Resource
from bling_collector.insight.account.quota import read_quota
from bling_collector.plan.cost import Costs, cites, count_windows, is_listed, load_known, reread_history
from bling_collector.streams.registry import RESOURCES, collected
from bling_collector.windows import Period, Window, asked_period, incremental_start
from bling_collector.words import lower_first, plural, several

MOST_PROBES: Final = 24
"""Requisições que a estimativa de um recurso pode fazer."""
_SHARED: Final = 12
"""As dos que se percorrem por janelas depois do primeiro, que já diz onde começar a procura."""
_OF_A_LIST: Final = 8
"""As de uma listagem sem período."""
_EACH: Final = 3
"""Delas, as que cada janela tem certas, por muitas que as anteriores gastem."""
_SHORT: Final = 4
"""Uma página com menos linhas que o tamanho dela dividido por isto é a última: poupa-se a que viria vazia."""
_LOOSE: Final = 1.5
"""O maior número de páginas possível sobre o menor, a partir do qual se diz que a estimativa é larga."""
_USUAL: Final = 10
"""As últimas execuções diárias de que sai o que uma costuma custar."""
_LIKE: Final = 3
"""Execuções diárias que bastam para dizer quanto custa uma."""
_PRINCIPAL: Final = next(resource for resource in RESOURCES if resource.principal)
_WHOSE: Final = 1
"""De que empresa é a conta, que toda execução pergunta."""


@dataclass(frozen=True)
class Part:
    """O que se espera que um recurso peça."""

    titulo: str
    requisicoes: int
    certa: bool = True
    """False se do que ele tem não se soube quanto é, e só se contou o que é certo que se pede."""


@dataclass(frozen=True)
class Estimate:
    tipo: str
    periodo: Window
    listadas: int | None
    """Notas que o Bling deve listar no período; None se não se coletam notas, ou se não se sabe."""
    guardadas: int
    """Delas, as que o banco já tem."""
    requisicoes: int
    segundos: float
    restam_hoje: int
    """Requisições da cota do dia que o coletor ainda pode fazer."""
    cota: int
    """As que ele pode fazer num dia inteiro."""
    sondas: int
    """Requisições feitas para estimar."""
    base: str
    """De onde sai a estimativa, por extenso."""
    larga: bool
    """As sondagens não chegaram para todo o período, e de parte dele só se sabe a média: pode errar pela metade."""
    partes: tuple[Part, ...] = ()
    """O que é de cada recurso, se se sabe: só dos que pedem alguma coisa."""

    @property
    def novas(self) -> int:
        """Notas que o banco ainda não tem."""
        return max((self.listadas or 0) - self.guardadas, 0)

    @property
    def parte_da_cota(self) -> float:
        return self.requisicoes / self.cota if self.cota else 1.0

    @property
    def dias(self) -> int:
        """Em quantos dias cabe; 1 se cabe no que resta de hoje."""
        over = self.requisicoes - self.restam_hoje
        return 1 + (math.ceil(over / self.cota) if over > 0 and self.cota else 0)

    @property
    def incertas(self) -> tuple[str, ...]:
        """Os recursos de que não se soube quanto há: com eles, a execução pede pelo menos o que se diz."""
        return tuple(lower_first(part.titulo) for part in self.partes if not part.certa)


@dataclass
class _Found:
    """O que se soube das listagens."""

    windows: dict[str, list[int]] = field(default_factory=dict)
    """Quantos registros em cada janela, por recurso."""
    whole: dict[str, float] = field(default_factory=dict)
    """Quantos na listagem inteira."""
    new: dict[str, float] = field(default_factory=dict)
    """Quantos o banco não tem."""
    unknown: set[str] = field(default_factory=set)
    """Os recursos de que não se soube."""


class Estimator:
    """Estima execuções num banco e numa conta. Levanta UsageError para um período impossível e os erros do Bling."""

    def __init__(
        self,
        engine: AsyncEngine,
        client: BlingClient,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._engine = engine
        self._client = client
        self._clock = clock
        self._settings = settings
        self._probes = 0
        self._loose = False
        self._first: list[tuple[Window, int]] = []

    async def run(self) -> Estimate:
        """A coleta diária: o que custaram as últimas, e a primeira leitura do que nelas não se coletava; sem elas, o
        que há no período."""
        costs = await self._costs(daily=True)
        async with self._engine.connect() as connection:
            periods = {each.name: await self._daily_period(connection, each) for each in RESOURCES}
            asked = await control.usual_requests(connection, _USUAL)
            owed = [await control.owed(connection, each.name) for each in costs.resources]
        period = periods[_PRINCIPAL.name]
        if len(asked) < _LIKE or any(owed):
            return await self._of("run", costs, period, periods)
        first = [each for each in costs.resources if not costs.of(each).begun]
        cited = [each for each in costs.resources if costs.of(each).lacking or any(cites(new, each) for new in first)]
        later = [each for each in costs.resources if each in first or each in cited]
        parts, found = await self._parts(costs, periods, later)
        if _PRINCIPAL in costs.resources and _PRINCIPAL not in later:
            await self._find_windows(_PRINCIPAL, period, found, MOST_PROBES)
        base = f"O que custaram as últimas {len(asked)} coletas que deram certo"
        if parts:
            base += f", e o que ainda não se leu de {several([lower_first(part.titulo) for part in parts])}"
        usual = Part("O que já se coletava", round(median(asked)))
        return await self._done("run", period, found, [usual, *parts], 0, f"{base}.")

    async def run_full(self, inicio: date, fim: date | None) -> Estimate:
        """A carga histórica."""
        period = asked_period(inicio, fim, default_inicio=inicio, today=today(self._clock))
        return await self._of("run-full", await self._costs(), period, {each.name: period for each in RESOURCES})

    async def outlook(self, windows: Mapping[str, list[Window]], *, fetches: bool, daily: bool = False) -> Outlook:
        """O plano de uma execução que percorre estas janelas, por recurso, do que o banco sabe: nada é perguntado ao
        Bling."""
        costs = await self._costs(daily=daily)
        by_name = {each.name: each for each in costs.resources}
        ahead: dict[tuple[str, Window], int | None] = {}
        for name, resource in by_name.items():
            for window in windows.get(name, []):
                count = await self._checked(resource, window)
                here = (await self._held(resource, [window]))[0] if fetches and count else 0
                ahead[name, window] = None if count is None else max(count - here, 0)

        def listing(name: str, count: float) -> float:
            return costs.windows(by_name[name], [count])

        def rest(found: Mapping[str, float], begun: Iterable[str]) -> float:
            new = costs.arrivals(found)
            return sum(costs.rest(each, new, {}) for each in costs.resources if each.name not in begun)

        return Outlook(ahead, listing=listing, rest=rest, fetches=fetches)

    async def _costs(self, *, daily: bool = False) -> Costs:
        return await load_costs(self._engine, self._clock, self._settings, daily=daily)

    async def _daily_period(self, connection: AsyncConnection, resource: Resource) -> Window:
        """Do marco do recurso até hoje; de um que ainda não se coletou, desde o começo da coleta."""
        day, now = today(self._clock), self._clock.now()
        scope = await proof.scope_start(connection)
        if resource.principal:
            bookmark = await control.bookmark(connection, now)
            mark, lost = bookmark.day, bookmark.lost
        else:
            found = await control.checkpoint(connection, control.mark_name(resource.name))
            mark = found.astimezone(BRASILIA).date() if found is not None and found <= now else None
            lost = mark is None
        start = incremental_start(
            mark,
            days_back=self._settings.extraction_days_back,
            lookback_days=self._settings.extraction_lookback_days,
            today=day,
            scope=scope if lost else None,
        )
        if resource.emitted is not None:
            start = resource.emitted.starts(start, scope, day)
        return asked_period(None, None, default_inicio=start, today=day)

    async def _of(self, tipo: str, costs: Costs, period: Window, periods: Mapping[str, Window]) -> Estimate:
        parts, found = await self._parts(costs, periods, costs.resources)
        said = (
            f"{plural(self._probes, 'requisição', 'requisições')} de sondagem ao Bling"
            if self._probes
            else "o que o banco já conferiu"
        )
        base = f"As listagens ({said}), uma requisição por registro novo e por cada um que ele cita."
        return await self._done(tipo, period, found, parts, _WHOSE, base)

    async def _parts(
        self, costs: Costs, periods: Mapping[str, Window], chosen: Iterable[Resource]
    ) -> tuple[list[Part], _Found]:
        """O que cada um dos recursos `chosen` pede."""
        chosen, found = list(chosen), _Found()
        windowed = [each for each in chosen if each.emitted is not None and not costs.of(each).refused]
        for resource in windowed:
            most = _SHARED if self._first else MOST_PROBES
            await self._find_windows(resource, periods[resource.name], found, most)
        for resource in chosen:
            if is_listed(resource) and resource.emitted is None and not costs.of(resource).begun:
                await self._find_whole(resource, costs, found)
            photographed = resource.snapshot.of if resource.snapshot is not None else None
            if photographed is not None and not costs.of(resource).begun:
                await self._find_whole(photographed, costs, found)
        new = costs.arrivals(found.new)
        parts = []
        for resource in chosen:
            asked = costs.windows(resource, found.windows.get(resource.name, []))
            asked += costs.rest(resource, new, found.whole)
            asked += costs.details(resource, new) if resource.emitted is not None else 0
            if costs.daily:
                async with self._engine.connect() as connection:
                    asked += await reread_history(connection, costs, resource, today(self._clock))
            if asked:
                parts.append(Part(resource.title, math.ceil(asked), resource.name not in found.unknown))
        return parts, found

    async def _find_windows(self, resource: Resource, period: Window, found: _Found, most: int) -> None:
        async with self._engine.connect() as connection:
            owed = [Window(o.inicio, o.fim) for o in await control.owed(connection, resource.name)]
        windows = _planned(resource, [period, *owed])
        there = await self._listed(resource, windows, most)
        if there is None:
            found.unknown.add(resource.name)
        here = await self._held(resource, windows)
        there = there or here
        found.windows[resource.name] = there
        found.new[resource.name] = sum(max(count - have, 0) for count, have in zip(there, here, strict=True))

    async def _find_whole(self, resource: Resource, costs: Costs, found: _Found) -> None:
        """Quantos há numa listagem sem período que ainda não se leu; de um que só se lista por outro não se pergunta,
        que dos pais já se sabe."""
        if resource.each is not None or costs.of(resource).refused:
            return
        count = await self._probe(resource, None, 1, self._probes + _OF_A_LIST)
        if count is None:
            found.unknown.add(resource.name)
            return
        found.whole[resource.name] = count
        found.new[resource.name] = max(count - costs.of(resource).held, 0)

    async def _done(
        self, tipo: str, period: Window, found: _Found, parts: list[Part], usual: int, base: str
    ) -> Estimate:
        """`usual` é o que se pede além das partes."""
        async with self._engine.connect() as connection:
            quota = await read_quota(connection, self._clock.now())
        mine = quota.limit - self._settings.api_daily_reserve
        spacing = max(self._settings.api_rate_limit_delay, 1 / PER_SECOND)
        requests = usual + sum(part.requisicoes for part in parts)
        notes = found.windows.get(_PRINCIPAL.name)
        return Estimate(
            tipo,
            period,
            listadas=None if notes is None or _PRINCIPAL.name in found.unknown else sum(notes),
            guardadas=sum(await self._held(_PRINCIPAL, [period])),
            requisicoes=requests,
            segundos=requests * spacing / quota.pace,
            restam_hoje=0 if quota.exhausted else max(mine - quota.used, 0),
            cota=max(mine, 0),
            sondas=self._probes,
            base=base,
            larga=self._loose,
            partes=tuple(parts),
        )

    async def _held(self, resource: Resource, windows: list[Window]) -> list[int]:
        async with self._engine.connect() as connection:
            return await count_windows(connection, resource, windows)

    async def _listed(self, resource: Resource, windows: list[Window], most: int) -> list[int] | None:
        """Quantos registros o Bling lista em cada janela: o que se conferiu, se sonda, com no máximo `most`
        requisições, ou é a média das vizinhas. None se de nenhuma se soube."""
        found = [await self._checked(resource, window) for window in windows]
        until = self._probes + most
        # As que se pedem de uma vez ficam espalhadas; se saíram baratas, pedem-se outras no meio delas.
        while chosen := _spread(_unknown(found), (until - self._probes) // _EACH):
            for turn, place in enumerate(chosen):
                reserved = _EACH * (len(chosen) - turn - 1)
                near = _density(windows, found, place)
                near = near if near is not None else self._usual(windows[place])
                guess = near * _days(windows[place]) / self._settings.api_page_size
                found[place] = await self._probe(resource, windows[place], max(round(guess), 1), until - reserved)
                if found[place] is None:
                    return None
        left = _unknown(found)
        self._loose |= bool(left)
        if len(left) == len(windows):
            return None
        counts = [
            count if count is not None else round((_density(windows, found, place) or 0) * _days(windows[place]))
            for place, count in enumerate(found)
        ]
        self._first = self._first or list(zip(windows, counts, strict=True))
        return counts

    def _usual(self, window: Window) -> float:
        """Registros por dia, nestes dias, do primeiro recurso de que se soube: uma venda deixa um em cada um."""
        like = (count / max(_days(each), 1) for each, count in self._first if each.touches(window))
        return next(like, 0.0)

    async def _checked(self, resource: Resource, window: Window) -> int | None:
        """O que as conferências dos meses da janela contaram no Bling; None se algum não foi conferido inteiro."""
        async with self._engine.connect() as connection:
            months = await proof.counted_months(connection, resource.name, window.inicio, window.fim)
        if not months or months[0].data_inicio > window.inicio:
            return None
        covered = sum(_days(Window(max(m.data_inicio, window.inicio), min(m.data_fim, window.fim))) for m in months)
        if covered < _days(window) - 2:  # o último dia, de hoje, ainda está a meio
            return None
        total = 0.0
        for month in months:  # de um mês que a janela corta, a parte dela
            inside = Window(max(month.data_inicio, window.inicio), min(month.data_fim, window.fim))
            total += sum(month.no_bling.values()) * _days(inside) / _days(Window(month.data_inicio, month.data_fim))
        return round(total)

    async def _probe(self, resource: Resource, window: Window | None, page: int, until: int) -> int | None:
        """Quantos registros há na janela, ou na listagem sem período, pela última página que não vem vazia; a procura
        começa em `page`.

        Dobra ou divide até ter uma página cheia e uma vazia, e então as aproxima. Quando as sondagens chegam a `until`
        vale o meio do que pode ser; None se o Bling não disse nada.
        """
        size = self._settings.api_page_size
        full, empty, last = 0, 0, 0
        while not empty or empty - full > 1:
            if self._probes >= until:
                if not full and not empty:
                    return None
                most = empty - 1 if empty else full * 2
                self._loose |= most > full * _LOOSE
                return round((full + most) / 2 * size)
            rows = await self._rows(resource, window, page)
            if rows is None:
                return None
            if rows:
                full, last = page, rows
            else:
                empty = page
            if not resource.paged or 0 < rows * _SHORT < size:
                break
            page = (full + empty) // 2 if empty else page * 2
        return (full - 1) * size + last if full else 0

    async def _rows(self, resource: Resource, window: Window | None, page: int) -> int | None:
        """Quantas linhas a página tem; None se, de um recurso que se pediu a mais, o Bling não a dá."""
        self._probes += 1
        size = self._settings.api_page_size
        params: Params = resource.shows[0]
        if resource.emitted is not None and window is not None:
            params = (*params, *resource.emitted.between.params(Period.of(window)))
        place = (page if resource.paged else None, size if resource.paged and resource.sized else None)
        try:
            return len(await self._client.page(resource.path, params, *place, key=resource.key))
        except BlingPausedError:
            raise
        except LASTING:
            if await self._client.lists(resource.path):
                return size  # uma linha estraga a página: que ela tem linhas, sabe-se
            if not resource.optional:
                raise
            return None


async def load_costs(engine: AsyncEngine, clock: Clock, settings: Settings, *, daily: bool = False) -> Costs:
    """A conta dos recursos que se coletam, do que o banco sabe."""
    async with engine.connect() as connection:
        resources = await collected(connection, settings.recursos)
        known = await load_known(connection, resources, clock.now())
    return Costs(resources, known, settings.api_page_size, daily=daily)


def _planned(resource: Resource, windows: list[Window]) -> list[Window]:
    assert resource.emitted is not None, resource.name
    return resource.emitted.plan(windows)


def _days(window: Window) -> int:
    return max((window.fim - window.inicio).days + 1, 0)


def _density(windows: list[Window], found: list[int | None], place: int) -> float | None:
    """Registros por dia nas janelas mais próximas de que se sabe, uma de cada lado; None se de nenhuma se sabe."""
    sides = (range(place - 1, -1, -1), range(place + 1, len(windows)))
    near = [next((n for n in side if found[n] is not None), None) for side in sides]
    known = [(found[n] or 0) / max(_days(windows[n]), 1) for n in near if n is not None]
    return sum(known) / len(known) if known else None


def _unknown(found: list[int | None]) -> list[int]:
    return [place for place, count in enumerate(found) if count is None]


def _spread(places: list[int], most: int) -> list[int]:
    """No máximo `most` destes lugares, espalhados do primeiro ao último."""
    if len(places) <= most:
        return places
    if most < 2:
        return places[:most]
    return [places[round(n * (len(places) - 1) / (most - 1))] for n in range(most)]
