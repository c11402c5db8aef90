"""A categoria de cada produto. Nada aqui faz COMMIT."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, text

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import categorias_produto, produtos


async def categorias(connection: AsyncConnection) -> dict[int, int | None]:
    """As categorias do banco, cada uma com a sua mãe."""
    c = categorias_produto.c
    return {row.id: row.categoria_pai_id for row in await connection.execute(select(c.id, c.categoria_pai_id))}


async def categorias_without_description(connection: AsyncConnection) -> set[int]:
    """As categorias que algum produto tem e o banco não conhece."""
    found = await connection.execute(
        text("""
            SELECT DISTINCT categoria_id FROM produtos p
            WHERE categoria_id IS NOT NULL AND categoria_vista_em IS NOT NULL
              AND NOT EXISTS (SELECT FROM categorias_produto c WHERE c.id = p.categoria_id)""")
    )
    return set(found.scalars())


async def produtos_without_categoria(connection: AsyncConnection) -> set[int]:
    """Os produtos de que ainda não se perguntou a categoria."""
    c = produtos.c
    unknown = select(c.id).where(c.categoria_vista_em.is_(None), c.nao_encontrado_em.is_(None))
    return set((await connection.execute(unknown)).scalars())


async def forget_the_unlisted(connection: AsyncConnection, ids: Collection[int]) -> None:
    """A categoria e a composição destes produtos voltam a ser perguntadas."""
    given = {"ids": list(ids)}
    await connection.execute(text("UPDATE produtos SET categoria_vista_em = NULL WHERE id = ANY(:ids)"), given)
    await connection.execute(text("UPDATE produtos_estruturas SET extraido_em = NULL WHERE id = ANY(:ids)"), given)


async def set_categorias(
    connection: AsyncConnection, found: dict[int, int | None], now: datetime, run_id: int | None
) -> set[int]:
    """Grava a categoria de cada produto de `found` (None: não tem), com a descrição que o banco conhece.

    Devolve, e anota no histórico, aqueles em que ela mudou; saber a primeira não é mudar.
    """
    changed = await connection.execute(
        text("""
            WITH antes AS (SELECT id, categoria_id, categoria_vista_em FROM produtos WHERE id = ANY(:ids)),
            gravadas AS (
                UPDATE produtos p SET categoria_vista_em = :now,
                    -- De um produto que só o primeiro coletor conheceu, fica o que ele sabia.
                    categoria_id = CASE WHEN p.detalhe IS NULL THEN coalesce(v.categoria_id, p.categoria_id)
                                        ELSE v.categoria_id END,
                    categoria_descricao = CASE WHEN p.detalhe IS NULL THEN coalesce(c.descricao, p.categoria_descricao)
                                               ELSE c.descricao END
                FROM unnest(CAST(:ids AS bigint[]), CAST(:categorias AS bigint[])) AS v (id, categoria_id)
                LEFT JOIN categorias_produto c ON c.id = v.categoria_id
                WHERE p.id = v.id
                RETURNING p.id, p.categoria_id)
            INSERT INTO historico (tabela, registro_id, quando, run_id, mudancas)
            SELECT 'produtos', id, :now, :run_id, jsonb_build_object(
                       'categoria_id', jsonb_build_array(antes.categoria_id, gravadas.categoria_id))
            FROM antes JOIN gravadas USING (id)
            WHERE antes.categoria_id IS DISTINCT FROM gravadas.categoria_id
              AND (antes.categoria_id IS NOT NULL OR antes.categoria_vista_em IS NOT NULL)
            RETURNING registro_id"""),
        {"ids": list(found), "categorias": list(found.values()), "now": now, "run_id": run_id},
    )
    return set(changed.scalars())


async def fill_categoria_descricao(connection: AsyncConnection) -> None:
    """Põe em cada produto de que se perguntou a categoria a descrição dela."""
    description = "(SELECT c.descricao FROM categorias_produto c WHERE c.id = p.categoria_id)"
    await connection.execute(
        text(f"""
            UPDATE produtos p SET categoria_descricao = {description}
            WHERE p.categoria_vista_em IS NOT NULL AND p.categoria_descricao IS DISTINCT FROM {description}""")
    )
