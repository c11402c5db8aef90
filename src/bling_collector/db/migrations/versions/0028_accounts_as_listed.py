"""As contas a receber e a pagar na ordem em que a página as mostra."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("contas_receber", "contas_pagar"):
        op.execute(f"DROP INDEX IF EXISTS ix_{table}_vencimento")
        op.execute(f"CREATE INDEX ix_{table}_vencimento ON {table} (vencimento DESC NULLS LAST, id DESC)")
