"""A conferência de cada mês é de um recurso, e não só das notas."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COMMENTS = {
    "conferencias.recurso": "o que se conferiu",
    "conferencias.no_bling": "quantos registros o Bling lista, por situação",
    "conferencias.no_banco": "quantos registros o banco tem, por situação, sem os excluídos",
    "etl_controle.tipo": "run, run-full, retry, reconcile ou reprocess; nulo nas do primeiro coletor",
}


def upgrade() -> None:
    op.execute("ALTER TABLE conferencias ADD COLUMN recurso text NOT NULL DEFAULT 'nfe'")
    op.execute("ALTER TABLE conferencias DROP CONSTRAINT conferencias_pkey, ADD PRIMARY KEY (recurso, mes)")
    op.execute("ALTER TABLE limites_bling ALTER COLUMN margem SET DEFAULT 0.05")  # como `api/pace.py`
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
