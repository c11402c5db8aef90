"""As notas de entrada: as de emissão própria, que dividem a numeração com as de saída, e as que esperam o detalhe. Nada
aqui faz COMMIT."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import nfe_entradas
from bling_collector.db.upsert import upsert


async def save(connection: AsyncConnection, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Grava as linhas, novas ou mudadas."""
    await upsert(connection, nfe_entradas, [row | {"extraido_em": now} for row in rows])


@dataclass(frozen=True)
class Numbered:
    serie: int
    numero: int
    id: int
    data_emissao: datetime | None


async def numbered(connection: AsyncConnection, serie: int | None) -> list[Numbered]:
    """As entradas, de uma série ou de todas, pela ordem dos números."""
    c = nfe_entradas.c
    statement = select(c.serie, c.numero, c.id, c.data_emissao).order_by(c.serie, c.numero, c.id)
    found = await connection.execute(statement if serie is None else statement.where(c.serie == serie))
    return [Numbered(*row) for row in found]


_SOONEST = "coalesce(c.data_emissao, '0001-01-01')"
# De uma cuja linha se esqueceu espera-se que uma listagem a mostre outra vez; por uma que o Bling diz não ter (404)
# pergunta-se outra vez na execução seguinte.
_WITHOUT_DETAIL = """
    FROM nfe_entrada_cabecalho c LEFT JOIN nfe_entrada_detalhes d ON d.id = c.id
    WHERE c.excluida_em IS NULL AND (d.nao_encontrado_em IS NULL OR d.nao_encontrado_em = d.extraido_em)
      AND (d.id IS NULL OR (c.resumo_lista IS NOT NULL AND d.resumo_lista IS DISTINCT FROM c.resumo_lista))
      AND NOT EXISTS (SELECT FROM pendencias p
                      WHERE p.recurso = 'nfe_entrada_detalhes' AND p.recurso_id = c.id::text
                        AND p.resumo_lista IS NOT DISTINCT FROM c.resumo_lista)"""


async def count_without_detail(connection: AsyncConnection) -> int:
    """Quantas só se conhecem pela linha da listagem."""
    return int(await connection.scalar(text(f"SELECT count(*) {_WITHOUT_DETAIL}")) or 0)


async def without_detail(connection: AsyncConnection, most: int, after: Row[Any] | None = None) -> Sequence[Row[Any]]:
    """Até `most` notas, das mais novas, depois de `after`, sem detalhe ou cuja linha mudou desde o que se tem, e que
    não falharam como estão: `id`, `numero`, `dia`, `resumo_lista` e `quando`, que as põe em ordem."""
    found = await connection.execute(
        text(f"""
            SELECT c.id, c.numero, CAST(c.data_emissao AS date) AS dia, c.resumo_lista, {_SOONEST} AS quando
            {_WITHOUT_DETAIL}
              AND (CAST(:quando AS timestamp) IS NULL OR ({_SOONEST}, c.id) < (:quando, :id))
            ORDER BY {_SOONEST} DESC, c.id DESC LIMIT :most"""),
        {"most": most, "quando": after and after.quando, "id": after and after.id},
    )
    return found.all()
