"""Os borderôs, com os pagamentos."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_COMMENTS = {
    "borderos.id": "o id no Bling",
    "borderos.data": "quando se pagou, ou se recebeu",
    "borderos.portador_id": "a conta financeira",
    "borderos.categoria_id": "a categoria de receitas e despesas",
    "borderos.detalhe": "o borderô inteiro, como GET /borderos/{id} o deu",
    "borderos.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "borderos.extraido_em": "quando o que está aqui foi lido",
    "borderos.excluida_em": "quando o Bling deixou de o ter",
    "borderos.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "borderos_pagamentos.bordero_id": "de que borderô é",
    "borderos_pagamentos.ordem": "o lugar no borderô, de 1 em diante",
    "borderos_pagamentos.numero_documento": "o número da conta: um pagamento não diz de que conta é",
    "borderos_pagamentos.valor_pago": "com os juros e os acréscimos",
    "borderos_pagamentos.tarifa": "a da forma de pagamento",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE borderos (
            id BIGINT NOT NULL,
            data DATE,
            portador_id BIGINT,
            categoria_id BIGINT,
            historico TEXT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT borderos_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_borderos_data ON borderos (data)")
    op.execute("""
        CREATE TABLE borderos_pagamentos (
            bordero_id BIGINT NOT NULL,
            ordem INTEGER NOT NULL,
            contato_id BIGINT,
            numero_documento TEXT,
            valor_pago NUMERIC,
            juros NUMERIC,
            desconto NUMERIC,
            acrescimo NUMERIC,
            tarifa NUMERIC,
            CONSTRAINT borderos_pagamentos_pkey PRIMARY KEY (bordero_id, ordem),
            CONSTRAINT borderos_pagamentos_bordero_id_fkey FOREIGN KEY(bordero_id) REFERENCES borderos (id)
        )""")
    op.execute("CREATE INDEX ix_borderos_pagamentos_contato_id ON borderos_pagamentos (contato_id)")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
