"""A numeração: em cada série das notas os números correm sem lacuna, e a que houver precisa de explicação; os pedidos
também se numeram em sequência, mas alguém pode mudar o número de um, ou importá-lo: a lacuna deles só se diz."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.reports.numbering import SEQUENCES, Numbering, read_numbering
from bling_collector.db.resources.entradas import Numbered, numbered
from bling_collector.db.resources.gaps import Gap, inside, unexplained
from bling_collector.errors import CollectorError, UsageError
from bling_collector.streams.notas.nfe import NFE
from bling_collector.words import several

FISCAL: Final = ("nfe", "nfce")
"""Os recursos em que uma lacuna sem explicação é uma falta: a numeração deles é do fisco."""


class UnknownSerieError(CollectorError):
    """Nenhuma nota tem esta série."""

    http_status = 404
    exit_code = 2
    title = "Série desconhecida"


@dataclass(frozen=True)
class Explained:
    """Um número sem nota de venda, e a nota que o explica."""

    numero: int
    motivo: str
    """`cancelada`, `denegada`, `excluida` ou `entrada`."""
    id: int
    data_emissao: datetime | None


@dataclass(frozen=True)
class Repeated:
    """Um número que mais de uma nota tem."""

    numero: int
    ids: list[int]


@dataclass(frozen=True)
class SerieNumbering:
    """A numeração de uma série: de que número a que número, e quantos há."""

    serie: int
    primeiro: int
    ultimo: int
    numeros: int
    explicadas: list[Explained]
    sem_explicacao: list[Gap]
    repetidas: list[Repeated]


async def load_numbering(
    engine: AsyncEngine, serie: int | None = None, recurso: str = NFE.name
) -> list[SerieNumbering]:
    """As lacunas e as repetições de cada série, do que o banco tem; nada é perguntado ao Bling.

    Um número sem nota de venda tem explicação quando a nota existe e foi cancelada, denegada ou excluída, ou quando é o
    de uma entrada de emissão própria; quando não há nota nenhuma com ele, a lacuna não tem explicação, e vem com as
    notas de saída dos dois lados. Um pedido só se explica por excluído. UnknownSerieError se a série pedida não existe;
    UsageError se os números do recurso não correm em sequência.
    """
    if recurso not in SEQUENCES:
        raise UsageError(f"Só têm numeração em sequência {several(SEQUENCES)}.")
    async with engine.connect() as connection:
        found = await read_numbering(connection, serie, recurso)
        own = await numbered(connection, serie) if recurso == NFE.name else []
    if serie is not None and not found.ranges:
        raise UnknownSerieError(f"Nada deste banco, em {recurso}, é da série {serie}.")
    return [
        SerieNumbering(
            each.serie,
            each.primeiro,
            each.ultimo,
            each.numeros,
            sorted(_explained(each.serie, found, own), key=lambda one: (one.numero, one.id)),
            [gap for row in found.gaps if row.serie == each.serie for gap in unexplained(row, own)],
            [Repeated(row.numero, list(row.ids)) for row in found.duplicated if row.serie == each.serie],
        )
        for each in found.ranges
    ]


def _explained(serie: int, found: Numbering, own: Sequence[Numbered]) -> Iterator[Explained]:
    """As notas que explicam um número da série."""
    for row in found.explained:
        if row.serie == serie:
            yield Explained(row.numero, row.motivo, row.id, row.data_emissao)
    for gap in found.gaps:
        if gap.serie == serie:
            for entrada in inside(gap, own):
                yield Explained(entrada.numero, "entrada", entrada.id, entrada.data_emissao)
