"""O que uma execução vai custar, antes de começar: requisições, minutos e parte da cota; e de onde sai a conta.

Do que o banco já conferiu sabe-se quantas notas o Bling lista; do resto pergunta-se a ele, com poucas requisições,
qual é a última página da listagem, começando perto de onde acabou a do ano vizinho; e onde nem isso se perguntou vale a
média dos anos vizinhos.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Final

from sqlalchemy import func, select

from bling_collector.api.bling_client import BlingClient
from bling_collector.api.pace import PER_SECOND
from bling_collector.clock import Clock, today
from bling_collector.config import Settings
from bling_collector.db import control, proof
from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.models import conferencias, contatos, etl_controle, nfe_cabecalho, produtos
from bling_collector.errors import LASTING, BlingPausedError
from bling_collector.etl.progress import CONTACTS, Outlook
from bling_collector.etl.resource import Resource
from bling_collector.insight.quota import read_quota
from bling_collector.streams.registry import RESOURCES, collected
from bling_collector.windows import Period, Window, asked_period, incremental_start
from bling_collector.words import plural

MOST_PROBES: Final = 24
"""Requisições que uma estimativa pode fazer."""
_EACH: Final = 3
"""Delas, as que cada janela tem certas, por muitas que as anteriores gastem."""
_LOOSE: Final = 1.5
"""O maior número de páginas possível sobre o menor, a partir do qual se diz que a estimativa é larga."""
_LIKE: Final = 3
"""Execuções diárias que bastam para dizer quanto custa uma."""
_PRODUCTS: Final = 0.25
"""Produtos novos por nota nova, enquanto o banco não tem de que tirar a conta."""
_ENOUGH: Final = 200
"""Notas no banco a partir das quais a conta sai delas."""
_PRINCIPAL: Final = next(resource for resource in RESOURCES if resource.principal)
_FIXED: Final = 12
"""Formas de pagamento, categorias, produtos excluídos: o que toda execução pede."""


@dataclass(frozen=True)
class Estimate:
    tipo: str
    periodo: Window
    listadas: int
    """Notas que o Bling deve listar no período."""
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

    @property
    def novas(self) -> int:
        return max(self.listadas - self.guardadas, 0)

    @property
    def parte_da_cota(self) -> float:
        return self.requisicoes / self.cota if self.cota else 1.0

    @property
    def dias(self) -> int:
        """Em quantos dias cabe; 1 se cabe no que resta de hoje."""
        over = self.requisicoes - self.restam_hoje
        return 1 + (math.ceil(over / self.cota) if over > 0 and self.cota else 0)


class Estimator:
    """Estima execuções num banco e numa conta. Levanta UsageError para um período impossível e os erros do Bling."""

    def __init__(
        self,
        engine: AsyncEngine,
        client: BlingClient,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._resources: tuple[Resource, ...] = ()
        self._engine = engine
        self._client = client
        self._clock = clock
        self._settings = settings
        self._probes = 0
        self._loose = False

    async def run(self) -> Estimate:
        """A coleta diária: o que custaram as últimas; sem elas, o que há no período."""
        async with self._engine.connect() as connection:
            self._resources = await collected(connection, self._settings.recursos)
            period = await self._daily_period(connection)
            c = etl_controle.c
            recent = select(c.requisicoes).where(c.tipo == "run", c.status == "success").order_by(c.id.desc()).limit(10)
            costs = list((await connection.execute(recent)).scalars())
            owed = [await control.owed(connection, resource.name) for resource in self._windowed]
        if len(costs) < _LIKE or any(owed):
            return await self._of("run", period)
        listed = await self._listed(_PRINCIPAL, _planned(_PRINCIPAL, [period]))
        base = f"O que custaram as últimas {len(costs)} coletas que deram certo."
        return await self._done("run", period, listed, round(median(costs)), base)

    async def run_full(self, inicio: date, fim: date | None) -> Estimate:
        """A carga histórica."""
        day = today(self._clock)
        async with self._engine.connect() as connection:
            self._resources = await collected(connection, self._settings.recursos)
        return await self._of("run-full", asked_period(inicio, fim, default_inicio=inicio, today=day))

    async def outlook(self, windows: Mapping[str, list[Window]], *, fetches: bool) -> Outlook:
        """O plano de uma execução que percorre estas janelas, por recurso, do que o banco sabe: nada é perguntado ao
        Bling."""
        async with self._engine.connect() as connection:
            held = await connection.scalar(select(func.count()).select_from(nfe_cabecalho)) or 0
            people = await connection.scalar(select(func.count()).select_from(contatos)) or 0
            self._resources = await collected(connection, self._settings.recursos)
        ahead: dict[tuple[str, Window], int | None] = {}
        for resource in self._windowed:
            for window in windows.get(resource.name, []):
                count = await self._checked(resource, window)
                here = (await self._held(resource, [window]))[0] if fetches and count is not None else 0
                ahead[resource.name, window] = None if count is None else max(count - here, 0)
        return Outlook(
            ahead,
            contacts=people / held if held >= _ENOUGH else CONTACTS,
            page_size=self._settings.api_page_size,
            fetches=fetches,
        )

    @property
    def _windowed(self) -> list[Resource]:
        return [resource for resource in self._resources if resource.emitted is not None]

    async def _daily_period(self, connection: AsyncConnection) -> Window:
        day = today(self._clock)
        bookmark = await control.bookmark(connection, self._clock.now())
        start = incremental_start(
            bookmark.day,
            days_back=self._settings.extraction_days_back,
            lookback_days=self._settings.extraction_lookback_days,
            today=day,
            scope=await proof.scope_start(connection) if bookmark.lost else None,
        )
        return asked_period(None, None, default_inicio=start, today=day)

    async def _of(self, tipo: str, period: Window) -> Estimate:
        async with self._engine.connect() as connection:
            held = await connection.scalar(select(func.count()).select_from(nfe_cabecalho)) or 0
            people = await connection.scalar(select(func.count()).select_from(contatos)) or 0
            goods = await connection.scalar(select(func.count()).select_from(produtos)) or 0
        size = self._settings.api_page_size
        listed: list[int] = []
        asked, new_notes = 0, 0
        for resource in self._windowed:
            async with self._engine.connect() as connection:
                owed = [Window(o.inicio, o.fim) for o in await control.owed(connection, resource.name)]
            windows = _planned(resource, [period, *owed])
            there = await self._listed(resource, windows)
            here = await self._held(resource, windows)
            new = sum(max(count - have, 0) for count, have in zip(there, here, strict=True))
            asked += new if resource.detail else 0
            asked += sum(math.ceil(count / size) + 1 + 2 for count in there)  # a página vazia do fim, e as canceladas
            if resource.principal:
                listed, new_notes = there, new
        registers = new_notes * (people / held if held >= _ENOUGH else CONTACTS)
        registers += 0 if goods and held >= _ENOUGH else new_notes * _PRODUCTS
        asked += math.ceil(max(goods, new_notes * _PRODUCTS) / size) + 2
        said = (
            f"{plural(self._probes, 'requisição', 'requisições')} de sondagem ao Bling"
            if self._probes
            else "o que o banco já conferiu"
        )
        base = f"As listagens ({said}), uma requisição por nota nova e por cadastro que ela traz."
        return await self._done(tipo, period, listed, asked + math.ceil(registers) + _FIXED, base)

    async def _done(self, tipo: str, period: Window, listed: list[int], requests: int, base: str) -> Estimate:
        async with self._engine.connect() as connection:
            quota = await read_quota(connection, self._clock.now())
        mine = quota.limit - self._settings.api_daily_reserve
        spacing = max(self._settings.api_rate_limit_delay, 1 / PER_SECOND)
        return Estimate(
            tipo,
            period,
            listadas=sum(listed),
            guardadas=sum(await self._held(_PRINCIPAL, [period])),
            requisicoes=requests,
            segundos=requests * spacing / quota.pace,
            restam_hoje=0 if quota.exhausted else max(mine - quota.used, 0),
            cota=max(mine, 0),
            sondas=self._probes,
            base=base,
            larga=self._loose,
        )

    async def _held(self, resource: Resource, windows: list[Window]) -> list[int]:
        async with self._engine.connect() as connection:
            counts = [
                await proof.count_held(connection, resource.kept, window.inicio, window.fim) for window in windows
            ]
        return [sum(sum(month.values()) for month in count.values()) for count in counts]

    async def _listed(self, resource: Resource, windows: list[Window]) -> list[int]:
        """Quantos registros o Bling lista em cada janela: o que se conferiu, se sonda, ou é a média das vizinhas."""
        found = [await self._checked(resource, window) for window in windows]
        unknown = [place for place, count in enumerate(found) if count is None]
        chosen = _spread(unknown, MOST_PROBES // _EACH)
        for turn, place in enumerate(chosen):
            reserved = _EACH * (len(chosen) - turn - 1)
            near = _density(windows, found, place)
            guess = near * _days(windows[place]) / self._settings.api_page_size if near is not None else 1
            found[place] = await self._probe(resource, windows[place], max(round(guess), 1), MOST_PROBES - reserved)
        self._loose |= len(chosen) < len(unknown)
        return [
            count if count is not None else round((_density(windows, found, place) or 0) * _days(windows[place]))
            for place, count in enumerate(found)
        ]

    async def _checked(self, resource: Resource, window: Window) -> int | None:
        """O que as conferências dos meses da janela contaram no Bling; None se algum não foi conferido inteiro."""
        c = conferencias.c
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                select(c.no_bling, c.data_inicio, c.data_fim)
                .where(c.recurso == resource.name, c.data_fim >= window.inicio, c.data_inicio <= window.fim)
                .order_by(c.mes)
            )
            months = rows.all()
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

    async def _probe(self, resource: Resource, window: Window, page: int, until: int) -> int:
        """Quantos registros há na janela, pela última página que não vem vazia; a procura começa em `page`.

        Dobra ou divide até ter uma página cheia e uma vazia, e então as aproxima. Quando as sondagens chegam a `until`
        vale o meio do que pode ser.
        """
        size = self._settings.api_page_size
        full, empty, last = 0, 0, 0
        while not empty or empty - full > 1:
            if self._probes >= until:
                most = empty - 1 if empty else full * 2
                self._loose |= most > full * _LOOSE
                return round((full + most) / 2 * size)
            rows = await self._rows(resource, window, page)
            if rows:
                full, last = page, rows
            else:
                empty = page
            page = (full + empty) // 2 if empty else page * 2
        return (full - 1) * size + last if full else 0

    async def _rows(self, resource: Resource, window: Window, page: int) -> int:
        assert resource.emitted is not None, resource.name
        self._probes += 1
        size = self._settings.api_page_size
        params = (*resource.shows[0], *resource.emitted.between.params(Period.of(window)))
        try:
            asked = size if resource.sized else None
            return len(await self._client.page(resource.path, params, page, asked, key=resource.key))
        except BlingPausedError:
            raise
        except LASTING:
            if not await self._client.lists(resource.path):
                raise
            return size  # uma linha estraga a página: que ela tem linhas, sabe-se


def _planned(resource: Resource, windows: list[Window]) -> list[Window]:
    assert resource.emitted is not None, resource.name
    return resource.emitted.plan(windows)


def _days(window: Window) -> int:
    return max((window.fim - window.inicio).days + 1, 0)


def _density(windows: list[Window], found: list[int | None], place: int) -> float | None:
    """Notas por dia nas janelas mais próximas de que se sabe, uma de cada lado; None se de nenhuma se sabe."""
    sides = (range(place - 1, -1, -1), range(place + 1, len(windows)))
    near = [next((n for n in side if found[n] is not None), None) for side in sides]
    known = [(found[n] or 0) / max(_days(windows[n]), 1) for n in near if n is not None]
    return sum(known) / len(known) if known else None


def _spread(places: list[int], most: int) -> list[int]:
    """No máximo `most` destes lugares, espalhados do primeiro ao último."""
    if len(places) <= most:
        return places
    return [places[round(n * (len(places) - 1) / (most - 1))] for n in range(most)]
