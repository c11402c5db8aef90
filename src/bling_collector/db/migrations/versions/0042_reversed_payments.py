"""As contas que citam um borderô que já não existe leem-se outra vez: o pagamento delas é outro."""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for lado in ("receber", "pagar"):
        op.execute(f"""
            UPDATE contas_{lado} c SET resumo_lista = NULL
            WHERE c.resumo_lista <> '' AND EXISTS (
                SELECT FROM contas_borderos v JOIN borderos b ON b.id = v.bordero_id
                WHERE v.conta_tipo = '{lado}' AND v.conta_id = c.id AND b.excluida_em IS NOT NULL)""")
