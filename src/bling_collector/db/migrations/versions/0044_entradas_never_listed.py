"""Das notas de entrada que a listagem não mostra pergunta-se pelo id, e só o 404 as dá por excluídas."""

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE nfe_entrada_cabecalho ADD COLUMN nao_encontrado_em timestamptz")
