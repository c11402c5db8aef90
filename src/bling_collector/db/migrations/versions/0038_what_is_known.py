"""Desde quando vale o custo de hoje de cada fornecedor de um produto; a prova do que se
confere inteiro; o que cada conta respondeu."""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_COMMENTS = {
    "no_bling": "quantos registros o Bling lista, por situação",
    "no_banco": "quantos registros o banco tem, por situação, sem os excluídos",
    "faltam": "ids que o Bling lista e o banco não tem",
    "sobram": "ids que o banco tem e o Bling não lista",
}


def upgrade() -> None:
    op.execute("ALTER TABLE produtos_fornecedores ADD COLUMN valido_desde timestamptz")
    op.execute("COMMENT ON COLUMN produtos_fornecedores.valido_desde IS 'quando se leu pela primeira vez este custo'")
    op.execute("""
        UPDATE produtos_fornecedores p SET valido_desde = ultimo.valido_desde
        FROM (SELECT produto_fornecedor_id, max(valido_desde) AS valido_desde
              FROM produtos_fornecedores_custos GROUP BY 1) AS ultimo
        WHERE ultimo.produto_fornecedor_id = p.id""")
    op.execute("""
        CREATE TABLE conferencias_inteiras (
            recurso text PRIMARY KEY,
            conferida_em timestamptz NOT NULL,
            run_id integer,
            no_bling jsonb NOT NULL,
            no_banco jsonb NOT NULL,
            faltam text[] NOT NULL,
            sobram text[] NOT NULL)""")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN conferencias_inteiras.{column} IS '{comment}'")
    op.execute("""
        CREATE TABLE respostas_da_conta (
            pergunta text PRIMARY KEY,
            resposta text NOT NULL,
            visto text NOT NULL,
            respondida_em timestamptz NOT NULL)""")
