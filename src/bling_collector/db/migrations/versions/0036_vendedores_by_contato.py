"""Os vendedores que o Bling mostra sem nome ganham o do contato que são."""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        UPDATE vendedores v SET nome = c.nome
        FROM contatos c
        WHERE c.id = v.contato_id AND v.nome IS NULL AND c.nome IS NOT NULL""")
    op.execute("COMMENT ON COLUMN vendedores.nome IS 'o que o Bling diz dele ou, se não diz, o do contato'")
