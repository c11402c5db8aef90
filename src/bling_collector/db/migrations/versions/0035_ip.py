"""O que o Bling conta por IP, de todas as empresas."""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE limites_bling ADD COLUMN ip_livre_em timestamptz, ADD COLUMN ip_erros_ate timestamptz")
    op.execute("COMMENT ON COLUMN limites_bling.ip_livre_em IS 'até quando estão dadas as requisições do IP'")
    op.execute("COMMENT ON COLUMN limites_bling.ip_erros_ate IS 'cada erro a adianta um pouco, e o tempo alcança-a'")
