"""As compras por fornecedor."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_COMMENT = (
    "por mês do pedido de compra e fornecedor: o que se pediu, e à parte os cancelados; o que ainda se espera é parte "
    "do que se pediu"
)
_QUERY = """
    SELECT date_trunc('month', p.data)::date AS mes, p.fornecedor_id, max(c.nome) AS fornecedor,
           count(*) FILTER (WHERE p.valido) AS pedidos,
           coalesce(sum(i.itens) FILTER (WHERE p.valido), 0) AS itens,
           coalesce(sum(i.quantidade) FILTER (WHERE p.valido), 0) AS quantidade,
           round(coalesce(sum(p.total_produtos) FILTER (WHERE p.valido), 0), 2) AS valor_produtos,
           round(coalesce(sum(p.total) FILTER (WHERE p.valido), 0), 2) AS valor,
           count(*) FILTER (WHERE p.aberto) AS em_aberto,
           round(coalesce(sum(p.total) FILTER (WHERE p.aberto), 0), 2) AS valor_em_aberto,
           count(*) FILTER (WHERE NOT p.valido) AS cancelados,
           round(coalesce(sum(p.total) FILTER (WHERE NOT p.valido), 0), 2) AS valor_cancelado,
           max(p.data) FILTER (WHERE p.valido) AS ultima_compra
    FROM (SELECT id, data, fornecedor_id, total_produtos, total, situacao_valor IS DISTINCT FROM 2 AS valido,
                 coalesce(situacao_valor IN (0, 3), false) AS aberto
          FROM pedidos_compra WHERE excluida_em IS NULL AND detalhe IS NOT NULL) AS p
    LEFT JOIN (SELECT pedido_id, count(*) AS itens, sum(quantidade) AS quantidade
               FROM pedidos_compra_itens GROUP BY 1) AS i ON i.pedido_id = p.id
    LEFT JOIN contatos c ON c.id = p.fornecedor_id
    GROUP BY 1, 2"""


def upgrade() -> None:
    op.execute(f"CREATE OR REPLACE VIEW vw_compras_fornecedor AS {_QUERY}")
    op.execute(f"COMMENT ON VIEW vw_compras_fornecedor IS '{_COMMENT}'")
