"""O que cada tabela, view e coluna quer dizer passa a estar no banco: põe-no `db.meanings`, depois de toda migração."""

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """As tabelas ficam como estão."""
