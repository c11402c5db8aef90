"""As lacunas da numeração que nem as entradas de emissão própria explicam."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.reports.numbering import read_gaps
from bling_collector.db.resources.entradas import Numbered, numbered


@dataclass(frozen=True)
class Edge:
    """A nota de um dos lados de uma lacuna."""

    numero: int
    id: int
    data_emissao: datetime | None


@dataclass(frozen=True)
class Gap:
    """Números que nenhuma nota tem, entre duas de saída."""

    de: int
    ate: int
    quantos: int
    antes: Edge
    depois: Edge

    @property
    def days(self) -> tuple[date, date] | None:
        """O primeiro e o último dia das duas notas; None se uma não tem data."""
        first, last = self.antes.data_emissao, self.depois.data_emissao
        if first is None or last is None:
            return None
        return min(first, last).date(), max(first, last).date()


async def load_gaps(connection: AsyncConnection) -> list[Gap]:
    """As lacunas sem explicação de todas as séries."""
    gaps, own = await read_gaps(connection), await numbered(connection, None)
    return [gap for row in gaps for gap in unexplained(row, own)]


def inside(gap: Row[Any], own: Sequence[Numbered]) -> list[Numbered]:
    """As entradas de emissão própria cujo número está na lacuna."""
    return [row for row in own if row.serie == gap.serie and gap.numero < row.numero < gap.proximo]


def unexplained(gap: Row[Any], own: Sequence[Numbered]) -> Iterator[Gap]:
    """O que sobra da lacuna depois das entradas de emissão própria."""
    antes = Edge(gap.numero, gap.id, gap.data_emissao)
    depois = Edge(gap.proximo, gap.proxima_id, gap.proxima_data)
    before = antes.numero
    for after in (*(row.numero for row in inside(gap, own)), depois.numero):
        if after > before + 1:
            yield Gap(before + 1, after - 1, after - before - 1, antes, depois)
        before = after
