"""O token que só abre esta empresa, onde há várias."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE acesso (
            id integer PRIMARY KEY,
            impressao text NOT NULL,
            desde timestamptz NOT NULL,
            CONSTRAINT acesso_uma_linha CHECK (id = 1))""")
    op.execute("COMMENT ON COLUMN acesso.impressao IS 'a impressão do token; ele mesmo não é guardado'")
    op.execute("COMMENT ON COLUMN acesso.desde IS 'quando o token foi dado'")
