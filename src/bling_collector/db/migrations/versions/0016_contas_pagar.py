"""As contas a pagar."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_COMMENTS = {
    "contas_pagar.id": "o id no Bling",
    "contas_pagar.saldo": "o que falta pagar",
    "contas_pagar.portador_id": "a conta financeira",
    "contas_pagar.categoria_id": "a categoria de receitas e despesas",
    "contas_pagar.detalhe": "a conta inteira, como GET /contas/pagar/{id} a deu",
    "contas_pagar.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "contas_pagar.extraido_em": "quando o que está aqui foi lido",
    "contas_pagar.excluida_em": "quando o Bling deixou de o ter",
    "contas_pagar.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE contas_pagar (
            id BIGINT NOT NULL,
            situacao INTEGER,
            vencimento DATE,
            data_emissao DATE,
            valor NUMERIC,
            saldo NUMERIC,
            contato_id BIGINT,
            forma_pagamento_id BIGINT,
            portador_id BIGINT,
            categoria_id BIGINT,
            numero_documento TEXT,
            competencia DATE,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT contas_pagar_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_contas_pagar_contato_id ON contas_pagar (contato_id)")
    op.execute("CREATE INDEX ix_contas_pagar_data_emissao ON contas_pagar (data_emissao)")
    op.execute("CREATE INDEX ix_contas_pagar_vencimento ON contas_pagar (vencimento)")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
