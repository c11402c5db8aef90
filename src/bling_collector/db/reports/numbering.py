"""As consultas da numeração: as faixas, as lacunas, as explicações e as repetições de cada série."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, TextClause, text

from bling_collector.db.connection.core import AsyncConnection

_NOTE: Final = """
    SELECT id, coalesce(serie, 0) AS serie, numero::bigint AS numero, data_emissao,
           CASE WHEN excluida_em IS NOT NULL THEN 'excluida' WHEN situacao = 2 THEN 'cancelada'
                WHEN situacao = 9 THEN 'denegada' END AS motivo
    FROM {table}
    WHERE numero ~ '^[0-9]{{1,18}}$' AND coalesce(tipo, 1) = 1
      AND (CAST(:serie AS integer) IS NULL OR coalesce(serie, 0) = :serie)"""
_ORDER: Final = """
    SELECT id, 0 AS serie, numero, data::timestamp AS data_emissao,
           CASE WHEN excluida_em IS NOT NULL THEN 'excluida' END AS motivo
    FROM {table} WHERE numero IS NOT NULL AND (CAST(:serie AS integer) IS NULL OR :serie = 0)"""
_NUMBERED: Final[Mapping[str, str]] = {
    "nfe": _NOTE.format(table="nfe_cabecalho"),
    "nfce": _NOTE.format(table="nfce_cabecalho"),
    "pedidos_venda": _ORDER.format(table="pedidos_venda"),
    "pedidos_compra": _ORDER.format(table="pedidos_compra"),
}
"""Recurso → o que tem número, e por que um não é de uma venda (`motivo`). Os pedidos são todos de uma série só, 0."""
SEQUENCES: Final = tuple(_NUMBERED)
"""Os recursos em que os números correm em sequência."""

_GAPS: Final = """
    WITH notas AS ({numbered}),
    vizinhas AS (
        SELECT serie, numero, id, data_emissao,
               lead(numero) OVER w AS proximo, lead(id) OVER w AS proxima_id, lead(data_emissao) OVER w AS proxima_data
        FROM (SELECT DISTINCT ON (serie, numero) * FROM notas ORDER BY serie, numero, id) AS n
        WINDOW w AS (PARTITION BY serie ORDER BY numero))
    SELECT * FROM vizinhas WHERE proximo > numero + 1 ORDER BY serie, numero"""

_EXPLAINED: Final = """
    WITH notas AS ({numbered})
    SELECT serie, numero, id, data_emissao, motivo FROM notas n
    WHERE motivo IS NOT NULL
      AND NOT EXISTS (SELECT FROM notas v WHERE v.serie = n.serie AND v.numero = n.numero AND v.motivo IS NULL)
    ORDER BY serie, numero"""

_DUPLICATED: Final = """
    WITH notas AS ({numbered})
    SELECT serie, numero, array_agg(id ORDER BY id) AS ids FROM notas WHERE motivo IS DISTINCT FROM 'excluida'
    GROUP BY serie, numero HAVING count(*) > 1 ORDER BY serie, numero"""

_RANGES: Final = """
    WITH notas AS ({numbered})
    SELECT serie, min(numero) AS primeiro, max(numero) AS ultimo, count(DISTINCT numero) AS numeros
    FROM notas GROUP BY serie ORDER BY serie"""


def statements(recurso: str) -> list[TextClause]:
    """As consultas das faixas, das lacunas, das explicações e das repetições de um recurso."""
    asked = (_RANGES, _GAPS, _EXPLAINED, _DUPLICATED)
    return [text(each.format(numbered=_NUMBERED[recurso])) for each in asked]


@dataclass(frozen=True)
class Numbering:
    ranges: Sequence[Row[Any]]
    gaps: Sequence[Row[Any]]
    explained: Sequence[Row[Any]]
    duplicated: Sequence[Row[Any]]


async def read_gaps(connection: AsyncConnection) -> Sequence[Row[Any]]:
    """As lacunas das notas de saída, com as notas dos dois lados, de todas as séries."""
    gaps = text(_GAPS.format(numbered=_NUMBERED["nfe"]))
    return (await connection.execute(gaps, {"serie": None})).all()


async def read_numbering(connection: AsyncConnection, serie: int | None, recurso: str = "nfe") -> Numbering:
    """A numeração de uma série, ou de todas, do que o banco tem de um dos `SEQUENCES`; das notas, as de saída."""
    found = [(await connection.execute(each, {"serie": serie})).all() for each in statements(recurso)]
    return Numbering(*found)
