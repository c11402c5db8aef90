"""Cada recurso conta o que a execução gravou dele, e o que a listagem esconde lembra-se com um nome só."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE etl_controle ADD COLUMN salvos jsonb NOT NULL DEFAULT '{}'")
    op.execute("COMMENT ON COLUMN etl_controle.salvos IS 'recurso → quantos registros dele a execução gravou'")
    for before, after in (
        ("produtos.saldo", "produtos.escondidas"),
        ("produtos.saldo.relidos", "produtos.escondidas.relidas"),
    ):
        op.execute(f"UPDATE checkpoints SET recurso = '{after}' WHERE recurso = '{before}'")
