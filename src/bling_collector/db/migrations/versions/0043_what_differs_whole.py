"""A conferência do que se lê inteiro guarda também os registros que os dois lados dizem de outro jeito."""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE conferencias_inteiras ADD COLUMN diferem text[] NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE conferencias_inteiras ALTER COLUMN diferem DROP DEFAULT")
