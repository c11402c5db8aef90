"""O plano de um comando, como se pede e como se mostra: o mesmo no terminal e por HTTP."""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from bling_collector.api.bling_client import BlingClient
from bling_collector.api.pace import IP_SLACK, IP_WINDOW
from bling_collector.clock import Clock
from bling_collector.config import Settings
from bling_collector.db.companies.schemas import of_company
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.connection.database import explained
from bling_collector.errors import CollectorError, UsageError
from bling_collector.plan.estimate import Estimate, Estimator
from bling_collector.windows import Window

COMMANDS: Final = ("run", "run-full", "reconcile", "look")
"""O que se planeja."""


@dataclass(frozen=True)
class Asked:
    """O comando de que se quer o plano, com as opções dele."""

    comando: str
    inicio: date | None = None
    fim: date | None = None
    recursos: Collection[str] | None = None
    repair: bool = False

    def __post_init__(self) -> None:
        """UsageError, dizendo qual, se o comando não há ou não leva uma das opções."""
        if self.comando not in COMMANDS:
            raise UsageError(f"Não se planeja {self.comando!r}; use {', '.join(COMMANDS[:-1])} ou {COMMANDS[-1]}.")
        if self.comando == "run-full" and self.inicio is None:
            raise UsageError("O plano de run-full precisa de data_inicio.")
        if self.comando == "look" and (self.inicio or self.fim or self.recursos):
            raise UsageError("look não leva datas nem recursos.")
        if self.repair and self.comando != "reconcile":
            raise UsageError("repair só vale com reconcile.")


@dataclass(frozen=True)
class PlannedResource:
    """O que se espera que um recurso peça."""

    recurso: str
    titulo: str
    requisicoes: int
    listagens: int
    detalhes: int
    pelo_menos: bool
    """Do que ele tem não se sabe quanto é, e só se contou o que é certo que se pede."""


@dataclass(frozen=True)
class Plan:
    """O que um comando pediria ao Bling."""

    comando: str
    periodo: Window
    requisicoes: int
    """Com a que pergunta de que empresa é a conta."""
    pelo_menos: bool
    minutos: float
    """Ao ritmo da API."""
    cota_do_dia: int
    """As requisições que o coletor pode fazer num dia: a cota da conta, menos a reserva."""
    restam_hoje: int
    parte_da_cota: float
    dias: int
    """Em quantos dias cabe; 1 se cabe no que resta de hoje."""
    execucoes: int
    """Em quantas execuções, com RUN_MAX_SECONDS."""
    recursos: tuple[PlannedResource, ...]
    sondas: int
    """As requisições que se fizeram para o saber."""


async def load_plan(
    engine: AsyncEngine, clock: Clock, settings: Settings, asked: Asked, client: BlingClient | None = None
) -> Plan:
    """O plano, do que o banco sabe: sem `client` nada se pergunta ao Bling, e nada muda. UsageError para um período
    impossível."""
    estimator = Estimator(engine, client, clock, settings, asked.recursos)
    return shown(asked.comando, await _estimate(estimator, asked), settings.run_max_seconds)


async def _estimate(estimator: Estimator, asked: Asked) -> Estimate:
    match asked.comando:
        case "run":
            return await estimator.run_of(asked.inicio, asked.fim)
        case "reconcile":
            return await estimator.reconcile(asked.inicio, asked.fim, repair=asked.repair)
        case "look":
            return await estimator.look()
    assert asked.inicio is not None
    return await estimator.run_full(asked.inicio, asked.fim)


def shown(comando: str, found: Estimate, run_max_seconds: int) -> Plan:
    """O plano como se responde dele: o comando, as partes, as requisições, os minutos e a parte da cota."""
    parts = [
        PlannedResource(
            each.recurso or "", each.titulo, each.requisicoes, each.listagens, each.detalhes, not each.certa
        )
        for each in found.partes
    ]
    return Plan(
        comando,
        found.periodo,
        found.requisicoes,
        any(each.pelo_menos for each in parts),
        round(found.segundos / 60, 1),
        found.cota,
        found.restam_hoje,
        round(found.parte_da_cota, 4),
        found.dias,
        max(math.ceil(found.segundos / run_max_seconds), 1) if run_max_seconds else 1,
        tuple(parts),
        found.sondas,
    )


@dataclass(frozen=True)
class PlannedCompany:
    """O plano de uma empresa; ou por que ela não tem um."""

    empresa: str
    plano: Plan | None
    erro: str | None


@dataclass(frozen=True)
class Plans:
    """O mesmo comando em todas as empresas."""

    requisicoes: int
    pelo_menos: bool
    minutos: float
    """Todas ao mesmo tempo, cada uma ao seu ritmo, e juntas ao que o Bling aceita de um IP."""
    empresas: tuple[PlannedCompany, ...]


async def load_plans(
    engine: AsyncEngine, clock: Clock, settings: Settings, names: Iterable[str], asked: Asked
) -> Plans:
    """Os planos das empresas, do que o banco sabe de cada uma; `engine` e `settings` são os da principal."""
    found = [await _of_company(engine, clock, settings.of(name), asked) for name in names]
    plans = [each.plano for each in found if each.plano is not None]
    requests = sum(each.requisicoes for each in plans)
    together = requests * IP_WINDOW * IP_SLACK / settings.api_ip_limit / 60 if settings.api_ip_limit else 0.0
    return Plans(
        requests,
        any(each.pelo_menos for each in plans),
        round(max([together, *(each.minutos for each in plans)]), 1),
        tuple(found),
    )


async def _of_company(engine: AsyncEngine, clock: Clock, settings: Settings, asked: Asked) -> PlannedCompany:
    try:
        async with explained(engine.url):
            plan = await load_plan(of_company(engine, settings.empresa), clock, settings, asked)
    except CollectorError as error:  # a falta de uma não esconde as outras
        return PlannedCompany(settings.company, None, str(error))
    return PlannedCompany(settings.company, plan, None)
