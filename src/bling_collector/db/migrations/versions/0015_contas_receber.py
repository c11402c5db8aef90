"""As contas a receber, com os borderôs que as quitaram."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_COMMENTS = {
    "contas_receber.id": "o id no Bling",
    "contas_receber.saldo": "o que falta receber",
    "contas_receber.portador_id": "a conta financeira",
    "contas_receber.categoria_id": "a categoria de receitas e despesas",
    "contas_receber.vendedor_id": "de vendedores, e não de contatos",
    "contas_receber.origem_id": "a nota ou o pedido de que veio; as parcelas o repetem",
    "contas_receber.origem_tipo": "o que a origem é, nas palavras do Bling; vazio é lançada à mão",
    "contas_receber.detalhe": "a conta inteira, como GET /contas/receber/{id} a deu",
    "contas_receber.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "contas_receber.extraido_em": "quando o que está aqui foi lido",
    "contas_receber.excluida_em": "quando o Bling deixou de o ter",
    "contas_receber.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "contas_borderos.conta_tipo": "receber ou pagar",
    "contas_borderos.conta_id": "a conta, da tabela que o tipo diz",
    "contas_borderos.bordero_id": "o que a quitou, no todo ou em parte; um estornado sai daqui",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE contas_receber (
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
            vendedor_id BIGINT,
            origem_id BIGINT,
            origem_tipo TEXT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT contas_receber_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_contas_receber_contato_id ON contas_receber (contato_id)")
    op.execute("CREATE INDEX ix_contas_receber_data_emissao ON contas_receber (data_emissao)")
    op.execute("CREATE INDEX ix_contas_receber_origem_id ON contas_receber (origem_id)")
    op.execute("CREATE INDEX ix_contas_receber_vencimento ON contas_receber (vencimento)")
    op.execute("""
        CREATE TABLE contas_borderos (
            conta_tipo TEXT NOT NULL,
            conta_id BIGINT NOT NULL,
            bordero_id BIGINT NOT NULL,
            CONSTRAINT contas_borderos_pkey PRIMARY KEY (conta_tipo, conta_id, bordero_id)
        )""")
    op.execute("CREATE INDEX ix_contas_borderos_bordero_id ON contas_borderos (bordero_id)")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
