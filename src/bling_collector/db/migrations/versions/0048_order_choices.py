"""As situações, os canais e os vendedores que os pedidos têm acham-se num índice, sem os ler a todos."""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE INDEX ix_pedidos_venda_combinacoes
        ON pedidos_venda (coalesce(situacao_id, 0), coalesce(loja_id, 0), coalesce(vendedor_id, 0))
        WHERE excluida_em IS NULL""")
