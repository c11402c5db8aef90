"""O que se deve de um recurso que deixou de se coletar fica guardado."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("janelas_devidas", "pendencias"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN suspensa BOOLEAN NOT NULL DEFAULT false")
        op.execute(
            f"COMMENT ON COLUMN {table}.suspensa IS 'o recurso dela não se coleta: não se deve enquanto for assim'"
        )
