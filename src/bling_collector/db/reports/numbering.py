"""As consultas da numeração: as faixas, as lacunas, as explicações e as repetições de cada série."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, text

from bling_collector.db.core import AsyncConnection

_NUMBERED = """
    SELECT id, coalesce(serie, 0) AS serie, numero::bigint AS numero, data_emissao, situacao, excluida_em
    FROM nfe_cabecalho
    WHERE numero ~ '^[0-9]{1,18}$' AND coalesce(tipo, 1) = 1
      AND (CAST(:serie AS integer) IS NULL OR coalesce(serie, 0) = :serie)"""

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
           CASE WHEN excluida_em IS NOT NULL THEN 'excluida' WHEN situacao = 2 THEN 'cancelada'
                ELSE 'denegada' END AS motivo
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

STATEMENTS: Final = (_RANGES, _GAPS, _EXPLAINED, _DUPLICATED)


@dataclass(frozen=True)
class Numbering:
    ranges: Sequence[Row[Any]]
    gaps: Sequence[Row[Any]]
    explained: Sequence[Row[Any]]
    duplicated: Sequence[Row[Any]]


async def read_gaps(connection: AsyncConnection, serie: int | None) -> Sequence[Row[Any]]:
    """As lacunas, com as notas dos dois lados, de uma série ou de todas."""
    return (await connection.execute(_GAPS, {"serie": serie})).all()


async def read_numbering(connection: AsyncConnection, serie: int | None) -> Numbering:
    """A numeração de uma série, ou de todas, das notas de saída que o banco tem."""
    found = [(await connection.execute(statement, {"serie": serie})).all() for statement in STATEMENTS]
    return Numbering(*found)
