"""Os custos que cada fornecedor de um produto já teve. Nada aqui faz COMMIT."""

from collections.abc import Collection

from sqlalchemy import text

from bling_collector.db.connection.core import AsyncConnection


async def note_costs(connection: AsyncConnection, written: Collection[int]) -> None:
    """Dos vínculos que se acabam de gravar, anota o custo dos que mudaram de custo, a valer de quando se leu, e no
    próprio vínculo desde quando vale."""
    await connection.execute(
        text("""
            WITH novos AS (
                INSERT INTO produtos_fornecedores_custos
                    (produto_fornecedor_id, valido_desde, preco_custo, preco_compra)
                SELECT p.id, p.extraido_em, p.preco_custo, p.preco_compra
                FROM produtos_fornecedores p
                LEFT JOIN LATERAL (
                    SELECT c.preco_custo, c.preco_compra FROM produtos_fornecedores_custos c
                    WHERE c.produto_fornecedor_id = p.id ORDER BY c.valido_desde DESC LIMIT 1) AS ultimo ON true
                WHERE p.id = ANY(:ids)
                  AND (p.preco_custo, p.preco_compra) IS DISTINCT FROM (ultimo.preco_custo, ultimo.preco_compra)
                ON CONFLICT (produto_fornecedor_id, valido_desde) DO UPDATE
                SET preco_custo = EXCLUDED.preco_custo, preco_compra = EXCLUDED.preco_compra
                RETURNING produto_fornecedor_id, valido_desde)
            UPDATE produtos_fornecedores p SET valido_desde = novos.valido_desde
            FROM novos WHERE p.id = novos.produto_fornecedor_id"""),
        {"ids": list(written)},
    )
