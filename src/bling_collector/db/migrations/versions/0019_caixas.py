"""Os lançamentos de caixas e bancos."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_COMMENTS = {
    "caixas_lancamentos.id": "o id no Bling",
    "caixas_lancamentos.conta_id": "a conta financeira",
    "caixas_lancamentos.valor": "negativo se é uma saída",
    "caixas_lancamentos.categoria_id": "a categoria de receitas e despesas",
    "caixas_lancamentos.origem_tipo": "caixa (lançado à mão), duplicata, bordero ou estoque",
    "caixas_lancamentos.origem_id": "o borderô, por exemplo",
    "caixas_lancamentos.detalhe": "o lançamento inteiro, como GET /caixas/{id} o deu",
    "caixas_lancamentos.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "caixas_lancamentos.extraido_em": "quando o que está aqui foi lido",
    "caixas_lancamentos.excluida_em": "quando o Bling deixou de o ter",
    "caixas_lancamentos.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE caixas_lancamentos (
            id BIGINT NOT NULL,
            conta_id BIGINT,
            data DATE,
            competencia DATE,
            valor NUMERIC,
            situacao TEXT,
            contato_id BIGINT,
            categoria_id BIGINT,
            origem_tipo TEXT,
            origem_id BIGINT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT caixas_lancamentos_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_caixas_lancamentos_conta_id ON caixas_lancamentos (conta_id)")
    op.execute("CREATE INDEX ix_caixas_lancamentos_contato_id ON caixas_lancamentos (contato_id)")
    op.execute("CREATE INDEX ix_caixas_lancamentos_data ON caixas_lancamentos (data)")
    op.execute("CREATE INDEX ix_caixas_lancamentos_origem_id ON caixas_lancamentos (origem_id)")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
