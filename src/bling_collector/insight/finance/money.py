"""O dinheiro num instante e num período: o que se espera, o que entrou e saiu, receitas e despesas, e a conferência."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import one_instant
from bling_collector.db.reports import finance
from bling_collector.db.reports.finance import Rows
from bling_collector.insight.sales.periods import (
    ComparedPeriod,
    choose_period,
    in_steps,
    month_end,
    step_of,
)
from bling_collector.streams.registry import collected

ZERO: Final = Decimal(0)
AHEAD: Final = 30
"""Os dias adiante de que se mostra o que vence."""
LADOS: Final = ("receber", "pagar")
RESOURCES: Final = ("contas_receber", "contas_pagar", "borderos", "caixas", "categorias_financeiras")
"""De que recursos sai o que se mostra."""
BANDS: Final[tuple[tuple[str, int | None, int | None], ...]] = (
    ("A vencer", None, 0),
    ("Vencidas há 1 a 30 dias", 1, 30),
    ("Vencidas há 31 a 60 dias", 31, 60),
    ("Vencidas há 61 a 90 dias", 61, 90),
    ("Vencidas há mais de 90 dias", 91, None),
)
"""As faixas de vw_contas_receber_idade: o nome, e desde e até quantos dias de vencida."""
UNDATED: Final = "Sem vencimento"


@dataclass(frozen=True)
class Band:
    """Uma faixa de vencimento; `inicio` e `fim` são os dias em que vencem as contas dela, None se não têm ponta."""

    nome: str
    contas: int
    em_aberto: Decimal
    inicio: date | None = None
    fim: date | None = None
    dated: bool = True


@dataclass(frozen=True)
class Outstanding:
    """O que há a receber, ou a pagar."""

    lado: str
    bands: list[Band]
    proximos: Decimal
    """O que vence de hoje a AHEAD dias."""

    @property
    def em_aberto(self) -> Decimal:
        return sum((band.em_aberto for band in self.bands), ZERO)

    @property
    def contas(self) -> int:
        return sum(band.contas for band in self.bands)

    @property
    def vencido(self) -> Decimal:
        return sum((band.em_aberto for band in self.bands[1:] if band.dated), ZERO)


@dataclass(frozen=True)
class Flow:
    """O que entrou e saiu; as tarifas dos borderôs à parte."""

    entradas: Decimal = ZERO
    saidas: Decimal = ZERO
    tarifas: Decimal = ZERO

    def __add__(self, other: "Flow") -> "Flow":
        return Flow(self.entradas + other.entradas, self.saidas + other.saidas, self.tarifas + other.tarifas)

    @property
    def saldo(self) -> Decimal:
        return self.entradas - self.saidas


@dataclass(frozen=True)
class FlowStep:
    """Um dia, um mês ou um ano do período, ao lado do mesmo do ano anterior."""

    inicio: date
    now: Flow
    before: Flow


@dataclass(frozen=True)
class Due:
    """O que vence num dia."""

    dia: date
    receber: Decimal
    pagar: Decimal
    acumulado: Decimal
    """De hoje até ele, o que se há de receber menos o que se há de pagar."""


@dataclass(frozen=True)
class Money:
    """O que a página do dinheiro mostra."""

    period: ComparedPeriod
    step: str
    hoje: date
    receber: Outstanding
    pagar: Outstanding
    steps: list[FlowStep]
    due: list[Due]
    dre: Rows
    dre_before: Rows
    debtors: Rows
    unsure: Rows
    first: date | None
    missing: list[str]
    """Os recursos que não se coletam."""
    now: Flow = field(init=False)
    before: Flow = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "now", sum((step.now for step in self.steps), Flow()))
        object.__setattr__(self, "before", sum((step.before for step in self.steps), Flow()))

    @property
    def comparable(self) -> bool:
        """Se o banco já tinha o dinheiro em todo o ano anterior."""
        return self.period.compares(self.first)

    @property
    def months(self) -> ComparedPeriod:
        """Os meses que o período toca, inteiros: é deles que o resultado soma."""
        return ComparedPeriod(self.period.inicio.replace(day=1), month_end(self.period.fim))

    @property
    def months_comparable(self) -> bool:
        """Se o último desses meses já acabou, e o banco os tinha um ano antes: senão, comparava-se uma parte."""
        return self.months.fim < self.hoje and self.months.compares(self.first)


async def load_period(
    engine: AsyncEngine, today: date, *, preset: str | None = None, de: str | None = None, ate: str | None = None
) -> ComparedPeriod:
    """O período pedido, com o que ficou em aberto tirado do banco. Os erros de `choose_period`."""
    async with engine.connect() as connection:
        first = await finance.read_first_day(connection)
    return choose_period(preset, de, ate, today=today, first=first, last=today)


async def load_money(
    engine: AsyncEngine, period: ComparedPeriod, today: date, names: Collection[str] | None, *, most: int | None
) -> Money:
    """Tudo de uma vez, do mesmo instante; `most` são as linhas de devedores, e `names` os recursos de `RECURSOS`."""
    before = period.year_before
    async with one_instant(engine).connect() as connection:
        waiting = await finance.read_open(connection)
        found = await finance.read_flow(connection, before.inicio, period.fim)
        flows = [(row.dia, Flow(row.entradas, row.saidas, row.tarifas)) for row in found]
        months = await finance.read_dre(connection, before.inicio, period.fim)
        return Money(
            period,
            step_of(period),
            today,
            _side("receber", waiting, today),
            _side("pagar", waiting, today),
            [FlowStep(*each) for each in in_steps(period, flows, step_of(period), Flow())],
            _due(waiting, today),
            _of(period, months),
            _of(before, months),
            await finance.read_debtors(connection, today, most),
            await finance.read_unsure(connection),
            await finance.read_first_day(connection),
            await _missing(connection, names),
        )


async def load_sides(engine: AsyncEngine, today: date) -> tuple[Outstanding, Outstanding]:
    """O que há a receber e o que há a pagar."""
    async with engine.connect() as connection:
        waiting = await finance.read_open(connection)
    return _side("receber", waiting, today), _side("pagar", waiting, today)


async def load_checks(engine: AsyncEngine, *, most: int | None) -> tuple[Rows, Rows]:
    """A conferência em números, e os registros que diferem."""
    async with one_instant(engine).connect() as connection:
        checks = await finance.read_checks(connection)
        differs = any(row.resultado == "difere" for row in checks)
        return checks, await finance.read_different(connection, most) if differs else []


async def _missing(connection: AsyncConnection, names: Collection[str] | None) -> list[str]:
    on = {each.name for each in await collected(connection, names)}
    return [name for name in RESOURCES if name not in on]


def _of(period: ComparedPeriod, months: Rows) -> Rows:
    """As linhas dos meses que o período toca."""
    return [row for row in months if period.inicio.replace(day=1) <= row.mes <= period.fim]


def _side(lado: str, waiting: Rows, today: date) -> Outstanding:
    mine = [row for row in waiting if row.conta_tipo == lado]
    bands = []
    for nome, least, most in BANDS:
        fim = today - timedelta(days=least) if least is not None else None
        inicio = today - timedelta(days=most) if most is not None else None
        rows = [
            row
            for row in mine
            if row.vencimento
            and (fim is None or row.vencimento <= fim)
            and (inicio is None or row.vencimento >= inicio)
        ]
        bands.append(Band(nome, *_summed(rows), inicio, fim))
    undated = [row for row in mine if row.vencimento is None]
    if undated:
        bands.append(Band(UNDATED, *_summed(undated), dated=False))
    soon = [row for row in mine if row.vencimento and today <= row.vencimento <= today + timedelta(days=AHEAD)]
    return Outstanding(lado, bands, _summed(soon)[1])


def _summed(rows: Rows) -> tuple[int, Decimal]:
    return sum(row.contas for row in rows), sum((row.em_aberto for row in rows), ZERO)


def _due(waiting: Rows, today: date) -> list[Due]:
    amounts = {(row.conta_tipo, row.vencimento): row.em_aberto for row in waiting}
    found, total = [], ZERO
    for day in (today + timedelta(days=n) for n in range(AHEAD + 1)):
        receber, pagar = (amounts.get((lado, day), ZERO) for lado in LADOS)
        total += receber - pagar
        found.append(Due(day, receber, pagar, total))
    return found
