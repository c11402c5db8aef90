"""A numeração das notas: em cada série os números correm sem lacuna, e a que houver precisa de explicação."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.resources.entradas import Numbered, numbered
from bling_collector.db.resources.numbering import Numbering, read_gaps, read_numbering
from bling_collector.errors import CollectorError


class UnknownSerieError(CollectorError):
    """Nenhuma nota tem esta série."""

    http_status = 404
    exit_code = 2
    title = "Série desconhecida"


@dataclass(frozen=True)
class Side:
    """A nota de um dos lados de uma lacuna."""

    numero: int
    id: int
    data: datetime | None


@dataclass(frozen=True)
class Gap:
    """Números que nenhuma nota tem, entre duas de saída."""

    de: int
    ate: int
    antes: Side
    depois: Side

    @property
    def days(self) -> tuple[date, date] | None:
        """O primeiro e o último dia das duas notas; None se uma não tem data."""
        if self.antes.data is None or self.depois.data is None:
            return None
        return min(self.antes.data, self.depois.data).date(), max(self.antes.data, self.depois.data).date()


async def load_gaps(connection: AsyncConnection) -> list[Gap]:
    """As lacunas sem explicação de todas as séries."""
    gaps, own = await read_gaps(connection, None), await numbered(connection, None)
    return [gap for row in gaps for gap in _unexplained(row, own)]


async def load_numbering(engine: AsyncEngine, serie: int | None = None) -> list[dict[str, Any]]:
    """As lacunas e as repetições de cada série, do que o banco tem; nada é perguntado ao Bling.

    Um número sem nota de venda tem explicação quando a nota existe e foi cancelada, denegada ou excluída, ou quando é o
    de uma entrada de emissão própria; quando não há nota nenhuma com ele, a lacuna não tem explicação, e vem com as
    notas de saída dos dois lados. UnknownSerieError se a série pedida não existe.
    """
    async with engine.connect() as connection:
        found = await read_numbering(connection, serie)
        own = await numbered(connection, serie)
    if serie is not None and not found.ranges:
        raise UnknownSerieError(f"Nenhuma nota deste banco é da série {serie}.")
    return [
        {
            "serie": each.serie,
            "primeiro": each.primeiro,
            "ultimo": each.ultimo,
            "numeros": each.numeros,
            "explicadas": [
                {"numero": numero, "motivo": motivo, "id": id_, "data_emissao": _iso(data)}
                for numero, id_, motivo, data in sorted(_explained(each.serie, found, own))
            ],
            "sem_explicacao": [
                {
                    "de": gap.de,
                    "ate": gap.ate,
                    "quantos": gap.ate - gap.de + 1,
                    "antes": _side(gap.antes),
                    "depois": _side(gap.depois),
                }
                for row in found.gaps
                if row.serie == each.serie
                for gap in _unexplained(row, own)
            ],
            "repetidas": [
                {"numero": row.numero, "ids": list(row.ids)} for row in found.duplicated if row.serie == each.serie
            ],
        }
        for each in found.ranges
    ]


def _explained(
    serie: int, found: Numbering, own: Sequence[Numbered]
) -> Iterator[tuple[int, int, str, datetime | None]]:
    """Número, id, motivo e data de cada nota que explica um número da série."""
    for row in found.explained:
        if row.serie == serie:
            yield row.numero, row.id, row.motivo, row.data_emissao
    for gap in found.gaps:
        if gap.serie == serie:
            for entrada in _inside(gap, own):
                yield entrada.numero, entrada.id, "entrada", entrada.data_emissao


def _inside(gap: Row[Any], own: Sequence[Numbered]) -> list[Numbered]:
    """As entradas de emissão própria cujo número está na lacuna."""
    return [row for row in own if row.serie == gap.serie and gap.numero < row.numero < gap.proximo]


def _unexplained(gap: Row[Any], own: Sequence[Numbered]) -> Iterator[Gap]:
    """O que sobra da lacuna depois das entradas de emissão própria."""
    antes = Side(gap.numero, gap.id, gap.data_emissao)
    depois = Side(gap.proximo, gap.proxima_id, gap.proxima_data)
    before = antes.numero
    for after in (*(row.numero for row in _inside(gap, own)), depois.numero):
        if after > before + 1:
            yield Gap(before + 1, after - 1, antes, depois)
        before = after


def _side(side: Side) -> dict[str, Any]:
    return {"numero": side.numero, "id": side.id, "data_emissao": _iso(side.data)}


def _iso(value: Any) -> str | None:
    return value.isoformat() if value is not None else None
