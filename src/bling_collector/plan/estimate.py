"""Quanto uma execução vai custar: requisições, segundos e a parte da cota do dia.

Do que o banco já conferiu sabe-se quantos registros o Bling lista; do resto pergunta-se a ele (`probe.py`). O que cada
recurso pede daí em diante di-lo `cost.py`.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from statistics import median
from typing import Final

from bling_collector.api.bling_client import BlingClient
from bling_collector.api.pace import PER_SECOND
from bling_collector.clock import BRASILIA, Clock, brasilia_day, today
from bling_collector.config import Settings
from bling_collector.db import control, proof
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.errors import UsageError
from bling_collector.etl.due import due_windows_at
from bling_collector.etl.progress import Outlook
from bling_collector.etl.resource import Resource
from bling_collector.insight.account.quota import read_quota
from bling_collector.insight.freshness import load_freshness
from bling_collector.plan.cost import Costs, cites, count_windows, is_in_turn, is_listed, load_known
from bling_collector.plan.probe import Prober, days_of
from bling_collector.streams.registry import RESOURCES, chosen, collected
from bling_collector.windows import Window, asked_period, incremental_start, look_starts
from bling_collector.words import lower_first, plural, several

MOST_PROBES: Final = 24
"""Requisições que a estimativa de um recurso pode fazer."""
_SHARED: Final = 12
"""As dos que se percorrem por janelas depois do primeiro, que já diz onde começar a procura."""
_OF_A_LIST: Final = 8
"""As de uma listagem sem período."""
_USUAL: Final = 10
"""As últimas execuções diárias de que sai o que uma costuma custar."""
_LIKE: Final = 3
"""Execuções diárias que bastam para dizer quanto custa uma."""
_PRINCIPAL: Final = next(resource for resource in RESOURCES if resource.principal)
OFFLINE: Final = "Do que o banco já leu e conferiu; nada se perguntou ao Bling."
_BEGIN: Final = "comece com `bling-collector run-full --data-inicio AAAA-MM-DD`."
_WHOSE: Final = 1
"""De que empresa é a conta, que toda execução pergunta."""


@dataclass(frozen=True)
class Part:
    """O que se espera que um recurso peça."""

    titulo: str
    requisicoes: int
    certa: bool = True
    """False se do que ele tem não se soube quanto é, e só se contou o que é certo que se pede."""
    recurso: str | None = None
    listagens: int = 0
    """Delas, as que listam; as outras pedem um registro cada uma."""

    @property
    def detalhes(self) -> int:
        return self.requisicoes - self.listagens


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
        client: BlingClient | None,
        clock: Clock,
        settings: Settings,
        recursos: Collection[str] | None = None,
    ) -> None:
        """Sem `client` nada se pergunta ao Bling. `recursos` são os de que se trata, em lugar dos que se coletam."""
        self._engine = engine
        self._prober = Prober(client, settings.api_page_size)
        self._asks = client is not None
        self._clock = clock
        self._settings = settings
        self._recursos = recursos

    async def run(self) -> Estimate:
        """A coleta diária: o que custaram as últimas, e a primeira leitura do que nelas não se coletava; sem elas, o
        que há no período."""
        costs = await self._costs(daily=True)
        async with self._engine.connect() as connection:
            periods = await self._daily_periods(connection)
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

    async def run_of(self, inicio: date | None = None, fim: date | None = None) -> Estimate:
        """A coleta diária, ou de um período pedido, recurso a recurso."""
        async with self._engine.connect() as connection:
            periods = await self._daily_periods(connection, inicio, fim)
        costs = await self._costs(daily=inicio is None and fim is None)
        return await self._of("run", costs, periods[_PRINCIPAL.name], periods)

    async def reconcile(self, inicio: date | None, fim: date | None, *, repair: bool) -> Estimate:
        """A conferência: as listagens do período, ou da história toda; a que repara relê também o resto. UsageError se
        ainda nada se coletou."""
        async with self._engine.connect() as connection:
            scope = await proof.scope_start(connection)
        if scope is None:
            raise UsageError(f"Ainda não há o que conferir: {_BEGIN}")
        period = asked_period(inicio, fim, default_inicio=scope, today=today(self._clock))
        costs = await self._costs(everything=True)
        periods = {each.name: period for each in RESOURCES}
        return await self._of("reconcile", costs, period, periods, only_listed=not repair, undated=fim is None)

    async def look(self) -> Estimate:
        """A olhada: os dias desde a última, e o filtro de alteração do que tem um."""
        costs, now = await self._costs(), self._clock.now()
        async with self._engine.connect() as connection:
            if await proof.scope_start(connection) is None:
                raise UsageError(f"Sem uma primeira coleta a olhada nada pede: {_BEGIN}")
            since = look_starts(await control.checkpoint(connection, control.LOOKED), now)
            days = await self._days_since(connection)
        period, parts = Window(min(brasilia_day(since), today(self._clock)), today(self._clock)), []
        for resource in costs.resources:
            known, lists, details = costs.of(resource), 0.0, 0.0
            if known.refused:
                continue
            if resource.changed is not None:
                lists = costs.shows(resource)
            elif resource.emitted is not None:
                windows = resource.emitted.cut([period])
                lists = costs.windows(resource, await self._held(resource, windows))
                details = known.a_day * days if resource.detail else 0
            if lists:
                parts.append(_part(resource, lists, details, certain=known.begun))
        return await self._done("look", period, _Found(), parts, _WHOSE, OFFLINE)

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

    async def _costs(self, *, daily: bool = False, everything: bool = False) -> Costs:
        costs = await load_costs(self._engine, self._clock, self._settings, self._recursos)
        return replace(costs, daily=daily, everything=everything)

    async def _daily_periods(
        self, connection: AsyncConnection, inicio: date | None = None, fim: date | None = None
    ) -> dict[str, Window]:
        """De cada recurso, do marco dele até hoje, ou o que se pede; de um que ainda não se coletou, desde o começo da
        coleta."""
        day, now = today(self._clock), self._clock.now()
        scope, read = await proof.scope_start(connection), await control.all_checkpoints(connection)
        bookmark = await control.bookmark(connection, now)
        periods = {}
        for resource in RESOURCES:
            if resource.principal:
                mark, lost = bookmark.day, bookmark.lost
            else:
                found = read.get(control.mark_name(resource.name))
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
            periods[resource.name] = asked_period(inicio, fim, default_inicio=start, today=day)
        return periods

    async def _of(
        self,
        tipo: str,
        costs: Costs,
        period: Window,
        periods: Mapping[str, Window],
        *,
        only_listed: bool = False,
        undated: bool = False,
    ) -> Estimate:
        """`only_listed` é de quem só lista: o que tem janelas e, com `undated`, o que não tem data."""
        parts, found = await self._parts(costs, periods, costs.resources, only_listed=only_listed, undated=undated)
        if not self._asks:
            return await self._done(tipo, period, found, parts, _WHOSE, OFFLINE)
        said = (
            f"{plural(self._prober.asked, 'requisição', 'requisições')} de sondagem ao Bling"
            if self._prober.asked
            else "o que o banco já conferiu"
        )
        base = f"As listagens ({said}), uma requisição por registro novo e por cada um que ele cita."
        return await self._done(tipo, period, found, parts, _WHOSE, base)

    async def _parts(
        self,
        costs: Costs,
        periods: Mapping[str, Window],
        wanted: Iterable[Resource],
        *,
        only_listed: bool = False,
        undated: bool = False,
    ) -> tuple[list[Part], _Found]:
        """O que cada um dos recursos `wanted` pede; com `only_listed`, só as listagens das janelas e, com `undated`, as
        inteiras do que não tem data."""
        wanted, found = list(wanted), _Found()
        async with self._engine.connect() as connection:
            days = await self._days_since(connection) if not self._asks else 0.0
        windowed = [each for each in wanted if each.emitted is not None and not costs.of(each).refused]
        for resource in windowed:
            most = _SHARED if self._prober.began else MOST_PROBES
            await self._find_windows(resource, periods[resource.name], found, most, owed=not only_listed)
        for resource in windowed:  # o que chegou desde a última leitura, como nos últimos trinta dias
            if periods[resource.name].fim >= today(self._clock):
                found.new[resource.name] += costs.of(resource).a_day * days
        if only_listed:
            parts = [
                _part(each, costs.windows(each, found.windows[each.name]), 0, certain=each.name not in found.unknown)
                for each in windowed
            ]
            whole = [each for each in wanted if undated and each.is_proved_whole and not costs.of(each).refused]
            return [*parts, *(_part(each, costs.whole(each), 0, certain=costs.of(each).begun) for each in whole)], found
        for resource in wanted:
            if is_listed(resource) and resource.emitted is None and not costs.of(resource).begun:
                await self._find_whole(resource, costs, found)
            photographed = resource.snapshot.of if resource.snapshot is not None else None
            if photographed is not None and not costs.of(resource).begun:
                await self._find_whole(photographed, costs, found)
        new = costs.arrivals(found.new)
        again = await self._history(costs, wanted) if costs.daily else {}
        parts = []
        for resource in wanted:
            lists, details = costs.rest_of_each(resource, new, found.whole)
            lists += costs.windows(resource, found.windows.get(resource.name, []))
            details += costs.details(resource, new) if resource.emitted is not None else 0
            lists += again.get(resource.name, 0)
            certain = resource.name not in found.unknown and not self._follows_unknown(resource, costs, found)
            if lists + details or not certain:
                parts.append(_part(resource, lists, details, certain=certain))
        return parts, found

    def _follows_unknown(self, resource: Resource, costs: Costs, found: _Found) -> bool:
        """Se quem o cita é um de que não se sabe quanto há, e de que nem se perguntou."""
        unknown = [each for each in costs.resources if each.name in found.unknown]
        return not self._asks and any(cites(each, resource) for each in unknown)

    async def _history(self, costs: Costs, wanted: Iterable[Resource]) -> dict[str, float]:
        """As listagens da história que é a vez de reler."""
        lists = {}
        async with self._engine.connect() as connection:
            scope = await proof.scope_start(connection)
            for resource in wanted:
                if costs.of(resource).begun:
                    now = self._clock.now()
                    windows, turn = await due_windows_at(connection, resource, scope, now, now)
                    counts = await count_windows(connection, resource, windows[:turn])
                    lists[resource.name] = costs.windows(resource, counts)
        return lists

    async def _days_since(self, connection: AsyncConnection) -> float:
        """Dias desde a última leitura do que há de novo."""
        now = self._clock.now()
        age = (await load_freshness(connection, now)).age(now)
        return age.total_seconds() / 86_400 if age is not None else 0.0

    async def _find_windows(
        self, resource: Resource, period: Window, found: _Found, most: int, *, owed: bool = True
    ) -> None:
        async with self._engine.connect() as connection:
            debts = await control.owed(connection, resource.name) if owed else []
        windows = _planned(resource, [period, *(Window(each.inicio, each.fim) for each in debts)])
        checked = [await self._checked(resource, window) for window in windows]
        there = await self._prober.listed(resource, windows, checked, most)
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
        count = await self._prober.whole(resource, _OF_A_LIST)
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
            sondas=self._prober.asked,
            base=base,
            larga=self._prober.loose,
            partes=tuple(parts),
        )

    async def _held(self, resource: Resource, windows: list[Window]) -> list[int]:
        async with self._engine.connect() as connection:
            return await count_windows(connection, resource, windows)

    async def _checked(self, resource: Resource, window: Window) -> int | None:
        """O que as conferências dos meses da janela contaram no Bling; None se algum não foi conferido inteiro."""
        async with self._engine.connect() as connection:
            months = await proof.counted_months(connection, resource.name, window.inicio, window.fim)
        if not months or months[0].data_inicio > window.inicio:
            return None
        covered = sum(days_of(Window(max(m.data_inicio, window.inicio), min(m.data_fim, window.fim))) for m in months)
        if covered < days_of(window) - 2:  # o último dia, de hoje, ainda está a meio
            return None
        total = 0.0
        for month in months:  # de um mês que a janela corta, a parte dela
            inside = Window(max(month.data_inicio, window.inicio), min(month.data_fim, window.fim))
            total += sum(month.no_bling.values()) * days_of(inside) / days_of(Window(month.data_inicio, month.data_fim))
        return round(total)


async def load_costs(
    engine: AsyncEngine, clock: Clock, settings: Settings, recursos: Collection[str] | None = None
) -> Costs:
    """A conta dos recursos que se coletam, ou de `recursos`, do que o banco sabe."""
    async with engine.connect() as connection:
        resources = chosen(recursos) if recursos else await collected(connection, settings.recursos)
        now = clock.now()
        known = await load_known(connection, resources, now)
        read = await control.all_checkpoints(connection)
        due = {each.name: is_in_turn(read, each, now) for each in resources}
    known = {name: replace(each, in_turn=due[name]) for name, each in known.items()}
    return Costs(resources, known, settings.api_page_size)


def _part(resource: Resource, lists: float, details: float, *, certain: bool) -> Part:
    requests = math.ceil(lists + details)
    return Part(resource.title, requests, certain, resource.name, min(math.ceil(lists), requests))


def _planned(resource: Resource, windows: list[Window]) -> list[Window]:
    assert resource.emitted is not None, resource.name
    return resource.emitted.cut(windows)
