"""As notas que uma versão anterior guardou sem linhas, valor ou data: que a próxima varredura as peça de novo."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Sem a impressão da listagem, a nota conta como mudada onde quer que a listagem a mostre.
    op.execute("""
        UPDATE nfe_cabecalho n SET resumo_lista = NULL
        WHERE detalhe IS NOT NULL AND excluida_em IS NULL AND resumo_lista IS NOT NULL
          AND (total_nota IS NULL OR data_emissao IS NULL
               OR NOT EXISTS (SELECT FROM nfe_itens i WHERE i.nfe_id = n.id))""")
