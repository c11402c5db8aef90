"""Os documentos das notas: quais se devem pedir, o que se soube de cada um, os de certas notas. Sem COMMIT."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, text

from bling_collector.db.connection.core import AsyncConnection

_SOONEST = "coalesce(n.data_emissao, '0001-01-01')"
# Uma chave pode estar em duas notas, a que saiu e a que entrou: vale uma vez, com o que as duas dizem.
_OWED = """
    FROM (
        SELECT chave, max(data_emissao) AS data_emissao, bool_or(situacao = 2) AS cancelada,
               max(situacao) FILTER (WHERE situacao IN (5, 6, 7)) AS autorizada
        FROM (
            SELECT chave_acesso AS chave, situacao, data_emissao FROM nfe_cabecalho
            WHERE excluida_em IS NULL AND coalesce(tipo, 1) = 1
            UNION ALL
            SELECT c.chave_acesso, c.situacao, c.data_emissao
            FROM nfe_entrada_cabecalho c JOIN nfe_entrada_detalhes d ON d.id = c.id
            WHERE c.excluida_em IS NULL AND d.detalhe IS NOT NULL) AS todas
        GROUP BY 1) AS n
    LEFT JOIN nfe_documentos d ON d.id = n.chave
    WHERE n.chave ~ '^[0-9A-Za-z]{44}$'
      AND CASE WHEN d.id IS NULL THEN n.autorizada IS NOT NULL
               WHEN n.cancelada THEN d.situacao IS DISTINCT FROM 2 AND d.conteudo IS NOT NULL
               ELSE d.conteudo IS NULL AND d.situacao IS DISTINCT FROM n.autorizada END
      AND NOT EXISTS (SELECT FROM pendencias p WHERE p.recurso = 'documentos' AND p.recurso_id = n.chave)"""


async def count_owed(connection: AsyncConnection) -> int:
    """Quantos documentos se devem pedir."""
    return int(await connection.scalar(text(f"SELECT count(*) {_OWED}")) or 0)


async def owed(connection: AsyncConnection, most: int, after: Row[Any] | None = None) -> Sequence[Row[Any]]:
    """Até `most`, dos mais novos, depois de `after`: `chave`, `situacao`, `dia` e `quando`, que os põe em ordem.

    De uma nota autorizada (5, 6, 7), uma vez, e outra se não o havia, que um 404 sozinho não o prova; e ainda, se não o
    há, quando ela muda de situação. Da que se cancelou (2), outra vez. As de entrada são as que têm detalhe.
    """
    found = await connection.execute(
        text(f"""
            SELECT n.chave, CASE WHEN d.id IS NOT NULL AND n.cancelada THEN 2 ELSE n.autorizada END AS situacao,
                   CAST(n.data_emissao AS date) AS dia, {_SOONEST} AS quando {_OWED}
              AND (CAST(:quando AS timestamp) IS NULL OR ({_SOONEST}, n.chave) < (:quando, :chave))
            ORDER BY {_SOONEST} DESC, n.chave DESC LIMIT :most"""),
        {"most": most, "quando": after and after.quando, "chave": after and after.chave},
    )
    return found.all()


async def note_asked(connection: AsyncConnection, asked: Mapping[str, int], now: datetime) -> None:
    """De cada chave, a situação com que se pediu; dos que não vieram e não estão pendentes, que o Bling não os tem. Da
    primeira vez que não vem, não fica a situação, e pede-se outra vez."""
    await connection.execute(
        text("""
            WITH pedidos AS (
                SELECT chave, situacao
                FROM unnest(CAST(:chaves AS text[]), CAST(:situacoes AS integer[])) AS v (chave, situacao))
            INSERT INTO nfe_documentos AS d (id, extraido_em)
            SELECT chave, :now FROM pedidos
            WHERE NOT EXISTS (SELECT FROM pendencias p WHERE p.recurso = 'documentos' AND p.recurso_id = chave)
            ON CONFLICT (id) DO UPDATE SET situacao = (SELECT situacao FROM pedidos WHERE chave = d.id)"""),
        {"chaves": list(asked), "situacoes": list(asked.values()), "now": now},
    )


async def contents(connection: AsyncConnection, after: str, most: int) -> Sequence[Row[Any]]:
    """Os documentos seguintes, por chave: `id` e `conteudo`."""
    found = await connection.execute(
        text("""
            SELECT id, conteudo FROM nfe_documentos
            WHERE id > :after AND conteudo IS NOT NULL ORDER BY id LIMIT :most"""),
        {"after": after, "most": most},
    )
    return found.all()


async def of_notas(connection: AsyncConnection, table: Table, ids: Collection[int]) -> Sequence[Row[Any]]:
    """Os documentos destas notas da tabela: `id`, `conteudo`, `sha256` e `lido_em`."""
    found = await connection.execute(
        text(f"""
            SELECT d.id, d.conteudo, d.sha256, d.lido_em FROM nfe_documentos d
            WHERE d.conteudo IS NOT NULL AND d.id IN (SELECT chave_acesso FROM {table.name} WHERE id = ANY(:ids))
            ORDER BY d.id"""),
        {"ids": list(ids)},
    )
    return found.all()
