"""Os documentos das notas: quais se devem pedir, o que se soube de cada um, os de certas notas. Sem COMMIT."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, text

from bling_collector.db.connection.core import AsyncConnection

_OWED = """
    FROM (
        SELECT chave_acesso AS chave, situacao, data_emissao FROM nfe_cabecalho
        WHERE excluida_em IS NULL AND coalesce(tipo, 1) = 1
        UNION
        SELECT c.chave_acesso, c.situacao, c.data_emissao
        FROM nfe_entrada_cabecalho c JOIN nfe_entrada_detalhes d ON d.id = c.id
        WHERE c.excluida_em IS NULL AND d.detalhe IS NOT NULL) AS n
    LEFT JOIN nfe_documentos d ON d.id = n.chave
    WHERE n.chave ~ '^[0-9A-Za-z]{44}$'
      AND CASE WHEN n.situacao IN (5, 6, 7) THEN d.id IS NULL OR (d.conteudo IS NULL AND d.situacao <> n.situacao)
               WHEN n.situacao = 2 THEN d.conteudo IS NOT NULL AND d.situacao IS DISTINCT FROM 2
               ELSE false END
      AND NOT EXISTS (SELECT FROM pendencias p WHERE p.recurso = 'documentos' AND p.recurso_id = n.chave)"""


async def count_owed(connection: AsyncConnection) -> int:
    """Quantos documentos se devem pedir."""
    return int(await connection.scalar(text(f"SELECT count(DISTINCT n.chave) {_OWED}")) or 0)


async def owed(connection: AsyncConnection, most: int) -> Sequence[Row[Any]]:
    """Até `most`, dos mais novos: `chave`, `situacao` e `dia`.

    De uma nota autorizada (5, 6, 7), uma vez, ou outra se não o havia e ela mudou de situação; da que se cancelou (2),
    outra vez. As de entrada são as que têm detalhe.
    """
    found = await connection.execute(
        text(f"""
            SELECT n.chave, max(n.situacao) AS situacao, CAST(max(n.data_emissao) AS date) AS dia {_OWED}
            GROUP BY n.chave ORDER BY max(n.data_emissao) DESC, n.chave LIMIT :most"""),
        {"most": most},
    )
    return found.all()


async def note_asked(connection: AsyncConnection, asked: Mapping[str, int], now: datetime) -> None:
    """De cada chave, a situação com que se pediu; dos que não vieram e não estão pendentes, que o Bling não os tem."""
    await connection.execute(
        text("""
            INSERT INTO nfe_documentos (id, situacao, extraido_em)
            SELECT chave, situacao, :now
            FROM unnest(CAST(:chaves AS text[]), CAST(:situacoes AS integer[])) AS v (chave, situacao)
            WHERE NOT EXISTS (SELECT FROM pendencias p WHERE p.recurso = 'documentos' AND p.recurso_id = v.chave)
            ON CONFLICT (id) DO UPDATE SET situacao = EXCLUDED.situacao"""),
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
