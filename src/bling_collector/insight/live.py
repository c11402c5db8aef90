"""Uma execução em curso, vista de fora: a que ritmo vai, o que falta, se já lhe pediram que pare, o que registrou."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from bling_collector.db import run_log
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.models import etl_controle, janelas_devidas
from bling_collector.db.run_lock import is_locked
from bling_collector.db.run_log import Line
from bling_collector.insight.status import Run, load_run

SPAN: Final = 30.0
"""Segundos de que se tira o ritmo presente."""


@dataclass(frozen=True)
class LiveRun:
    """Uma execução, quantos períodos ainda se devem, e se já lhe pediram que pare."""

    run: Run
    janelas: int
    parando: bool


async def load_live(engine: AsyncEngine, run_id: int) -> LiveRun:
    """A execução, vista agora. UnknownRunError se não existe."""
    run = await load_run(engine, run_id)
    async with engine.connect() as connection:
        windows = await connection.scalar(select(func.count()).where(~janelas_devidas.c.suspensa))
        stopping = await connection.scalar(select(etl_controle.c.parar).where(etl_controle.c.id == run_id))
    return LiveRun(run, windows or 0, bool(stopping))


async def running_id(engine: AsyncEngine) -> int | None:
    """A execução em curso, neste ou noutro processo; None se não há."""
    if not await is_locked(engine):
        return None
    c = etl_controle.c
    async with engine.connect() as connection:
        found: int | None = await connection.scalar(select(func.max(c.id)).where(c.status == "running"))
    return found


async def load_log(engine: AsyncEngine, run_id: int) -> list[Line]:
    """O que a execução registrou."""
    async with engine.connect() as connection:
        return await run_log.load(connection, run_id)


@dataclass(frozen=True)
class _Sample:
    at: float
    requisicoes: int


class Pace:
    """O ritmo de uma execução, das últimas vezes que se olhou para ela."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()

    def add(self, at: float, requisicoes: int) -> None:
        """No instante `at`, em segundos, a execução tinha feito estas requisições."""
        self._samples.append(_Sample(at, requisicoes))
        while self._samples[-1].at - self._samples[0].at > SPAN:
            self._samples.popleft()

    @property
    def per_second(self) -> float | None:
        """Requisições por segundo."""
        return self._rate([(sample.at, sample.requisicoes) for sample in self._samples])

    @staticmethod
    def _rate(points: list[tuple[float, int]]) -> float | None:
        (began, first), (ended, last) = points[0], points[-1]
        return (last - first) / (ended - began) if ended > began and last >= first else None
