"""Os produtos pelo SKU: os que as notas citam, os que o Bling não conhece, os repetidos. Nada aqui faz COMMIT."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert as pg_insert

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.control import PARKED_AFTER
from bling_collector.db.models import produtos, produtos_desconhecidos
from bling_collector.db.resources.repository import PARKED, each_value

UNKNOWN_FOR: Final = timedelta(days=7)
"""Um SKU que o Bling não conhece não é perguntado de novo antes disso."""


async def skus_without_produto(connection: AsyncConnection, now: datetime) -> list[str]:
    """Os SKUs das notas sem produto no banco, menos os que o Bling há pouco disse não conhecer e os estacionados."""
    found = await connection.execute(
        text(f"""
            SELECT DISTINCT i.codigo_produto
            FROM nfe_itens i
            WHERE i.codigo_produto IS NOT NULL
              AND NOT EXISTS (SELECT FROM produtos p WHERE p.codigo = i.codigo_produto AND p.detalhe IS NOT NULL)
              AND NOT EXISTS (SELECT FROM produtos_desconhecidos d
                              WHERE d.codigo = i.codigo_produto
                                AND d.verificado_em > :unknown_since AND d.verificado_em <= :now)
              AND NOT {PARKED.format(recurso="produtos", id="i.codigo_produto")}
            ORDER BY 1"""),
        {"unknown_since": now - UNKNOWN_FOR, "now": now},
    )
    return list(found.scalars())


async def skus_pending(connection: AsyncConnection) -> list[str]:
    """Os SKUs das notas que estão pendentes, menos os estacionados."""
    found = await connection.execute(
        text("""
            SELECT recurso_id FROM pendencias d
            WHERE d.recurso = 'produtos' AND d.tentativas < :parked
              AND EXISTS (SELECT FROM nfe_itens i WHERE i.codigo_produto = d.recurso_id)
            ORDER BY 1"""),
        {"parked": PARKED_AFTER},
    )
    return list(found.scalars())


async def skus_with_produto(connection: AsyncConnection) -> list[str]:
    """Os SKUs das notas que têm produto no banco."""
    found = await connection.execute(
        text("""
            SELECT DISTINCT i.codigo_produto FROM nfe_itens i
            WHERE EXISTS (SELECT FROM produtos p WHERE p.codigo = i.codigo_produto AND p.detalhe IS NOT NULL)
            ORDER BY 1""")
    )
    return list(found.scalars())


async def mark_known_skus(connection: AsyncConnection, codigos: Collection[str]) -> None:
    """O Bling conhece estes SKUs."""
    await connection.execute(
        text("DELETE FROM produtos_desconhecidos WHERE codigo = ANY(:codigos)"), {"codigos": list(codigos)}
    )


async def mark_unknown_skus(connection: AsyncConnection, codigos: Iterable[str], now: datetime) -> None:
    """O Bling não conhece estes SKUs."""
    c = produtos_desconhecidos.c
    new = pg_insert(produtos_desconhecidos).from_select(["codigo", "verificado_em"], each_value(c.codigo, codigos, now))
    await connection.execute(new.on_conflict_do_update(index_elements=["codigo"], set_={"verificado_em": now}))


async def all_skus(connection: AsyncConnection) -> list[str]:
    """Os SKUs de todos os produtos."""
    c = produtos.c
    return list((await connection.execute(select(c.codigo).where(c.codigo.is_not(None)).distinct())).scalars())


async def skus_repeated(connection: AsyncConnection) -> list[str]:
    """Os SKUs com mais de um produto."""
    found = await connection.execute(
        text("SELECT codigo FROM produtos WHERE codigo IS NOT NULL GROUP BY codigo HAVING count(*) > 1 ORDER BY 1")
    )
    return list(found.scalars())


async def skus_in_doubt(connection: AsyncConnection) -> list[str]:
    """Os SKUs com mais de um produto de que não se sabe quais foram excluídos."""
    found = await connection.execute(
        text("""
            SELECT codigo FROM produtos WHERE codigo IS NOT NULL
            GROUP BY codigo HAVING count(*) > 1 AND bool_or(exclusao_vista_em IS NULL)
            ORDER BY 1""")
    )
    return list(found.scalars())


async def mark_exclusao_seen(connection: AsyncConnection, codigos: Collection[str], now: datetime) -> None:
    """Destes SKUs já se perguntou ao Bling quais produtos foram excluídos."""
    await connection.execute(
        text("UPDATE produtos SET exclusao_vista_em = :now WHERE codigo = ANY(:codigos)"),
        {"codigos": list(codigos), "now": now},
    )


async def after_produtos(connection: AsyncConnection, written: Collection[int]) -> None:
    """Depois de gravar produtos: a categoria deles pode ter mudado, e quem é o preferido do SKU também."""
    if not written:
        return
    await connection.execute(
        text("UPDATE produtos SET categoria_vista_em = NULL, exclusao_vista_em = NULL WHERE id = ANY(:ids)"),
        {"ids": list(written)},
    )
    # O SKU que um deles deixou também fica sem preferido, e já não está em linha nenhuma das gravadas.
    found = await connection.execute(
        text("""
            SELECT codigo FROM produtos WHERE codigo IS NOT NULL
            GROUP BY codigo HAVING NOT bool_or(preferido) OR bool_or(id = ANY(:ids))"""),
        {"ids": list(written)},
    )
    await prefer_produtos(connection, list(found.scalars()))


async def prefer_produtos(connection: AsyncConnection, codigos: Collection[str]) -> None:
    """De cada SKU é preferido o produto vivo e, entre iguais, o ativo mais novo.

    Antes se desmarca, que o preferido é único.
    """
    ranked = """
        (SELECT id, row_number() OVER (
                    PARTITION BY codigo
                    ORDER BY excluida_em IS NOT NULL, coalesce(situacao = 'A', false) DESC, id DESC) = 1 AS primeiro
         FROM produtos WHERE codigo = ANY(:codigos)) AS r"""
    for value in ("false", "true"):
        await connection.execute(
            text(f"""
                UPDATE produtos p SET preferido = {value} FROM {ranked}
                WHERE r.id = p.id AND r.primeiro = {value} AND p.preferido <> {value}"""),
            {"codigos": list(codigos)},
        )
