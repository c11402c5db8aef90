"""A numeração das notas: em cada série os números correm sem lacuna, e a que houver precisa de explicação."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from bling_collector.db.core import AsyncEngine
from bling_collector.db.resources.entradas import Numbered, numbered
from bling_collector.db.resources.gaps import Side, inside, unexplained
from bling_collector.db.resources.numbering import Numbering, read_numbering
from bling_collector.errors import CollectorError


class UnknownSerieError(CollectorError):
    """Nenhuma nota tem esta série."""

    http_status = 404
    exit_code = 2
    title = "Série desconhecida"


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
                for gap in unexplained(row, own)
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
            for entrada in inside(gap, own):
                yield entrada.numero, entrada.id, "entrada", entrada.data_emissao


def _side(side: Side) -> dict[str, Any]:
    return {"numero": side.numero, "id": side.id, "data_emissao": _iso(side.data)}


def _iso(value: Any) -> str | None:
    return value.isoformat() if value is not None else None
