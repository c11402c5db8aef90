"""O que se conta das notas além das conferências: as de que se fala num mês, as excluídas, e cada ano."""

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, text

from bling_collector.db.connection.core import AsyncConnection

_NOTE = "id, numero, serie, data_emissao, situacao, contato_nome, total_nota, excluida_em"


async def notes_by_id(connection: AsyncConnection, ids: Collection[int]) -> dict[int, Row[Any]]:
    """As notas destes ids que o banco tem, excluídas ou não."""
    found = await connection.execute(
        text(f"SELECT {_NOTE} FROM nfe_cabecalho WHERE id = ANY(:ids)"), {"ids": list(ids)}
    )
    return {row.id: row for row in found}


async def gone_notes(connection: AsyncConnection, inicio: date, fim: date, most: int) -> Sequence[Row[Any]]:
    """As notas de saída do período que o Bling não tem mais, até `most`, da mais nova à mais antiga."""
    found = await connection.execute(
        text(f"""
            SELECT {_NOTE}, count(*) OVER () AS de FROM nfe_cabecalho
            WHERE data_emissao >= :inicio AND data_emissao < CAST(:fim AS date) + 1
              AND excluida_em IS NOT NULL AND coalesce(tipo, 1) = 1
            ORDER BY data_emissao DESC, id DESC LIMIT :most"""),
        {"inicio": inicio, "fim": fim, "most": most},
    )
    return found.all()


async def read_years(connection: AsyncConnection) -> dict[int, tuple[int, int, Decimal]]:
    """Ano → quantas notas o banco tem, quantas delas canceladas, e quanto todas somam."""
    found = await connection.execute(
        text("""
            SELECT extract(year FROM data_emissao)::int AS ano, count(*) AS notas,
                   count(*) FILTER (WHERE situacao = 2) AS canceladas, sum(total_nota) AS valor
            FROM nfe_cabecalho GROUP BY 1""")
    )
    return {row.ano: (row.notas, row.canceladas, row.valor) for row in found}
