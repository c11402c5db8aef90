"""A numeração das notas: em cada série os números correm sem lacuna, e a que houver precisa de explicação."""

from typing import Any

from bling_collector.db.core import AsyncEngine
from bling_collector.db.numbering import read_numbering
from bling_collector.errors import CollectorError


class UnknownSerieError(CollectorError):
    """Nenhuma nota tem esta série."""

    http_status = 404
    exit_code = 2
    title = "Série desconhecida"


async def load_numbering(engine: AsyncEngine, serie: int | None = None) -> list[dict[str, Any]]:
    """As lacunas e as repetições de cada série, do que o banco tem; nada é perguntado ao Bling.

    Um número sem nota de venda tem explicação quando a nota existe e foi cancelada, denegada ou excluída; quando não
    há nota nenhuma com ele, a lacuna não tem explicação, e vem com as notas dos dois lados. UnknownSerieError se a
    série pedida não existe.
    """
    async with engine.connect() as connection:
        found = await read_numbering(connection, serie)
    if serie is not None and not found.ranges:
        raise UnknownSerieError(f"Nenhuma nota deste banco é da série {serie}.")
    return [
        {
            "serie": each.serie,
            "primeiro": each.primeiro,
            "ultimo": each.ultimo,
            "numeros": each.numeros,
            "explicadas": [
                {"numero": row.numero, "motivo": row.motivo, "id": row.id, "data_emissao": _iso(row.data_emissao)}
                for row in found.explained
                if row.serie == each.serie
            ],
            "sem_explicacao": [
                {
                    "de": row.numero + 1,
                    "ate": row.proximo - 1,
                    "quantos": row.proximo - row.numero - 1,
                    "antes": {"numero": row.numero, "id": row.id, "data_emissao": _iso(row.data_emissao)},
                    "depois": {"numero": row.proximo, "id": row.proxima_id, "data_emissao": _iso(row.proxima_data)},
                }
                for row in found.gaps
                if row.serie == each.serie
            ],
            "repetidas": [
                {"numero": row.numero, "ids": list(row.ids)} for row in found.duplicated if row.serie == each.serie
            ],
        }
        for each in found.ranges
    ]


def _iso(value: Any) -> str | None:
    return value.isoformat() if value is not None else None
