"""Os saldos de estoque, e as views deles."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_COMMENTS = {
    "estoque_saldos.lido_em": "a hora da leitura, a mesma em toda ela",
    "estoque_saldos.deposito_id": "0 se o Bling só dá o total do produto, sem depósitos",
    "estoque_saldos.saldo_fisico": "o que está lá; pode ser negativo, ou ter fração",
    "estoque_saldos.saldo_virtual": "menos o que está reservado",
}

_SAID = {
    "vw_estoque_atual": "o saldo de cada produto em cada depósito, na última leitura",
    "vw_estoque_por_dia": "o saldo de cada produto em cada depósito, na última leitura de cada dia de Brasília",
}

_VIEWS = {
    "vw_estoque_atual": """
        SELECT e.lido_em, e.produto_id, p.codigo, p.nome, e.deposito_id, e.saldo_fisico, e.saldo_virtual
        FROM estoque_saldos e LEFT JOIN produtos p ON p.id = e.produto_id
        WHERE e.lido_em = (SELECT max(lido_em) FROM estoque_saldos)""",
    "vw_estoque_por_dia": """
        SELECT (lido_em AT TIME ZONE 'America/Sao_Paulo')::date AS dia, lido_em, produto_id, deposito_id,
               saldo_fisico, saldo_virtual
        FROM estoque_saldos
        WHERE lido_em IN (
            SELECT max(lido_em) FROM estoque_saldos GROUP BY (lido_em AT TIME ZONE 'America/Sao_Paulo')::date)""",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE estoque_saldos (
            lido_em TIMESTAMP WITH TIME ZONE NOT NULL,
            produto_id BIGINT NOT NULL,
            deposito_id BIGINT NOT NULL,
            saldo_fisico NUMERIC,
            saldo_virtual NUMERIC,
            CONSTRAINT estoque_saldos_pkey PRIMARY KEY (lido_em, produto_id, deposito_id)
        )""")
    op.execute("CREATE INDEX ix_estoque_saldos_produto_id ON estoque_saldos (produto_id)")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
    for name, query in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")
        op.execute(f"COMMENT ON VIEW {name} IS '{_SAID[name]}'")
