"""A numeração das notas: em cada série os números correm sem lacuna, e a que houver precisa de explicação."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bling_collector.errors import CollectorError

_NUMBERED = """
    SELECT id, coalesce(serie, 0) AS serie, numero::bigint AS numero, data_emissao, situacao, excluida_em
    FROM nfe_cabecalho
    WHERE numero ~ '^[0-9]{1,18}$' AND coalesce(tipo, 1) = 1 AND (CAST(:serie AS integer) IS NULL OR serie = :serie)"""

_GAPS = text(f"""
    WITH notas AS ({_NUMBERED}),
    vizinhas AS (
        SELECT serie, numero, id, data_emissao,
               lead(numero) OVER w AS proximo, lead(id) OVER w AS proxima_id, lead(data_emissao) OVER w AS proxima_data
        FROM (SELECT DISTINCT ON (serie, numero) * FROM notas ORDER BY serie, numero, id) AS n
        WINDOW w AS (PARTITION BY serie ORDER BY numero))
    SELECT * FROM vizinhas WHERE proximo > numero + 1 ORDER BY serie, numero""")

_EXPLAINED = text(f"""
    WITH notas AS ({_NUMBERED})
    SELECT serie, numero, id, data_emissao,
           CASE WHEN excluida_em IS NOT NULL THEN 'excluida' WHEN situacao = 2 THEN 'cancelada' ELSE 'denegada' END AS motivo
    FROM notas n
    WHERE (excluida_em IS NOT NULL OR situacao IN (2, 9))
      AND NOT EXISTS (SELECT FROM notas v WHERE v.serie = n.serie AND v.numero = n.numero
                      AND v.excluida_em IS NULL AND v.situacao NOT IN (2, 9))
    ORDER BY serie, numero""")

_DUPLICATED = text(f"""
    WITH notas AS ({_NUMBERED})
    SELECT serie, numero, array_agg(id ORDER BY id) AS ids FROM notas WHERE excluida_em IS NULL
    GROUP BY serie, numero HAVING count(*) > 1 ORDER BY serie, numero""")

_RANGES = text(f"""
    WITH notas AS ({_NUMBERED})
    SELECT serie, min(numero) AS primeiro, max(numero) AS ultimo, count(DISTINCT numero) AS numeros
    FROM notas GROUP BY serie ORDER BY serie""")


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
    parameters = {"serie": serie}
    async with engine.connect() as connection:
        ranges = (await connection.execute(_RANGES, parameters)).all()
        gaps = (await connection.execute(_GAPS, parameters)).all()
        explained = (await connection.execute(_EXPLAINED, parameters)).all()
        duplicated = (await connection.execute(_DUPLICATED, parameters)).all()
    if serie is not None and not ranges:
        raise UnknownSerieError(f"Nenhuma nota deste banco é da série {serie}.")
    return [
        {
            "serie": each.serie,
            "primeiro": each.primeiro,
            "ultimo": each.ultimo,
            "numeros": each.numeros,
            "explicadas": [
                {"numero": row.numero, "motivo": row.motivo, "id": row.id, "data_emissao": _iso(row.data_emissao)}
                for row in explained
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
                for row in gaps
                if row.serie == each.serie
            ],
            "repetidas": [
                {"numero": row.numero, "ids": list(row.ids)} for row in duplicated if row.serie == each.serie
            ],
        }
        for each in ranges
    ]


def _iso(value: Any) -> str | None:
    return value.isoformat() if value is not None else None
