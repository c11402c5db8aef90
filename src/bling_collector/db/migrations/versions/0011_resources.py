"""Cada recurso conta o que a execução gravou dele, e o que a listagem esconde lembra-se com um nome só."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE etl_controle ADD COLUMN salvos jsonb NOT NULL DEFAULT '{}'")
    op.execute("COMMENT ON COLUMN etl_controle.salvos IS 'recurso → quantos registros dele a execução gravou'")
    op.execute("""
        CREATE TABLE recursos_ligados (
            recurso text CONSTRAINT recursos_ligados_pkey PRIMARY KEY,
            ligado boolean NOT NULL,
            desde timestamptz NOT NULL DEFAULT now())""")
    op.execute("COMMENT ON COLUMN recursos_ligados.ligado IS 'se alguém o ligou, ou desligou'")
    # Um recurso cujo id é um texto também tem história.
    op.execute("ALTER TABLE historico ALTER COLUMN registro_id DROP NOT NULL, ADD COLUMN registro_texto text")
    for column, what in (("registro_id", "um inteiro"), ("registro_texto", "um texto")):
        op.execute(f"COMMENT ON COLUMN historico.{column} IS 'o id do registro, se é {what}'")
    for before, after in (
        ("produtos.saldo", "produtos.escondidas"),
        ("produtos.saldo.relidos", "produtos.escondidas.relidas"),
    ):
        op.execute(f"UPDATE checkpoints SET recurso = '{after}' WHERE recurso = '{before}'")
