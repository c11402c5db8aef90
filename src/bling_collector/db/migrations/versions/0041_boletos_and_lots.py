"""Os boletos das vendas, e os lotes dos produtos."""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_COMMENTS = {
    "boletos_origens.id": "o id da nota, ou do pedido",
    "boletos_origens.detalhe": "a resposta inteira de GET /contas/receber/boletos, com o contato das contas",
    "boletos_origens.extraido_em": "quando o que está aqui foi lido",
    "boletos_origens.excluida_em": "quando o Bling deixou de o ter",
    "boletos_origens.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "boletos.origem_id": "a nota, ou o pedido",
    "boletos.ordem": "o lugar na resposta, de 1 em diante",
    "boletos.conta_id": "a conta a receber",
    "boletos.numero_externo": "o código que identifica o boleto",
    "boletos.situacao": "1 em aberto, 2 recebido, 3 recebido em parte, 4 devolvido, 5 devolvido em parte, 6 cancelado",
    "produtos_controle_lote.id": "o id do produto",
    "produtos_controle_lote.detalhe": "a linha de GET /produtos/lotes/controla-lote",
    "produtos_controle_lote.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "produtos_controle_lote.extraido_em": "quando o que está aqui foi lido",
    "produtos_controle_lote.excluida_em": "quando o Bling deixou de o ter",
    "produtos_controle_lote.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "produtos_lotes.id": "o id no Bling",
    "produtos_lotes.dias_permitido_venda": "por quantos dias ainda se pode vender",
    "produtos_lotes.situacao": "A ativo, I inativo",
    "produtos_lotes.detalhe": "a linha de GET /produtos/lotes",
    "produtos_lotes.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "produtos_lotes.extraido_em": "quando o que está aqui foi lido",
    "produtos_lotes.excluida_em": "quando o Bling deixou de o ter",
    "produtos_lotes.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "produtos_lotes_saldos.id": "o id do lote",
    "produtos_lotes_saldos.saldo": "quanto há dele",
    "produtos_lotes_saldos.detalhe": "a linha de GET /produtos/{id}/lotes/depositos/{id}/saldo",
    "produtos_lotes_saldos.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "produtos_lotes_saldos.extraido_em": "quando o que está aqui foi lido",
    "produtos_lotes_saldos.excluida_em": "quando o Bling deixou de o ter",
    "produtos_lotes_saldos.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "produtos_lotes_lancamentos.id": "o id no Bling",
    "produtos_lotes_lancamentos.tipo": "1 entrada, 2 saída, 3 balanço",
    "produtos_lotes_lancamentos.data": "hora local de Brasília, como o Bling a dá",
    "produtos_lotes_lancamentos.origem_id": "o que o lançou; não se diz de que espécie é",
    "produtos_lotes_lancamentos.detalhe": "a linha de GET /produtos/lotes/{id}/lancamentos",
    "produtos_lotes_lancamentos.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "produtos_lotes_lancamentos.extraido_em": "quando o que está aqui foi lido",
    "produtos_lotes_lancamentos.excluida_em": "quando o Bling deixou de o ter",
    "produtos_lotes_lancamentos.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE boletos_origens (
            id BIGINT NOT NULL,
            contato_id BIGINT,
            venda_numero TEXT,
            nota_numero TEXT,
            valor_total NUMERIC,
            detalhe JSONB,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT boletos_origens_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_boletos_origens_contato_id ON boletos_origens (contato_id)")
    op.execute("""
        CREATE TABLE boletos (
            origem_id BIGINT NOT NULL,
            ordem INTEGER NOT NULL,
            conta_id BIGINT,
            numero_externo TEXT,
            vencimento DATE,
            valor NUMERIC,
            situacao INTEGER,
            CONSTRAINT boletos_pkey PRIMARY KEY (origem_id, ordem),
            CONSTRAINT boletos_origem_id_fkey FOREIGN KEY(origem_id) REFERENCES boletos_origens (id)
        )""")
    op.execute("CREATE INDEX ix_boletos_conta_id ON boletos (conta_id)")
    op.execute("""
        CREATE TABLE produtos_controle_lote (
            id BIGINT NOT NULL,
            controla_lote BOOLEAN,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT produtos_controle_lote_pkey PRIMARY KEY (id)
        )""")
    op.execute("""
        CREATE TABLE produtos_lotes (
            id BIGINT NOT NULL,
            produto_id BIGINT,
            deposito_id BIGINT,
            codigo TEXT,
            codigo_agregacao TEXT,
            data_fabricacao DATE,
            data_validade DATE,
            dias_permitido_venda INTEGER,
            situacao TEXT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT produtos_lotes_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_produtos_lotes_data_validade ON produtos_lotes (data_validade)")
    op.execute("CREATE INDEX ix_produtos_lotes_produto_id ON produtos_lotes (produto_id)")
    op.execute("""
        CREATE TABLE produtos_lotes_saldos (
            id BIGINT NOT NULL,
            produto_id BIGINT,
            deposito_id BIGINT,
            saldo NUMERIC,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT produtos_lotes_saldos_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_produtos_lotes_saldos_produto_id ON produtos_lotes_saldos (produto_id)")
    op.execute("""
        CREATE TABLE produtos_lotes_lancamentos (
            id BIGINT NOT NULL,
            lote_id BIGINT,
            tipo INTEGER,
            data TIMESTAMP WITHOUT TIME ZONE,
            quantidade NUMERIC,
            origem_id BIGINT,
            observacao TEXT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT produtos_lotes_lancamentos_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_produtos_lotes_lancamentos_data ON produtos_lotes_lancamentos (data)")
    op.execute("CREATE INDEX ix_produtos_lotes_lancamentos_lote_id ON produtos_lotes_lancamentos (lote_id)")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
