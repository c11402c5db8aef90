"""A verdade do que a tela diz: até quando se leu o presente do Bling, quanto falta a uma execução, o que falhou."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COMMENTS = {
    "etl_controle.leu_o_presente": "se leu tudo o que o Bling tinha até o instante em que começou",
    "etl_controle.restam": "requisições que se calcula que ainda faça; nulo se não se sabe",
    "etl_controle.espera": "por que está parada, se o Bling não responde",
    "pendencias.numero": "o da nota, como a listagem a mostrou",
    "pendencias.contato_id": "de quem é a nota, como a listagem a mostrou",
    "pendencias.contato_nome": "o nome de quem é a nota, como a listagem a mostrou",
}


def upgrade() -> None:
    op.execute("""
        ALTER TABLE etl_controle ADD COLUMN leu_o_presente boolean NOT NULL DEFAULT false,
            ADD COLUMN restam integer, ADD COLUMN espera text""")
    op.execute("""
        ALTER TABLE pendencias ADD COLUMN numero text, ADD COLUMN contato_id bigint, ADD COLUMN contato_nome text""")
    # O primeiro coletor não dizia o tipo nem o período; as suas execuções iam sempre até o dia em que corriam.
    op.execute("""
        UPDATE etl_controle SET leu_o_presente = true
        WHERE status = 'success' AND (
            tipo IS NULL
            OR tipo IN ('run', 'run-full') AND data_fim >= (inicio AT TIME ZONE 'America/Sao_Paulo')::date)""")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
